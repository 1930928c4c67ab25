import numpy as np
import pytest

from mp3fix.signal.chunks import chunked
from mp3fix.signal.griffinlim import context, refine
from mp3fix.signal.noise import spectrogram
from mp3fix.signal.stft import StftSpec, StftStream, istft, stft

SPEC = StftSpec(n_fft=512, win_length=512, hop=128)


def music(seconds: float = 0.5) -> np.ndarray:
    """Harmonics with vibrato and clicks, complex64 (2, T, F)."""
    t = np.arange(round(44100 * seconds)) / 44100
    tone = sum(np.sin(2 * np.pi * 440 * k * t + 3 * k * np.sin(2 * np.pi * 5 * t)) / k for k in range(1, 12))
    tone[::9000] += 3
    x = 0.2 * np.stack([tone, np.roll(tone, 777)]).astype(np.float32)
    stream = StftStream(SPEC, 2)
    return np.concatenate([stream.push(x), stream.flush()], axis=1)


def random_phase(target: np.ndarray) -> np.ndarray:
    """Magnitudes of the target, phases keyed by the absolute frame."""
    first = SPEC.first_frame
    noise = np.stack([spectrogram(1, c, first, first + target.shape[1], SPEC) for c in range(2)])
    return (np.abs(target) * np.exp(1j * np.angle(noise))).astype(np.complex64)


def inconsistency(frames: np.ndarray) -> float:
    """How far the frames are from those of any signal, in dB of their energy."""
    again = stft(istft(frames, SPEC), SPEC)
    inner = slice(4, -4)
    error = np.abs(again[:, inner] - frames[:, inner]) ** 2
    return 10 * np.log10(error.sum() / np.sum(np.abs(frames[:, inner]) ** 2))


def test_phases_come_to_fit_and_magnitudes_stay() -> None:
    target = music()
    start = random_phase(target)
    magnitude = np.abs(target)
    result = refine(magnitude, start, None, SPEC, 60)
    np.testing.assert_allclose(np.abs(result), magnitude, rtol=1e-4, atol=1e-6)
    assert result.dtype == np.complex64
    assert inconsistency(result) < inconsistency(start) - 12


def test_momentum_beats_plain_griffin_lim(monkeypatch: pytest.MonkeyPatch) -> None:
    target = music()
    magnitude, start = np.abs(target), random_phase(target)
    fast = inconsistency(refine(magnitude, start, None, SPEC, 40))
    monkeypatch.setattr("mp3fix.signal.griffinlim.MOMENTUM", 0.0)
    assert fast < inconsistency(refine(magnitude, start, None, SPEC, 40)) - 2


@pytest.mark.parametrize("size", [16, 50])
def test_chunks_equal_the_whole(size: int) -> None:
    """Also with bins kept, and for both ends of the song."""
    target = music()
    magnitude, start = np.abs(target), random_phase(target)
    fixed = np.zeros(target.shape, bool)
    fixed[:, :, :40] = True
    start[fixed] = target[fixed]
    iterations, first = 12, SPEC.first_frame
    reach = context(SPEC, iterations)
    pad = ((0, 0), (reach, reach), (0, 0))
    arrays = [np.pad(a, pad) for a in (magnitude, start, fixed)]
    whole = refine(*arrays, SPEC, iterations)[:, reach:-reach]
    parts = []
    for chunk in chunked([start], first, size, reach):
        begin = chunk.first - first + reach
        span = slice(begin, begin + chunk.data.shape[1])
        parts.append(chunk.kept(refine(arrays[0][:, span], chunk.data, arrays[2][:, span], SPEC, iterations)))
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, atol=1e-5 * np.abs(whole).max())


def test_context_is_the_reach_of_the_iterations() -> None:
    """A change reaches 3 frames an iteration, and 3 more in the samples."""
    target = music()
    magnitude, start = np.abs(target), random_phase(target)
    whole = refine(magnitude, start, None, SPEC, 5)
    start[:, 80] *= -1
    changed = np.flatnonzero(np.any(refine(magnitude, start, None, SPEC, 5) != whole, axis=(0, 2)))
    assert (changed.min(), changed.max()) == (80 - 15, 80 + 15)
    assert context(SPEC, 5) == 15 + 3
    assert context(StftSpec(n_fft=512, win_length=512, hop=100), 1) == 10


def test_fixed_bins_are_kept_and_lead_the_others() -> None:
    target = music()
    magnitude, start = np.abs(target), random_phase(target)
    fixed = np.zeros(target.shape, bool)
    fixed[:, :, :20] = True
    start[fixed] = target[fixed]
    result = refine(magnitude, start, fixed, SPEC, 40)
    np.testing.assert_array_equal(result[fixed], target[fixed])
    # Frames whose phases are known but in one: the neighbours determine it.
    fixed[:] = True
    fixed[:, 70] = False
    start = np.where(fixed, target, random_phase(target))
    result = refine(magnitude, start, fixed, SPEC, 40)
    error = np.sum(np.abs(result[:, 70] - target[:, 70]) ** 2) / np.sum(np.abs(target[:, 70]) ** 2)
    assert error < 1e-3


def test_silence_and_no_iterations() -> None:
    silent = np.zeros((1, 20, SPEC.bins), np.complex64)
    assert np.all(refine(np.zeros(silent.shape, np.float32), silent, None, SPEC, 3) == 0)
    magnitude = np.ones(silent.shape, np.float32)
    result = refine(magnitude, np.full_like(silent, 2j), None, SPEC, 0)
    np.testing.assert_array_equal(result, np.full_like(silent, 1j))
    np.testing.assert_allclose(np.abs(refine(magnitude, silent, None, SPEC, 3)), 1, rtol=1e-4)
