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
error of each bin is to be expected, and what was rounded to zero. Within a few frames a tone and a noise of the same
level are hard to tell apart, so it is also told each bin's power averaged over time, and how flat that is in each band.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

from mp3fix.bitstream.maps import NAMES

BAND = 16  # bins folded into one band
NEIGHBOURS = 6  # sums and differences of neighbouring bins, see Near.sums
ONES = 0  # the plane of ones among what is told
FAR = 8  # frames from one to the next that a far block sees
NEAR_REACH = 2  # frames on each side that what comes after the trunk sees
LEVEL_REACH = 4  # frames on each side over which the local level is averaged
STEADY_REACH = 8  # frames on each side over which each bin's power is averaged: noise evens out, tones do not
FLAT_REACH = 36  # frames on each side over which flatness is averaged for the estimate
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

    It has no bias: at full resolution a sum costs as much as the product. A plane of ones among the inputs gives one.

    Shape: (B, I, F, T) -> (B, O, F, T).
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(nn.Linear(inputs, outputs).weight.detach())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Run the layer."""
        return torch.matmul(self.weight, x.flatten(2)).unflatten(2, (x.shape[2], -1))


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
        # Frames on each side that an output depends on: the averages or the level of the next frame and a convolution,
        # the trunk, one more convolution.
        self.context = max(STEADY_REACH, LEVEL_REACH + 1 + 1) + (blocks + FAR * far) * (kernel // 2) + 1
        self.fine_in = nn.Conv2d(7, fine, 3, padding=1, bias=False)
        self.fold = nn.Conv2d(fine, bands, (BAND, 1), stride=(BAND, 1))
        self.enter = nn.Conv1d(self.folds * bands, width, 1)
        near = [Block(width, hidden, kernel, 1 / blocks) for _ in range(blocks)]
        self.trunk = nn.ModuleList(near + [Block(width, width, kernel, 1 / blocks, FAR) for _ in range(far)])
        self.norm = nn.LayerNorm(width)
        self.leave = nn.Conv1d(width, self.folds * bands, 1)
        self.unfold = nn.ConvTranspose2d(bands, fine, (BAND, 1), stride=(BAND, 1))
        self.mix_fine = nn.Conv2d(fine, fine, 3, padding=1, groups=fine, bias=False)
        self.mix_wide = nn.Conv2d(fine, fine, 3, padding=1, groups=fine, bias=False)
        planes = len(NAMES) + 3  # ones, where the maps are known, the maps, the power averaged over time
        self.gate = Pointwise(2 * fine + planes, 2 * fine)
        self.head = Pointwise(fine, 5 + NEIGHBOURS)
        # For each band: gates of m, a and s, and how open the level of what is there and of what is drawn is.
        self.control = nn.Conv1d(width, 5 * self.folds, 1)
        # By the plane of ones these hold the biases of fine_in and head. What else is told begins at zero.
        self.map_fine, self.map_head = Pointwise(planes, fine), Pointwise(planes, 5 + NEIGHBOURS)
        # Told as the mean of each band, without the ones, and with flatness beside them.
        self.map_enter = nn.Conv1d(planes * self.folds, width, 1, bias=False)
        places = (torch.arange(self.folds) + 0.5) / self.folds
        orders = torch.arange(z)[:, None]
        self.curves = nn.Parameter(torch.cos(torch.pi * orders * places) / (1 + orders))
        turns = torch.arange(bins - 1)[:, None] % 4
        self.register_buffer("cosine", torch.tensor([1.0, 0.0, -1.0, 0.0])[turns], persistent=False)
        self.register_buffer("sine", torch.tensor([0.0, 1.0, 0.0, -1.0])[turns], persistent=False)
        for layer in (self.map_fine, self.head, self.map_head, self.map_enter):
            nn.init.zeros_(layer.weight)
        with torch.no_grad():
            self.gate.weight[:, 2 * fine :] = 0.0
            self.map_head.weight[4, ONES] = -7.0  # s starts 60 dB below the local level
            self.control.weight *= 0.1
            # Gates start open, the level of what is there is settled and that of what is drawn nearly so.
            for part, bias in enumerate((4.0, 4.0, 4.0, -7.0, -3.0)):
                self.control.bias[part * self.folds : (part + 1) * self.folds] = bias  # type: ignore[index]

    @property
    def margin(self) -> int:
        """Frames at both ends of a chunk about which nothing is said: all its context, but for neighbours."""
        return self.context - NEAR_REACH

    def estimate(self, x: torch.Tensor, maps: torch.Tensor, margin: int = 0) -> "Estimate":
        """Everything about a restoration but the draw.

        Args:
            x: (B, 2, F, T).
            maps: (B, K, F, T).
            margin: frames at both ends that are heard as context alone: the estimate is of the others, of which the
                first and last NEAR_REACH lack their neighbours. What comes after the trunk costs as much as the trunk
                and what comes before it.
        """
        # Planes of real and imaginary parts are kept apart: to join and to split them costs as much as to use them.
        re, im = x[:, :, :-1].chunk(2, 1)
        power = re * re + im * im
        level = functional.avg_pool2d(
            power.mean(2, keepdim=True), (1, 2 * LEVEL_REACH + 1), stride=1, padding=(0, LEVEL_REACH)
        )
        level = level.sqrt() + LEVEL_FLOOR
        magnitude = (power + 1e-16).sqrt() / level
        near = self._near(re, im)
        steady = torch.log(over_time(power, STEADY_REACH) / (level * level) + 1e-10)
        flatness = _flatness(steady)
        told = self._told(maps, level, steady)
        features = self._features(re, im, near, level, magnitude)
        fine = torch.relu(self.fine_in(features) + self.map_fine(told))
        bands = torch.relu(self.fold(fine)).flatten(1, 2)
        told_bands = torch.cat([told.unflatten(2, (-1, BAND)).mean(3)[:, ONES + 1 :], 0.25 * flatness], 1)
        trunk = self.enter(bands) + self.map_enter(told_bands.flatten(1, 2))
        for block in self.trunk:
            trunk = block(trunk)
        flatness = over_time(flatness, FLAT_REACH)
        x, fine, told, level, flatness, trunk = (
            within(each, margin) for each in (x, fine, told, level, flatness, trunk)
        )
        if margin:
            re, im = x[:, :, :-1].chunk(2, 1)
            near = self._near(re, im)
        low = x[:, :, :-1]
        trunk = self.norm(trunk.transpose(1, 2)).transpose(1, 2)
        bands = torch.relu(self.leave(trunk)).unflatten(1, (-1, self.folds))
        wide = torch.relu(self.unfold(bands))
        mixed = torch.cat([self.mix_fine(fine), self.mix_wide(wide), told], 1)
        value, gate = self.gate(mixed).chunk(2, 1)
        heads = self.head(value * torch.sigmoid(gate)) + self.map_head(told)
        m_re, m_im, a, s, *f = heads.split([1, 1, 2, 1] + NEIGHBOURS * [1], 1)
        control = self.control(trunk).unflatten(1, (5, self.folds))
        gates, open_levels = torch.sigmoid(control[:, :3]), functional.softplus(control[:, 3:])
        change_re, change_im = re * m_re - im * m_im, im * m_re + re * m_im
        for weight, (other_re, other_im) in zip(f, near.sums(), strict=True):
            change_re, change_im = change_re + weight * other_re, change_im + weight * other_im
        change = times_bands(torch.cat([change_re, change_im], 1), gates[:, 0:1])
        added = times_bands(a * (a.abs() + 0.01), level * gates[:, 1:2])
        spread = times_bands(torch.exp(s.clamp(-16.0, 3.0)), level * gates[:, 2:3])
        return Estimate(low, low + change + added, spread, open_levels, flatness, x[:, :, -1:])

    def _told(self, maps: torch.Tensor, level: torch.Tensor, steady: torch.Tensor) -> torch.Tensor:
        """A plane of ones; where maps are known; what they say, 0 where nothing is known; the power averaged over time.

        All in numbers of some size. Shape: maps (B, K, F, T), level (B, 1, 1, T), steady (B, 1, F - 1, T)
        -> (B, K + 3, F - 1, T): without the Nyquist bin.
        """
        expected = maps[:, :1, :-1]
        known = (expected >= 0).to(maps.dtype)
        error = 0.5 + 0.25 * torch.log(expected.clamp_min(0.0) / level + 1e-5)
        said = [known, known * error, known * maps[:, 1:, :-1]]
        return torch.cat([torch.ones_like(known), *said, 0.5 + 0.125 * steady], 1)

    def _near(self, re: torch.Tensor, im: torch.Tensor) -> "Near":
        """Neighbours of each bin; beyond the edges are zeros."""
        # From frame to frame a sinusoid in a bin's middle goes on by a quarter turn for each bin. Turned back by as
        # much, the next frame is as it would be now; turned forward, the last. Of e^(-j turn) X, these are what the
        # cosine gives and what the sine gives.
        by_cosine_re, by_cosine_im = re * self.cosine, im * self.cosine
        by_sine_re, by_sine_im = im * self.sine, re * -self.sine
        # Two frames are half a turn for odd bins, and none for even ones.
        sign = self.cosine.abs() - self.sine.abs()
        return Near(
            next_re=_later(by_cosine_re + by_sine_re),
            next_im=_later(by_cosine_im + by_sine_im),
            last_re=_earlier(by_cosine_re - by_sine_re),
            last_im=_earlier(by_cosine_im - by_sine_im),
            far_re=sign * (_later(re, 2) + _earlier(re, 2)),
            far_im=sign * (_later(im, 2) + _earlier(im, 2)),
            above_re=functional.pad(re[:, :, 1:], (0, 0, 0, 1)),
            above_im=functional.pad(im[:, :, 1:], (0, 0, 0, 1)),
            below_re=functional.pad(re[:, :, :-1], (0, 0, 1, 0)),
            below_im=functional.pad(im[:, :, :-1], (0, 0, 1, 0)),
        )

    def _features(
        self,
        re: torch.Tensor,
        im: torch.Tensor,
        near: "Near",
        level: torch.Tensor,
        magnitude: torch.Tensor,
    ) -> torch.Tensor:
        """What the network hears, (B, 7, F, T).

        A signed square root for what is strong, a logarithm for what is weak, and how phases go on: cosine and sine of
        the phase to the next frame, beyond the bin's own, and to the next bin. Weak bins, whose phase says nothing,
        tend to zero.
        """
        root = (magnitude + 1e-4).rsqrt() / level
        parts = [re * root, im * root, 0.5 + 0.25 * torch.log(magnitude + 1e-5)]
        after, above = root * _later(root), -root * functional.pad(root[:, :, 1:], (0, 0, 0, 1))
        for scale, other_re, other_im in (
            (after, near.next_re, near.next_im),
            (above, near.above_re, near.above_im),
        ):
            cosine = scale * (re * other_re + im * other_im)
            sine = scale * (re * other_im - im * other_re)
            size = (cosine * cosine + sine * sine + 1e-4).rsqrt()
            parts += [cosine * size, sine * size]
        return torch.cat(parts, 1)

    def draw(
        self, estimate: "Estimate", noise: torch.Tensor, z: torch.Tensor, texture: torch.Tensor
    ) -> torch.Tensor:
        """What a draw adds to the mean, (B, 2, F - 1, T): nothing at the Nyquist frequency.

        Args:
            estimate: of `estimate`.
            noise: real and imaginary parts, unit variance per bin, (B, 2, F, T).
            z, texture: as of `shares`.
        """
        kept, louder = self.shares(estimate, z, texture)
        return times_bands(estimate.low, kept) + times_bands(estimate.spread, louder) * noise[:, :, :-1]

    def shares(
        self, estimate: "Estimate", z: torch.Tensor, texture: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """What share of the input, and what share of noise times its spread, a draw adds to the mean.

        Args:
            estimate: of `estimate`.
            z: the song-level vector, unit variance, (B, z).
            texture: the dial, (1,).

        Returns:
            both, for each band, (B, 1, bands, T).
        """
        tilt = torch.matmul(z, self.curves)[:, None, :, None]
        kept, louder = (tilt * estimate.open_levels).chunk(2, 1)
        return texture * torch.tanh(kept), texture * torch.exp(louder.clamp(-3.0, 3.0))

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
        return estimate.whole(estimate.mean + self.draw(estimate, noise, z, texture))


class Estimate(NamedTuple):
    """What the network says about a spectrum before anything is drawn; F is one less than the input's: no Nyquist bin.

    T is the input's less what was context alone.

    Attributes:
        low: the input, (B, 2, F, T).
        mean: X (1 + m) + sum_i f_i N_i + a, (B, 2, F, T).
        spread: s, (B, 1, F, T).
        open_levels: how open the levels of what is there and of what is drawn are, nepers, (B, 2, bands, T).
        flatness: spectral flatness of the input's power over some 0.2 s in each band, natural logarithm of powers,
            the mean over a second, (B, 1, bands, T): 0 for noise and silence, below it for tones.
        nyquist: that bin of the input, (B, 2, 1, T), about which the network says nothing.
    """

    low: torch.Tensor
    mean: torch.Tensor
    spread: torch.Tensor
    open_levels: torch.Tensor
    flatness: torch.Tensor
    nyquist: torch.Tensor

    def float(self) -> "Estimate":
        """The same in single precision."""
        return Estimate(*(part.float() for part in self))

    def whole(self, spectrum: torch.Tensor) -> torch.Tensor:
        """A spectrum (B, 2, F, T) and the input's Nyquist bin."""
        return torch.cat([spectrum, self.nyquist], 2)


