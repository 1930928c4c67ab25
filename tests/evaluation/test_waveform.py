import numpy as np
import pytest

from mp3fix.evaluation import waveform

RNG = np.random.default_rng(0)
NOISE = RNG.standard_normal(44100).astype(np.float32)


def test_noise_of_known_level_has_its_snr() -> None:
    error = 0.1 * RNG.standard_normal(44100).astype(np.float32)
    assert waveform.snr(NOISE, NOISE + error) == pytest.approx(20, abs=0.2)
    assert waveform.si_sdr(NOISE, 3 * (NOISE + error)) == pytest.approx(20, abs=0.2)


def test_a_gain_is_noise_to_snr_and_nothing_to_si_sdr() -> None:
    assert waveform.snr(NOISE, NOISE / 2) == pytest.approx(20 * np.log10(2), abs=1e-3)
    assert waveform.si_sdr(NOISE, NOISE / 2) > 100


def test_the_ends_of_the_scale() -> None:
    silence = np.zeros(8)
    assert waveform.snr(NOISE, NOISE) == np.inf
    assert waveform.si_sdr(np.ones(8), silence) == -np.inf
    assert np.isnan(waveform.snr(silence, np.ones(8)))
    assert np.isnan(waveform.si_sdr(silence, np.ones(8)))


def test_a_low_pass_keeps_what_is_below_and_nothing_above() -> None:
    t = np.arange(44100) / 44100
    low, high = np.sin(2 * np.pi * 1000 * t), np.sin(2 * np.pi * 9000 * t)
    np.testing.assert_allclose(
        waveform.low_passed(np.stack([low + high, high]), 5000), [low, 0 * low], atol=1e-9
    )
