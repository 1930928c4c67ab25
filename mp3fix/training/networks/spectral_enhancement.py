"""The network of Deshpande & Abichandani (2021), Audio Spectral Enhancement: leveraging autoencoders for low latency
reconstruction of long, lossy audio sequences.

Real and imaginary part of a spectrum are an image of two rows, frames are its columns and the frequency bins its maps:
so the authors' code lays it out (github.com/DarshanDeshpande/audio-spectral-enhancement, model.py at 110c986), and that
is what makes it fast. A block is two depthwise separable 5x5 convolutions, from all bins to 256 latent maps and back to
all bins, with a PReLU between whose slope starts at zero. N blocks in a row, N = 1..7, the first half joined with the
second as in an autoencoder: the last with the first, and so on. From two blocks on, one more such convolution, bins to
bins, ends the network. The width is the paper's own: 256 maps are few when there is no plane of frequencies.

What differs from the authors' code:
- Mirrored blocks are added, as "residually connected" says; the code multiplies them. A product of spectra is four
  times as large for a signal twice as loud.
- No biases. With them absent, and sums in place of products, the network does the same at every level, and silence
  stays silence.
- One slope of the PReLU a map. The code has one for each map, row and frame of its 400 frames, which a song has not.
- The input is added to the output, and the last weights start at zero: an untrained network gives back the MP3.
- A frame of 1024 samples under a window of 1023, whose last bin of 513 passes as it is; the code puts 1024 samples
  under a window and transforms the first 1023 of them, which gives 512 bins.
- He's initialisation counts the 25 values of a depthwise filter; Keras counts those of all maps.

The rows at the edge of a 5x5 filter only ever meet the padding around the two rows of the image: 10 of its 25 values
are used. They are kept for the sake of the count of parameters.
"""

import math

import torch
from torch import nn
from torch.nn import functional

KERNEL = 5  # rows and frames


class Separable(nn.Module):
    """A depthwise 5x5 convolution, then a product over the maps. Shape: (B, I, 2, T) -> (B, O, 2, T)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(inputs, inputs, KERNEL, padding=KERNEL // 2, groups=inputs, bias=False)
        # Inputs first: ONNX's integer products want the weights as their second factor (training/quantised.py).
        self.weight = nn.Parameter(torch.empty(inputs, outputs))
        nn.init.kaiming_uniform_(self.depthwise.weight)
        bound = math.sqrt(6 / inputs)
        nn.init.uniform_(self.weight, -bound, bound)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Run the layer."""
        rows = self.depthwise(x).flatten(2).transpose(1, 2)
        return torch.matmul(rows, self.weight).transpose(1, 2).unflatten(2, (2, -1))


class Block(nn.Module):
    """All bins to the latent maps and back. Shape: (B, F, 2, T) -> (B, F, 2, T)."""

    def __init__(self, bins: int, maps: int) -> None:
        super().__init__()
        self.shrink = Separable(bins, maps)
        self.prelu = nn.PReLU(maps, init=0.0)
        self.grow = Separable(maps, bins)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Run the block."""
        return self.grow(self.prelu(self.shrink(x)))


class SpectralEnhancement(nn.Module):
    """The generator.

    Args:
        bins: of a frame; the last passes unchanged.
        blocks: N, 1 to 7 in the paper.
        maps: latent ones, 256 in the paper.

    Raises:
        ValueError: without a block.
    """

    def __init__(self, bins: int, blocks: int, maps: int) -> None:
        super().__init__()
        if blocks < 1:
            raise ValueError(f"{blocks} blocks: there must be one")
        row = [Block(bins - 1, maps) for _ in range(blocks)]
        self.blocks = nn.ModuleList(row)
        self.last = Separable(bins - 1, bins - 1) if blocks > 1 else None
        # Frames on each side that an output depends on.
        self.context = (2 * blocks + (blocks > 1)) * (KERNEL // 2)
        nn.init.zeros_((self.last or row[0].grow).weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """One restoration. Shape: real and imaginary parts, (B, 2, F, T) -> (B, 2, F, T)."""
        y = x[:, :, :-1].transpose(1, 2)
        half = len(self.blocks) // 2
        earlier = []
        for block in self.blocks[:half]:
            y = block(y)
            earlier.append(y)
        if len(self.blocks) % 2:
            y = self.blocks[half](y)
        for block in self.blocks[len(self.blocks) - half :]:
            y = block(y) + earlier.pop()
        if self.last is not None:
            y = self.last(y)
        return x + functional.pad(y.transpose(1, 2), (0, 0, 0, 1))
