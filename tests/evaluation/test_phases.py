"""The comparison of ways to find phases: each way is measured, and told apart."""

import numpy as np

from mp3fix.evaluation import phases
from mp3fix.evaluation.excerpts import Pair


def test_found_phases_fit_better_than_those_that_are_there() -> None:
    random = np.random.default_rng(0)
    t = np.arange(30000) / phases.SPEC.rate
    music = sum(np.sin(2 * np.pi * 700 * k * t + k) / k for k in range(1, 25)) + 0.1 * random.standard_normal(
        len(t)
    )
    spectrum = np.fft.rfft(music)
    spectrum[round(8000 * len(t) / phases.SPEC.rate) :] = 0
    pair = Pair(music.astype(np.float32)[None], np.fft.irfft(spectrum).astype(np.float32)[None], 22050.0)
    found = phases.measure(pair)
    assert list(found) == list(phases.WAYS)
    snr, convergence, above, distance, seconds = np.stack([found[name] for name in phases.WAYS], axis=1)
    assert (np.diff(convergence) < -0.1).all()
    assert (np.diff(above) < -1).all()
    assert (np.diff(distance) < 0).all()
    assert snr.min() > 0
    assert seconds.min() >= 0
