"""Audio spectral enhancement (Deshpande & Abichandani 2021): how it is trained and exported."""

from dataclasses import dataclass

import torch

from mp3fix.signal.stft import StftSpec
from mp3fix.training.examples import Batch
from mp3fix.training.losses_ssim import ssim
from mp3fix.training.networks.spectral_enhancement import SpectralEnhancement
from mp3fix.training.spectra import stft
from mp3fix.training.systems.base import Exported, Graph, System, contract_fields

SILENCE = 1e-3  # energy of a spectrum, far below that of 16-bit dither: there is nothing to learn from less


@dataclass(frozen=True)
class DeshpandeWeights:
    """Weights of the loss terms.

    Attributes:
        error: squared error over the target's variance.
        ssim: one minus the structural similarity of magnitudes.
        k1, k2: of the similarity; the authors tried 0.005 to 0.01 and 0.01 to 0.03.
    """

    error: float = 1.0
    ssim: float = 0.5
    k1: float = 0.01
    k2: float = 0.03


class Deshpande(System):
    """networks.spectral_enhancement, trained by what of the target's variance is left, and by SSIM.

    What differs from the authors' code: the target is the recording and not an MP3 of 128 kbit/s; each example counts
    the same, where the code takes one ratio for a whole batch, in which loud music hides the rest; frequencies that
    are not known of the recording do not count. The bundled configuration weighs the similarity 0.05, the paper 0.5: in
    minutes of training it cost SNR, -0.05 dB after 230 steps.

    Args:
        weights: of the loss terms.
        blocks, maps: of SpectralEnhancement.
    """

    spec = StftSpec(rate=22050, n_fft=1024, win_length=1023, hop=248, centred=False)
    Weights = DeshpandeWeights
    betas = (0.9, 0.999)
    generator: SpectralEnhancement

    def __init__(self, weights: DeshpandeWeights, blocks: int, maps: int) -> None:
        super().__init__(weights)
        self.generator = SpectralEnhancement(self.spec.bins, blocks, maps)

    def losses(self, batch: Batch) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """The loss of a batch, its parts, and what is gained in SNR over the MP3, dB."""
        known = batch.known(self.spec.bins)[:, None, :, None]
        before, wanted = (self._planes(part) for part in (batch.degraded, batch.target))
        got = self.generator(before)
        before, wanted, got = before * known, wanted * known, got * known
        variance = (wanted - wanted.mean((1, 2, 3), keepdim=True)).square().sum((1, 2, 3)) + SILENCE
        error = (got - wanted).square().sum((1, 2, 3)) / variance
        likeness = ssim(_magnitudes(wanted), _magnitudes(got), self.weights.k1, self.weights.k2)
        terms = {"error": error.mean(), "ssim": 1 - likeness.mean()}
        loss = self.weights.error * terms["error"] + self.weights.ssim * terms["ssim"]
        with torch.no_grad():
            was = (before - wanted).square().sum((1, 2, 3)) / variance
            terms["snr_gain"] = 10 * torch.log10((was + 1e-9) / (error + 1e-9)).mean()
        return loss, terms

    def _planes(self, samples: torch.Tensor) -> torch.Tensor:
        """(B, n) -> real and imaginary parts (B, 2, F, T)."""
        spectra = stft(samples, self.spec)
        return torch.stack([spectra.real, spectra.imag], 1)

    def exported(self) -> list[Graph]:
        """The generator: whole songs, where the authors' code restores the first 100 000 samples."""
        fields = contract_fields(self.spec, "complex", self.generator.context)
        return [Graph("", Exported(self.generator), fields)]


def _magnitudes(planes: torch.Tensor) -> torch.Tensor:
    """(B, 2, F, T) -> (B, F, T)."""
    return (planes.square().sum(1) + 1e-12).sqrt()
