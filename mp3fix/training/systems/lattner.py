"""Lattner & Nistal 2021: a Wasserstein critic, the profile loss, and what here helps them in minutes of training.

The paper trains the generator by the critic and L_profile alone. The terms on spectra are a deviation: a critic that
has seen a few thousand examples fills no band at the right level. They compare with the recording what an STFT finds
in the output's samples, since a spectrum that belongs to no signal would lose its level on the way to a file.

The deterministic form is our reading of the paper: the same generator without z, trained in the same way by the critic,
but without L_profile, which compares two draws.
"""

import math
from dataclasses import dataclass

import torch

from mp3fix.training.examples import Batch
from mp3fix.training.networks.lattner import (
    BINS,
    ROOT_SCALE,
    UNPADDED,
    Critic,
    Generator,
    linear,
    signed_root,
)
from mp3fix.training.spectra import istft, squared, stft
from mp3fix.training.systems.base import Exported, Graph, System, contract_fields

PENALTY = 10.0  # of the gradient penalty (Gulrajani et al. 2017, arXiv 1704.00028)
DRIFT = 1e-3  # of the square of the critic's output for recordings (Karras et al. 2017, arXiv 1710.10196)
FREQUENCY_POWER, RHYTHM_POWER = 1.3, 1.6  # of eq. 3
LEAST_DIFFERENCE = 0.02  # of profiles, to the power: two draws that are (nearly) equal have a finite loss
JUDGED = 32  # frames of an example that the critic sees, for speed; its output is a mean over frames
EDGE = 3  # frames at both ends that not all the frames of a longer signal overlap
FLOOR = 1e-4  # of the example's rms spectrum: below it, level differences do not matter


@dataclass(frozen=True)
class Terms:
    """Weights of the terms.

    Attributes:
        critic: what the critic says. It is bounded by the distance of whole examples, some hundred times the mean
            difference of a bin.
        profile: theta of eq. 3; only of two draws.
        root: modulus of the difference of signed roots.
        magnitude: difference of the roots of magnitudes.
        log: difference of log magnitudes, in nepers.
        mse: log10 of the squared error of magnitudes over the MP3's.
    """

    critic: float = 0.001
    profile: float = 0.0005
    root: float = 0.3
    magnitude: float = 1.0
    log: float = 0.2
    mse: float = 0.5


class Lattner(System):
    """networks.lattner, stochastic or, with z = 0, deterministic.

    Args:
        weights: of the loss terms.
        first, maps, filters, rows, z, shortcut: of the generator.
        critic_filters: Conv4 of the critic; its other widths are the generator's.
    """

    Weights = Terms
    generator: Generator
    critic: Critic

    def __init__(
        self,
        weights: Terms,
        first: int,
        maps: int,
        filters: int,
        rows: int,
        z: int,
        shortcut: bool,
        critic_filters: int,
    ) -> None:
        super().__init__(weights)
        self.generator = Generator(first, maps, filters, rows, z, shortcut)
        self.critic = Critic(first, maps, critic_filters, rows)

    def losses(self, batch: Batch) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """The loss of a batch, and its parts by name; by how much a draw is closer than the MP3, for the log."""
        network, weights = self.generator, self.weights
        spectrum = _planes(stft(batch.degraded, self.spec))
        root, near, code = network.encode(spectrum, padded=False)
        vectors = [self._vector(batch) for _ in range(2 if network.z else 1)]
        restored = [network.decode(root, near, code, z, padded=False) for z in vectors]
        inner = slice(UNPADDED + EDGE, -UNPADDED - EDGE)
        target, before = (stft(each, self.spec)[..., inner] for each in (batch.target, batch.degraded))
        nyquist = spectrum[:, :, BINS:, UNPADDED:-UNPADDED]
        known = batch.known(self.spec.bins)[:, :, None]
        wanted = Levels(target, target)
        drawn = [Levels(self._heard(torch.cat([linear(each), nyquist], 2)), target) for each in restored]
        distances = [wanted.distances(each, known) for each in drawn]
        terms = {name: torch.stack([each[name] for each in distances]).mean() for name in distances[0]}
        judged = self._judged(batch, restored[0], root)
        terms["critic"] = -self.critic(*judged).mean()
        mp3 = Levels(before, target)
        was = wanted.squared_error(mp3, known)
        now = torch.stack([wanted.squared_error(each, known) for each in drawn])
        terms["mse"] = torch.log10(now / was).mean()
        loss = torch.stack([getattr(weights, name) * term for name, term in terms.items()]).sum()
        if len(drawn) == 2:
            terms["profile"] = profile_loss(*(each.magnitude * known for each in drawn), *vectors)
            loss = loss + weights.profile * terms["profile"]
        with torch.no_grad():
            terms["lsd_gain"] = wanted.lsd(mp3, known) - wanted.lsd(drawn[0], known)
        return loss, terms

    def critic_loss(self, batch: Batch) -> torch.Tensor:
        """Wasserstein loss with gradient penalty and drift."""
        with torch.no_grad():
            root, near, code = self.generator.encode(_planes(stft(batch.degraded, self.spec)), padded=False)
            fake = self.generator.decode(root, near, code, self._vector(batch), padded=False)
            target = _planes(stft(batch.target, self.spec)[..., UNPADDED:-UNPADDED])[:, :, :BINS]
            real, fake, mp3 = self._judged(batch, signed_root(target) / ROOT_SCALE, fake, root)
            share = torch.rand(len(real), 1, 1, 1, device=real.device)
            between = share * real + (1 - share) * fake
        between.requires_grad_()
        truth, other = self.critic(torch.cat([real, fake]), mp3.repeat(2, 1, 1, 1)).chunk(2)
        (slope,) = torch.autograd.grad(self.critic(between, mp3).sum(), between, create_graph=True)
        norms = (slope.square().sum((1, 2, 3)) + 1e-12).sqrt()
        penalty = (norms - 1).square().mean()
        return other.mean() - truth.mean() + PENALTY * penalty + DRIFT * truth.square().mean()

    def exported(self) -> list[Graph]:
        """The generator, padded so that it gives all frames."""
        fields = contract_fields(
            self.spec,
            "complex",
            self.generator.context,
            noise=("vector",) if self.generator.z else (),
            z_size=self.generator.z,
        )
        return [Graph("", Exported(self.generator), fields)]

    def _vector(self, batch: Batch) -> torch.Tensor | None:
        if not self.generator.z:
            return None
        return torch.randn(len(batch.target), self.generator.z, device=batch.target.device)

    def _judged(self, batch: Batch, *roots: torch.Tensor) -> list[torch.Tensor]:
        """What the critic sees of roots (B, 2, 1024, T): some frames, the same of all, and what is known."""
        start = int(torch.randint(max(1, roots[0].shape[-1] - JUDGED + 1), ()))
        known = batch.known(self.spec.bins)[:, None, :BINS, None]
        return [each[..., start : start + JUDGED] * known for each in roots]

    def _heard(self, planes: torch.Tensor) -> torch.Tensor:
        """What an STFT finds in the samples that (B, 2, F, T) give: complex (B, F, T - 2 EDGE)."""
        samples = istft(torch.complex(planes[:, 0], planes[:, 1]), self.spec)
        margin = EDGE * self.spec.hop
        return stft(samples[:, margin:-margin], self.spec)


