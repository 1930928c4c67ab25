"""Songs, a generator and tasks for tests, in the current folder."""

import os
from functools import cache
from pathlib import Path

import networks
import numpy as np
import pipeline
import soundfile

from mp3fix.batch.work import How, Task
from mp3fix.restore import Options
from mp3fix.song import Target

LONG = 60  # seconds of a song that can be killed in the midst of it


@cache
def how() -> How:
    """With a tiny generator."""
    path = networks.save(Path(pipeline._folder.name) / "batch.onnx", 0.2, noise=("spectrogram",))
    return How(str(path), "cpu", 1, False, Options(), Target())


def song(name: str, seconds: float = 1) -> Path:
    """A WAV of noise."""
    noise = np.random.default_rng(0).integers(-3000, 3000, round(8000 * seconds), np.int16)
    soundfile.write("plain.wav", noise, 8000)
    return Path("plain.wav").rename(name)


def tasks(how: How, *songs: Path) -> list[Task]:
    """To out/."""
    Path("out").mkdir(exist_ok=True)
    return [Task(str(path), (f"out/{path.stem}.flac",), how) for path in songs]


def outputs() -> list[str]:
    """All that is in out/."""
    return sorted(os.listdir("out"))
