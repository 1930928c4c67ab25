"""What comes out is finite and within full scale, whatever goes in: by the bundled generator, in every format."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from mp3s import lame, music
from pipeline import read, restorer, written

from mp3fix.bitstream.frames import scan
from mp3fix.song import Target, restore_file

RATE = 44100
LENGTH = 12_000


def squares() -> np.ndarray:
    return np.where(np.arange(LENGTH) // 50 % 2, 1.0, -1.0)


def at(values: dict[int, float]) -> np.ndarray:
    samples = music(LENGTH, RATE, 1)[0]
    for place, value in values.items():
        samples[place] = value
    return samples


SONGS: dict[str, Callable[[], np.ndarray]] = {
    "silence": lambda: np.zeros(LENGTH),
    "squares at full scale": squares,
    "squares of a thousand times full scale": lambda: 1000 * squares(),
    "the largest floats": lambda: 3e38 * squares(),
    "the largest that are kept": lambda: 1e12 * squares(),
    "whole numbers as floats": lambda: 2.0**31 * squares(),
    "a constant": lambda: np.ones(LENGTH),
    "no numbers": lambda: np.full(LENGTH, np.nan),
    "some that are no numbers": lambda: at({10: np.nan, 5000: np.inf, 5001: -np.inf, LENGTH - 1: np.nan}),
    "denormal numbers": lambda: 1e-41 * squares(),
    "one sample": lambda: np.array([0.5]),
    "one sample at full scale": lambda: np.array([-1.0]),
    "one sample that is no number": lambda: np.array([np.nan]),
    "two samples": lambda: np.array([1.0, -1.0]),
    "noise above full scale": lambda: 2 * np.random.default_rng(0).standard_normal(LENGTH),
}
FORMATS = [("o.flac", "16"), ("o.flac", "24"), ("o.wav", "16"), ("o.wav", "24"), ("o.wav", "32f")]


def check(path: Path, out: Path, bits: str, frames: int, **target: float) -> np.ndarray:
    result = restore_file(path, out, restorer=restorer("music"), target=Target(bits=bits, **target))  # type: ignore[arg-type]
    samples = read(out)
    assert samples.shape[1] == frames
    assert np.isfinite(samples).all()
    if bits != "32f":
        assert np.abs(samples).max(initial=0) <= 1
        clipped = np.count_nonzero((samples >= 1 - 2**-23) | (samples <= -1))
        assert not clipped or any("clipped" in text for text in result.warnings)
    return samples


@pytest.mark.slow
@pytest.mark.parametrize("song", SONGS)
@pytest.mark.parametrize(("name", "bits"), FORMATS)
def test_samples_are_finite_and_within_full_scale(song: str, name: str, bits: str, tmp_path: Path) -> None:
    samples = np.stack([SONGS[song](), SONGS[song]()]).astype(np.float32)
    path = written(tmp_path, samples, RATE)
    frames = samples.shape[1]
    out = check(path, tmp_path / name, bits, frames)
    if song in ("silence", "no numbers", "the largest floats"):
        assert not out.any()
    # Twenty decibels more than there are: clipped, and said so.
    check(path, tmp_path / f"loud-{name}", bits, frames, gain_db=20.0)


@pytest.mark.slow
@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
@pytest.mark.parametrize("channels", [1, 2])
def test_an_mp3_of_one_frame(rate: int, channels: int, tmp_path: Path) -> None:
    data = lame(music(4000, rate, channels), rate, 64)
    ends = (end for end in range(48, len(data)) if data[end : end + 2] == data[:2])
    first = next(end for end in ends if scan(data[:end]).frames == 1 and not scan(data[:end]).truncated)
    path = tmp_path / "one.mp3"
    path.write_bytes(data[:first])
    size = 1152 if rate > 24000 else 576
    check(path, tmp_path / "o.flac", "16", round(size * max(rate, 44100) / rate))
