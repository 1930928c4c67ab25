"""Sample-rate conversion of a stream: no delay, and exactly the length that the rates imply."""

import numpy as np
import soxr


class RateStream:
    """Converts blocks from one rate to another. The same bits for every block size.

    For n samples in, round(n * rate_out / rate_in) come out, halves rounded up. The filter is linear-phase
    and its delay compensated. Equal rates hand the blocks through untouched.

    Args:
        rate_in: sampling rate of what is pushed, Hz.
        rate_out: sampling rate of what is returned, Hz.
        channels: C.
    """

    def __init__(self, rate_in: int, rate_out: int, channels: int) -> None:
        self._rates = rate_in, rate_out
        self._channels = channels
        self._taken = 0
        self._given = 0
        self._soxr: soxr.ResampleStream | None = None
        if rate_in != rate_out:
            # VHQ is as fast as HQ and more accurate.
            self._soxr = soxr.ResampleStream(rate_in, rate_out, channels, dtype="float32", quality="VHQ")

    def push(self, block: np.ndarray) -> np.ndarray:
        """Take samples, float32 (C, n); return those that they complete, float32 (C, m)."""
        if self._soxr is None:
            return block
        self._taken += block.shape[1]
        resampled = _resample(self._soxr, block)
        self._given += resampled.shape[1]
        return resampled

    def flush(self) -> np.ndarray:
        """Return the rest, float32 (C, m)."""
        nothing = np.zeros((self._channels, 0), np.float32)
        if self._soxr is None:
            return nothing
        missing = output_length(self._taken, *self._rates) - self._given
        rest = _resample(self._soxr, nothing, last=True)[:, :missing]
        return np.pad(rest, ((0, 0), (0, missing - rest.shape[1])))


def _resample(stream: soxr.ResampleStream, block: np.ndarray, last: bool = False) -> np.ndarray:
    """soxr takes and gives (n, C), everything here is (C, n)."""
    return np.ascontiguousarray(stream.resample_chunk(np.ascontiguousarray(block.T), last).T)


def output_length(samples: int, rate_in: int, rate_out: int) -> int:
    """round(samples * rate_out / rate_in), halves up, in integers."""
    return (2 * samples * rate_out + rate_in) // (2 * rate_in)
