"""What both decoders offer to `decode`."""

from typing import Protocol

import numpy as np

_LFE_BIT = 0x8


class Source(Protocol):
    """An open file that is being decoded.

    Attributes:
        rate: Hz.
        channels: number of channels, in the order of WAV files (front left, right, centre, LFE, back ...).
        lfe: indices of the low-frequency channels.
    """

    rate: int
    channels: int
    lfe: tuple[int, ...]

    def read(self, frames: int) -> np.ndarray:
        """The next samples: float32 (n, channels), n == frames until the end, then less, then 0."""

    def finish(self) -> str | None:
        """After the last sample: what the decoder complained about, in a line; DecodeError if killed."""

    def close(self) -> None:
        """Ends decoding at any point and gives everything back. May be called twice."""


def lfe_channels(mask: int, channels: int) -> tuple[int, ...]:
    """Which channels are low-frequency ones, by the channel mask of WAVE_FORMAT_EXTENSIBLE (0: not said).

    Where nothing is said, six to eight channels are taken as 5.1 to 7.1: nobody wants treble in a subwoofer.
    """
    if mask & _LFE_BIT:
        return ((mask & (_LFE_BIT - 1)).bit_count(),)
    return (3,) if not mask and 6 <= channels <= 8 else ()
