"""The generator of models/music.onnx: a spectrum folded into bands, repaired by a convolutional trunk over time.

The shape follows Vocos (Siuzdak 2023, arXiv 2306.00814): a trunk of one-dimensional ConvNeXt blocks (Liu et al.
2022, arXiv 2201.03545) at the STFT's own frame rate. Before and after it, 1024 bins are folded to 64 bands of 16
and unfolded again, with a thin path at full resolution beside the trunk, so that single harmonics stay sharp.

The output is affine in the input spectrum X and in the noise e:

    Y = X (1 + m + t c(z)) + sum_i f_i N_i + a + t s exp(d(z)) e

with m and a complex, f and s real, s positive, and t the texture dial. N_i are sums and differences of X's neighbours
in time and frequency, turned so that a steady sinusoid has the same phase in all of them: a filter of its own for
each bin (deep filtering, Mack & Habets 2020, arXiv 1904.08369; Schroeter et al. 2022, arXiv 2110.05588), which can
average a tone over more time than one frame, or take the half of a frame before an attack away. All heads start at
(nearly) zero: an untrained network is the identity. A gate for each band and frame scales m and f, a and s, so that
"nothing to repair here" is one decision and not the sum of many.

The song-level vector z colours the draw: its values weigh curves over the bands, and the trunk says by how much a
band's level is open at this moment. c is a real gain of what is there, d a change of level (in nepers) of what is
drawn; both are zero for z = 0.

Beside the spectrum the network takes maps of the MP3's bitstream, where there is one (bitstream/maps.py): how large the
error of each bin is to be expected, and what was rounded to zero.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

from mp3fix.bitstream.maps import NAMES

BAND = 16  # bins folded into one band
NEIGHBOURS = 6  # sums and differences of neighbouring bins, see _neighbours
FAR = 8  # frames from one to the next that a far block sees
LEVEL_REACH = 4  # frames on each side over which the local level is averaged
LEVEL_FLOOR = 1e-4  # STFT units, about -130 dB re a full-scale sine: below, the output tends to zero


class Block(nn.Module):
    """ConvNeXt block over time: depthwise convolution, normalisation over channels, two-layer perceptron.

    Shape: (B, D, T) -> (B, D, T).
    """

    def __init__(self, width: int, hidden: int, kernel: int, scale: float, dilation: int = 1) -> None:
        super().__init__()
        reach = dilation * (kernel // 2)
        self.depthwise = nn.Conv1d(width, width, kernel, padding=reach, dilation=dilation, groups=width)
        self.norm = nn.LayerNorm(width)
        self.expand = nn.Conv1d(width, hidden, 1)
        self.reduce = nn.Conv1d(hidden, width, 1)
        self.scale = nn.Parameter(torch.full((width, 1), scale))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Run the block."""
        y = self.norm(self.depthwise(x).transpose(1, 2)).transpose(1, 2)
        return x + self.scale * self.reduce(torch.relu(self.expand(y)))


class Pointwise(nn.Module):
    """A 1x1 convolution over a plane as a matrix product: several times faster to train for few channels.

    Shape: (B, I, F, T) -> (B, O, F, T).
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        plain = nn.Linear(inputs, outputs)
        self.weight = nn.Parameter(plain.weight.detach())
        self.bias = nn.Parameter(plain.bias.detach()[:, None])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Run the layer."""
        return (torch.matmul(self.weight, x.flatten(2)) + self.bias).unflatten(2, (x.shape[2], -1))


