import numpy as np
import pytest

from mp3fix.signal.coherence import REACH, coherence, mix
from mp3fix.signal.noise import spectrogram
from mp3fix.signal.stft import StftSpec

SPEC = StftSpec(n_fft=512, win_length=512, hop=128)


def noise(stream: int, frames: int = 120) -> np.ndarray:
    return spectrogram(1, stream, 0, frames, SPEC)


@pytest.mark.parametrize("gamma", [-1.0, -0.4, 0.0, 0.5, 0.9, 1.0])
def test_mixed_noise_measures_as_coherent_as_asked(gamma: float) -> None:
    left, right = mix(noise(0), noise(1), np.full(120, gamma))
    assert coherence(left, right).mean() == pytest.approx(gamma, abs=0.05)
    # Re<L, R*> of one realisation scatters; the power does not change.
    for x in (left, right):
        assert x.dtype == np.complex64
        assert np.mean(np.abs(x) ** 2) == pytest.approx(np.mean(np.abs(noise(0)) ** 2), rel=0.05)


def test_equal_channels_get_equal_noise_frame_by_frame() -> None:
    left, right = noise(0), noise(0).copy()
    right[60:] = noise(1)[60:]
    gamma = coherence(left, right)
    assert np.all(gamma[:60] == 1.0) and np.all(gamma[60:] < 1.0)
    eps_left, eps_right = mix(noise(2), noise(3), gamma)
    np.testing.assert_array_equal(eps_left[:60], eps_right[:60])
    assert not np.array_equal(eps_left[60:], eps_right[60:])


def test_only_the_top_octave_below_the_cutoff_counts() -> None:
    """A mono bass under wide cymbals: the air above them must be wide. Nothing above the cut-off counts."""
    left, right = noise(0), noise(1)
    left[:, 160:], right[:, 160:] = 1e-6 * noise(2)[:, 160:], 1e-6 * noise(2)[:, 160:]
    left[:, :80] = right[:, :80] = 100 * noise(3)[:, :80]
    wide = coherence(left, right)
    assert np.abs(wide).mean() < 0.1
    left, right = noise(0), noise(1)
    left[:, 80:160] = right[:, 80:160]
    left[:, 160:] = right[:, 160:] = 0
    assert coherence(left, right)[REACH:-REACH].min() > 0.98


def test_the_cutoff_is_local() -> None:
    """Coherent up to bin 200 in the first half; in the second wide, and only up to bin 100."""
    left, right = noise(0), noise(0) * np.float32(0.5)
    right[60:] = noise(1)[60:]
    left[:60, 200:] = right[:60, 200:] = left[60:, 100:] = right[60:, 100:] = 0
    gamma = coherence(left, right)
    assert gamma[: 60 - REACH].min() > 0.999
    assert np.abs(gamma[60 + REACH :]).mean() < 0.15


def test_reach_is_what_it_says() -> None:
    left, right = noise(0), noise(1)
    whole = coherence(left, right)
    cut = slice(40 - REACH, 80 + REACH)
    np.testing.assert_array_equal(coherence(left[cut], right[cut])[REACH:-REACH], whole[40:80])
    left[60] *= 3
    changed = np.flatnonzero(coherence(left, right) != whole)
    assert (changed.min(), changed.max()) == (60 - REACH, 60 + REACH)


def test_silence_is_coherent() -> None:
    silent = np.zeros((20, SPEC.bins), np.complex64)
    assert np.all(coherence(silent, silent.copy()) == 1.0)
    assert np.all(coherence(silent, noise(0, 20)) == 1.0)
    assert coherence(silent[:0], silent[:0]).shape == (0,)


def test_level_difference_is_not_width() -> None:
    gamma = coherence(noise(0), noise(0) * np.float32(0.1))
    np.testing.assert_allclose(gamma, 1.0, atol=1e-6)
