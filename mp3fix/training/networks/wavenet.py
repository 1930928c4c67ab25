"""A small WaveNet that repairs, without causality: van den Oord et al. (2016), WaveNet: a generative model for raw
audio (arXiv 1609.03499), section 2, as Rethage, Pons & Serra (2018), A Wavenet for speech denoising (arXiv 1706.07162),
section 3, made it see both sides and give samples instead of their distribution.

Layers of gated dilated convolutions, three samples each, dilations 1, 2, 4 ... 128, twice; each layer adds to what the
next one takes and to the sum of all layers, from which two convolutions make the output.

What differs:
- Which WaveNet the comparison of Deshpande & Abichandani trained is not known here: this is a reading of it. Sampling
  one value after another, as the first paper does, would take hours a song, so the network gives all samples at once.
- 16 channels and 16 layers instead of 128 and 30, convolutions of one sample at the end instead of three, and no
  conditioning on a speaker, for training within minutes on a CPU.
- The output is added to the input, from weights that start at zero; the second paper estimates the voice by itself,
  with a loss of voice and noise.
"""

import torch
from torch import nn

DILATIONS = tuple(2**k for k in range(8))
STACKS = 2


class Layer(nn.Module):
    """A gated convolution, and what it passes on: (B, C, n) -> next (B, C, n) and share of the sum (B, C, n)."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.filters = nn.Conv1d(channels, 2 * channels, 3, padding=dilation, dilation=dilation)
        self.leave = nn.Conv1d(channels, 2 * channels, 1)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Run the layer."""
        value, gate = self.filters(x).chunk(2, 1)
        added, share = self.leave(torch.tanh(value) * torch.sigmoid(gate)).chunk(2, 1)
        return x + added, share


class WaveNet(nn.Module):
    """The generator.

    Args:
        channels: of the layers.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.enter = nn.Conv1d(1, channels, 3, padding=1)
        self.layers = nn.ModuleList([Layer(channels, dilation) for dilation in DILATIONS * STACKS])
        self.mix = nn.Conv1d(channels, 2 * channels, 1)
        self.last = nn.Conv1d(2 * channels, 1, 1)
        for parameter in self.last.parameters():
            nn.init.zeros_(parameter)
        # Samples on each side that an output depends on.
        self.context = 1 + STACKS * sum(DILATIONS)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """One restoration. Shape: (B, 1, n) -> (B, 1, n)."""
        y = self.enter(x)
        total = torch.zeros_like(y)
        for layer in self.layers:
            y, share = layer(y)
            total = total + share
        return x + self.last(torch.relu(self.mix(torch.relu(total))))
