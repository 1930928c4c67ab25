"""The generator and the critic of Lattner & Nistal 2021 (Electronics 10, 1349; arXiv 2207.01667).

"Stochastic Restoration of Heavily Compressed Musical Audio using Generative Adversarial Networks", section 3 and
table 1. Spectra enter and leave through a signed square root (eq. 4), taken of real and imaginary parts apart. The
generator's trunk sees all frequencies of a frame as one vector ("frequency aggregation") and spreads over time by
dilated convolutions that gate themselves; four layers mirror the first four. Noise z, one vector for a song, is
repeated over rows and frames and joins the maps after Conv5.

Conv5 .. Conv14 are not padded in time when the generator is trained: 336 frames give 212. Here the first three and
the last three layers, which the paper pads, see 7 frames on each side too: the exact context is 62 + 14 = 76 frames.

Not told by what of the paper is at hand, and chosen here: Conv1 .. Conv3 are dilated along both axes, Conv5 .. Conv14
along time only (after the aggregation the order of rows has no meaning); a PReLU has one slope; roots are divided by
ROOT_SCALE; the critic's groups part until they are remapped; its skip connections go around Conv7 .. Conv14, since
the gate of Conv6 halves the maps; weights begin as `start` and Gated say; its Conv15 spans the rows and Conv16 is 1x1.

Deviations:
- 1024 of the 1025 bins are processed, as in the paper; the Nyquist bin passes unchanged.
- With `shortcut` (the paper has none): the input's root is added to the output, whose last layer starts near zero,
  so that an untrained network is the MP3; and the mirrored Conv3 also sees the maps of Conv3. 4096 filters carry a
  frame, but the few that fit a small file cannot, and would first have to learn to pass on what there is.
- Run for restoring, Conv5 .. Conv14 are padded, so that there are as many frames as in the input: what the padding
  touched lies within the context, which the pipeline discards.
- Width: the paper's generator has 322.5 M parameters (18, 38, 4096 filters, 32 rows). The one that ships has 0.60 M
  (4, 4, 64 filters, 4 rows), to train in minutes on a CPU and to fit in a few megabytes; of its parameters too
  nearly all are in the aggregation and its mirror.
"""

import torch
from torch import nn
from torch.nn import functional

BINS = 1024  # processed, of the 1025 of the transform
DILATIONS = (1, 2, 4)  # Conv1 .. Conv3
REACHES = (1, 2, 4, 8, 16, 1, 2, 4, 8, 16)  # Conv5 .. Conv14: dilations over time
UNPADDED = sum(REACHES)  # frames on each side that are lost without padding
ROOT_SCALE = 4.0  # roots of music, in units of the STFT, come to the order of one
# A PReLU with slope 0.25 leaves 0.73 of a normal value's rms, an open gate 0.54: weights begin by so much larger, or
# next to nothing would come through nine gates in a row.
GAIN, GATED_GAIN = 1 / 0.73, 1 / (0.73 * 0.54)
FIRST_STEP = 0.01  # of the last layer's weights where there is a shortcut


def signed_root(x: torch.Tensor) -> torch.Tensor:
    """sign(x) sqrt(|x|) (eq. 4), elementwise."""
    return torch.sign(x) * x.abs().sqrt()


def linear(root: torch.Tensor) -> torch.Tensor:
    """The spectrum whose signed roots over ROOT_SCALE these are."""
    return ROOT_SCALE**2 * root * root.abs()


def magnitude_root(root: torch.Tensor) -> torch.Tensor:
    """Square root of the magnitude, (B, 1, F, T), of a spectrum given by its signed roots, (B, 2, F, T)."""
    return ((root**4).sum(1, keepdim=True) + 1e-8) ** 0.25


def start(*modules: nn.Module, gain: float = GAIN) -> None:
    """Give convolutions weights that keep the rms of what comes in, times a gain: through a PReLU behind them too."""
    for module in modules:
        for layer in module.modules():
            if isinstance(layer, nn.Conv1d | nn.Conv2d | nn.ConvTranspose2d):
                summed = layer.in_channels * layer.weight[0, 0].numel()
                bound = gain * (3 / summed) ** 0.5
                nn.init.uniform_(layer.weight, -bound, bound)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)


