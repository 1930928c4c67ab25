"""How Liu's spectral systems are trained and exported: RNN, BPCNN and the improved U-Net.

The networks' docstrings name the paper and what is a reading. Of the losses:
- RNN and BPCNN: the mean absolute error of standardised levels in the band, which is what the paper's L1 measures.
- U-Net: their mean squared error + 0.005 BCE(D(G), 1); the critic pauses while its loss is under half the
  generator's. Reading: as with SRGAN, and its loss is the adversarial term before its weight.
- Deviations: an error is counted twice, of what is written and of what the network expects, since what is not written
  would teach it nothing. No error is counted above what the recording is known to hold, nor below -100 dB re its
  strongest bin, as in the measure (evaluation/spectral.py).
"""

from typing import Any, NamedTuple

import torch
from torch import nn

from mp3fix.signal.stft import StftSpec
from mp3fix.training.examples import Batch
from mp3fix.training.networks.bpcnn import Bpcnn
from mp3fix.training.networks.liu_band import BINS, CONTEXT, FIRST, WINDOW, levels
from mp3fix.training.networks.liu_rnn import LiuRnn
from mp3fix.training.networks.liu_unet import LiuCritic, LiuUnet
from mp3fix.training.spectra import stft
from mp3fix.training.systems.base import Exported, Graph, System, contract_fields
from mp3fix.training.systems.liu_critic import AdversarialWeights, adversarial, critic_loss

SPEC = StftSpec(n_fft=1024, win_length=1024, hop=512)
FLOOR = 1e-5  # re the strongest bin of a recording: nothing below counts
SAMPLED = 8  # frames of an example that BPCNN learns from, of either kind


class Band(NamedTuple):
    """An example's band, as the losses see it: standardised levels, (B, 1, 165, T), and what is known of it.

    Attributes:
        wanted: of the recording.
        before: of the MP3.
        floor: of what counts, (B, 1, 1, 1).
        known: 1 where the recording is known, else 0, (B, 1, 165, 1).
    """

    wanted: torch.Tensor
    before: torch.Tensor
    floor: torch.Tensor
    known: torch.Tensor

    def errors(self, band: torch.Tensor) -> torch.Tensor:
        """Differences to the recording where it is known, elsewhere 0."""
        return (self.counted(band) - self.counted(self.wanted)) * self.known

    def counted(self, band: torch.Tensor) -> torch.Tensor:
        """Levels, not below the floor."""
        return torch.maximum(band, self.floor)

    def mean(self, errors: torch.Tensor) -> torch.Tensor:
        """Over all that is known."""
        return errors.sum() / (self.known.expand_as(errors).sum() + 1)

    def l1(self, band: torch.Tensor) -> torch.Tensor:
        """The mean absolute error of standardised levels."""
        return self.mean(self.errors(band).abs())

    def mse(self, band: torch.Tensor) -> torch.Tensor:
        """The mean squared error of standardised levels."""
        return self.mean(self.errors(band).square())


class LiuSpectral(System):
    """A network on magnitudes that writes the band above 15 kHz."""

    spec = SPEC

    def example(self, batch: Batch, frames: slice) -> tuple[torch.Tensor, Band]:
        """Magnitudes of the MP3, (B, 1, 513, T), and the band of the frames that count."""
        x, wanted = (stft(each, self.spec).abs().unsqueeze(1) for each in (batch.degraded, batch.target))
        return x, Band(
            levels(wanted[:, :, FIRST:, frames]),
            levels(x[:, :, FIRST:, frames]),
            levels(FLOOR * wanted.amax((1, 2, 3), keepdim=True)),
            batch.known(BINS)[:, None, FIRST:, None],
        )

    def graph(self, module: nn.Module, context: int, multiple: int, noise: bool) -> Graph:
        """The one graph that is exported."""
        fields = contract_fields(self.spec, "magnitude", context, multiple, ("spectrogram",) if noise else ())
        return Graph("", module, fields)


class LiuRnnSystem(LiuSpectral):
    """RNN; arguments of networks.liu_rnn.LiuRnn. Of an example, the first CONTEXT frames only warm it up."""

    generator: LiuRnn

    def __init__(self, weights: Any, **network: int) -> None:
        super().__init__(weights)
        self.generator = LiuRnn(**network)

    def losses(self, batch: Batch) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """The absolute error, and the MP3's."""
        frames = slice(CONTEXT, None)
        x, wanted = self.example(batch, frames)
        estimate, band = (each[..., frames] for each in self.generator.band(x))
        l1 = wanted.l1(band)
        return l1 + wanted.l1(estimate), {"l1": l1, "l1_mp3": wanted.l1(wanted.before)}

    def exported(self) -> list[Graph]:
        """The one graph."""
        # The reach is less, but a window is what the grid counts in.
        return [self.graph(Exported(self.generator), WINDOW, WINDOW, noise=False)]


