import numpy as np
import pytest

from mp3fix.evaluation import spectral
from mp3fix.evaluation.spectral import power
from mp3fix.signal.stft import StftSpec

RNG = np.random.default_rng(0)
NOISE = RNG.standard_normal(44100).astype(np.float32)
OTHER = RNG.standard_normal(44100).astype(np.float32)
TONE = np.sin(2 * np.pi * 1000 * np.arange(44100) / 44100).astype(np.float32)
HALF_DB = 20 * np.log10(2)


def without(samples: np.ndarray, low: float) -> np.ndarray:
    """What is below `low` Hz, of one second."""
    spectrum = np.fft.rfft(samples)
    spectrum[int(low) :] = 0
    return np.fft.irfft(spectrum, len(samples)).astype(np.float32)


def test_equal_signals_are_nothing_apart() -> None:
    assert spectral.log_spectral_distance(power(NOISE), power(NOISE)) == 0
    assert spectral.level_distance(power(NOISE), power(NOISE)) == 0
    assert spectral.spectral_mse(power(NOISE), power(NOISE)) == 0
    assert spectral.standardised_l1(NOISE, NOISE) == 0
    assert spectral.multi_resolution_stft(NOISE, NOISE) == 0


def test_a_gain_is_its_decibels_in_lsd() -> None:
    x, y = power(NOISE), power(NOISE / 2)
    assert spectral.log_spectral_distance(x, y) == pytest.approx(HALF_DB, abs=1e-3)
    assert spectral.log_spectral_distance(x, y, 5000, 9000) == pytest.approx(HALF_DB, abs=1e-3)
    assert spectral.level_distance(x, y) == pytest.approx(HALF_DB, abs=1e-3)


def test_a_gain_in_the_other_measures() -> None:
    # |X| - |X/2| = |X|/2, so a quarter of the power.
    assert spectral.spectral_mse(power(NOISE), power(NOISE / 2)) == pytest.approx(
        power(NOISE).mean() / 4, rel=1e-4
    )
    assert spectral.magnitude_l1(power(NOISE), power(NOISE / 2)) == pytest.approx(
        np.sqrt(power(NOISE)).mean() / 2, rel=1e-4
    )
    # Spectral convergence 1/2, and |log 2| in every bin.
    assert spectral.multi_resolution_stft(NOISE, NOISE / 2) == pytest.approx(0.5 + np.log(2), abs=1e-3)
    levels = 10 * np.log10(power(NOISE, StftSpec(n_fft=1024, win_length=1024)))
    assert spectral.standardised_l1(NOISE, NOISE / 2) == pytest.approx(HALF_DB / levels.std(), rel=1e-3)


def test_two_draws_of_one_level_are_near_in_level_and_far_bin_by_bin() -> None:
    assert spectral.log_spectral_distance(power(NOISE), power(OTHER)) == pytest.approx(7.9, abs=0.3)
    assert spectral.level_distance(power(NOISE), power(OTHER)) < 2


def test_what_lies_outside_the_band_does_not_count() -> None:
    x, y = power(NOISE), power(without(NOISE, 16000))
    assert spectral.log_spectral_distance(x, y, high=15500) < 0.1
    assert spectral.log_spectral_distance(x, y, low=16500) > 50
    assert spectral.spectral_mse(x, y, high=15500) < 1e-3 * spectral.spectral_mse(x, y)
    assert spectral.magnitude_l1(x, y, high=15500) < 1e-2 * spectral.magnitude_l1(x, y)
    assert spectral.standardised_l1(NOISE, without(NOISE, 16000), high=15500) < 0.02
    assert spectral.multi_resolution_stft(NOISE, without(NOISE, 16000), high=15000) < 0.05
    assert np.isnan(spectral.log_spectral_distance(x, y, low=9000, high=8000))
    assert np.isnan(spectral.level_distance(x, y, low=9000, high=8000))


def test_the_floor_is_relative_to_the_recording() -> None:
    hiss = 10 ** (-150 / 20) * NOISE
    assert spectral.log_spectral_distance(power(TONE), power(TONE + hiss), low=5000) == 0
    # A level 90 dB below the peak is above one floor and below the other.
    x = power(TONE)
    y = np.maximum(x, x.max() * 1e-9)
    above, below = (spectral.log_spectral_distance(x, y, low=9000, floor_db=floor) for floor in (-100, -80))
    assert above == pytest.approx(10, abs=0.1)
    assert below == 0
    assert np.isnan(spectral.log_spectral_distance(np.zeros((9, 1025)), power(TONE)))


def test_long_term_levels_of_white_noise_are_flat() -> None:
    hz, bands = spectral.third_octaves(2000, 20000)
    levels = spectral.long_term_levels(power(NOISE), bands, 1e-12)
    assert len(hz) == len(levels) == bands.shape[1]
    assert hz[0] == 2000 and hz[-1] < 20000
    expected = 10 * np.log10(StftSpec().noise_rms ** 2)
    np.testing.assert_allclose(levels, expected, atol=0.5)
    np.testing.assert_allclose(
        spectral.long_term_levels(power(2 * NOISE), bands, 1e-12), levels + HALF_DB, atol=1e-3
    )
