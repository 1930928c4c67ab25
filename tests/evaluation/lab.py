"""A corpus and generators for tests of the evaluation: small, and quick to score."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import networks
import numpy as np

from mp3fix.signal.stft import StftSpec
from mp3fix.training import corpus


def small_corpus(root: Path, *names: str, seconds: float = 2.0) -> Path:
    """A corpus of test pieces: decaying tones and hits, each its own."""
    (root / "pcm").mkdir(parents=True)
    frames = round(seconds * 44100)
    t = np.arange(frames) / 44100
    entries = []
    for number, name in enumerate(names):
        rng = np.random.default_rng(number)
        tone = sum(np.sin(2 * np.pi * (200 + 20 * number) * k * t) / k for k in range(1, 60))
        hiss = 0.1 * rng.standard_normal((2, frames)) * np.exp(-8 * (t % 0.5))
        samples = 0.15 * (tone + hiss) * (1 + 0.5 * np.sin(2 * np.pi * 3 * t))
        np.save(root / "pcm" / f"{number}.npy", np.round(samples * 32767).astype(np.int16))
        fields: dict[str, Any] = {
            "file": f"album{number}/{name}-{number}.flac",
            "piece": name,
            "source": "test",
            "licence": "CC0",
            "kind": "music",
            "lossless": True,
            "frames": frames,
            "cutoff": 21000.0,
            "split": "test",
            "pcm": f"{number}.npy",
        }
        entries.append(asdict(corpus.Entry(**fields)))
    (root / "index.json").write_text(json.dumps(entries))
    return root


def generator(path: Path, z: bool = True, strength: float = 0.01, **changes: Any) -> Path:
    """A generator with a noise spectrogram and texture, and with or without a song-level vector."""
    noise = ("spectrogram", "vector") if z else ("spectrogram",)
    taken = {"noise": noise, "z_size": 4 if z else 0, "texture": True, "name": path.stem} | changes
    return networks.save(path, strength, stft=StftSpec(), **taken)