class Levels:
    """A spectrum, complex (B, F, T), as the terms see it: at the rms level of `reference`.

    Attributes:
        root: the complex spectrum with the roots of its magnitudes.
        magnitude: these roots.
        log: of magnitudes, nepers.
    """

    def __init__(self, spectrum: torch.Tensor, reference: torch.Tensor) -> None:
        power = squared(reference)
        scaled = spectrum / (power.mean((1, 2), keepdim=True).sqrt() + 1e-2)
        power = squared(scaled) + FLOOR**2
        self.log = 0.5 * torch.log(power)
        self.magnitude = power**0.25
        self.root = scaled * power**-0.25

    def distances(self, other: "Levels", known: torch.Tensor) -> dict[str, torch.Tensor]:
        """The terms on spectra, by name; `known` (B, F, 1) is 1 for each bin that counts."""
        root = self.root - other.root
        apart = {
            "root": (squared(root) + 1e-10).sqrt(),
            "magnitude": (self.magnitude - other.magnitude).abs(),
            "log": (self.log - other.log).abs(),
        }
        return {name: (each * known).mean() for name, each in apart.items()}

    def squared_error(self, other: "Levels", known: torch.Tensor) -> torch.Tensor:
        """Mean squared difference of magnitudes, (B,), never quite zero."""
        return ((self.magnitude**2 - other.magnitude**2).square() * known).mean((1, 2)) + 1e-6

    def lsd(self, other: "Levels", known: torch.Tensor) -> torch.Tensor:
        """Log-spectral distance in dB, mean over frames and examples."""
        log = ((self.log - other.log).square() * known).mean(1) / known.mean(1).clamp_min(1e-3)
        return 20 / math.log(10) * log.sqrt().mean()


def profile_loss(
    first: torch.Tensor, second: torch.Tensor, z_first: torch.Tensor, z_second: torch.Tensor
) -> torch.Tensor:
    """L_profile of eq. 3 without theta: how far two draws' noise is apart, over how far their profiles are.

    Read as the sum of two quotients, with means where the paper has norms, and LEAST_DIFFERENCE in the denominators.

    Args:
        first, second: roots of magnitudes of two restorations of the same input, (B, F, T).
        z_first, z_second: the noise they come from, (B, z).

    Returns:
        A scalar.
    """
    apart = (z_first - z_second).square().mean(1).sqrt()
    total = first.new_zeros(())
    for axis, power in ((2, FREQUENCY_POWER), (1, RHYTHM_POWER)):
        difference = ((first.mean(axis) - second.mean(axis)).abs() ** power).mean(1)
        total = total + (apart / (difference + LEAST_DIFFERENCE)).mean()
    return total


def _planes(spectrum: torch.Tensor) -> torch.Tensor:
    return torch.stack([spectrum.real, spectrum.imag], 1)
