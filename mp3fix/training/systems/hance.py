"""Hance's U-Net (2021): how it is trained and exported.

The loss is the article's, the absolute difference of magnitudes; deviation: relative to the recording's, so that soft
music counts as much as loud, and without frequencies that are not known of the recording.
"""

import torch

from mp3fix.training.examples import Batch
from mp3fix.training.networks.hance import CONTEXT, MULTIPLE, Hance
from mp3fix.training.spectra import stft
from mp3fix.training.systems.base import Exported, Graph, NoWeights, System, contract_fields

EDGE = 8  # frames at both ends of an example that lack most of their context: not part of the loss
SILENCE = 1e-3  # mean magnitude, far below that of 16-bit dither: there is nothing to learn from less


class HanceSystem(System):
    """networks.hance.Hance, trained by the L1 of magnitudes.

    Args:
        weights: none.
        width: see Hance.
    """

    betas = (0.9, 0.999)
    generator: Hance

    def __init__(self, weights: NoWeights, width: int) -> None:
        super().__init__(weights)
        self.generator = Hance(width)

    def losses(self, batch: Batch) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """The loss of a batch, and by how many dB it is below the MP3's."""
        degraded, target = (stft(each, self.spec).abs()[:, None] for each in (batch.degraded, batch.target))
        count = target.shape[3] // MULTIPLE * MULTIPLE
        degraded, target = degraded[..., :count], target[..., :count]
        known = batch.known(self.spec.bins)[:, None, :, None]
        heard = slice(EDGE, count - EDGE)
        level = (target * known)[..., heard].mean((1, 2, 3)) + SILENCE

        def error(magnitudes: torch.Tensor) -> torch.Tensor:
            return (((magnitudes - target).abs() * known)[..., heard].mean((1, 2, 3)) / level).mean()

        loss = error(self.generator(degraded))
        with torch.no_grad():
            gain = 20 * torch.log10((error(degraded) + 1e-6) / (loss + 1e-6))
        return loss, {"l1": loss, "gain_db": gain}

    def exported(self) -> list[Graph]:
        """The one graph."""
        fields = contract_fields(self.spec, "magnitude", CONTEXT, MULTIPLE)
        return [Graph("", Exported(self.generator), fields)]
