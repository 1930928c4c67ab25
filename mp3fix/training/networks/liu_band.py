"""What Liu's spectral systems share: the band above 15 kHz, standardised levels, and windows of time.

Liu 2021 (S.-T. Yau award). The paper's text is not at hand; sizes and names are those of the
project's issue. Spectra have 513 bins (1024 samples, Hann window, hop 512); the top 165, from 14.99 kHz on, are
missing from an MP3 of 128 kbit/s and are written; what is below passes unchanged.

Readings and deviations that hold for all three systems:
- Standardised spectra: levels in dB, less -20 and divided by 30. The numbers are fixed and round: statistics of a
  recording would make the output depend on how it is cut.
- An encoder of 128 kbit/s in stereo cuts at 16 to 17 kHz rather than at 15, so part of the band is there, with holes.
  What the MP3 has stays unless the network expects far more (`Kept`): the band is completed, not replaced.
- The estimate starts low, so an untrained network leaves the MP3 (nearly) as it is.
- Where the frame is silent below the band, nothing is written: silence stays silence.
- What is recurrent in time runs in windows on an absolute grid, each from a zero state after `CONTEXT` frames of
  warm-up, so that a song is the same however it is cut. The paper's networks run on.
"""

import math

import torch
from torch import nn
from torch.nn import functional

BINS = 513
BAND = 165  # bins that are written ...
FIRST = BINS - BAND  # ... from this one on: 14.99 kHz at 44.1 kHz
BELOW = 16  # bins under the band that say how loud it may be
WINDOW = 64  # frames that a window gives, 0.74 s
CONTEXT = 16  # frames on each side that it sees beside them
FLOOR = 1e-4  # STFT units, -128 dB re a full-scale sine
MEAN, SPREAD = -20.0, 30.0  # dB: what standardised levels are relative to
SILENT = 1e-3  # mean magnitude below the band at which half of what is new is written
START = -1.5  # the estimate of an untrained network, standardised: -65 dB

_NEPERS = math.log(10) / 20  # to a decibel


def levels(x: torch.Tensor) -> torch.Tensor:
    """Standardised levels of magnitudes, of any shape."""
    return (torch.log(x + FLOOR) / _NEPERS - MEAN) / SPREAD


def magnitudes(level: torch.Tensor) -> torch.Tensor:
    """The inverse of `levels`; never negative."""
    return (torch.exp((level * SPREAD + MEAN) * _NEPERS) - FLOOR).clamp_min(0.0)


class Kept(nn.Module):
    """What is written of an estimate: all where it is far above what the MP3 has, nothing where it is not.

    Two numbers are learned: how far, and how sharply. They start at 15 dB, and at 9 dB for the step's width.
    """

    def __init__(self) -> None:
        super().__init__()
        self.threshold = nn.Parameter(torch.tensor(0.5))
        self.steepness = nn.Parameter(torch.tensor(8.0))

    def forward(self, have: torch.Tensor, estimate: torch.Tensor) -> torch.Tensor:
        """Standardised levels of any one shape."""
        gap = estimate - have
        return have + torch.sigmoid(self.steepness * (gap - self.threshold)) * gap


def written(x: torch.Tensor, band: torch.Tensor) -> torch.Tensor:
    """Magnitudes x, (B, 1, 513, T), with standardised levels (B, 1, 165, T) in the place of the top."""
    low, top = x[:, :, :FIRST], x[:, :, FIRST:]
    loudness = low.mean(2, keepdim=True)
    present = loudness / (loudness + SILENT)
    return torch.cat([low, top + present * (magnitudes(band) - top)], 2)


def cut(x: torch.Tensor) -> torch.Tensor:
    """Windows of a plane with their context, zeros beyond its ends.

    Shape: (B, C, F, k WINDOW) -> (B k, C, F, CONTEXT + WINDOW + CONTEXT).
    """
    # Each window is a block and the beginning of the next one.
    blocks = functional.pad(x, (CONTEXT, WINDOW - CONTEXT)).unflatten(3, (-1, WINDOW))
    whole = torch.cat([blocks[:, :, :, :-1], blocks[:, :, :, 1:, : 2 * CONTEXT]], 4)
    return whole.permute(0, 3, 1, 2, 4).flatten(0, 1)


def join(windows: torch.Tensor, batch: int) -> torch.Tensor:
    """The windows' middles side by side: (B k, C, F, CONTEXT + WINDOW + any) -> (B, C, F, k WINDOW)."""
    middle = windows[..., CONTEXT : CONTEXT + WINDOW].unflatten(0, (batch, -1))
    return middle.permute(0, 2, 3, 1, 4).flatten(3)


def from_zero(recurrent: nn.LSTM, x: torch.Tensor) -> torch.Tensor:
    """What a recurrent network makes of windows (N, T, I), each from a zero state: (N, T, O)."""
    # From x itself: the export would take the number of windows in torch.zeros for a constant.
    none = torch.zeros(recurrent.num_layers, 1, recurrent.hidden_size, device=x.device)
    zero = none + 0 * x[:, 0, :1]
    made: torch.Tensor = recurrent(x, (zero, zero))[0]
    return made
