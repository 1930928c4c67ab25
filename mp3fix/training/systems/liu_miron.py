"""How the convolutional autoencoder of Miron & Davies 2018 is trained; see networks/miron.py."""

from typing import Any

import torch

from mp3fix.signal.stft import StftSpec
from mp3fix.training.examples import Batch
from mp3fix.training.networks import miron
from mp3fix.training.spectra import stft
from mp3fix.training.systems.base import Exported, Graph, System, contract_fields

QUIET = 1e-3  # STFT units, about -110 dB re a full-scale sine
SILENT = 1e-10  # power added to both errors that are compared


class MironCNN(System):
    """Magnitudes by the squared error; arguments of networks.miron.Autoencoder."""

    spec = StftSpec(n_fft=1024, win_length=1024, hop=256)
    generator: miron.Autoencoder

    def __init__(self, weights: Any, **network: Any) -> None:
        super().__init__(weights)
        self.generator = miron.Autoencoder(**network)

    def losses(self, batch: Batch) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """The squared error of the top's magnitudes, and by how many dB it is below the MP3's.

        Examples count at one level, that of the band the network sees, and as far up as they are known.
        """
        degraded, target = (stft(each, self.spec).abs() for each in (batch.degraded, batch.target))
        restored = self.generator(degraded.unsqueeze(1)).squeeze(1)
        level = degraded[:, miron.FIRST : miron.CUT].square().mean((1, 2), keepdim=True).sqrt() + QUIET
        known = batch.known(miron.BINS)[:, :, None] / level

        def error(magnitudes: torch.Tensor) -> torch.Tensor:
            wrong = ((magnitudes - target) * known)[:, miron.CUT :, miron.CONTEXT : -miron.CONTEXT]
            return wrong.square().mean()

        after, before = error(restored), error(degraded)
        gain = 10 * torch.log10((before + SILENT) / (after + SILENT))
        return after, {"mse": after, "gain_db": gain}

    def exported(self) -> list[Graph]:
        """The one graph."""
        fields = contract_fields(self.spec, "magnitude", miron.CONTEXT)
        return [Graph("", Exported(self.generator), fields)]
