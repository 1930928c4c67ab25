"""Liu's BPCNN: a convolutional network that takes 128 bins and gives the next one up, slid over the missing band.

Liu 2021 (S.-T. Yau award). Each of the 165 bins from 15 kHz on is predicted from the 128 below
it, of which those above 15 kHz are the network's own.

Readings: a frame at a time (the issue names bins only), so that it needs no context and has exact seams; two strided
convolutions along frequency, then two linear layers. Deviations: trained on the recording's bins and on the network's
own side by side, as it must go on from its own (teacher forcing alone drifts); see liu_band for the rest.
"""

import torch
from torch import nn

from mp3fix.training.networks.liu_band import BAND, FIRST, START, Kept, levels, written

SEEN = 128  # bins
_ROWS = SEEN // 16  # what the strides leave of them


class Bpcnn(nn.Module):
    """The generator. Width: channels of its first convolution."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.network = nn.Sequential(
            nn.Conv1d(1, width, 8, stride=4, padding=2),
            nn.ReLU(),
            nn.Conv1d(width, 2 * width, 8, stride=4, padding=2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(2 * width * _ROWS, 4 * width),
            nn.ReLU(),
            nn.Linear(4 * width, 1),
        )
        self.kept = Kept()
        last = self.network[-1]
        assert isinstance(last, nn.Linear)
        nn.init.constant_(last.bias, START)

    def next(self, below: torch.Tensor) -> torch.Tensor:
        """The bin above each 128, standardised levels: (N, 128) -> (N, 1)."""
        estimate: torch.Tensor = self.network(below.unsqueeze(1))
        return estimate

    def forced(self, frames: torch.Tensor) -> torch.Tensor:
        """What is expected of each bin of the band by the given ones below it: levels (N, 513) -> (N, 165)."""
        below = frames.unfold(1, SEEN, 1)[:, FIRST - SEEN : FIRST - SEEN + BAND]
        return self.next(below.flatten(0, 1)).unflatten(0, (len(frames), BAND)).squeeze(2)

    def band(self, frames: torch.Tensor) -> torch.Tensor:
        """The band as it is written, bin by bin: standardised levels (N, 513) -> (N, 165)."""
        below = frames[:, FIRST - SEEN : FIRST]
        bins = []
        for k in range(FIRST, FIRST + BAND):
            bins.append(self.kept(frames[:, k : k + 1], self.next(below)))
            below = torch.cat([below[:, 1:], bins[-1]], 1)
        return torch.cat(bins, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """One restoration. Shape: magnitudes (B, 1, 513, T) -> the same."""
        frames = levels(x).squeeze(1).transpose(1, 2)
        band = self.band(frames.flatten(0, 1)).unflatten(0, (x.shape[0], -1))
        return written(x, band.transpose(1, 2).unsqueeze(1))
