"""Silence stays silence: where the decoder gave nothing, nothing is added."""

import numpy as np

RUN = 512  # samples of exact zero that make silence; fewer occur in music
FADE = 64  # samples of music beside it over which the change fades
_REACH = FADE + RUN - 1  # samples on each side that decide about one


class SilenceGate:
    """Takes the change away from silent runs, channel by channel. The same bits for every block size.

    A run is 512 or more samples that were decoded as exactly 0. Inside it the change becomes 0; in the music
    beside it the change fades by a raised cosine. Everywhere else it passes bit for bit. What lies before
    and after the song is no silence: a song that begins with music begins with its full change.
    """

    def __init__(self, channels: int) -> None:
        self._change = np.zeros((channels, 0), np.float32)
        # Whether each sample was decoded as zero, beginning _REACH before the first pending change.
        self._zero = np.zeros((channels, _REACH), bool)

    def push(self, decoded: np.ndarray, change: np.ndarray) -> np.ndarray:
        """Take samples and the change to be made to them, both float32 (C, n).

        Returns the gated change that follows what was returned before, float32 (C, m): it lags behind.
        """
        self._zero = np.concatenate([self._zero, decoded == 0], axis=1)
        self._change = np.concatenate([self._change, change], axis=1)
        return self._advance(max(0, self._change.shape[1] - _REACH))

    def flush(self) -> np.ndarray:
        """Return the rest of the gated change, float32 (C, m)."""
        after = np.zeros((len(self._zero), _REACH), bool)
        self._zero = np.concatenate([self._zero, after], axis=1)
        return self._advance(self._change.shape[1])

    def _advance(self, count: int) -> np.ndarray:
        """Give out the first `count` pending samples of the change."""
        change, self._change = self._change[:, :count], self._change[:, count:].copy()
        zero = self._zero[:, : count + 2 * _REACH]
        self._zero = self._zero[:, count:].copy()
        for row, silent in zip(change, zero, strict=True):
            gain = _gain(silent)
            if gain is not None:
                row *= gain[_REACH : _REACH + count]
        return change


def _gain(zero: np.ndarray) -> np.ndarray | None:
    """The factor on the change for each sample, float32 (n,), or None where all are 1."""
    if not zero.any():
        return None
    edges = np.flatnonzero(np.diff(zero, prepend=False, append=False))
    starts, stops = edges[0::2], edges[1::2]
    long = stops - starts >= RUN
    if not long.any():
        return None
    gain = np.ones(len(zero), np.float32)
    rise = (0.5 - 0.5 * np.cos(np.pi * np.arange(1, FADE + 1) / (FADE + 1))).astype(np.float32)
    for start, stop in zip(starts[long], stops[long], strict=True):
        gain[start:stop] = 0
        after = gain[stop : stop + FADE]
        np.minimum(after, rise[: len(after)], out=after)
        before = gain[max(0, start - FADE) : start]
        np.minimum(before, rise[::-1][FADE - len(before) :], out=before)
    return gain
