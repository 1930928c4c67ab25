"""Measures of a restoration against the recording.

All take float32 or float64 arrays of one channel, (n,), aligned and of one length, and compare up to the
recording's own cut-off: above it nobody knows what is right. Definitions of LSD, MSE and SNR follow Lattner &
Nistal 2021 (Electronics 10, 1349), section 3.4, on an STFT of 2048 samples with hop 512.
"""

from itertools import pairwise

import numpy as np

from mp3fix.signal.stft import StftSpec, stft

SPEC = StftSpec()
FLOOR_DB = -100.0  # below the recording's strongest bin: what is weaker counts as this


def log_spectral_distance(
    reference: np.ndarray, estimate: np.ndarray, low: float = 0.0, high: float = 22050.0
) -> float:
    """LSD in dB between `low` and `high` Hz: rms over bins of the level difference, mean over frames."""
    bins = _bins(low, high)
    power_r, power_e = (_power(each)[:, bins] for each in (reference, estimate))
    floor = _power(reference).max() * 10 ** (FLOOR_DB / 10)
    if floor == 0 or power_r.shape[1] == 0:
        return 0.0
    difference = 10 * np.log10(np.maximum(power_r, floor) / np.maximum(power_e, floor))
    return float(np.sqrt((difference**2).mean(1)).mean())


def spectral_mse(reference: np.ndarray, estimate: np.ndarray, high: float = 22050.0) -> float:
    """Mean squared error of square-root power spectra, that is of magnitudes, up to `high` Hz."""
    bins = _bins(0, high)
    difference = np.sqrt(_power(reference)[:, bins]) - np.sqrt(_power(estimate)[:, bins])
    return float((difference**2).mean())


def snr(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Signal-to-noise ratio in dB; inf for equal signals."""
    error = float(np.sum((reference.astype(np.float64) - estimate) ** 2))
    signal = float(np.sum(reference.astype(np.float64) ** 2))
    return 10 * np.log10(signal / error) if error else float("inf")


def si_sdr(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Scale-invariant signal-to-distortion ratio in dB (Le Roux et al. 2019, arXiv 1811.02508)."""
    reference, estimate = reference.astype(np.float64), estimate.astype(np.float64)
    energy = float(reference @ reference)
    if energy == 0:
        return float("nan")
    return snr(reference * float(reference @ estimate) / energy, estimate)


def low_passed(samples: np.ndarray, high: float) -> np.ndarray:
    """The part of a signal up to `high` Hz, float64 (n,): what SNR and SI-SDR are to compare."""
    spectrum = np.fft.rfft(samples.astype(np.float64))
    spectrum[int(high * len(samples) / SPEC.rate) + 1 :] = 0
    return np.fft.irfft(spectrum, len(samples))


def level_distance(
    reference: np.ndarray, estimate: np.ndarray, low: float = 0.0, high: float = 22050.0
) -> float:
    """LSD of powers smoothed over 1/3 octave and about 100 ms, in dB.

    Two independent draws of one level differ by 7.9 dB in LSD; here they hardly do.
    """
    bands, weights = _third_octaves(low, high)
    smooth = [_moving_average(_power(each) @ bands) / weights for each in (reference, estimate)]
    floor = _power(reference).max() * 10 ** (FLOOR_DB / 10)
    if floor == 0 or not bands.shape[1]:
        return 0.0
    difference = 10 * np.log10(np.maximum(smooth[0], floor) / np.maximum(smooth[1], floor))
    return float(np.sqrt((difference**2).mean(1)).mean())


def _power(samples: np.ndarray) -> np.ndarray:
    frames = stft(np.ascontiguousarray(samples, np.float32)[np.newaxis], SPEC)[0]
    return frames.real.astype(np.float64) ** 2 + frames.imag.astype(np.float64) ** 2


def _bins(low: float, high: float) -> slice:
    width = SPEC.rate / SPEC.n_fft
    return slice(int(np.ceil(low / width)), min(SPEC.bins, int(high / width) + 1))


def _third_octaves(low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Matrix (F, bands) that sums bins into bands, and the number of bins in each."""
    hz = np.arange(SPEC.bins) * SPEC.rate / SPEC.n_fft
    edges = 50.0 * 2 ** (np.arange(40) / 3)
    columns = [((hz >= a) & (hz < b) & (hz >= low) & (hz <= high)).astype(float) for a, b in pairwise(edges)]
    kept = [column for column in columns if column.any()]
    if not kept:
        return np.zeros((SPEC.bins, 0)), np.zeros(0)
    bands = np.stack(kept, 1)
    return bands, bands.sum(0)


def _moving_average(levels: np.ndarray, frames: int = 9) -> np.ndarray:
    kernel = np.ones(frames) / frames
    return np.apply_along_axis(lambda column: np.convolve(column, kernel, mode="valid"), 0, levels)
