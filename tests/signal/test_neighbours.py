"""Phases from the components around each: they fit the music, keep what is known, and know only a few frames."""

import numpy as np
import pytest

from mp3fix.signal.chunks import chunked
from mp3fix.signal.neighbours import CONTEXT, refine
from mp3fix.signal.noise import spectrogram
from mp3fix.signal.stft import StftSpec, StftStream, istft, stft

SPECS = [
    StftSpec(n_fft=512, win_length=512, hop=128),
    StftSpec(rate=22050, n_fft=1024, win_length=1023, hop=248, centred=False),
    StftSpec(n_fft=512, win_length=400, hop=100, window="hamming"),
]
SPEC = SPECS[0]


def spectra(x: np.ndarray, spec: StftSpec) -> np.ndarray:
    """Of samples (n,), complex64 (T, F)."""
    stream = StftStream(spec, 1)
    samples = x.astype(np.float32)[np.newaxis]
    return np.concatenate([stream.push(samples), stream.flush()], axis=1)[0]


def music(spec: StftSpec = SPEC) -> np.ndarray:
    """Harmonics with vibrato, and clicks."""
    t = np.arange(30000) / spec.rate
    x = sum(np.sin(2 * np.pi * 440 * k * t + 3 * k * np.sin(2 * np.pi * 5 * t)) / k for k in range(1, 12))
    x[::9000] += 3
    return spectra(0.2 * x, spec)


def noise(target: np.ndarray, spec: StftSpec = SPEC) -> np.ndarray:
    """A little noise in every bin, by its magnitude and the absolute frame."""
    drawn = spectrogram(1, 0, spec.first_frame, spec.first_frame + len(target), spec)
    return (1e-3 / spec.noise_rms * np.abs(target) * drawn).astype(np.complex64)


def nothing(target: np.ndarray) -> np.ndarray:
    return np.zeros(target.shape, np.float32)


def inconsistency(frames: np.ndarray, spec: StftSpec) -> float:
    """How far the frames are from those of any signal, in dB of their energy."""
    again = stft(istft(frames[np.newaxis], spec), spec)[0]
    inner = slice(6, -6)
    error = np.abs(again[inner] - frames[inner]) ** 2
    return 10 * np.log10(error.sum() / np.sum(np.abs(frames[inner]) ** 2))


@pytest.mark.parametrize("spec", SPECS)
def test_phases_come_to_fit_and_magnitudes_stay(spec: StftSpec) -> None:
    target = music(spec)
    magnitude, start = np.abs(target), noise(target, spec)
    result = refine(magnitude, start, nothing(target), spec)
    assert result.dtype == np.complex64
    np.testing.assert_allclose(np.abs(result), magnitude, rtol=1e-4, atol=1e-6)
    before = (magnitude * np.exp(1j * np.angle(start))).astype(np.complex64)
    assert inconsistency(result, spec) < inconsistency(before, spec) - 3


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("bin_", [40.0, 40.3, 41.5])
def test_a_tone_goes_on_through_a_gap(spec: StftSpec, bin_: float) -> None:
    """As an MP3 of a low bitrate leaves it: heard, not coded for some frames, heard again."""
    target = spectra(0.3 * np.sin(2 * np.pi * bin_ / spec.n_fft * np.arange(20000)), spec)
    start, gap = target.copy(), slice(40, 45)
    start[gap] = noise(target, spec)[gap]
    result = refine(np.abs(target), start, nothing(target), spec)
    error = np.sum(np.abs(result[gap] - target[gap]) ** 2) / np.sum(np.abs(target[gap]) ** 2)
    assert error < 0.01


@pytest.mark.parametrize("spec", SPECS)
def test_the_top_of_a_click_goes_on_from_below(spec: StftSpec) -> None:
    """A line in time: bins turn with those beside them, wherever in a frame the click is."""
    x = np.zeros(20000)
    x[10003] = 1
    target = spectra(x, spec)
    start, gap = target.copy(), slice(100, 104)
    start[:, gap] = noise(target, spec)[:, gap]
    result = refine(np.abs(target), start, nothing(target), spec)
    error = np.sum(np.abs(result[:, gap] - target[:, gap]) ** 2) / np.sum(np.abs(target[:, gap]) ** 2)
    assert error < 0.2


def test_what_is_fixed_or_whole_stays() -> None:
    target = music()
    fixed = nothing(target)
    fixed[:, :20] = 1
    start = noise(target)
    start[:, :40] = target[:, :40]
    result = refine(np.abs(target), start, fixed, SPEC)
    np.testing.assert_array_equal(result[:, :20], target[:, :20])
    np.testing.assert_allclose(result[:, 20:40], target[:, 20:40], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [5, 50])
def test_chunks_equal_the_whole(size: int) -> None:
    """Also with bins kept, and for both ends of the song."""
    target = music()
    fixed = nothing(target)
    fixed[:, :40] = 0.5
    start = noise(target)
    start[:, :40] = target[:, :40]
    arrays = [np.pad(a, ((CONTEXT, CONTEXT), (0, 0))) for a in (np.abs(target), start, fixed)]
    whole = refine(*arrays, SPEC)[CONTEXT:-CONTEXT]
    parts = []
    for chunk in chunked([start[np.newaxis]], 0, size, CONTEXT):
        span = slice(chunk.first + CONTEXT, chunk.first + CONTEXT + chunk.data.shape[1])
        refined = refine(arrays[0][span], chunk.data[0], arrays[2][span], SPEC)
        parts.append(chunk.kept(refined[np.newaxis])[0])
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-6 * np.abs(whole).max())


def test_a_change_reaches_the_context_and_no_further() -> None:
    target = music()
    start = noise(target)
    whole = refine(np.abs(target), start, nothing(target), SPEC)
    louder, other = np.abs(target), start.copy()
    louder[80] *= 2
    other[80] *= -1
    changed = np.flatnonzero(np.any(refine(louder, other, nothing(target), SPEC) != whole, axis=1))
    assert (changed.min(), changed.max()) == (80 - CONTEXT, 80 + CONTEXT)


def test_the_last_bits_of_magnitudes_hardly_matter() -> None:
    """They may depend on the chunk and the batch that the network ran; nothing is decided by them."""
    target = music()
    magnitude, start = np.abs(target), noise(target)
    random = np.random.default_rng(1)
    rounded = (magnitude * (1 + 1e-7 * random.standard_normal(magnitude.shape))).astype(np.float32)
    whole = refine(magnitude, start, nothing(target), SPEC)
    samples, again = (
        istft(each[np.newaxis], SPEC) for each in (whole, refine(rounded, start, nothing(target), SPEC))
    )
    assert np.abs(samples - again).max() < 1e-5


def test_silence_extremes_and_no_frames() -> None:
    silent = np.zeros((20, SPEC.bins), np.complex64)
    assert np.all(refine(nothing(silent), silent, nothing(silent), SPEC) == 0)
    for level in (1e-30, 1e-12, 1e12):
        result = refine(np.full(silent.shape, level, np.float32), silent + level * 1j, nothing(silent), SPEC)
        assert np.isfinite(result).all()
        np.testing.assert_allclose(np.abs(result), level, rtol=1)
    assert refine(nothing(silent[:0]), silent[:0], nothing(silent[:0]), SPEC).shape == (0, SPEC.bins)
