"""Measures on spectra: how far a restoration's levels are from the recording's.

Most take power spectra, float64 (T, F) as `power` gives them, of one channel each, aligned and of one shape. They
compare between two frequencies, since above the recording's own cut-off nobody knows what is right. nan: nothing
can be compared, because the band is empty or the recording silent.

The floor of all levels is relative to the strongest bin of the recording as it is given: of the excerpt, where an
excerpt is scored, not of the song it comes from.
"""

from itertools import pairwise

import numpy as np

from mp3fix.signal.stft import StftSpec, stft

SPEC = StftSpec()  # 2048 samples, hop 512: as Lattner & Nistal 2021 (Electronics 10, 1349), section 3.4
TOP = SPEC.rate / 2  # Hz
FLOOR_DB = -100.0  # below the recording's strongest bin: what is weaker counts as this

_LIU = StftSpec(n_fft=1024, win_length=1024, hop=512)
# FFT size, window and hop of Yamamoto et al. 2020 (Parallel WaveGAN, arXiv 1910.11480), table 1.
_RESOLUTIONS = tuple(
    StftSpec(n_fft=size, win_length=window, hop=hop)
    for size, window, hop in ((1024, 600, 120), (2048, 1200, 240), (512, 240, 50))
)
_SMALLEST = 1e-7  # power below which the logarithm of the multi-resolution STFT goes no further


def power(samples: np.ndarray, spec: StftSpec = SPEC) -> np.ndarray:
    """Power spectra of the frames that lie inside one channel (n,), float64 (T, F)."""
    frames = stft(np.ascontiguousarray(samples, np.float32)[np.newaxis], spec)[0]
    return frames.real.astype(np.float64) ** 2 + frames.imag.astype(np.float64) ** 2


def log_spectral_distance(
    reference: np.ndarray,
    estimate: np.ndarray,
    low: float = 0.0,
    high: float = TOP,
    floor_db: float = FLOOR_DB,
) -> float:
    """LSD in dB between `low` and `high` Hz: rms over bins of the level difference, mean over frames."""
    bins, floor = _bins(low, high), _floor(reference, floor_db)
    if floor == 0 or bins.stop <= bins.start:
        return float("nan")
    return _rms_difference(reference[:, bins], estimate[:, bins], floor)


def level_distance(reference: np.ndarray, estimate: np.ndarray, low: float = 0.0, high: float = TOP) -> float:
    """LSD of powers smoothed over 1/3 octave and 9 frames (about 100 ms), in dB.

    Two independent draws of one level differ by 7.9 dB in LSD; here they hardly do.
    """
    _, bands = third_octaves(low, high)
    floor = _floor(reference, FLOOR_DB)
    if floor == 0 or not bands.shape[1]:
        return float("nan")
    return _rms_difference(_moving_average(reference @ bands), _moving_average(estimate @ bands), floor)


def spectral_mse(reference: np.ndarray, estimate: np.ndarray, high: float = TOP) -> float:
    """Mean squared error of square-root power spectra, that is of magnitudes, up to `high` Hz."""
    bins = _bins(0, high)
    return float(((np.sqrt(reference[:, bins]) - np.sqrt(estimate[:, bins])) ** 2).mean())


def magnitude_l1(reference: np.ndarray, estimate: np.ndarray, high: float = TOP) -> float:
    """Mean absolute difference of magnitudes up to `high` Hz: the loss of Hance 2021 ("Mind the Gaps")."""
    bins = _bins(0, high)
    return float(np.abs(np.sqrt(reference[:, bins]) - np.sqrt(estimate[:, bins])).mean())


def standardised_l1(reference: np.ndarray, estimate: np.ndarray, high: float = TOP) -> float:
    """Liu's L1 of standardised spectra of samples (n,): 1024-sample Hann window, hop 512, up to `high` Hz.

    Both spectra are levels in dB, and both are standardised by the recording's mean and standard deviation over
    all bins and frames: 1 is one standard deviation of the recording's levels.
    """
    powers = [power(each, _LIU) for each in (reference, estimate)]
    bins, floor = _bins(0, high, _LIU), _floor(powers[0], FLOOR_DB)
    if floor == 0:
        return float("nan")
    levels = [10 * np.log10(np.maximum(each[:, bins], floor)) for each in powers]
    spread = float(levels[0].std())
    return float(np.abs(levels[0] - levels[1]).mean() / spread) if spread else float("nan")


def multi_resolution_stft(reference: np.ndarray, estimate: np.ndarray, high: float = TOP) -> float:
    """Multi-resolution STFT distance of samples (n,): spectral convergence + L1 of log magnitudes (natural).

    The mean over the three resolutions of Yamamoto et al. 2020 (Parallel WaveGAN, arXiv 1910.11480), equations
    4 to 6, up to `high` Hz.
    """
    distances = []
    for spec in _RESOLUTIONS:
        bins = _bins(0, high, spec)
        x, y = (np.sqrt(np.maximum(power(each, spec)[:, bins], _SMALLEST)) for each in (reference, estimate))
        convergence = np.linalg.norm(x - y) / np.linalg.norm(x)
        distances.append(convergence + np.abs(np.log(x / y)).mean())
    return float(np.mean(distances))


def long_term_levels(reference: np.ndarray, bands: np.ndarray, floor: float) -> np.ndarray:
    """Level in dB of the mean power over all frames in each band (F, bands), not below the power `floor`."""
    return 10 * np.log10(np.maximum(reference.mean(0) @ bands, floor))


def third_octaves(low: float, high: float, parts: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Bands of 1/3 octave (1/parts) from 50 Hz on, cut to `low` .. `high` Hz; those without a bin are left out.

    Returns:
        lower edges in Hz, and a matrix (F, bands) that takes the mean over the bins of each.
    """
    hz = np.arange(SPEC.bins) * SPEC.rate / SPEC.n_fft
    edges = 50.0 * 2 ** (np.arange(10 * parts) / parts)
    kept, columns = [], []
    for a, b in pairwise(edges):
        column = ((hz >= a) & (hz < b) & (hz >= low) & (hz <= high)).astype(float)
        if column.any():
            kept.append(max(a, low))
            columns.append(column / column.sum())
    return np.array(kept), np.stack(columns, 1) if columns else np.zeros((SPEC.bins, 0))


def _rms_difference(reference: np.ndarray, estimate: np.ndarray, floor: float) -> float:
    difference = 10 * np.log10(np.maximum(reference, floor) / np.maximum(estimate, floor))
    return float(np.sqrt((difference**2).mean(1)).mean())


def _floor(reference: np.ndarray, floor_db: float) -> float:
    """The power that `floor_db` below the recording's strongest bin is; 0 for silence."""
    return float(reference.max(initial=0.0)) * 10 ** (floor_db / 10)


def _bins(low: float, high: float, spec: StftSpec = SPEC) -> slice:
    width = spec.rate / spec.n_fft
    return slice(int(np.ceil(low / width)), min(spec.bins, int(high / width) + 1))


def _moving_average(levels: np.ndarray, frames: int = 9) -> np.ndarray:
    kernel = np.ones(frames) / frames
    return np.apply_along_axis(lambda column: np.convolve(column, kernel, mode="valid"), 0, levels)
