"""Songs through tiny generators of every kind: `restore("magnitude", samples, 44100, seeds=(7,))`."""

import tempfile
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

import networks
import numpy as np
import soundfile
from mp3s import music

from mp3fix.files.decode import open_decoder
from mp3fix.restore import Options, Restorer, Song
from mp3fix.song import Result, Target, restore_file

BOTH = ("spectrogram", "vector")
KINDS: dict[str, dict[str, Any]] = {
    "complex": {},
    "complex drawn": {"noise": BOTH, "z_size": 3, "texture": True},
    "complex pair": {"channels": 2, "noise": ("spectrogram",)},
    "hourglass": {"noise": ("spectrogram",), "multiple": 8},
    "magnitude": {"domain": "magnitude"},
    "magnitude drawn": {"domain": "magnitude", "noise": BOTH, "z_size": 2, "texture": True},
    "magnitude pair": {"domain": "magnitude", "channels": 2, "noise": ("spectrogram",), "multiple": 4},
    "waveform": {"domain": "waveform", "multiple": 8},
    "waveform drawn": {"domain": "waveform", "noise": BOTH, "z_size": 2, "texture": True},
    "waveform pair": {"domain": "waveform", "channels": 2, "noise": ("spectrogram",), "multiple": 16},
}
DRAWN = [kind for kind, takes in KINDS.items() if "noise" in takes]
WHOLE = 1e6  # chunk_seconds for the whole song in one go

EXCERPT = Path(__file__).parent / "data" / "excerpt.mp3"  # 44.1 kHz

_folder = tempfile.TemporaryDirectory(prefix="mp3fix-tests-")


def restorer(kind: str = "complex drawn", threads: int = 1, strength: float = 1.0) -> Restorer:
    """A tiny generator of this kind, or the bundled "music"; the same object for the same arguments."""
    return _load(kind, threads, strength)


@cache
def _load(kind: str, threads: int, strength: float) -> Restorer:
    if kind == "music":
        return Restorer("music", "cpu", threads)
    path = Path(_folder.name) / f"{kind} {strength}.onnx"
    return Restorer(networks.save(path, strength, **KINDS[kind]), "cpu", threads)


def restore(kind: str, samples: np.ndarray, hz: int, threads: int = 1, **options: Any) -> np.ndarray:
    """Restore (C, n), sampled at this rate, by the first seed."""
    return restorer(kind, threads).restore(samples, hz, Options(**options))


def blocks_of(samples: np.ndarray, size: int = 10007) -> Iterator[np.ndarray]:
    """The samples in blocks, as a decoder gives them."""
    return (samples[:, start : start + size] for start in range(0, samples.shape[1], size))


def draws(blocks: Iterable[np.ndarray], song: Song) -> np.ndarray:
    """Restore by all seeds: (seeds, C, m)."""
    return np.concatenate(list(song.restored(blocks)), axis=2)


def lag(reference: np.ndarray, delayed: np.ndarray) -> float:
    """Samples by which (n,) comes later than the other (n,), to a fraction, by cross-correlation."""
    size = 2 * max(len(reference), len(delayed))
    product = np.conj(np.fft.rfft(reference, size)) * np.fft.rfft(delayed, size)
    correlation = np.fft.irfft(product, size)
    top = int(np.argmax(correlation))
    before, peak, after = correlation[[top - 1, top, (top + 1) % size]]
    fraction = 0.5 * (before - after) / (before - 2 * peak + after)
    return (top if top < size // 2 else top - size) + float(fraction)


@cache
def excerpt(start: float, seconds: float) -> np.ndarray:
    """A piece of real music, decoded from an MP3 of 64 kbit/s: (2, n) at 44.1 kHz, read-only."""
    with open_decoder(EXCERPT) as decoder:
        samples = np.concatenate(list(decoder.blocks()), axis=1)
    piece = samples[:, round(start * 44100) : round((start + seconds) * 44100)].copy()
    piece.setflags(write=False)
    return piece


def written(
    folder: Path, samples: np.ndarray, rate: int, name: str = "in.wav", subtype: str | None = "FLOAT"
) -> Path:
    """A file of (C, n)."""
    path = folder / name
    soundfile.write(path, samples.T, rate, subtype)
    return path


def read(path: Path | BinaryIO) -> np.ndarray:
    """(C, n) float32."""
    return soundfile.read(path, dtype="float32", always_2d=True)[0].T


def loud(frames: int) -> np.ndarray:
    """Music that the tiny generator lifts over full scale: (2, n) at 44.1 kHz."""
    samples = music(frames, 44100)
    return samples * (0.9 / np.abs(samples).max())


def together(path: Path, out: Path, seeds: tuple[int, ...], strength: float = 1.0, **target: Any) -> Result:
    """Restore a file by several seeds."""
    options = Options(seeds=seeds)
    return restore_file(
        path, out, restorer=restorer(strength=strength), options=options, target=Target(**target)
    )
