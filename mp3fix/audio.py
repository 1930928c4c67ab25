"""The one type that travels between the stages."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Audio:
    """A piece of audio.

    Attributes:
        samples: float32, shape (channels, frames); full scale is 1.0 and may be exceeded.
        rate: sampling rate in Hz.
    """

    samples: np.ndarray
    rate: int

    @property
    def channels(self) -> int:
        """Number of channels."""
        return self.samples.shape[0]

    @property
    def frames(self) -> int:
        """Samples per channel."""
        return self.samples.shape[1]
