"""Hance's U-Net: magnitudes of a recording from those of its MP3, the holes in it filled.

Hance 2021, "Mind the gaps: reducing artifacts in compressed audio" (hance.ai/articles/mind-the-gaps): a convolutional
U-Net of four layers "and some custom layers" takes the magnitude spectrogram of MP3s at 32 kbit/s and gives that of the
recording. Not a mask, as one separates sources by, since the magnitudes in a hole are (nearly) zero, but the magnitudes
themselves. The loss is the absolute difference (L1), the phase that of the surrounding components (--phase neighbours).

The article is no paper and gives neither transform, widths nor kernels. Readings: 2048/512 at 44.1 kHz; U-Net as
Ronneberger et al. 2015 (arXiv 1505.04597) draw it, one strided convolution a level down, an up-convolution, the skip
connection and one convolution a level up; logarithms of magnitudes go in. Deviations:
- The first two levels quarter the frequency axis, where the others halve it, and the first keeps all frames: 1024 bins
  are many for a network of so few levels, and every halving of time doubles what a chunk needs beside it.
- A convolution over half the remaining frequencies where the U is narrowest, since music repeats itself over octaves.
- Magnitudes are written as x exp(m) + level s a, and what falls below zero is zero: level is the frame's and its
  neighbours' rms, s a curve over the bins that begins as a slope. So the network does the same at all levels, silence
  stays silence, and with m and a starting at zero an untrained network is the MP3. The Nyquist bin passes unchanged.
- 16 channels and more, about 0.5 M parameters: what trains in minutes on a CPU. No batch normalisation, which would
  depend on what else is in a batch.
"""

import math

import torch
from torch import nn
from torch.nn import functional

BINS = 1024  # without the Nyquist bin
STRIDES = ((4, 1), (4, 2), (2, 2), (2, 2))  # bins and frames from one to the next, level by level
MULTIPLE = 8  # the product of the second: frames of a chunk must divide by it
LEVEL_REACH = 4  # frames on each side over which the level is averaged
# Frames on each side that an output depends on: the level, 1 + 1 + 2 + 4 down, 8 in the middle, 4 + 2 + 1 + 1 up, and
# where in its block of MULTIPLE the frame lies.
CONTEXT = 32
_FLOOR = 1e-4  # STFT units, about -130 dB re a full-scale sine: below, features are those of silence
_QUIET = 1e-4  # of the level
_SLOPE = 0.1  # of the leaky rectifiers
_FALL = 5.0  # nepers by which s begins to fall from the lowest bin to the highest
_SPEED = 10.0  # of what starts at zero: by so much faster it learns
_OCTAVES = 9  # rows of the 16 that the middle sees at a time


class Up(nn.Module):
    """One level up: (B, I, F, T) and the skip connection (B, S, F f, T t) -> (B, O, F f, T t)."""

    def __init__(self, inputs: int, skip: int, outputs: int, stride: tuple[int, int]) -> None:
        super().__init__()
        self.raise_ = nn.ConvTranspose2d(inputs, outputs, stride, stride=stride)
        self.mix = nn.Conv2d(outputs + skip, outputs, 3, padding=1)

    def forward(self, x: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        """Run the level."""
        both = torch.cat([functional.leaky_relu(self.raise_(x), _SLOPE), skip], 1)
        return functional.leaky_relu(self.mix(both), _SLOPE)


class Hance(nn.Module):
    """The generator.

    Args:
        width: channels of the first level; the others have 2, 4 and 6 times as many.
    """

    places: torch.Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.context = CONTEXT
        wide = [3, *(width * times for times in (1, 2, 4, 6))]
        self.down = nn.ModuleList(
            nn.Conv2d(
                wide[k], wide[k + 1], (stride[0] + 3, 3), stride=stride, padding=(stride[0] // 2 + 1, 1)
            )
            for k, stride in enumerate(STRIDES)
        )
        self.middle = nn.Conv2d(wide[-1], wide[-1], (_OCTAVES, 3), padding=(_OCTAVES // 2, 1))
        outputs = [width // 2, *wide[1:-1]]
        self.up = nn.ModuleList(Up(wide[k + 1], wide[k], outputs[k], STRIDES[k]) for k in reversed(range(4)))
        self.head = nn.Conv2d(outputs[0], 2, 1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]
        places = torch.linspace(0, 1, BINS)[:, None]
        self.scale = nn.Parameter(-_FALL * places)
        self.register_buffer("places", 2 * places - 1, persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """One restoration. Shape: magnitudes (B, 1, 1025, k MULTIPLE) -> the same."""
        low, nyquist = x[:, :, :-1], x[:, :, -1:]
        power = (low * low).mean(2, keepdim=True)
        window = (1, 2 * LEVEL_REACH + 1)
        level = functional.avg_pool2d(power, window, stride=1, padding=(0, LEVEL_REACH)).sqrt()
        # The logarithm above that of what is nearly nothing, 0 to 1 or so.
        relative = torch.log(low / (level + _FLOOR) + _QUIET) / -math.log(_QUIET) + 1
        absolute = 0.1 * torch.log(level / _FLOOR + 1) + torch.zeros_like(relative)
        y = torch.cat([relative, absolute, self.places + torch.zeros_like(relative)], 1)
        skips = []
        for down in self.down:
            skips.append(y)
            y = functional.leaky_relu(down(y), _SLOPE)
        y = y + functional.leaky_relu(self.middle(y), _SLOPE)
        for up, skip in zip(self.up, reversed(skips), strict=True):
            y = up(y, skip)
        m, a = (_SPEED * self.head(y)).chunk(2, 1)
        written = low * torch.exp(m.clamp(-5.0, 3.0)) + level * torch.exp(self.scale) * a
        return torch.cat([torch.relu(written), nyquist], 2)
