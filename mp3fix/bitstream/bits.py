"""Bits at many places of a buffer at once."""

import numpy as np


class Bits:
    """A buffer to be read by the bit.

    Args:
        data: bytes; behind them zeros are read.
    """

    def __init__(self, data: np.ndarray) -> None:
        padded = np.concatenate([data, np.zeros(15, np.uint8)])
        words = np.zeros(len(data) + 8, np.uint64)
        for k in range(8):
            words |= padded[k : k + len(words)].astype(np.uint64) << np.uint64(56 - 8 * k)
        self._words = words  # the next eight bytes from each byte on
        self._last = len(words) - 1

    def peek(self, places: np.ndarray, counts: np.ndarray | int) -> np.ndarray:
        """So many bits, 0 to 57, from each place on, as int64; places are int64 and not negative."""
        words = self._words[np.minimum(places >> 3, self._last)]
        left = words << (places & 7).astype(np.uint64)
        # A shift by 64 is not defined: of no bits, one is shifted out after the other 63.
        counts = np.asarray(counts, np.uint64)
        return ((left >> np.uint64(1)) >> (np.uint64(63) - counts)).astype(np.int64)
