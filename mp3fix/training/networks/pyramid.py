"""PWCNN: a pyramid of convolutions over wavelet bands, one of the methods Liu 2021 (S.-T. Yau award) compares with.

Neither that paper nor the method's own was at hand; all of this is a reading of its name. The signal is split into
three levels by an orthogonal wavelet (Daubechies 1992, Ten Lectures on Wavelets, table 6.1, N = 4: eight taps). From
the coarsest level to the finest, convolutions see a level's details and what the level below found, and correct the
details: 2.8-5.5 kHz, 5.5-11 and 11-22. The inverse transform gives the samples.

All convolutions are without bias: the output follows the input's level, and silence stays. The last layers start at
zero: an untrained network is the MP3. 48 maps, 0.06 M parameters: about 0.9 GMAC a second of a channel.
"""

import torch
from torch import nn
from torch.nn import functional

LEVELS = 3
MULTIPLE = 2**LEVELS
CONTEXT = 160
LEAK = 0.2
LOW = [0.230377813309, 0.714846570553, 0.630880767930, -0.027983769417]
LOW += [-0.187034811719, 0.030841381836, 0.032883011667, -0.010597401785]


class Wavelet(nn.Module):
    """One level of the transform, (B, 1, n) -> two of (B, 1, n / 2), and back. Beyond the ends is silence."""

    def __init__(self) -> None:
        super().__init__()
        low = torch.tensor(LOW)
        signs = torch.tensor([1.0, -1.0]).repeat(len(LOW) // 2)
        self.register_buffer("filters", torch.stack([low, low.flip(0) * signs])[:, None])

    def split(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The lower and the upper half of the band."""
        both = functional.conv1d(x, self.get_buffer("filters"), stride=2, padding=3)
        return both[:, :1], both[:, 1:]

    def join(self, low: torch.Tensor, high: torch.Tensor) -> torch.Tensor:
        """The inverse: orthogonal, so the transpose."""
        both = torch.cat([low, high], 1)
        return functional.conv_transpose1d(both, self.get_buffer("filters"), stride=2, padding=3)


class Level(nn.Module):
    """Finds features of one level, (B, inputs, n) -> (B, width, n), and what its details lack, (B, 1, n)."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(inputs, width, 5, padding=2, bias=False)
        self.second = nn.Conv1d(width, width, 5, padding=2, bias=False)
        self.lacking = nn.Conv1d(width, 1, 1, bias=False)
        nn.init.zeros_(self.lacking.weight)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Features and correction."""
        found = functional.leaky_relu(self.first(x), LEAK)
        found = functional.leaky_relu(self.second(found), LEAK)
        return found, self.lacking(found)


class Pyramid(nn.Module):
    """The whole network. Shape: (B, 1, n) -> (B, 1, n), n a multiple of MULTIPLE; depends on CONTEXT each side.

    Args:
        width: maps of each level.
    """

    def __init__(self, width: int = 48) -> None:
        super().__init__()
        self.wavelet = Wavelet()
        self.levels = nn.ModuleList(Level(width + 1 if k else 2, width) for k in range(LEVELS))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The MP3 with corrected details."""
        low, details = x, []
        for _ in range(LEVELS):
            low, high = self.wavelet.split(low)
            details.append(high)
        found = low
        added = torch.zeros_like(low)  # to the signal, at the rate of the level: the transform is linear
        for level, detail in zip(self.levels, reversed(details), strict=True):
            if found.shape[2] != detail.shape[2]:
                found = found.repeat_interleave(2, 2)
            found, correction = level(torch.cat([found, detail], 1))
            added = self.wavelet.join(added, correction)
        return x + added
