"""The networks that Deshpande & Abichandani (2021) compare theirs with, in Table 1: how they are trained and exported.

All take and give samples at 22.05 kHz. FFmpeg, the fourth there, has no network: it is the MP3 as decoded.
"""

import torch

from mp3fix.signal.stft import StftSpec
from mp3fix.training.examples import Batch
from mp3fix.training.networks.audio_sr_net import STRIDE, AudioSrNet
from mp3fix.training.networks.tfilm import Tfilm
from mp3fix.training.networks.wavenet import WaveNet
from mp3fix.training.systems.base import Exported, Graph, NoWeights, System, contract_fields

FLOOR = 1e-3  # of a signal's level: below it, errors count absolutely


class Peer(System):
    """A network of samples, trained by the root of the mean squared error of each example over its level.

    The loss is that of Kuleshov's code (src/models/model.py), but for the level: there loud music counts more.

    Attributes:
        grid: samples that an example must be a multiple of.
    """

    spec = StftSpec(rate=22050)
    betas = (0.9, 0.999)
    grid = 1

    def losses(self, batch: Batch) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """The loss of a batch, and what is gained in SNR over the MP3, dB."""
        count = batch.target.shape[1] // self.grid * self.grid
        before, wanted = (part[:, None, :count] for part in (batch.degraded, batch.target))
        level = wanted.square().mean(2).sqrt() + FLOOR
        error = ((self.generator(before) - wanted).square().mean(2) + 1e-10).sqrt() / level
        with torch.no_grad():
            was = ((before - wanted).square().mean(2) + 1e-10).sqrt() / level
            gain = 20 * torch.log10(was / error).mean()
        return error.mean(), {"error": error.mean(), "snr_gain": gain}

    def _graphs(self, context: int, multiple: int) -> list[Graph]:
        fields = contract_fields(self.spec, "waveform", context, multiple)
        return [Graph("", Exported(self.generator), fields)]


class AudioSr(Peer):
    """networks.audio_sr_net. Args: weights: none; width: see AudioSrNet."""

    grid = STRIDE
    generator: AudioSrNet

    def __init__(self, weights: NoWeights, width: int) -> None:
        super().__init__(weights)
        self.generator = AudioSrNet(width)

    def exported(self) -> list[Graph]:
        """The generator."""
        return self._graphs(self.generator.context, STRIDE)


class TemporalFilm(Peer):
    """networks.tfilm. Args: weights: none; width: see Tfilm."""

    generator: Tfilm

    def __init__(self, weights: NoWeights, width: int) -> None:
        super().__init__(weights)
        self.generator = Tfilm(width)
        self.grid = self.generator.multiple

    def exported(self) -> list[Graph]:
        """The generator."""
        return self._graphs(self.generator.context, self.generator.multiple)


class WaveNetPeer(Peer):
    """networks.wavenet. Args: weights: none; channels: see WaveNet."""

    generator: WaveNet

    def __init__(self, weights: NoWeights, channels: int) -> None:
        super().__init__(weights)
        self.generator = WaveNet(channels)

    def exported(self) -> list[Graph]:
        """The generator."""
        return self._graphs(self.generator.context, 1)
