"""Phases for given magnitudes: the fast Griffin-Lim algorithm, exact across chunks.

Perraudin, Balazs & Sondergaard 2013, "A fast Griffin-Lim algorithm". The number of iterations is fixed and
nothing is random, so a frame depends on a known number of frames around it and on nothing else.
"""

import numpy as np

from mp3fix.signal.stft import StftSpec, istft, stft

MOMENTUM = 0.99
_SILENT = 1e-18  # below it the squares leave float32's normal range


def context(spec: StftSpec, iterations: int) -> int:
    """Frames on each side that a refined frame, and the samples later made of it, depend on."""
    return (-(-spec.n_fft // spec.hop) - 1) * (iterations + 1)


def refine(
    magnitude: np.ndarray, initial: np.ndarray, fixed: np.ndarray | None, spec: StftSpec, iterations: int
) -> np.ndarray:
    """A spectrogram of these magnitudes whose phases fit together.

    With P1 the projection onto the spectrograms that some signal has and P2 the one onto the magnitudes:
    t_n = P1(P2(c_{n-1})), c_n = t_n + 0.99 (t_n - t_{n-1}), the result P2(c_N). Frames outside the arrays
    count as silent: give `context` frames more on each side than are used.

    Shape:
        magnitude: float32 (C, T, F).
        initial: complex64 (C, T, F); its phases are where the search begins.
        fixed: (C, T, F), or None: the share of each bin, 0..1, that is kept as `initial` has it. Shares
            between 0 and 1 let a caller decide without a threshold, at which the last bit of an input would
            decide about a bin.
        returns: complex64 (C, T, F).
    """
    result = np.empty_like(initial)
    for c in range(len(initial)):
        keep = None if fixed is None else fixed[c].astype(np.float32)
        result[c] = _refine_channel(magnitude[c], initial[c], keep, spec, iterations)
    return result


def _refine_channel(
    magnitude: np.ndarray, initial: np.ndarray, fixed: np.ndarray | None, spec: StftSpec, iterations: int
) -> np.ndarray:
    estimate = _impose(initial.copy(), magnitude, initial, fixed)
    if not iterations or not len(estimate):
        return estimate
    projected = _project(estimate, spec)
    estimate = _impose(projected.copy(), magnitude, initial, fixed)
    for _ in range(iterations - 1):
        previous, projected = projected, _project(estimate, spec)
        # c = (1 + a) t_n - a t_{n-1}, on real and imaginary parts.
        accelerated = previous.view(np.float32)
        accelerated *= np.float32(-MOMENTUM)
        accelerated += np.float32(1 + MOMENTUM) * projected.view(np.float32)
        estimate = _impose(previous, magnitude, initial, fixed)
    return estimate


def _project(frames: np.ndarray, spec: StftSpec) -> np.ndarray:
    """P1: the transform of the inverse, complex64 (T, F)."""
    return stft(istft(frames[np.newaxis], spec), spec)[0]


def _impose(
    frames: np.ndarray, magnitude: np.ndarray, initial: np.ndarray, fixed: np.ndarray | None
) -> np.ndarray:
    """P2, in place: the magnitude asked for in every bin, with the phase it has (0 if silent).

    Only +, *, / and the square root, which IEEE 754 rounds exactly: numpy's complex products and abs round
    differently in vectorised loops and their remainders, and the iteration would amplify that until two
    chunks differ audibly.
    """
    parts = frames.view(np.float32)
    squares = parts * parts
    level = np.sqrt(squares[:, 0::2] + squares[:, 1::2])
    silent = level < _SILENT
    if silent.any():
        frames[silent] = 1
        level[silent] = 1
    gain = magnitude / level
    frames.real *= gain
    frames.imag *= gain
    if fixed is not None:
        rest = 1 - fixed
        for part, start in ((frames.real, initial.real), (frames.imag, initial.imag)):
            part *= rest
            part += fixed * start
    return frames
