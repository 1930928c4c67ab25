"""Silence stays silence: digital zeros in, digital zeros out."""

import numpy as np
import pytest
from mp3s import music
from pipeline import KINDS, excerpt, restore

RATES = [8000, 22050, 44100, 48000, 96000]


def edges(frames, *seconds, rate):
    """Where seconds of the input lie in an output of this many frames for 3 s."""
    assert frames in (3 * rate, 3 * 44100)
    return [round(second * frames / 3) for second in seconds]


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_comes_of_nothing(kind, rate):
    assert not restore(kind, np.zeros((2, rate // 2), np.float32), rate).any()


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("kind", ["complex drawn", "magnitude drawn", "waveform pair"])
def test_silence_before_inside_and_after_music(kind, rate):
    samples = music(3 * rate, rate)
    samples[:, : rate // 2] = 0
    samples[:, rate : 2 * rate] = 0
    samples[:, -rate // 4 :] = 0
    restored = restore(kind, samples, rate)
    # A resampler rings for some milliseconds around an edge.
    margin = 0 if rate >= 44100 else 0.1
    begin, one, two, end = edges(
        restored.shape[1], 0.5 - margin, 1 + margin, 2 - margin, 2.75 + margin, rate=rate
    )
    for silent in (restored[:, :begin], restored[:, one:two], restored[:, end:]):
        assert silent.size
        assert not silent.any()
    for loud in edges(restored.shape[1], 0.6, 0.9, 2.1, 2.6, rate=rate):
        assert np.abs(restored[:, loud : loud + 200]).max(axis=1).all()


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_silent_channel_beside_music(kind, rate):
    samples = music(rate // 2, rate)
    samples[1] = 0
    left, right = restore(kind, samples, rate)
    assert left.any()
    assert not right.any()


def test_the_bundled_generator_leaves_a_silent_second_alone():
    samples = excerpt(8, 2).copy()
    samples[:, 22050 : 22050 + 44100] = 0
    restored = restore("music", samples, 44100)
    assert not restored[:, 22050 : 22050 + 44100].any()
    assert np.abs(restored - samples).max() > 1e-4


def test_fewer_zeros_than_make_silence_change_nothing():
    """Zeros are frequent in music of few bits: a hole of 100 samples is restored like anything else."""
    samples = music(20000, 44100)
    samples[:, 10000:10100] = 0
    restored = restore("complex drawn", samples, 44100)
    assert (np.abs(restored[:, 10000:10100]) > 0).all()
