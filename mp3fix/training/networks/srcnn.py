"""SRCNN and the generator of SRGAN: blocks of 64 samples at half the rate to blocks of 128 (Liu 2021, S.-T. Yau award).

The paper itself was not at hand; what is known of it here is what this project's task says: 64 -> 128 samples; an
encoder of one stride-1 and then stride-2 convolutions (length halves, channels x 4); residual convolution blocks
(channels x 2, then / 2); residual fully-connected blocks with tanh; a mirrored decoder with fully-connected layers
between the deconvolutions and at the end; signals scaled to (-0.5, 0.5). Ablations: without the fully-connected
layers, and without feature selection.

Readings, where that leaves a choice:
- Two stride-2 convolutions (64, 32, 16 samples), kernels 3 to 5, leaky ReLU after convolutions, three deconvolutions.
- A fully-connected layer mixes all channels and samples of a block. All are residual, x + tanh(W x), but
  the last, which is linear.
- Feature selection is the widening to twice the channels and the narrowing, which picks from them; without it, a
  residual convolution block keeps its channels throughout.
- Initial weights keep the level from layer to layer (He et al. 2015); with PyTorch's own, hardly anything was learned.

Deviations:
- The network adds to the MP3 instead of replacing it, and its last layer starts at zero: an untrained network is the
  MP3. What is added is high-passed at 15.5 kHz, so that all that the MP3 kept below stays, sample for sample. The
  blocks' edges cannot click below that either.
- At half the rate, 64 samples hold the upper half of the band, 11 to 22 kHz (which folds to 0 to 11, as band-pass
  sampling does), not the lower. A first version that saw 4 to 11 kHz made quiet tops worse; the initial weights and
  the scale of the output were changed since, so it is not known how much of that was the band, and the lower one
  was not tried again. Each block is scaled to (-0.5, 0.5) by its own peak in this band, so that soft music is treated
  as loud music is, what has no top gets none, and silence stays.
- Blocks overlap by half and are faded into each other (periodic Hann window): no edges.
- Width: 2, 8 and 32 channels, 4 residual convolution blocks and 1 fully-connected one, 0.42 M parameters. The square
  fully-connected layers decide: at twice the channels they alone have 1.4 M. The paper's width is not known here;
  `channels`, `convolutional` and `connected` build others.
"""

import torch
from torch import nn
from torch.nn import functional

from mp3fix.training.networks.fir import BandPass

RATE = 44100
SEEN = 64  # samples of a block at half the rate
BLOCK = 128  # samples of a block
CONTEXT = (
    3 * BLOCK
)  # the two blocks that overlap here, and both filters: whole blocks, so that the grid stays
SEEN_HZ = (11700.0, 21500.0)  # at -6 dB: at 11 kHz, where it folds, nothing is left
ADDED_HZ = (15500.0, RATE / 2)
SEEN_REACH = 96  # samples of the filters on each side
TOP_REACH = 120
SOFTER = 0.1  # what is added is some 30 dB below the peak that scales it: the network says it times ten
QUIET = 1e-6  # peak of a block, -120 dB re full scale: below, what is added tends to zero
LEAK = 0.2