class Gated(nn.Module):
    """Conv6 .. Conv14: a 3x3 convolution of which half the maps gate the other half, and a PReLU on what is gated.

    Shape: (B, I, R, T) -> (B, M / 2, R, T), or T - 2 dilation frames where it is not padded.
    """

    def __init__(self, inputs: int, maps: int, dilation: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, maps, 3, padding=(1, 0), dilation=(1, dilation))
        self.act, self.reach = nn.PReLU(), dilation
        start(self.conv, gain=1.0)
        with torch.no_grad():
            self.conv.weight[: maps // 2] *= GATED_GAIN

    def forward(self, x: torch.Tensor, padded: bool) -> torch.Tensor:
        """Run the layer."""
        value, gate = self.conv(_padded(x, self.reach) if padded else x).chunk(2, 1)
        gated: torch.Tensor = self.act(value * torch.sigmoid(gate))
        return gated


class Front(nn.Module):
    """Conv1 .. Conv3 and the aggregation Conv4.

    Conv4's filters, 1024 bins by one frame, are a matrix product over all bins and maps of a frame.

    Args:
        inputs: channels.
        first: maps of Conv1.
        maps: of Conv2 and Conv3.
        filters: of Conv4.
    """

    def __init__(self, inputs: int, first: int, maps: int, filters: int) -> None:
        super().__init__()
        widths = (inputs, first, maps, maps)
        layers: list[nn.Module] = []
        for before, after, dilation in zip(widths, widths[1:], DILATIONS, strict=False):
            layers += [nn.Conv2d(before, after, 3, padding=dilation, dilation=dilation), nn.PReLU()]
        self.near = nn.Sequential(*layers)
        self.aggregate = nn.Conv1d(maps * BINS, filters, 1)
        self.act = nn.PReLU()
        start(self.near, self.aggregate)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, C, 1024, T) -> the maps of Conv3, (B, maps, 1024, T), and those of Conv4, (B, filters, T)."""
        # Channels last: several times faster to train with few maps.
        near = self.near(x.contiguous(memory_format=torch.channels_last))
        return near, self.act(self.aggregate(near.flatten(1, 2)))


class Generator(nn.Module):
    """The generator.

    Args:
        first: maps of Conv1; 18 in the paper.
        maps: of Conv2 and Conv3; 38.
        filters: of Conv4; 4096.
        rows: into which the filters are reshaped; 32.
        z: values of the noise vector; 64. 0: the deterministic generator, which is the same without it.
        shortcut: see the module; not in the paper.
    """

    context = UNPADDED + 2 * sum(DILATIONS)

    def __init__(self, first: int, maps: int, filters: int, rows: int, z: int, shortcut: bool) -> None:
        super().__init__()
        self.rows, self.z, self.shortcut = rows, z, shortcut
        half = filters // rows
        self.front = Front(2, first, maps, filters)
        self.remap = nn.Sequential(nn.Conv2d(half, 2 * half, 1), nn.PReLU())
        self.fifth = nn.Sequential(nn.Conv2d(2 * half, 2 * half, 3, padding=(1, 0)), nn.PReLU())
        inputs = [2 * half + z] + [half] * (len(REACHES) - 2)
        self.gated = nn.ModuleList(
            Gated(before, 2 * half, reach) for before, reach in zip(inputs, REACHES[1:], strict=True)
        )
        self.spread = nn.Conv1d(filters, maps * BINS, 1, bias=False)
        self.spread_bias = nn.Parameter(torch.zeros(maps, 1, 1))
        self.spread_act = nn.PReLU()
        near = 2 * maps if shortcut else maps
        layers: list[nn.Module] = []
        for before, after, dilation in ((near, maps, 4), (maps, first, 2), (first, 2, 1)):
            layers += [
                nn.ConvTranspose2d(before, after, 3, padding=dilation, dilation=dilation),
                nn.PReLU(),
            ]
        self.mirrored = nn.Sequential(*layers[:-1])
        start(self.remap, self.fifth, self.spread, self.mirrored)
        if shortcut:
            last = layers[-2]
            with torch.no_grad():
                for parameter in last.parameters():
                    parameter.mul_(FIRST_STEP)

    def encode(self, x: torch.Tensor, padded: bool) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """What does not depend on the noise.

        Args:
            x: spectra, plain and linear, (B, 2, 1025, T).
            padded: see `forward`.

        Returns:
            The input's roots (B, 2, 1024, T) and the maps of Conv3, with the frames that the output will have, and
            the maps of Conv5.
        """
        root = signed_root(x[:, :, :BINS]) / ROOT_SCALE
        near, code = self.front(root)
        code = self.remap(code.unflatten(1, (-1, self.rows)))
        code = self.fifth(_padded(code, REACHES[0]) if padded else code)
        if not padded:
            root, near = root[..., UNPADDED:-UNPADDED], near[..., UNPADDED:-UNPADDED]
        return root, near, code

    def decode(
        self,
        root: torch.Tensor,
        near: torch.Tensor,
        code: torch.Tensor,
        z: torch.Tensor | None,
        padded: bool,
    ) -> torch.Tensor:
        """Roots of one restoration, over ROOT_SCALE, (B, 2, 1024, frames): from `encode` and z."""
        if z is not None:
            code = torch.cat([code, z[:, :, None, None] * torch.ones_like(code[:1, :1])], 1)
        for layer in self.gated:
            code = layer(code, padded)
        wide = self.spread(code.flatten(1, 2)).unflatten(1, (-1, BINS))
        wide = self.spread_act(wide + self.spread_bias).contiguous(memory_format=torch.channels_last)
        if not self.shortcut:
            return self.mirrored(wide)
        return root + self.mirrored(torch.cat([wide, near], 1))

    def forward(self, x: torch.Tensor, z: torch.Tensor | None = None, padded: bool = True) -> torch.Tensor:
        """One restoration.

        Args:
            x: spectra, plain and linear, (B, 2, 1025, T).
            z: unit normal, (B, z); None where there is no noise.
            padded: give all T frames; else those T - 124 that no padding of Conv5 .. Conv14 touches.

        Returns:
            Spectra, plain and linear, (B, 2, 1025, T or T - 124).
        """
        restored = linear(self.decode(*self.encode(x, padded), z, padded))
        nyquist = x[:, :, BINS:] if padded else x[:, :, BINS:, UNPADDED:-UNPADDED]
        return torch.cat([restored, nyquist], 2)


class Critic(nn.Module):
    """The critic: two groups, of signed roots and of the roots of magnitudes, each with those of the MP3 beside it.

    Args:
        first, maps, filters, rows: as of the generator; each group has half the filters.
    """

    def __init__(self, first: int, maps: int, filters: int, rows: int) -> None:
        super().__init__()
        self.rows = rows
        half = filters // rows
        self.fronts = nn.ModuleList(Front(inputs, first, maps, filters // 2) for inputs in (4, 2))
        self.remap = nn.Sequential(nn.Conv2d(half, 2 * half, 1), nn.PReLU())
        self.fifth = nn.Sequential(nn.Conv2d(2 * half, 2 * half, 3, padding=1), nn.PReLU())
        inputs = [2 * half] + [half] * (len(REACHES) - 2)
        self.gated = nn.ModuleList(
            Gated(before, 2 * half, reach) for before, reach in zip(inputs, REACHES[1:], strict=True)
        )
        self.last = nn.Sequential(nn.Conv2d(half, half, (rows, 1)), nn.PReLU(), nn.Conv2d(half, 1, 1))
        start(self.remap, self.fifth, self.last)

    def forward(self, root: torch.Tensor, mp3: torch.Tensor) -> torch.Tensor:
        """How real a spectrum is for its MP3.

        Shape: signed roots over ROOT_SCALE without the Nyquist bin, (B, 2, 1024, T) both -> (B,), mean over frames.
        """
        groups = (
            torch.cat([root, mp3], 1),
            torch.cat([magnitude_root(root), magnitude_root(mp3)], 1),
        )
        codes = [front(group)[1] for front, group in zip(self.fronts, groups, strict=True)]
        code = self.fifth(self.remap(torch.cat(codes, 1).unflatten(1, (-1, self.rows))))
        code = self.gated[0](code, True)
        for layer in list(self.gated)[1:]:
            code = code + layer(code, True)
        return self.last(code).mean((1, 2, 3))


def _padded(x: torch.Tensor, reach: int) -> torch.Tensor:
    return functional.pad(x, (reach, reach))