class Near(NamedTuple):
    """Each bin's neighbours in time, turned as a sinusoid in the bin's middle would be now, and in frequency.

    Attributes:
        next_re, next_im, last_re, last_im: the next and the last frame, (B, 1, F, T) each.
        far_re, far_im: the sum of the two beyond them.
        above_re, above_im, below_re, below_im: the bins above and below, as they are.
    """

    next_re: torch.Tensor
    next_im: torch.Tensor
    last_re: torch.Tensor
    last_im: torch.Tensor
    far_re: torch.Tensor
    far_im: torch.Tensor
    above_re: torch.Tensor
    above_im: torch.Tensor
    below_re: torch.Tensor
    below_im: torch.Tensor

    def sums(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """NEIGHBOURS sums and differences, real and imaginary parts, (B, 1, F, T) each.

        For a sinusoid X that lies off the bin's middle, both frames' sum is 2 cos(theta) X and their difference
        2j sin(theta) X, with theta its phase beyond the bin's own from frame to frame.
        """
        yield self.next_re + self.last_re, self.next_im + self.last_im
        re, im = self.next_re - self.last_re, self.next_im - self.last_im
        yield re, im
        yield im, -re
        yield self.far_re, self.far_im
        # A window's main lobe changes sign from bin to bin, since phases count from the start of a frame.
        yield -self.above_re - self.below_re, -self.above_im - self.below_im
        yield self.above_im - self.below_im, self.below_re - self.above_re


def _later(x: torch.Tensor, frames: int = 1) -> torch.Tensor:
    """Each frame's next, or one further on; zeros where there is none."""
    return functional.pad(x[..., frames:], (0, frames))


def _earlier(x: torch.Tensor, frames: int = 1) -> torch.Tensor:
    """Each frame's last, or one further back; zeros where there is none."""
    return functional.pad(x[..., :-frames], (frames, 0))


def times_bands(plane: torch.Tensor, bands: torch.Tensor) -> torch.Tensor:
    """Each bin times its band's value: (B, C, F, T) and (B, 1, F / 16, T) -> (B, C, F, T)."""
    return (plane.unflatten(2, (bands.shape[2], -1)) * bands.unsqueeze(3)).flatten(2, 3)


def within(planes: torch.Tensor, margin: int) -> torch.Tensor:
    """All frames but so many at both ends: (..., T) -> (..., T - 2 margin)."""
    return planes[..., margin:-margin] if margin else planes


def over_time(plane: torch.Tensor, reach: int) -> torch.Tensor:
    """The mean over so many frames on each side, and the frame itself: same shape."""
    return functional.avg_pool2d(plane, (1, 2 * reach + 1), 1, (0, reach), count_include_pad=False)


def _flatness(log_power: torch.Tensor) -> torch.Tensor:
    """Log of geometric over arithmetic mean (Johnston 1988) in each band: (B, 1, F, T) -> (B, 1, F / 16, T).

    Args:
        log_power: natural logarithm of power, with a floor: that of silence is flat.
    """
    bands = log_power.unflatten(2, (-1, BAND))
    # ONNX Runtime rounds the last bit of a logarithm of so few values by how many threads share them, and phases that
    # Griffin-Lim finds amplify it. In double precision that bit does not reach the result.
    return bands.mean(3) - torch.log(torch.exp(bands).mean(3).double()).to(bands.dtype)