class ConvolutionBlock(nn.Module):
    """Residual convolutions that double the channels and halve them again: (B, C, n) -> (B, C, n)."""

    def __init__(self, channels: int, selection: bool) -> None:
        super().__init__()
        inner = 2 * channels if selection else channels
        self.first = nn.Conv1d(channels, inner, 3, padding=1)
        self.second = nn.Conv1d(inner, channels, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Run the block."""
        return x + self.second(functional.leaky_relu(self.first(x), LEAK))


class Connected(nn.Module):
    """A residual fully-connected block over all channels and samples, with tanh: (B, C, n) -> (B, C, n)."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.layer = nn.Linear(size, size)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Run the layer."""
        return x + torch.tanh(self.layer(x.flatten(1))).unflatten(1, x.shape[1:])


class BlockNetwork(nn.Module):
    """The paper's network: a block of 64 samples to one of 128, (B, 1, 64) -> (B, 1, 128).

    Args:
        channels: after the stride-1 convolution; each stride-2 one has four times as many.
        convolutional: residual convolution blocks.
        connected: residual fully-connected blocks.
        dense: with fully-connected layers; without, the ablation.
        selection: with feature selection; without, the ablation.
    """

    def __init__(
        self, channels: int, convolutional: int, connected: int, dense: bool, selection: bool
    ) -> None:
        super().__init__()
        leaky = nn.LeakyReLU(LEAK)
        wide = 16 * channels
        layers: list[nn.Module] = [
            nn.Conv1d(1, channels, 5, padding=2),
            leaky,
            nn.Conv1d(channels, 4 * channels, 4, stride=2, padding=1),
            leaky,
            nn.Conv1d(4 * channels, wide, 4, stride=2, padding=1),
            leaky,
        ]
        layers += [ConvolutionBlock(wide, selection) for _ in range(convolutional)]
        layers += [Connected(wide * SEEN // 4) for _ in range(connected if dense else 0)]
        for inputs, outputs, length in ((wide, 4 * channels, 32), (4 * channels, channels, 64)):
            layers += [nn.ConvTranspose1d(inputs, outputs, 4, stride=2, padding=1), leaky]
            layers += [Connected(outputs * length)] if dense else []
        layers.append(nn.ConvTranspose1d(channels, 1, 4, stride=2, padding=1))
        if dense:
            layers.append(nn.Linear(BLOCK, BLOCK))
        for layer in layers[:-1]:
            if isinstance(layer, (nn.Conv1d, nn.ConvTranspose1d)):
                _keep_level(layer)
        for parameter in layers[-1].parameters():
            nn.init.zeros_(parameter)
        self.layers = nn.Sequential(*layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Run the network."""
        return self.layers(x)


def _keep_level(layer: nn.Conv1d | nn.ConvTranspose1d) -> None:
    """Initial weights that keep the level through the leaky ReLU that follows (He et al. 2015, arXiv 1502.01852)."""
    taps = layer.kernel_size[0] // (layer.stride[0] if isinstance(layer, nn.ConvTranspose1d) else 1)
    nn.init.normal_(layer.weight, std=(2 / (1 + LEAK**2) / (layer.in_channels * taps)) ** 0.5)


class SRCNN(nn.Module):
    """The whole generator: samples to samples at 44.1 kHz, on a grid of blocks that begins with the first sample.

    Shape: (B, 1, n) -> (B, 1, n), n a multiple of 128. An output depends on its block and CONTEXT on each side.
    Arguments: as BlockNetwork.
    """

    def __init__(
        self,
        channels: int = 2,
        convolutional: int = 4,
        connected: int = 1,
        dense: bool = True,
        selection: bool = True,
    ) -> None:
        super().__init__()
        self.halve = BandPass(*SEEN_HZ, RATE, reach=SEEN_REACH, stride=2)
        self.top = BandPass(*ADDED_HZ, RATE, reach=TOP_REACH)
        self.blocks = BlockNetwork(channels, convolutional, connected, dense, selection)
        self.register_buffer("fade", torch.hann_window(BLOCK))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The MP3, and what the network adds to it."""
        halves = self.halve(x).unflatten(2, (-1, SEEN // 2)).squeeze(1)  # (B, n / 64, 32)
        seen = torch.cat([halves[:, :-1], halves[:, 1:]], 2)  # (B, n / 64 - 1, 64), overlapping by half
        peak = 2 * seen.abs().amax(2, keepdim=True)
        scaled = (seen / (peak + QUIET)).flatten(0, 1).unsqueeze(1)
        made = self.blocks(scaled).view(x.shape[0], -1, BLOCK) * SOFTER * peak * self.get_buffer("fade")
        first, second = made.chunk(2, 2)
        added = functional.pad(first, (0, 0, 0, 1)) + functional.pad(second, (0, 0, 1, 0))
        return x + self.top(added.flatten(1).unsqueeze(1))


class Critic(nn.Module):
    """Is a block a recording's? (B, 128) -> logits (B,).

    The paper's critic is not known here: this one has three stride-2 convolutions and one linear layer, 0.03 M.
    """

    def __init__(self, channels: int = 16) -> None:
        super().__init__()
        leaky = nn.LeakyReLU(LEAK)
        self.layers = nn.Sequential(
            nn.Conv1d(1, channels, 8, stride=2, padding=3),
            leaky,
            nn.Conv1d(channels, 2 * channels, 8, stride=2, padding=3),
            leaky,
            nn.Conv1d(2 * channels, 4 * channels, 8, stride=2, padding=3),
            leaky,
            nn.Flatten(),
            nn.Linear(4 * channels * BLOCK // 8, 1),
        )

    def forward(self, blocks: torch.Tensor) -> torch.Tensor:
        """Logits; positive: a recording's."""
        return self.layers(blocks.unsqueeze(1)).squeeze(1)
