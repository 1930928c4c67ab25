"""The torture set: hostile, damaged and rare files, made on the spot, each with what must come of it.

`KINDS` maps a name to a function that makes the file. All are meant to be named .mp3, whatever they are.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Any

import mp3s
import numpy as np
import soundfile

RATE = 44100
FRAMES = 66167  # a second and a half, and no multiple of anything
# What LAME and the decoder put around music whose length no tag tells, in samples: up to three frames.
SLACK = 3 * 1152


@dataclass(frozen=True)
class Whole:
    """All of it comes out, and nothing is said to be missing.

    Attributes:
        frames: samples per channel at `rate`, the input's.
        slack: how many more there may be.
    """

    frames: int
    rate: int = RATE
    slack: int = 0


@dataclass(frozen=True)
class Part:
    """What is there comes out, and a warning says how much is missing.

    Attributes:
        least, most: samples per channel at `rate`.
        total: where the file says how long it was: the warning must tell the difference.
        silently: whether damage may also go unnoticed (no decoder can tell every wrong bit).
    """

    least: int
    most: int
    total: int | None = None
    rate: int = RATE
    silently: bool = False


@dataclass(frozen=True)
class Refused:
    """An error that contains these words (a regular expression)."""

    reason: str


Outcome = Whole | Part | Refused


@dataclass(frozen=True)
class Case:
    """A file and what must come of it.

    Attributes:
        data: the file.
        outcome: with ffmpeg.
        embedded: without ffmpeg, by libsndfile; None: the same.
        says: a regular expression that one of the warnings must match.
    """

    data: bytes
    outcome: Outcome
    embedded: Outcome | None = None
    says: str | None = None

    def expected(self, decoder: str) -> Outcome:
        """The outcome with "ffmpeg" or "libsndfile"."""
        return self.embedded if self.embedded is not None and decoder == "libsndfile" else self.outcome


KINDS: dict[str, Callable[[], Case]] = {}


def kind(function: Callable[[], Case]) -> Callable[[], Case]:
    """Adds a function to the set, under its name."""
    KINDS[function.__name__.replace("_", " ")] = cache(function)
    return function


def case(name: str, function: Callable[..., Case], *arguments: Any) -> None:
    """Adds a function with its arguments to the set."""
    KINDS[name] = cache(lambda: function(*arguments))


@cache
def song(channels: int = 2, rate: int = RATE, frames: int = FRAMES) -> np.ndarray:
    """The music in the files: (channels, frames)."""
    return mp3s.music(frames, rate, channels)


@cache
def plain(channels: int = 2, rate: int = RATE, kbps: int = 128) -> bytes:
    """A constant bitrate by LAME, without any tag."""
    return mp3s.lame(song(channels, rate), rate, kbps)


@cache
def tagged(mode: str = "CONSTANT", channels: int = 2, rate: int = RATE) -> bytes:
    """An MP3 with a gapless tag by LAME in libsndfile: CONSTANT (Info), AVERAGE or VARIABLE (Xing)."""
    file = BytesIO()
    level = {"CONSTANT": 0.55, "AVERAGE": 0.6, "VARIABLE": 0.4}[mode]
    samples = song(channels, rate).T
    soundfile.write(file, samples, rate, format="MP3", bitrate_mode=mode, compression_level=level)
    return file.getvalue()


def written(
    form: str, subtype: str | None = None, samples: np.ndarray | None = None, rate: int = RATE
) -> bytes:
    """A file of another format by libsndfile."""
    file = BytesIO()
    soundfile.write(file, (song() if samples is None else samples).T, rate, subtype, format=form)
    return file.getvalue()


def patched(data: bytes, at: int, value: bytes) -> bytes:
    """The bytes with others in the place of some."""
    return data[:at] + value + data[at + len(value) :]
