import numpy as np
import pytest

from mp3fix.signal.cutoff import FALL_HZ, CutoffMeter
from mp3fix.signal.stft import StftSpec, stft


def measured(samples: np.ndarray) -> float:
    meter = CutoffMeter(StftSpec())
    for part in np.array_split(stft(samples[None].astype(np.float32), StftSpec()), 3, axis=1):
        meter.push(part)
    return meter.hz


def noise(high: float, level: float = 0.1, fall: float = 0.0) -> np.ndarray:
    """Noise up to a frequency in Hz, falling by so many dB a kHz."""
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal(88200))
    hz = np.fft.rfftfreq(88200, 1 / 44100)
    return level * np.fft.irfft(spectrum * (hz < high) * 10 ** (-fall * hz / 20000))


@pytest.mark.parametrize("high", [5500.0, 11250.0, 16100.0, 20000.0])
def test_a_steep_end_is_the_cutoff(high: float) -> None:
    assert measured(noise(high)) == pytest.approx(high, abs=100)


def test_a_strong_sub_bass_is_not() -> None:
    bass = np.sin(2 * np.pi * 50 * np.arange(88200) / 44100)
    assert measured(bass + noise(22050.0, level=0.03, fall=1)) > 21900
    # So far below the bass the floor is near, and the measure of a steep end is short by up to FALL_HZ.
    assert 16100 - FALL_HZ < measured(bass + noise(16100.0, level=0.03)) < 16200


def test_what_falls_gently_reaches_its_floor_and_silence_nothing() -> None:
    assert measured(noise(22050.0, fall=3)) > 21900
    assert measured(noise(22050.0, fall=8)) == pytest.approx(100 / 8 * 1000, abs=600)
    assert measured(np.zeros(44100)) == 0
