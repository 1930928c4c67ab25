"""Audio-SR-Net: the network of Kuleshov, Enam & Ermon (2017), Audio super resolution using neural networks (arXiv
1708.00853), section 3 and the authors' code (github.com/kuleshov/audio-super-res, src/models/audiounet.py).

A U-Net over samples: convolutions of stride 2 and ever shorter filters (65, 33, 17, 9 samples), a bottleneck of the
same kind, and up again by convolutions to twice the channels that a subpixel shuffle turns into twice the samples, each
joined with the level of the same rate. The last convolution gives two channels, shuffled into the samples that are
added to the input. Leaky ReLUs (0.2) down, ReLUs up.

What differs from the authors' code:
- 16, 24, 32 and 32 channels instead of 128, 384, 512 and 512, for training within minutes on a CPU.
- No dropout: a network of this size, trained for minutes, does not overfit.
- The input is an MP3, decoded, and has the rate of the output already; theirs is brought there by a spline.
- The last weights start at zero, not at a deviation of 0.001: an untrained network gives back the MP3.
"""

import torch
from torch import nn

FILTERS = (65, 33, 17, 9)  # samples, from the highest rate to the lowest
LAST = 9  # samples of the last filter
LEAK = 0.2
STRIDE = 2 ** (len(FILTERS) + 1)  # samples of the input for one of the bottleneck


def shuffled(x: torch.Tensor) -> torch.Tensor:
    """Two groups of channels as every other sample each: (B, 2 C, n) -> (B, C, 2 n)."""
    return x.unflatten(1, (2, -1)).permute(0, 2, 3, 1).flatten(2)


class AudioSrNet(nn.Module):
    """The generator.

    Args:
        width: channels of the first level; the others have 1.5, 2 and 2 times as many.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        channels = [width, width * 3 // 2, 2 * width, 2 * width]
        inputs = [1, *channels[:-1]]
        self.down = nn.ModuleList(
            [
                nn.Conv1d(before, after, size, stride=2, padding=size // 2)
                for before, after, size in zip(inputs, channels, FILTERS, strict=True)
            ]
        )
        size = FILTERS[-1]
        self.bottleneck = nn.Conv1d(channels[-1], channels[-1], size, stride=2, padding=size // 2)
        below = [2 * each for each in channels[1:]] + [channels[-1]]
        self.up = nn.ModuleList(
            [
                nn.Conv1d(before, 2 * after, size, padding=size // 2)
                for before, after, size in zip(below, channels, FILTERS, strict=True)
            ]
        )
        self.last = nn.Conv1d(2 * channels[0], 2, LAST, padding=LAST // 2)
        for parameter in self.last.parameters():
            nn.init.zeros_(parameter)
        # Samples on each side that an output depends on, rounded up to the grid of the strides.
        reach = sum(size // 2 << level for level, size in enumerate((*FILTERS, size)))
        reach += sum(size // 2 << (level + 2) for level, size in enumerate(FILTERS)) + (LAST // 2 << 1)
        self.context = -(-reach // STRIDE) * STRIDE + STRIDE

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """One restoration. Shape: (B, 1, n) -> (B, 1, n), n a multiple of STRIDE."""
        y, levels = x, []
        for down in self.down:
            y = nn.functional.leaky_relu(down(y), LEAK)
            levels.append(y)
        y = nn.functional.leaky_relu(self.bottleneck(y), LEAK)
        for up in reversed(self.up):
            y = torch.cat([shuffled(torch.relu(up(y))), levels.pop()], 1)
        return x + shuffled(self.last(y))
