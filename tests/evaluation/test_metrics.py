import numpy as np
import pytest

from mp3fix.evaluation import metrics

RNG = np.random.default_rng(0)
NOISE = RNG.standard_normal(44100).astype(np.float32)


def test_a_gain_is_its_decibels_in_lsd_and_nothing_in_si_sdr() -> None:
    assert metrics.log_spectral_distance(NOISE, NOISE / 2) == pytest.approx(20 * np.log10(2), abs=1e-3)
    assert metrics.level_distance(NOISE, NOISE / 2) == pytest.approx(20 * np.log10(2), abs=1e-3)
    assert metrics.si_sdr(NOISE, NOISE / 2) > 100
    assert metrics.snr(NOISE, NOISE / 2) == pytest.approx(20 * np.log10(2), abs=1e-3)


def test_two_draws_of_one_level_are_near_in_level_and_far_bin_by_bin() -> None:
    other = RNG.standard_normal(44100).astype(np.float32)
    assert metrics.log_spectral_distance(NOISE, other) == pytest.approx(7.9, abs=0.3)
    assert metrics.level_distance(NOISE, other) < 2


def test_noise_of_known_level_has_its_snr() -> None:
    error = 0.1 * RNG.standard_normal(44100).astype(np.float32)
    assert metrics.snr(NOISE, NOISE + error) == pytest.approx(20, abs=0.2)
    assert metrics.si_sdr(NOISE, 3 * (NOISE + error)) == pytest.approx(20, abs=0.2)
    assert metrics.snr(NOISE, NOISE) == np.inf


def test_what_lies_outside_the_band_does_not_count() -> None:
    spectrum = np.fft.rfft(NOISE)
    spectrum[16000:] = 0
    cut = np.fft.irfft(spectrum, 44100).astype(np.float32)
    assert metrics.log_spectral_distance(NOISE, cut, high=15500) < 0.1
    assert metrics.log_spectral_distance(NOISE, cut, low=16500) > 50
    assert metrics.spectral_mse(NOISE, cut, high=15500) < 1e-3 * metrics.spectral_mse(NOISE, cut)


def test_the_floor_is_relative_to_the_recording() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(44100) / 44100).astype(np.float32)
    hiss = 10 ** (-150 / 20) * NOISE
    assert metrics.log_spectral_distance(tone, tone + hiss, low=5000) == 0
    assert metrics.log_spectral_distance(np.zeros(44100, np.float32), tone) == 0
