"""Phases for given magnitudes, from the components around each: a few frames and bins, and no transform.

How the phase of an STFT goes on from frame to frame and from bin to bin follows from its magnitudes (Prusa &
Sondergaard 2016, "Real-time spectrogram inversion using phase gradient heap integration"; Prusa, Balazs & Sondergaard
2017, "A noniterative method for reconstruction of phase from STFT magnitude"). With s the logarithm of the magnitude, a
the hop, N = n_fft and gamma that of the Gaussian exp(-pi t**2 / gamma) closest to the window:

    from a frame to the next    2 pi a k / N + a N / gamma (s[k + 1] - s[k - 1]) / 2
    from a bin to the next      -2 pi c / N - gamma / (a N) (s[t + 1] - s[t - 1]) / 2

where c is the window's centre, from which a frame's phases would have to count for the second to have no first term.
The paper integrates these from the loudest bin to ever softer ones, by a heap.

Deviation: there is no heap. Which of two bins comes first would depend on the last bit of the magnitudes, and so on
the chunk they were computed in; and the paths it takes have no end in time. Instead, a fixed number of times, each bin
takes the mean of what its eight neighbours say of its phase, weighed by their magnitudes: so the loud lead the
soft, and all bins of a peak turn with it (as in the identity phase locking of Laroche & Dolson 1999, "Improved phase
vocoder time-scale modification of audio"). In the first passes a bin that is told contradictions, or little, tells
little itself: what is known spreads before what is not. In the last ones all bins settle with their neighbours.
"""

from functools import lru_cache
from typing import Any

import numpy as np

from mp3fix.signal.stft import StftSpec

SPREADING, SETTLING = 3, 3  # passes, each of which reaches a frame further
CONTEXT = SPREADING + SETTLING  # frames on each side that a frame depends on
_SILENT = np.float32(1e-7)  # magnitude, -200 dB re a full-scale sine: below it, gradients tend to zero
_TINY = np.float32(1e-30)
_LOUDEST = np.float32(1e12)  # of a weight: its products stay finite


def refine(magnitude: np.ndarray, initial: np.ndarray, fixed: np.ndarray, spec: StftSpec) -> np.ndarray:
    """A spectrogram of these magnitudes whose phases go on from those that are known.

    What a bin of `initial` has of its magnitude keeps its phase; what it lacks takes that of the neighbours. Every
    step is continuous in the magnitudes. Frames outside the arrays count as silent: give CONTEXT frames more on
    each side than are used.

    Shape:
        magnitude: float32 (T, F).
        initial: complex64 (T, F), not 0 where the magnitude is not.
        fixed: (T, F), the share of each bin, 0..1, that is kept as `initial` has it.
        returns: complex64 (T, F).
    """
    if not len(initial):
        return initial.copy()
    onward, upward = _turns(magnitude, spec)
    turns = onward, onward.conj(), upward, upward.conj()
    weight = np.minimum(magnitude, _LOUDEST)
    lacking = np.maximum(magnitude - np.abs(initial), 0)
    one = np.float32(1)
    agreed = _told(magnitude, weight, (one, one, one, one)) + _TINY  # if all said the same
    estimate = initial
    for _ in range(SPREADING):
        estimate = initial + _told(estimate, weight, turns) * (lacking / agreed)
    for _ in range(SETTLING):
        told = _told(estimate, weight, turns)
        told *= lacking / (np.abs(told) + _TINY)
        told += initial
        told *= magnitude / (np.abs(told) + _TINY)
        estimate = told
    share = fixed.astype(np.float32)
    return (1 - share) * estimate + share * initial


def _told(estimate: np.ndarray, weight: np.ndarray, turns: tuple[Any, Any, Any, Any]) -> np.ndarray:
    """The sum of what a bin and its neighbours say of it, (T, F); turns: on, back, up and down."""
    on, back, up, down = turns
    line = estimate.copy()
    line[1:] += on * estimate[:-1]
    line[:-1] += back * estimate[1:]
    line *= weight
    result = line.copy()
    result[:, 1:] += up * line[:, :-1]
    result[:, :-1] += down * line[:, 1:]
    return result


def _turns(magnitude: np.ndarray, spec: StftSpec) -> tuple[np.ndarray, np.ndarray]:
    """By what to multiply a bin to have its phase in the next frame, and in the next bin.

    Shape: (T, F) -> complex64 (T - 1, F), (T, F - 1).
    """
    levels = np.log(magnitude + _SILENT)
    gamma = np.float32(_gamma(spec))
    ratio = spec.hop * spec.n_fft / gamma
    rise, swell = np.zeros_like(levels), np.zeros_like(levels)
    # A window is no Gaussian, whose logarithm has no poles: no more than two bins or half a hop.
    rise[:, 1:-1] = _limited(ratio / 2 * (levels[:, 2:] - levels[:, :-2]), 4 * np.pi * spec.hop / spec.n_fft)
    swell[1:-1] = _limited(0.5 / ratio * (levels[:-2] - levels[2:]), np.pi / 2)
    steps, centre = _constants(spec)
    onward = _unit((rise[1:] + rise[:-1]) / 2) * steps
    upward = _unit((swell[:, 1:] + swell[:, :-1]) / 2) * centre
    return onward, upward


def _limited(x: np.ndarray, limit: float) -> np.ndarray:
    return np.clip(x, np.float32(-limit), np.float32(limit))


def _unit(angle: np.ndarray) -> np.ndarray:
    """exp(j angle), complex64."""
    result = np.empty(angle.shape, np.complex64)
    np.cos(angle, out=result.real)
    np.sin(angle, out=result.imag)
    return result


@lru_cache(maxsize=16)
def _constants(spec: StftSpec) -> tuple[np.ndarray, np.complex64]:
    """The turn of each bin's own frequency over a hop, complex64 (F,), and the one from a bin to the next."""
    turns = spec.hop * np.arange(spec.bins) % spec.n_fft / spec.n_fft
    centre = (spec.n_fft - spec.win_length) // 2 + spec.win_length / 2
    steps = np.exp(2j * np.pi * turns).astype(np.complex64)
    steps.setflags(write=False)
    return steps, np.complex64(np.exp(-2j * np.pi * centre / spec.n_fft))


@lru_cache(maxsize=16)
def _gamma(spec: StftSpec) -> float:
    """gamma of the Gaussian exp(-pi t**2 / gamma) closest to the window, least squares; samples squared."""
    window = spec.analysis_window().astype(np.float64)
    centre = (spec.n_fft - spec.win_length) // 2 + spec.win_length / 2
    squares = (np.arange(spec.n_fft) - centre) ** 2
    low, high = np.array([0.05, 1.0]) * spec.win_length**2
    for _ in range(60):  # by thirds: the error has one minimum
        first, second = low + (high - low) / 3, high - (high - low) / 3
        errors = [np.sum((window - np.exp(-np.pi * squares / each)) ** 2) for each in (first, second)]
        low, high = (low, second) if errors[0] < errors[1] else (first, high)
    return float((low + high) / 2)
