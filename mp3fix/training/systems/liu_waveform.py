"""How Liu's waveform systems are trained, SRCNN and SRGAN, and the two methods on samples they are compared with.

The networks' docstrings name the paper and what is a reading. Of the losses:
- SRCNN: the mean squared error of samples. SRGAN: that + 0.005 BCE(D(G), 1); the critic pauses while its loss is under
  half the generator's. Reading: its loss is the mean of BCE(D(real), 1) and BCE(D(fake), 0), and the generator's is the
  adversarial term alone, before its weight, so that like is compared with like.
- Signals scaled to (-0.5, 0.5): each example by its peak in the band that the network sees.
- Deviation: the errors of SRCNN and SRGAN are those above 15.5 kHz, where alone the network writes, and no error is
  counted above what the recording is known to hold. The critic hears the same band in blocks of 128 samples.
"""

from typing import Any, ClassVar

import torch

from mp3fix.training.examples import Batch
from mp3fix.training.networks import pyramid, rectifier, srcnn
from mp3fix.training.systems.base import Exported, Graph, System, contract_fields
from mp3fix.training.systems.liu_critic import AdversarialWeights, adversarial, critic_loss

QUIET = 1e-4  # peak of an example, -80 dB re full scale: errors of softer ones count less
CRITIC_GAIN = 5.0  # the top is some 15 dB below the band that scales it: the critic hears it near 1
SILENT = 1e-10  # power added to both levels that are compared


class Waveform(System):
    """A network on samples, trained by the squared error of samples.

    Attributes:
        context, multiple: of the contract, in samples.
    """

    context: ClassVar[int]
    multiple: ClassVar[int] = 1

    def restored(self, batch: Batch) -> torch.Tensor:
        """The generator's output, (B, n)."""
        return self.generator(batch.degraded.unsqueeze(1)).squeeze(1)

    def errors(self, batch: Batch, restored: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """What is wrong with a restoration, and with the MP3: each (B, m), at one level, as far as is known."""
        level = 2 * batch.degraded.abs().amax(1, keepdim=True) + QUIET
        return (
            self.known(batch, restored - batch.target) / level,
            self.known(batch, batch.degraded - batch.target) / level,
        )

    def known(self, batch: Batch, samples: torch.Tensor) -> torch.Tensor:
        """Samples (B, n) without what lies above each example's known band and without the ends: (B, m)."""
        spectra = torch.fft.rfft(samples)
        kept = torch.fft.irfft(spectra * batch.known(spectra.shape[1]), samples.shape[1])
        return kept[:, self.context : -self.context]

    def losses(self, batch: Batch) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """The squared error, and by how many dB it is below the MP3's."""
        error, before = (each.square().mean() for each in self.errors(batch, self.restored(batch)))
        return error, {"mse": error, "gain_db": 10 * torch.log10((before + SILENT) / (error + SILENT))}

    def exported(self) -> list[Graph]:
        """The one graph."""
        fields = contract_fields(self.spec, "waveform", self.context, self.multiple)
        return [Graph("", Exported(self.generator), fields)]


class LiuSRCNN(Waveform):
    """SRCNN, whole or without one of its parts; arguments of networks.srcnn.SRCNN."""

    context = srcnn.CONTEXT
    multiple = srcnn.BLOCK
    generator: srcnn.SRCNN

    def __init__(self, weights: Any, **network: Any) -> None:
        super().__init__(weights)
        self.generator = srcnn.SRCNN(**network)

    def errors(self, batch: Batch, restored: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """As Waveform's, of the band that is added alone."""
        level = self._level(batch)
        return (
            self._top(batch, restored - batch.target) / level,
            self._top(batch, batch.degraded - batch.target) / level,
        )

    def _level(self, batch: Batch) -> torch.Tensor:
        seen = self.generator.halve(batch.degraded.unsqueeze(1)).squeeze(1)
        return 2 * seen.abs().amax(1, keepdim=True) + QUIET

    def _top(self, batch: Batch, samples: torch.Tensor) -> torch.Tensor:
        return self.known(batch, self.generator.top(samples.unsqueeze(1)).squeeze(1))


class LiuSRGAN(LiuSRCNN):
    """SRGAN: the same generator against a critic."""

    critic: srcnn.Critic
    Weights = AdversarialWeights

    def __init__(self, weights: AdversarialWeights, **network: Any) -> None:
        super().__init__(weights, **network)
        self.critic = srcnn.Critic()

    def losses(self, batch: Batch) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """The squared error and the adversarial term."""
        restored = self.restored(batch)
        error, before = (each.square().mean() for each in self.errors(batch, restored))
        taken = adversarial(self.critic(self._heard(batch, restored)))
        gain = 10 * torch.log10((before + SILENT) / (error + SILENT))
        terms = {"mse": error, "gain_db": gain, "adversarial": taken}
        return error + self.weights.adversarial * taken, terms

    def critic_loss(self, batch: Batch) -> torch.Tensor:
        """The critic's cross-entropy; times zero while it is under half of the generator's."""
        with torch.no_grad():
            made = self._heard(batch, self.restored(batch))
            taken = self._heard(batch, batch.target)
        real, fake = self.critic(taken), self.critic(made)
        return critic_loss(real, fake)

    def _heard(self, batch: Batch, samples: torch.Tensor) -> torch.Tensor:
        """Blocks of the top band as the critic takes them, (B blocks, 128)."""
        heard = self._top(batch, samples) / self._level(batch)
        return CRITIC_GAIN * heard.unflatten(1, (-1, srcnn.BLOCK)).flatten(0, 1)


class PyramidCNN(Waveform):
    """PWCNN; arguments of networks.pyramid.Pyramid."""

    context = pyramid.CONTEXT
    multiple = pyramid.MULTIPLE
    generator: pyramid.Pyramid

    def __init__(self, weights: Any, **network: Any) -> None:
        super().__init__(weights)
        self.generator = pyramid.Pyramid(**network)


class Rectified(Waveform):
    """FWR: one gain, so that the level above the cut is right on average."""

    context = rectifier.CONTEXT
    generator: rectifier.Rectifier

    def __init__(self, weights: Any) -> None:
        super().__init__(weights)
        self.generator = rectifier.Rectifier()

    def losses(self, batch: Batch) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """The difference in level above the cut, in bels, and the squared error of samples."""
        restored = self.restored(batch)
        levels = [self._above(batch, each) for each in (restored, batch.target)]
        level = (levels[0] - levels[1]).abs().mean()
        error, _ = self.errors(batch, restored)
        return level, {"level": level, "mse": error.square().mean()}

    def _above(self, batch: Batch, samples: torch.Tensor) -> torch.Tensor:
        """Level above the cut as far as it is known, in bels, (B,)."""
        doubled = torch.stack([samples, torch.zeros_like(samples)], 2).flatten(1)
        above = self.known(batch, 2 * self.generator.above(doubled.unsqueeze(1)).squeeze(1))
        return torch.log10(above.square().mean(1) + SILENT)
