"""The meter against the signals of EBU Tech 3341 (2016), table 1, whose loudness is known to 0.1 LU."""

import numpy as np
import pytest

from mp3fix.report.loudness import loudness

pytest.importorskip("pyloudnorm", reason="needs the extra [page]")

RATE = 48000


def sine(*parts: tuple[float, float], rate: int = RATE, hz: float = 1000.0) -> np.ndarray:
    """One channel of a sine whose level (dBFS of its peak) changes: (dBFS, seconds) ... to (n,)."""
    gains = np.concatenate([np.full(round(seconds * rate), 10 ** (db / 20)) for db, seconds in parts])
    return (gains * np.sin(2 * np.pi * hz * np.arange(len(gains)) / rate)).astype(np.float32)


@pytest.mark.parametrize(
    ("parts", "lufs"),
    [
        ([(-23, 20)], -23),
        ([(-33, 20)], -33),
        ([(-36, 10), (-23, 60), (-36, 10)], -23),
        ([(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)], -23),
        ([(-26, 20), (-20, 20.1), (-26, 20)], -23),
    ],
    ids=["-23", "-33", "relative gate", "absolute gate", "mean of powers"],
)
def test_two_channels(parts: list[tuple[float, float]], lufs: float) -> None:
    assert loudness(np.stack([sine(*parts)] * 2), RATE) == pytest.approx(lufs, abs=0.05)


@pytest.mark.parametrize("rate", [32000, 44100, 96000])
def test_rates(rate: int) -> None:
    assert loudness(np.stack([sine((-23, 20), rate=rate)] * 2), rate) == pytest.approx(-23, abs=0.05)


def test_the_weighting() -> None:
    """A full-scale sine of 997 Hz on one channel is at -3.01 LKFS (BS.1770-4, annex 1); treble counts 4 dB more."""
    assert loudness(sine((0, 5), hz=997)[None], RATE) == pytest.approx(-3.01, abs=0.01)
    assert loudness(sine((0, 5), hz=10000)[None], RATE) == pytest.approx(-3.01 - 0.691 + 4.0, abs=0.1)


def test_surround() -> None:
    """Case 6: left, right -28, centre -24, surrounds -30. LFE does not count, and no centre is as a silent one."""
    left, centre, back, silence = (
        sine((db, 20)) if db else np.zeros(20 * RATE, np.float32) for db in (-28, -24, -30, 0)
    )
    assert loudness(np.stack([left, left, centre, back, back]), RATE) == pytest.approx(-23, abs=0.05)
    with_lfe = loudness(np.stack([left, left, centre, sine((-3, 20)), back, back]), RATE)
    assert with_lfe == pytest.approx(-23, abs=0.05)
    quad = loudness(np.stack([left, left, back, back]), RATE)
    assert quad == loudness(np.stack([left, left, silence, back, back]), RATE)
    with pytest.raises(ValueError, match="7 channels"):
        loudness(np.zeros((7, RATE), np.float32), RATE)


def test_an_incomplete_block_does_not_count() -> None:
    tone = sine((-20, 1))
    whole = loudness(tone[None, : RATE * 6 // 10], RATE)
    assert loudness(tone[None, : RATE * 6 // 10 + RATE // 12], RATE) == pytest.approx(whole, abs=0.01)


def test_what_has_no_loudness() -> None:
    assert loudness(np.zeros((2, RATE), np.float32), RATE) == -np.inf
    assert loudness(np.stack([sine((-80, 5))] * 2), RATE) == -np.inf
    assert loudness(sine((-23, 0.399))[None], RATE) == -np.inf
    assert loudness(sine((-23, 0.4))[None], RATE) > -30
    assert loudness(np.zeros((2, 0), np.float32), RATE) == -np.inf
