"""pydub's segments in and out."""

import numpy as np
import pytest
from mp3s import music
from pipeline import restorer
from pydub import AudioSegment

import mp3fix
from mp3fix import Options
from mp3fix.segment import restore_segment


def segment(samples, rate, width=2):
    scaled = np.rint(samples.T * (2 ** (8 * width - 1) - 1)).astype(f"<i{width}")
    return AudioSegment(scaled.tobytes(), sample_width=width, frame_rate=rate, channels=samples.shape[0])


def values(segment):
    """(C, n), full scale 1."""
    return np.array(segment.get_array_of_samples(), np.float64).reshape(-1, segment.channels).T / 2**31


@pytest.mark.parametrize("width", [1, 2, 4])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [22050, 44100, 48000])
def test_a_segment_is_restored_as_its_samples_are(rate, channels, width):
    samples = music(9000, rate, channels) / 4
    quantised = np.rint(samples * (2 ** (8 * width - 1) - 1)) / 2 ** (8 * width - 1)
    options = Options(seeds=(7,))
    quiet = restorer(strength=0.1)
    restored = restore_segment(segment(samples, rate, width), quiet, options)
    expected = quiet.restore(quantised.astype(np.float32), rate, options)
    assert np.abs(expected).max() < 1
    assert (restored.frame_rate, restored.channels) == (max(rate, 44100), channels)
    assert restored.sample_width == 4
    assert np.abs(values(restored) - expected).max() < 1e-6


def test_one_that_would_pass_full_scale_is_lowered_as_a_whole():
    samples = music(9000, 44100)
    samples *= 0.95 / np.abs(samples).max()
    restored = values(restore_segment(segment(samples, 44100), restorer(), Options(seeds=(7,))))
    exact = restorer().restore(samples, 44100, Options(seeds=(7,)))
    peak = np.abs(exact).max()
    assert peak > 1.2
    assert np.abs(restored).max() == pytest.approx(1, abs=1e-6)
    assert np.abs(restored - exact / peak).max() < 1e-3  # of 16 bits, as they came


def test_an_empty_segment_stays_empty():
    assert len(restore_segment(AudioSegment.empty().set_frame_rate(44100), restorer())) == 0


def test_the_package_offers_it():
    assert mp3fix.restore_segment is restore_segment
