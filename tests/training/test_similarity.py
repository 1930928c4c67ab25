"""The loss that stands for ViSQOL, held against ViSQOL itself."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("lameenc")

import torch

from mp3fix.files.decode import open_decoder
from mp3fix.training import codec
from mp3fix.training.losses_similarity import CLOSE, NEARLY_ALIKE, dissimilarity, lost_opinion

EXCERPT = Path(__file__).parents[1] / "data" / "excerpt.mp3"
ALL = torch.ones(1)

pytestmark = pytest.mark.lab


def music() -> np.ndarray:
    """Some seconds of music, float32 (n,), rms 1."""
    with open_decoder(EXCERPT) as decoder:
        samples = np.concatenate(list(decoder.blocks()), axis=1).mean(0)
    return (samples / np.sqrt(np.mean(samples**2))).astype(np.float32)


def tensor(samples: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(samples.astype(np.float32))[None]


def mean(x: torch.Tensor, y: torch.Tensor, trusted: torch.Tensor = ALL) -> float:
    """What is lacking, over the bands that are known."""
    lacking, known = dissimilarity(x, y, trusted)
    return float(lacking.sum() / known.sum())


def test_a_signal_is_like_itself() -> None:
    x = tensor(music())
    assert mean(x, x) < 0.002


def test_hiss_where_nothing_was_is_heard_and_beyond_what_is_known_is_not() -> None:
    rng = np.random.default_rng(0)
    spectrum = np.fft.rfft(music()[:88200])
    high = np.linspace(0, 1, len(spectrum)) > 0.6
    x = np.fft.irfft(np.where(high, 0, spectrum))
    hiss = np.fft.irfft(np.where(high, np.fft.rfft(rng.standard_normal(len(x))), 0))
    faint, loud = (mean(tensor(x), tensor(x + level * hiss)) for level in (1e-5, 3e-3))
    assert faint < 0.01
    assert loud > faint + 0.1
    assert mean(tensor(x), tensor(x + 3e-3 * hiss), torch.tensor([0.59])) < 0.01


def test_it_has_a_gradient_where_it_is_least_and_in_silence() -> None:
    for x in (tensor(music()[:44100]), torch.zeros(1, 44100)):
        y = x.clone().requires_grad_()
        lost_opinion(x, y, ALL).backward()
        assert y.grad is not None and torch.isfinite(y.grad).all()


@pytest.mark.slow
def test_it_follows_visqol() -> None:
    import soxr
    from visqol import VisqolApi

    x = music()
    quiet = 0.1 * x[None]  # -20 dB re full scale, as music is
    api = VisqolApi()
    api.create(mode="audio")
    opinions, lost = [], []
    for kbps in (16, 24, 32, 48, 64):
        degraded = codec.degrade(quiet, codec.mono(kbps))[1]
        reference = codec.codec_gain(quiet, degraded) * quiet
        pair = (soxr.resample(each[0].astype(np.float64), 44100, 48000) for each in (reference, degraded))
        told = api.measure_from_arrays(*pair, 48000)
        ours = tensor(10 * reference[0]), tensor(10 * degraded[0])
        assert 1 - mean(*ours) == pytest.approx(told.vnsim, abs=0.06)
        opinions.append(told.moslqo)
        # Without the logarithm that is not ViSQOL's.
        lost.append(float(lost_opinion(*ours, ALL)) - CLOSE * np.log(mean(*ours) + NEARLY_ALIKE))
    assert max(opinions) - min(opinions) > 1.5
    assert np.std(np.array(opinions) + lost) < 0.25
