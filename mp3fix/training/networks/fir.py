"""Fixed linear-phase filters for networks that work on samples.

Windowed sinc with a Kaiser window of beta 8: about 80 dB of attenuation in the stop band (Oppenheim & Schafer,
Discrete-Time Signal Processing, section 7.5).
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional

BETA = 8.0


class BandPass(nn.Module):
    """Keeps what lies between two frequencies; output n is centred on input n times the stride.

    Shape: (B, 1, n) -> (B, 1, ceil(n / stride)). Samples beyond the ends count as silence.

    Args:
        low, high: edges in Hz, at -6 dB.
        rate: sampling rate in Hz.
        reach: samples on each side that an output depends on.
        stride: keeps every so many-th output.
        gain: in the pass band.
    """

    def __init__(
        self, low: float, high: float, rate: float, reach: int, stride: int = 1, gain: float = 1.0
    ) -> None:
        super().__init__()
        at = np.arange(-reach, reach + 1)
        ideal = [2 * hz / rate * np.sinc(2 * hz / rate * at) for hz in (low, high)]
        taps = gain * (ideal[1] - ideal[0]) * np.kaiser(2 * reach + 1, BETA)
        self.register_buffer("taps", torch.tensor(taps, dtype=torch.float32)[None, None])
        self.reach, self.stride = reach, stride

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Filter."""
        taps = self.get_buffer("taps")
        return functional.conv1d(x, taps, padding=self.reach, stride=self.stride)
