"""Where a spectrum ends: the cut-off an encoder or a recording left."""

import numpy as np

from mp3fix.signal.stft import StftSpec

FLOOR_DB = -100.0  # below the strongest bin of the long-term spectrum: nothing there is content
FALL_DB = 25.0  # an encoder's low-pass falls by more than this ...
FALL_HZ = 700.0  # ... within this width ...
LOWEST_HZ = 2000.0  # ... and above this: the fall behind a strong sub-bass is no cut-off


class CutoffMeter:
    """Measures the cut-off of a signal from its frames, as they come.

    The long-term power spectrum is averaged over all frames. The cut-off is the highest frequency still
    above the floor, or the upper edge of the last steep fall where what follows is only leakage.
    """

    def __init__(self, spec: StftSpec) -> None:
        self._spec = spec
        self._power = np.zeros(spec.bins)
        self._frames = 0

    def push(self, frames: np.ndarray) -> None:
        """Take frames in, complex64 (channels, T, F)."""
        if frames.shape[1]:
            # (C, T, 2 F): real, imaginary, real, ...
            parts = np.ascontiguousarray(frames).view(frames.real.dtype)
            power = np.square(parts).sum((0, 1), dtype=np.float64)
            self._power += power[0::2] + power[1::2]
            self._frames += frames.shape[1]

    @property
    def spectrum_db(self) -> np.ndarray:
        """Long-term power spectrum in dB re its strongest bin, smoothed over 5 bins, shape (F,)."""
        smooth = np.convolve(self._power, np.ones(5) / 5, mode="same")
        peak = smooth.max()
        if peak <= 0:
            return np.full(self._spec.bins, -np.inf)
        return 10 * np.log10(smooth / peak + 1e-20)

    @property
    def hz(self) -> float:
        """The cut-off in Hz; 0 for silence."""
        level = self.spectrum_db
        above = np.flatnonzero(level > FLOOR_DB)
        if not len(above):
            return 0.0
        top = int(above[-1])
        width = max(1, round(FALL_HZ * self._spec.n_fft / self._spec.rate))
        fall = level[: top + 1 - width] - level[width : top + 1]
        # A fall counts as the cut-off only where nothing comes back up after it.
        lowest = LOWEST_HZ * self._spec.n_fft / self._spec.rate
        for k in np.flatnonzero((fall > FALL_DB) & (np.arange(len(fall)) >= lowest))[::-1]:
            if level[k + width :].max() <= level[k] - FALL_DB:
                top = int(k)
                break
        return top * self._spec.rate / self._spec.n_fft
