"""Levels: peaks, gains, whole numbers with dither, and a limiter for streams."""

import numpy as np

from mp3fix.signal.noise import tpdf


def peak(samples: np.ndarray) -> float:
    """Largest magnitude of the samples, full scale being 1; 0 for none."""
    return float(max(samples.max(), -samples.min())) if samples.size else 0.0


def from_db(db: float) -> float:
    """The factor on amplitudes that is this many dB."""
    return 10.0 ** (db / 20.0)


def to_db(gain: float) -> float:
    """A factor on amplitudes in dB; -inf for 0."""
    return float(20.0 * np.log10(gain)) if gain > 0 else -np.inf


def quantise(samples: np.ndarray, bits: int, start: int, seed: int = 0) -> np.ndarray:
    """Samples as whole numbers of 16 or 24 bits.

    16 bits are dithered by triangular noise that belongs to the song's position, except where a sample is
    exactly 0: digital silence stays silent. 24 bits are as fine as float32 and need none. What passes full
    scale is clipped: see to the level beforehand.

    Args:
        samples: float32 (C, n), full scale 1.
        bits: 16 or 24.
        start: absolute position of the first sample.
        seed: the dither's; one for all songs, so that what is drawn is all that seeds change.

    Returns:
        int32 (C, n), between -2**(bits - 1) and 2**(bits - 1) - 1.

    Raises:
        ValueError: when bits is neither 16 nor 24.
    """
    if bits not in (16, 24):
        raise ValueError(f"{bits} bits: only 16 and 24 are possible")
    scale = 2 ** (bits - 1)
    scaled = samples * np.float32(scale)
    if bits == 16:
        count = samples.shape[1]
        for channel, row in enumerate(scaled):
            np.add(row, tpdf(seed, channel, start, count), out=row, where=samples[channel] != 0)
    np.rint(scaled, out=scaled)
    return np.clip(scaled, -scale, scale - 1, out=scaled).astype(np.int32)


class Limiter:
    """Holds a stream within full scale, all channels by the same gain. The same bits for every block size.

    The gain falls smoothly to what a peak needs within the 5 ms before it, stays for 20 ms, so that it does
    not follow the waves of a bass, and returns in 5 ms. Samples further from any peak pass bit for bit.

    Attributes:
        lowest_gain: the strongest gain reduction so far, 1.0 for none.

    Args:
        rate: sampling rate, Hz.
        channels: C.
    """

    def __init__(self, rate: int, channels: int) -> None:
        # Gains are averaged by two boxes of this length, a power of two so that sums can be doubled up.
        self._box = 2 ** max(0, round(np.log2(rate * 0.0025)))
        self._ahead = 2 * (self._box - 1)
        self._hold = round(rate * 0.020)
        self._pending = np.zeros((channels, 0), np.float32)
        # 1 - gain that each sample needs, beginning before the first pending one.
        self._needed = np.zeros(self._hold + self._ahead, np.float32)
        self.lowest_gain = 1.0

    def push(self, block: np.ndarray) -> np.ndarray:
        """Take samples, float32 (C, n); return those whose future is known, float32 (C, m)."""
        magnitude = np.abs(block).max(axis=0)
        needed = 1 - 1 / np.maximum(magnitude, np.float32(1))
        self._pending = np.concatenate([self._pending, block], axis=1)
        self._needed = np.concatenate([self._needed, needed])
        return self._advance(max(0, self._pending.shape[1] - self._ahead))

    def flush(self) -> np.ndarray:
        """Return the rest, float32 (C, m)."""
        self._needed = np.concatenate([self._needed, np.zeros(self._ahead, np.float32)])
        return self._advance(self._pending.shape[1])

    def _advance(self, count: int) -> np.ndarray:
        """Give out the first `count` pending samples."""
        samples, self._pending = self._pending[:, :count], self._pending[:, count:].copy()
        needed = self._needed[: self._hold + self._ahead + count + self._ahead]
        self._needed = self._needed[count:].copy()
        if not count or not needed.any():
            return samples
        # The maximum over hold + ahead + 1 samples, then means over ahead + 1: each mean's maxima all
        # contain the sample it is for, so that the gain is never above what that sample needs.
        reduction = _means(_maxima(needed, self._hold + self._ahead + 1), self._box)
        gain = 1 - reduction
        self.lowest_gain = min(self.lowest_gain, float(gain.min()))
        # The products may pass 1 by a rounding error.
        return np.clip(samples * gain, -1, 1, out=samples, where=gain < 1)


def _maxima(x: np.ndarray, width: int) -> np.ndarray:
    """Maximum of x[i : i + width] for every i, (n,) -> (n - width + 1,)."""
    have = 1
    while have < width:
        step = min(have, width - have)
        x = np.maximum(x[:-step], x[step:])
        have += step
    return x


def _means(x: np.ndarray, box: int) -> np.ndarray:
    """Mean by two boxes of a power of two, (n,) -> (n - 2 (box - 1),). Sums in the same order for every i."""
    for _ in range(2):
        step = 1
        while step < box:
            x = (x[:-step] + x[step:]) / 2
            step *= 2
    return x
