"""FWR: the top octave by full-wave rectification, one of the methods Liu 2021 (S.-T. Yau award) compares with.

Rectifying doubles frequencies: 8 to 11 kHz give 16 to 22 kHz (a classic of bandwidth extension, see Larsen & Aarts,
Audio Bandwidth Extension, 2004). Below the cut, 8 to 16 kHz are cut out, rectified at twice the rate so that nothing
folds back, and what then lies above 16 kHz is added to the MP3 with one gain.

How the paper sets the gain was not at hand. Reading: the one gain whose level above the cut is nearest to the
recordings', by the mean difference in dB. Unlike the other systems, this one does not start as the MP3: a gain has no
effect to start from at zero, and it starts at one half.
"""

import torch
from torch import nn

from mp3fix.training.networks.fir import BandPass

RATE = 44100
CUT = 16000.0  # Hz
REACH = 200  # samples at twice the rate of either filter
CONTEXT = REACH


class Rectifier(nn.Module):
    """Full-wave rectification. Shape: (B, 1, n) -> (B, 1, n), at 44.1 kHz; depends on CONTEXT samples each side."""

    def __init__(self) -> None:
        super().__init__()
        self.below = BandPass(CUT / 2, CUT, 2 * RATE, REACH, gain=2.0)
        # 500 Hz above the cut at -6 dB: what the MP3 kept below it is left alone.
        self.above = BandPass(CUT + 500, RATE / 2 - 500, 2 * RATE, REACH, stride=2)
        self.log_gain = nn.Parameter(torch.tensor(0.5).log())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The MP3, and what rectifying adds above its cut."""
        doubled = torch.stack([x, torch.zeros_like(x)], 3).flatten(2)
        return x + self.log_gain.exp() * self.above(self.below(doubled).abs())
