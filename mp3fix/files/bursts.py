"""Silence instead of the bursts that damaged MP3 frames decode to."""

import numpy as np

from .source import Source

# 12 dB above full scale: music clipped at low bitrates decodes to about 2.2, a flipped bit to anything.
LIMIT = 4.0
_GRANULE = 576
_READ = 114 * _GRANULE


class BurstGate:
    """A `Source` that mutes granules (576 samples) with a peak above `LIMIT`, and their neighbours.

    One wrong bit in a frame can decode to a thousand times full scale. Players clip that to a click; a pipeline
    that keeps what is above full scale would turn the whole song down for it.

    Attributes:
        muted: samples per channel muted so far.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self.rate, self.channels, self.lfe = source.rate, source.channels, source.lfe
        self.muted = 0
        self._held = np.zeros((0, self.channels), np.float32)  # not judged yet
        self._ready = self._held
        self._was_loud = False
        self._at_end = False

    def read(self, frames: int) -> np.ndarray:
        """See `Source.read`."""
        parts, got = [self._ready], len(self._ready)
        while got < frames and not self._at_end:
            block = self._source.read(_READ)
            self._at_end = len(block) < _READ
            parts.append(self._judged(np.concatenate((self._held, block))))
            got += len(parts[-1])
        samples = np.concatenate(parts) if len(parts) > 1 else self._ready
        self._ready = samples[frames:]
        return samples[:frames]

    def _judged(self, samples: np.ndarray) -> np.ndarray:
        """All of (n, channels) but the last granule, which must wait for its neighbour; all at the end."""
        count = -(-len(samples) // _GRANULE)
        peaks = np.zeros((count * _GRANULE, self.channels), np.float32)
        np.abs(samples, out=peaks[: len(samples)])
        # Written so that NaN is loud, too.
        loud = ~(peaks.reshape(count, _GRANULE * self.channels).max(axis=1, initial=0.0) <= LIMIT)
        near = np.concatenate(([self._was_loud], loud, [False]))
        mute = np.repeat(near[:-2] | near[1:-1] | near[2:], _GRANULE)[: len(samples)]
        done = len(samples) if self._at_end else max(0, count - 1) * _GRANULE
        self._held = samples[done:]
        if not self._at_end and count > 1:
            self._was_loud = bool(loud[-2])
        muted = int(np.count_nonzero(mute[:done]))
        if not muted:
            return samples[:done]
        self.muted += muted
        return np.where(mute[:done, None], np.float32(0), samples[:done])

    def finish(self) -> str | None:
        """See `Source.finish`."""
        return self._source.finish()

    def close(self) -> None:
        """See `Source.close`."""
        self._source.close()
