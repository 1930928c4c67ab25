"""Liu's improved U-Net: a spectrogram in, its top above 15 kHz out, with a recurrent network in the middle.

Liu 2021 (S.-T. Yau award): the top 165 of 513 bins are missing, the input is filled with noise
there, an RNN runs where the U is narrowest, and a critic makes it a GAN.

Readings: U-Net as Ronneberger et al. 2015 (arXiv 1505.04597) draw it, one strided convolution a level down, an up-
convolution, the skip connection and one convolution a level up; the RNN is an LSTM over time on all that is left of
frequency and channels. The noise is white and as loud in each frame as the 16 bins below the band. Deviations:
- Five levels of 14 channels and more, about 0.5 M parameters: what trains in minutes on a CPU. No batch normalisation.
- The way up is taken by the top 192 bins alone, since the rest passes unchanged.
- The noise fills what the MP3 left empty and covers nothing louder; the band without it is a second input.
- See liu_band for the rest; here the convolutions too run within the windows.
"""

import torch
from torch import nn
from torch.nn import functional

from mp3fix.training.networks.liu_band import (
    BAND,
    BELOW,
    FIRST,
    START,
    Kept,
    cut,
    from_zero,
    join,
    levels,
    written,
)

TOP = 192  # bins on the way up: the band, rounded up to what five halvings divide
STEPS = (1, 2, 2, 2, 1)  # frames from one to the next, level by level; bins are halved at each
DEPTH = 8  # their product: windows must divide by it
_ROWS = 512 >> len(STEPS)  # bins that are left in the middle
_TOP_ROWS = TOP >> len(STEPS)
_SLOPE = 0.1  # of the leaky rectifiers


class Up(nn.Module):
    """One level up: (B, I, F, T) and the skip connection (B, S, 2 F, T step) -> (B, O, 2 F, T step)."""

    def __init__(self, inputs: int, skip: int, outputs: int, step: int) -> None:
        super().__init__()
        self.raise_ = nn.ConvTranspose2d(inputs, outputs, (2, step), stride=(2, step))
        self.mix = nn.Conv2d(outputs + skip, outputs, 3, padding=1)

    def forward(self, x: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        """Run the level."""
        both = torch.cat([functional.leaky_relu(self.raise_(x), _SLOPE), skip], 1)
        return functional.leaky_relu(self.mix(both), _SLOPE)


class LiuUnet(nn.Module):
    """The generator.

    Args:
        width: channels of the first level; the others have 2, 3, 4 and 4 times as many.
        hidden: width of the recurrent layer.
    """

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        wide = [2, *(width * times for times in (1, 2, 3, 4, 4))]
        self.down = nn.ModuleList(
            nn.Conv2d(wide[k], wide[k + 1], (5, 3), stride=(2, step), padding=(2, 1))
            for k, step in enumerate(STEPS)
        )
        self.enter = nn.Linear(wide[-1] * _ROWS, hidden)
        self.recurrent = nn.LSTM(hidden, hidden, batch_first=True)
        self.leave = nn.Linear(hidden, wide[-1] * _TOP_ROWS)
        outputs = [wide[1], *wide[1:-1]]
        self.up = nn.ModuleList(
            Up(2 * wide[-1] if k == 4 else wide[k + 1], wide[k], outputs[k], STEPS[k])
            for k in reversed(range(len(STEPS)))
        )
        self.head = nn.Conv2d(width, 1, 1)
        self.kept = Kept()
        nn.init.constant_(self.head.bias, START)  # type: ignore[arg-type]

    def band(self, x: torch.Tensor, noise: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """One window from a zero state: what the network expects in the band, and the band as it is written.

        Shape: magnitudes (B, 1, 513, T), noise (B, 2, 513, T), real and imaginary parts of unit variance a bin,
        T a multiple of DEPTH -> standardised levels, twice (B, 1, 165, T).
        """
        seen = levels(x)
        # Without the lowest bin, which is no music: 512 are left to be halved.
        y = torch.cat([levels(filled(x, noise)), seen], 1)[:, :, 1:]
        skips = []
        for k, down in enumerate(self.down):
            skips.append(y[:, :, -(TOP >> k) :])
            y = functional.leaky_relu(down(y), _SLOPE)
        hidden = from_zero(self.recurrent, torch.tanh(self.enter(y.flatten(1, 2).transpose(1, 2))))
        hidden = self.leave(hidden).transpose(1, 2).unflatten(1, (-1, _TOP_ROWS))
        y = torch.cat([y[:, :, -_TOP_ROWS:], hidden], 1)
        for up, skip in zip(self.up, reversed(skips), strict=True):
            y = up(y, skip)
        estimate = self.head(y)[:, :, -BAND:]
        return estimate, self.kept(seen[:, :, FIRST:], estimate)

    def forward(self, x: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """One restoration. Shape: magnitudes (B, 1, 513, k WINDOW), noise (B, 2, 513, k WINDOW) -> as x."""
        _, band = self.band(cut(x), cut(noise))
        return written(x, join(band, x.shape[0]))


def filled(x: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    """Magnitudes x, (B, 1, 513, T), with noise, (B, 2, 513, T) of unit variance, where the band is emptier."""
    below = x[:, :, FIRST - BELOW : FIRST]
    loudness = (below * below).mean(2, keepdim=True).sqrt()
    top = noise[:, :, FIRST:]
    drawn = loudness * (top * top).sum(1, keepdim=True).sqrt()
    return torch.cat([x[:, :, :FIRST], torch.maximum(x[:, :, FIRST:], drawn)], 2)


class LiuCritic(nn.Module):
    """Tells the band of a recording from one that was written: levels (B, 1, 165, T) -> logits (B,).

    Reading: four strided convolutions, their mean over the plane, one linear layer.
    """

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        wide = [1, width, 2 * width, 4 * width, 4 * width]
        self.layers = nn.ModuleList(
            nn.Conv2d(wide[k], wide[k + 1], 3, stride=2, padding=1) for k in range(len(wide) - 1)
        )
        self.last = nn.Linear(wide[-1], 1)

    def forward(self, band: torch.Tensor) -> torch.Tensor:
        """Judge."""
        for layer in self.layers:
            band = functional.leaky_relu(layer(band), 0.2)
        logits: torch.Tensor = self.last(band.mean((2, 3))).squeeze(1)
        return logits
