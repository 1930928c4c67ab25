"""Liu's RNN: six recurrent layers over time, each frame's 513 bins in, and two linear layers.

Liu 2021 (S.-T. Yau award): 6 layers x 1500 on 513 bins. `LiuRnn(1500)` is the paper's width; a
width of 1500 in six layers is out of reach of minutes on a CPU, so fewer and narrower ones are trained.

Readings: the cells are LSTMs, from past to future; the two linear layers are at the end, with a tanh between them.
Deviations: the output is the band above 15 kHz alone, not all 513 bins; see liu_band for the rest.
"""

import torch
from torch import nn

from mp3fix.training.networks.liu_band import (
    BAND,
    BINS,
    CONTEXT,
    FIRST,
    START,
    Kept,
    cut,
    from_zero,
    join,
    levels,
    written,
)


class LiuRnn(nn.Module):
    """The generator.

    Args:
        width: of the recurrent layers; the paper has 1500.
        layers: their number.
    """

    def __init__(self, width: int, layers: int = 6) -> None:
        super().__init__()
        self.recurrent = nn.LSTM(BINS, width, layers, batch_first=True)
        self.first = nn.Linear(width, width)
        self.second = nn.Linear(width, BAND)
        self.kept = Kept()
        nn.init.constant_(self.second.bias, START)

    def band(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """One window from a zero state: what the network expects in the band, and the band as it is written.

        Shape: magnitudes (B, 1, 513, T) -> standardised levels, twice (B, 1, 165, T).
        """
        seen = levels(x)
        hidden = from_zero(self.recurrent, seen.squeeze(1).transpose(1, 2))
        estimate = self.second(torch.tanh(self.first(hidden))).transpose(1, 2).unsqueeze(1)
        return estimate, self.kept(seen[:, :, FIRST:], estimate)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """One restoration. Shape: magnitudes (B, 1, 513, k WINDOW) -> the same."""
        # It runs forward only: nothing after a window matters to it.
        _, band = self.band(cut(x)[..., :-CONTEXT])
        return written(x, join(band, x.shape[0]))
