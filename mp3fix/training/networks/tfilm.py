"""TFiLM: the network of Birnbaum, Kuleshov, Enam, Koh & Ermon (2019), Temporal FiLM: capturing long-range sequence
dependencies with feature-wise modulations (NeurIPS; arXiv 1909.06628), section 3 and the authors' code
(github.com/kuleshov/audio-super-res, src/models/audiotfilm.py).

The U-Net of audio_sr_net.py with convolutions of dilation 2 and maximum pooling in place of strides, and after each
of them a modulation: features are cut into blocks in time, the maximum of each block goes through an LSTM, and what it
gives for a block multiplies all features of that block.

What differs from the authors' code:
- 16, 24, 32 and 32 channels instead of 128, 256, 512 and 512, and filters of at most 17 samples (65 theirs), which with
  dilation 2 still span 33: for training within minutes on a CPU. No dropout.
- Blocks of 256 samples of the input at all levels, as theirs going down; going up, their code takes the bottleneck's
  block length at all of them, which has more blocks the higher the rate.
- An LSTM never forgets all of what it heard, so a song's end would depend on where its chunks were cut. This network
  hears windows of 8192 samples, the length of the authors' training patches, that begin on multiples of 4096, each from
  a state of zero, and keeps the middle half of each: the cut is part of the network and the same in training and use.
- The factors are one more than the LSTM's output, which starts near zero: nine such layers, one after the other, would
  let next to nothing through for the first minutes, which are all there are.
- The last weights start at zero: an untrained network gives back the MP3.
"""

import torch
from torch import nn

from mp3fix.training.networks.audio_sr_net import LEAK, STRIDE, shuffled

FILTERS = (17, 9, 9, 9)  # values, from the highest rate to the lowest
DILATION = 2
LAST = 9  # samples of the last filter
BLOCK = 256  # samples of the input that one value of an LSTM modulates
KEPT = 4096  # samples of a window that are kept
AROUND = 2048  # and those heard before and after them


class Modulation(nn.Module):
    """Blocks of features, multiplied by one more than an LSTM makes of their maxima. Shape: (B, C, n) -> (B, C, n).

    Args:
        channels: C.
        block: values of a block; n is a multiple of it.
    """

    def __init__(self, channels: int, block: int) -> None:
        super().__init__()
        self.block = block
        self.lstm = nn.LSTM(channels, channels, batch_first=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Run the layer."""
        blocks = x.unflatten(2, (-1, self.block))
        peaks = blocks.amax(3).transpose(1, 2)
        # A product, and not zeros of a shape, which would be exported with the number of windows of the export.
        zero = 0 * peaks[:, 0].unsqueeze(0)
        gains, _ = self.lstm(peaks, (zero, zero))
        return (blocks * (1 + gains.transpose(1, 2).unsqueeze(3))).flatten(2)


class Patch(nn.Module):
    """The network on one window. Shape: (B, 1, n) -> (B, 1, n), what it adds; n a multiple of BLOCK."""

    def __init__(self, width: int) -> None:
        super().__init__()
        channels = [width, width * 3 // 2, 2 * width, 2 * width]
        self.down = nn.ModuleList(
            [
                _convolution(before, after, size)
                for before, after, size in zip([1, *channels[:-1]], channels, FILTERS, strict=True)
            ]
        )
        self.bottleneck = _convolution(channels[-1], channels[-1], FILTERS[-1])
        below = [2 * each for each in channels[1:]] + [channels[-1]]
        self.up = nn.ModuleList(
            [
                _convolution(before, 2 * after, size)
                for before, after, size in zip(below, channels, FILTERS, strict=True)
            ]
        )
        blocks = [BLOCK >> (level + 1) for level in range(len(FILTERS))]
        self.modulate_down = nn.ModuleList(map(Modulation, channels, blocks))
        self.modulate_middle = Modulation(channels[-1], BLOCK // STRIDE)
        self.modulate_up = nn.ModuleList(map(Modulation, channels, blocks))
        self.last = nn.Conv1d(2 * channels[0], 2, LAST, padding=LAST // 2)
        for parameter in self.last.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """What is added."""
        y, levels = x, []
        for down, modulate in zip(self.down, self.modulate_down, strict=True):
            y = modulate(_pooled(down(y)))
            levels.append(y)
        y = self.modulate_middle(_pooled(self.bottleneck(y)))
        for up, modulate in zip(reversed(self.up), reversed(self.modulate_up), strict=True):
            y = torch.cat([modulate(shuffled(torch.relu(up(y)))), levels.pop()], 1)
        return shuffled(self.last(y))


class Tfilm(nn.Module):
    """The generator.

    Args:
        width: channels of the first level; the others have 1.5, 2 and 2 times as many.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.patch = Patch(width)
        # The whole of a window's grid: data that begin on it hold all that their inner windows hear.
        self.context = self.multiple = KEPT

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """One restoration. Shape: (B, 1, n) -> (B, 1, n), n a multiple of KEPT, the first sample on the grid."""
        kept = x.unflatten(2, (-1, KEPT))
        padded = nn.functional.pad(kept, (0, 0, 1, 1))
        windows = torch.cat([padded[:, :, :-2, -AROUND:], kept, padded[:, :, 2:, :AROUND]], 3)
        added = self.patch(windows.flatten(0, 2).unsqueeze(1))[:, 0, AROUND:-AROUND]
        return x + added.reshape(x.shape)


def _convolution(inputs: int, outputs: int, size: int) -> nn.Conv1d:
    return nn.Conv1d(inputs, outputs, size, padding=size // 2 * DILATION, dilation=DILATION)


def _pooled(x: torch.Tensor) -> torch.Tensor:
    return nn.functional.leaky_relu(nn.functional.max_pool1d(x, 2), LEAK)
