"""Measures on samples, float32 or float64 (n,), of one channel, aligned and of one length."""

import numpy as np

from mp3fix.evaluation.spectral import SPEC


def snr(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Signal-to-noise ratio in dB; inf for equal signals, nan for a silent recording."""
    reference = reference.astype(np.float64)
    signal, error = float(np.sum(reference**2)), float(np.sum((reference - estimate) ** 2))
    if not signal:
        return float("nan")
    return 10 * np.log10(signal / error) if error else float("inf")


def si_sdr(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Scale-invariant signal-to-distortion ratio in dB (Le Roux et al. 2019, arXiv 1811.02508)."""
    reference, estimate = reference.astype(np.float64), estimate.astype(np.float64)
    energy = float(reference @ reference)
    if not energy:
        return float("nan")
    scale = float(reference @ estimate) / energy
    return snr(reference * scale, estimate) if scale else float("-inf")


def low_passed(samples: np.ndarray, high: float) -> np.ndarray:
    """The part of a signal (..., n) up to `high` Hz, float64, by zeroing its spectrum above."""
    spectrum = np.fft.rfft(samples.astype(np.float64))
    length = samples.shape[-1]
    spectrum[..., int(high * length / SPEC.rate) + 1 :] = 0
    return np.fft.irfft(spectrum, length)