class BpcnnSystem(LiuSpectral):
    """BPCNN; arguments of networks.bpcnn.Bpcnn. Of each example it learns from a few frames, drawn at random."""

    generator: Bpcnn

    def __init__(self, weights: Any, **network: int) -> None:
        super().__init__(weights)
        self.generator = Bpcnn(**network)

    def losses(self, batch: Batch) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """The absolute error of a step, from the recording's bins and from the network's own; and the MP3's."""
        x, wanted = self.example(batch, slice(None))
        frames = x.shape[3]
        chosen = torch.randperm(frames, device=x.device)[: min(SAMPLED, frames)]
        wanted = wanted._replace(wanted=wanted.wanted[..., chosen], before=wanted.before[..., chosen])
        rows = levels(x[..., chosen]).squeeze(1).transpose(1, 2).flatten(0, 1)
        with torch.no_grad():
            own = self.generator.band(rows)
        truth = wanted.counted(wanted.wanted).squeeze(1).transpose(1, 2).flatten(0, 1)
        low = rows[:, :FIRST]
        estimates = [self.generator.forced(torch.cat([low, band], 1)) for band in (truth, own)]
        # The same as `own`, step for step, but each step has its gradient, which ends there.
        band = self.generator.kept(rows[:, FIRST:], estimates[1])
        planes = [each.unflatten(0, (len(x), -1)).transpose(1, 2).unsqueeze(1) for each in (*estimates, band)]
        loss = sum((wanted.l1(each) for each in planes), torch.zeros((), device=x.device))
        return loss, {
            "l1": wanted.l1(planes[2]),
            "l1_forced": wanted.l1(planes[0]),
            "l1_mp3": wanted.l1(wanted.before),
        }

    def exported(self) -> list[Graph]:
        """The one graph; each frame stands alone."""
        return [self.graph(Exported(self.generator), 0, 1, noise=False)]


class LiuUnetSystem(LiuSpectral):
    """The improved U-Net against a critic; arguments of networks.liu_unet.LiuUnet. An example is one window."""

    generator: LiuUnet
    critic: LiuCritic
    Weights = AdversarialWeights

    def __init__(self, weights: AdversarialWeights, **network: int) -> None:
        super().__init__(weights)
        self.generator = LiuUnet(**network)
        self.critic = LiuCritic()

    def losses(self, batch: Batch) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """The squared error and the adversarial term; the absolute error, and the MP3's."""
        estimate, band, wanted = self._restored(batch)
        mse = wanted.mse(band)
        taken = adversarial(self.critic(self._judged(wanted, band)))
        loss = mse + wanted.mse(estimate) + self.weights.adversarial * taken
        return loss, {
            "l1": wanted.l1(band),
            "l1_mp3": wanted.l1(wanted.before),
            "mse": mse,
            "adversarial": taken,
        }

    def critic_loss(self, batch: Batch) -> torch.Tensor:
        """The critic's cross-entropy; times zero while it is under half of the generator's."""
        with torch.no_grad():
            _, band, wanted = self._restored(batch)
        real, fake = (self.critic(self._judged(wanted, each)) for each in (wanted.wanted, band))
        return critic_loss(real, fake)

    def _restored(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor, Band]:
        frames = slice(CONTEXT, -CONTEXT)
        x, wanted = self.example(batch, frames)
        noise = stft(torch.randn_like(batch.degraded), self.spec) / self.spec.noise_rms
        both = self.generator.band(x, torch.stack([noise.real, noise.imag], 1))
        estimate, band = (each[..., frames] for each in both)
        return estimate, band, wanted

    def _judged(self, wanted: Band, band: torch.Tensor) -> torch.Tensor:
        """The band as the critic takes it: what is not known of the recording is hidden in both."""
        return wanted.counted(band) * wanted.known

    def exported(self) -> list[Graph]:
        """The one graph."""
        return [self.graph(Noisy(self.generator), WINDOW, WINDOW, noise=True)]


class Noisy(nn.Module):
    """The U-Net as it is exported: takes the plain STFT of unit white noise."""

    def __init__(self, network: LiuUnet) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """One restoration. Shape: x (B, 1, 513, T), noise (B, 2, 513, T) -> as x."""
        restored: torch.Tensor = self.network(x, noise / SPEC.noise_rms)
        return restored