class Folded(nn.Module):
    """The generator.

    Args:
        bins: n_fft // 2 + 1; bins - 1 must be a multiple of 16. The Nyquist bin passes unchanged.
        width: channels of the trunk.
        hidden: channels inside its blocks.
        blocks: number of blocks.
        fine: channels of the path at full frequency resolution.
        bands: channels of a band at the fold.
        kernel: frames that a block of the trunk sees.
        z: values of the song-level vector.
        far: number of blocks after them that see every `FAR`th frame.
    """

    cosine: torch.Tensor
    sine: torch.Tensor

    def __init__(
        self,
        bins: int,
        width: int,
        hidden: int,
        blocks: int,
        fine: int,
        bands: int,
        z: int,
        far: int,
        kernel: int = 7,
    ) -> None:
        super().__init__()
        self.folds, self.z = (bins - 1) // BAND, z
        # Frames on each side that an output depends on: the trunk, the level of the next frame, two convolutions.
        self.context = (blocks + FAR * far) * (kernel // 2) + LEVEL_REACH + 1 + 2
        self.fine_in = nn.Conv2d(7, fine, 3, padding=1)
        self.fold = nn.Conv2d(fine, bands, (BAND, 1), stride=(BAND, 1))
        self.enter = nn.Conv1d(self.folds * bands, width, 1)
        near = [Block(width, hidden, kernel, 1 / blocks) for _ in range(blocks)]
        self.trunk = nn.ModuleList(near + [Block(width, width, kernel, 1 / blocks, FAR) for _ in range(far)])
        self.norm = nn.LayerNorm(width)
        self.leave = nn.Conv1d(width, self.folds * bands, 1)
        self.unfold = nn.ConvTranspose2d(bands, fine, (BAND, 1), stride=(BAND, 1))
        self.mix = nn.Conv2d(2 * fine, 2 * fine, 3, padding=1, groups=2 * fine)
        self.gate = Pointwise(2 * fine, 2 * fine)
        self.head = Pointwise(fine, 5 + NEIGHBOURS)
        # For each band: gates of m, a and s, and how open the level of what is there and of what is drawn is.
        self.control = nn.Conv1d(width, 5 * self.folds, 1)
        # The maps, and where they are known. They begin without a say: a network that had none goes on as it was.
        planes = len(NAMES) + 1
        self.map_fine, self.map_gate = Pointwise(planes, fine), Pointwise(planes, 2 * fine)
        self.map_head = Pointwise(planes, 5 + NEIGHBOURS)
        self.map_enter = nn.Conv1d(planes * self.folds, width, 1, bias=False)
        places = (torch.arange(self.folds) + 0.5) / self.folds
        orders = torch.arange(z)[:, None]
        self.curves = nn.Parameter(torch.cos(torch.pi * orders * places) / (1 + orders))
        turns = torch.arange(bins - 1)[:, None] % 4
        # A quarter turn for each bin: by so much a sinusoid in its middle goes on from frame to frame.
        self.register_buffer("cosine", torch.tensor([1.0, 0.0, -1.0, 0.0])[turns], persistent=False)
        self.register_buffer("sine", torch.tensor([0.0, 1.0, 0.0, -1.0])[turns], persistent=False)
        for layer in (self.map_fine, self.map_gate, self.map_head):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        nn.init.zeros_(self.map_enter.weight)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        with torch.no_grad():
            self.head.bias[4] = -7.0  # s starts 60 dB below the local level
            self.control.weight *= 0.1
            # Gates start open, the level of what is there is settled and that of what is drawn nearly so.
            for part, bias in enumerate((4.0, 4.0, 4.0, -7.0, -3.0)):
                self.control.bias[part * self.folds : (part + 1) * self.folds] = bias  # type: ignore[index]

    def estimate(self, x: torch.Tensor, maps: torch.Tensor) -> "Estimate":
        """Everything about a restoration but the draw. Shapes: x (B, 2, F, T), maps (B, K, F, T)."""
        low = x[:, :, :-1]
        power = (low * low).sum(1, keepdim=True)
        level = functional.avg_pool2d(
            power.mean(2, keepdim=True), (1, 2 * LEVEL_REACH + 1), stride=1, padding=(0, LEVEL_REACH)
        )
        level = level.sqrt() + LEVEL_FLOOR
        magnitude = (power + 1e-16).sqrt() / level
        root = low / level * (magnitude + 1e-4).rsqrt()
        # Signed square root for what is strong, a logarithm for what is weak, and how phases go on.
        features = torch.cat([root, 0.5 + 0.25 * torch.log(magnitude + 1e-5), self._phases(root)], 1)
        told = self._told(maps[:, :, :-1], level)
        fine = torch.relu(self.fine_in(features) + self.map_fine(told))
        bands = torch.relu(self.fold(fine)).flatten(1, 2)
        trunk = self.enter(bands) + self.map_enter(told.unflatten(2, (-1, BAND)).mean(3).flatten(1, 2))
        for block in self.trunk:
            trunk = block(trunk)
        trunk = self.norm(trunk.transpose(1, 2)).transpose(1, 2)
        bands = torch.relu(self.leave(trunk)).unflatten(1, (-1, self.folds))
        fine = torch.cat([fine, torch.relu(self.unfold(bands))], 1)
        value, gate = (self.gate(self.mix(fine)) + self.map_gate(told)).chunk(2, 1)
        heads = self.head(value * torch.sigmoid(gate)) + self.map_head(told)
        m, a, s, f = heads.split([2, 2, 1, NEIGHBOURS], 1)
        control = self.control(trunk).unflatten(1, (5, self.folds))
        gates, open_levels = torch.sigmoid(control[:, :3]), functional.softplus(control[:, 3:])
        m, f = times_bands(m, gates[:, 0:1]), times_bands(f, gates[:, 0:1])
        a = times_bands(level * a * (a.abs() + 0.01), gates[:, 1:2])
        re, im = low.chunk(2, 1)
        m_re, m_im = m.chunk(2, 1)
        gained = torch.cat([re + re * m_re - im * m_im, im + re * m_im + im * m_re], 1)
        for weight, neighbours in zip(f.split(1, 1), self._neighbours(low), strict=True):
            gained = gained + weight * neighbours
        spread = times_bands(level * torch.exp(s.clamp(-16.0, 3.0)), gates[:, 2:3])
        nyquist = x[:, :, -1:]
        return Estimate(
            low,
            torch.cat([gained + a, nyquist], 2),
            torch.cat([spread, torch.zeros_like(nyquist[:, :1])], 2),
            open_levels,
        )

    def _told(self, maps: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
        """What the maps say, as numbers of some size: (B, K + 1, F, T), zeros where nothing is known."""
        known = (maps[:, :1] >= 0).to(maps.dtype)
        error = 0.5 + 0.25 * torch.log(maps[:, :1].clamp_min(0.0) / level + 1e-5)
        return torch.cat([known, known * error, known * maps[:, 1:]], 1)

    def _turned(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The next and the last frame, (B, 2, F, T), as a sinusoid in the middle of each bin would have them now."""
        re, im = x.chunk(2, 1)
        cosine, sine = re * self.cosine + im * self.sine, im * self.cosine - re * self.sine
        after = torch.cat([cosine, sine], 1)
        # The other way round: the sine's sign changes.
        before = torch.cat([re * self.cosine - im * self.sine, im * self.cosine + re * self.sine], 1)
        return functional.pad(after[..., 1:], (0, 1)), functional.pad(before[..., :-1], (1, 0))

    def _neighbours(self, x: torch.Tensor) -> Iterator[torch.Tensor]:
        """NEIGHBOURS planes, each (B, 2, F, T): next and last frame, the two beyond, the bins above and below.

        For a sinusoid X that lies off the bin's middle, both frames' sum is 2 cos(theta) X and their difference
        2j sin(theta) X, with theta its phase beyond the bin's own from frame to frame.
        """
        after, before = self._turned(x)
        yield after + before
        difference = after - before
        yield difference
        re, im = difference.chunk(2, 1)
        yield torch.cat([im, -re], 1)
        # Two frames are half a turn for odd bins, and none for even ones.
        sign = self.cosine.abs() - self.sine.abs()
        yield sign * (functional.pad(x[..., 2:], (0, 2)) + functional.pad(x[..., :-2], (2, 0)))
        # A window's main lobe changes sign from bin to bin, since phases count from the start of a frame.
        above, below = functional.pad(x[:, :, 1:], (0, 0, 0, 1)), functional.pad(x[:, :, :-1], (0, 0, 1, 0))
        yield -above - below
        re, im = (above - below).chunk(2, 1)
        yield torch.cat([im, -re], 1)

    def _phases(self, root: torch.Tensor) -> torch.Tensor:
        """Cosine and sine of the phase to the next frame, beyond the bin's own, and to the next bin, (B, 4, F, T).

        Weak bins, whose phase says nothing, tend to zero.
        """
        re, im = root.chunk(2, 1)
        after, _ = self._turned(root)
        above = -functional.pad(root[:, :, 1:], (0, 0, 0, 1))
        parts = []
        for other in (after, above):
            other_re, other_im = other.chunk(2, 1)
            parts += [re * other_re + im * other_im, re * other_im - im * other_re]
        products = torch.cat(parts, 1)
        first, second = products.chunk(2, 1)
        return torch.cat([_unit(first), _unit(second)], 1)

    def draw(
        self, estimate: "Estimate", noise: torch.Tensor, z: torch.Tensor, texture: torch.Tensor
    ) -> torch.Tensor:
        """What a draw adds to the mean.

        Args:
            estimate: of `estimate`.
            noise: real and imaginary parts, unit variance per bin, (B, 2, F, T).
            z: the song-level vector, unit variance, (B, z).
            texture: the dial, (1,).

        Returns:
            (B, 2, F, T).
        """
        tilt = torch.matmul(z, self.curves)[:, None, :, None]
        kept, drawn = (tilt * estimate.open_levels).chunk(2, 1)
        coloured = times_bands(estimate.low, torch.tanh(kept))
        louder = torch.exp(drawn.clamp(-3.0, 3.0))
        scaled = times_bands(estimate.spread[:, :, :-1] * noise[:, :, :-1], louder)
        # Noise has no say about the Nyquist bin.
        return texture * torch.cat([coloured + scaled, torch.zeros_like(noise[:, :, -1:])], 2)

    def forward(
        self,
        x: torch.Tensor,
        noise: torch.Tensor,
        z: torch.Tensor,
        texture: torch.Tensor,
        maps: torch.Tensor,
    ) -> torch.Tensor:
        """One restoration.

        Shape: x and noise (B, 2, F, T), real and imaginary parts, noise of unit variance per bin; z (B, z);
        texture (1,); maps (B, K, F, T).
        """
        estimate = self.estimate(x, maps)
        return estimate.mean + self.draw(estimate, noise, z, texture)


class Estimate(NamedTuple):
    """What the network says about a spectrum before anything is drawn.

    Attributes:
        low: the input without its Nyquist bin, (B, 2, F - 1, T).
        mean: X (1 + m) + a, (B, 2, F, T).
        spread: s, (B, 1, F, T).
        open_levels: how open the levels of what is there and of what is drawn are, nepers, (B, 2, bands, T).
    """

    low: torch.Tensor
    mean: torch.Tensor
    spread: torch.Tensor
    open_levels: torch.Tensor

    def float(self) -> "Estimate":
        """The same in single precision."""
        return Estimate(*(part.float() for part in self))


def _unit(x: torch.Tensor) -> torch.Tensor:
    """(B, 2, F, T) over its modulus, or less where that is small."""
    return x * ((x * x).sum(1, keepdim=True) + 1e-4).rsqrt()


def times_bands(plane: torch.Tensor, bands: torch.Tensor) -> torch.Tensor:
    """Each bin times its band's value: (B, C, F, T) and (B, 1, F / 16, T) -> (B, C, F, T)."""
    return (plane.unflatten(2, (bands.shape[2], -1)) * bands.unsqueeze(3)).flatten(2, 3)
