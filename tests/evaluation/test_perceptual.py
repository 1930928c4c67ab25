import numpy as np
import pytest

from mp3fix.evaluation import perceptual

RNG = np.random.default_rng(0)


def syllables(seconds: float) -> np.ndarray:
    """Harmonics that come and go like speech, with a little noise."""
    t = np.arange(round(44100 * seconds)) / 44100
    voice = sum(np.sin(2 * np.pi * 140 * k * t) / k for k in range(1, 40))
    envelope = np.maximum(0, np.sin(2 * np.pi * 3 * t)) ** 2
    return 0.2 * voice * envelope + 1e-3 * RNG.standard_normal(len(t))


def test_the_more_noise_the_worse() -> None:
    clean = syllables(3)
    noise = RNG.standard_normal(len(clean))
    for measure, best in ((perceptual.pesq, 4.6), (perceptual.stoi, 0.999)):
        scores = [measure(clean, clean + level * noise) for level in (0, 0.01, 0.1)]
        assert scores[0] > best
        assert scores[0] > scores[1] > scores[2]


@pytest.mark.filterwarnings("error")
def test_silence_gives_no_figure() -> None:
    assert np.isnan(perceptual.pesq(np.zeros(44100), np.zeros(44100)))
    assert np.isnan(perceptual.stoi(np.zeros(44100), np.zeros(44100)))


@pytest.mark.filterwarnings("ignore:Not enough STFT frames")
def test_too_little_sound_gives_no_stoi() -> None:
    assert np.isnan(perceptual.stoi(syllables(0.2), syllables(0.2)))


@pytest.mark.slow
def test_visqol_of_equal_signals_is_at_its_top_and_falls_with_the_band() -> None:
    clean = RNG.standard_normal(3 * 44100) * 0.1
    spectrum = np.fft.rfft(clean)
    spectrum[len(spectrum) // 4 :] = 0
    dull = np.fft.irfft(spectrum, len(clean))
    assert perceptual.visqol(clean, clean) > 4.6
    assert perceptual.visqol(clean, dull) < 4
