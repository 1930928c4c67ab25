"""How the generator that mp3fix ships is trained and exported."""

import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from mp3fix.bitstream.maps import NAMES
from mp3fix.training.examples import Batch
from mp3fix.training.losses import Weights as Terms
from mp3fix.training.losses import energy_score, excess_distance, profile_score, relative_errors
from mp3fix.training.losses_similarity import lost_opinion
from mp3fix.training.networks.folded import (
    BAND,
    FLAT_REACH,
    STEADY_REACH,
    Estimate,
    Folded,
    times_bands,
    within,
)
from mp3fix.training.spectra import istft, stft
from mp3fix.training.systems.base import Graph, System, contract_fields

EDGE = 8  # frames at both ends of an example that lack context: not part of the loss
EMPTY = 1e-12  # power of a bin, far below -200 dB re a full-scale sine
SMALL = 0.2  # of a band's power: a correction of as much is half set aside in a draw
# Of a band's power: noise of as much is drawn at half its power, and what is weaker hardly at all.
MASKED = 0.3
# By how much more noise is drawn among tones, and among noise and attacks, ...
LIFT, NOISY_LIFT = 2.1, 0.45
# ... where this share of a frame is empty; less to both sides, and by nothing where so far from it.
LIFTED_AT, LIFTED_WITHIN = 0.4, 0.2
DECIBELS = 10 / math.log(10)  # in a natural logarithm of powers
LEAST_NOISE = 1e-3  # rms magnitudes: noise that is weaker still stays so
FLAT_BANDS = 1, 16  # where tones and noise are told apart: 0.3 to 5.5 kHz, which every MP3 keeps
TONAL_DB, NOISY_DB = -5.5, -4.0  # flatness of lone instruments, and of bands with drums


@dataclass(frozen=True)
class Dials:
    """What is set when the generator is exported.

    Attributes:
        texture: its default.
        reach: scale of the song-level vector. 1 spans all that the network, which hears a second, finds possible;
            less keeps every seed closer to what is likely.
        air: how loud the noise is, as a share, where all of a frame is otherwise empty, and what the MP3 kept is
            tones. What is drawn between what the MP3 kept restores its level; where nothing is kept to be heard with
            it, a draw that is not needed is heard as hiss. The less of the frame is empty, the surer is what is
            drawn there, and the nearer to 1 is the share; where about LIFTED_AT is empty it is raised by LIFT.
        noisy_air: the same where it is noise and attacks, as of a band: air is likely there, and masked. More than 1
            makes up for a texture below 1.
    """

    texture: float = 0.75
    reach: float = 0.72
    air: float = 0.0
    noisy_air: float = 1.2


class FoldedSystem(System):
    """networks.folded.Folded, trained by the energy score of two draws (training/losses.py).

    Args:
        weights: of the loss terms.
        network: arguments of Folded.
    """

    Weights = Terms
    weight_decay = 0.01
    takes_maps = True
    generator: Folded

    def __init__(self, weights: Terms, **network: int) -> None:
        super().__init__(weights)
        self.generator = Folded(**network)
        self.dials = Dials()

    def losses(self, batch: Batch) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """The loss of a batch, and its parts by name."""
        network, spec, weights = self.generator, self.spec, self.weights
        spectrum = stft(batch.degraded, spec)
        device = spectrum.device
        # Matrix products in bfloat16 where there are units for them; on a CPU they were slower (docs/training.md).
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            estimate = network.estimate(torch.stack([spectrum.real, spectrum.imag], 1), batch.maps).float()
        one = torch.ones(1, device=device)

        def draw() -> torch.Tensor:
            noise = stft(torch.randn_like(batch.degraded), spec)
            z = torch.randn(len(noise), network.z, device=device)
            drawn = network.draw(estimate, _evened(torch.stack([noise.real, noise.imag], 1)), z, one)
            return functional.pad(drawn, (0, 0, 0, 1))

        # The draws differ from the mean by what they add: one inverse transform each.
        parts = [
            istft(torch.complex(each[:, 0], each[:, 1]), spec)
            for each in (estimate.whole(estimate.mean), draw(), draw())
        ]
        # Examples at one level: a loss that depends on gain would learn loud music only.
        level = batch.target.square().mean(-1, keepdim=True).sqrt() + 1e-4
        inner = slice(EDGE * spec.hop, -EDGE * spec.hop)
        y, d1, d2 = (part[:, inner] / level for part in parts)
        wanted, before = (part[:, inner] / level for part in (batch.target, batch.degraded))
        known = batch.trusted
        error, error_before, error_draw = relative_errors(wanted, (y, before, y + d1), known)
        terms = {
            "score": energy_score(wanted, y + d1, y + d2, known, weights),
            "profile": profile_score(wanted, y + d1, y + d2, known),
            "similarity": torch.cat([lost_opinion(wanted, y + d, known) for d in (d1, d2)]).mean(),
            "mean": (error + 2 * torch.relu(error - error_before)).mean(),
            "draw": error_draw.mean(),
            "harm": torch.relu(error_draw - error_before - batch.allowed / 10).mean(),
            "distance": excess_distance(wanted, y + d1, before, known),
        }
        loss = terms["score"] + sum(
            getattr(weights, name) * term for name, term in terms.items() if name != "score"
        )
        with torch.no_grad():
            terms["snr_gain"] = 10 * (error_before - error).mean()
            terms["snr_gain_draw"] = 10 * (error_before - error_draw).mean()
        return loss, terms

    def exported(self) -> list[Graph]:
        """The generator with its dials, and its estimate alone, without noise."""
        context, dials = self.generator.context, self.dials
        drawn = contract_fields(
            self.spec,
            "complex",
            max(context, STEADY_REACH + FLAT_REACH),
            1,
            ("spectrogram", "vector"),
            self.generator.z,
            dials.texture,
            NAMES,
        )
        estimated = contract_fields(self.spec, "complex", context, conditioning=NAMES)
        return [
            Graph("", Stochastic(self.generator, dials), drawn),
            Graph("-det", Deterministic(self.generator), estimated),
        ]


class Deterministic(nn.Module):
    """The estimate alone, without noise. Shape: (B, 2, F, T) and maps (B, K, F, T) -> (B, 2, F, T)."""

    def __init__(self, network: Folded) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: torch.Tensor, maps: torch.Tensor) -> torch.Tensor:
        """The restoration."""
        margin = self.network.margin
        estimate = self.network.estimate(x, maps, margin)
        return _in_its_context(x, estimate.whole(estimate.mean), margin)


class Stochastic(nn.Module):
    """The generator as it is shipped: takes the plain STFT of unit white noise, and the song-level vector.

    Args:
        network: with its weights.
        dials: as set.
    """

    def __init__(self, network: Folded, dials: Dials) -> None:
        super().__init__()
        self.network, self.dials = network, dials

    def forward(
        self,
        x: torch.Tensor,
        noise: torch.Tensor,
        z: torch.Tensor,
        texture: torch.Tensor,
        maps: torch.Tensor,
    ) -> torch.Tensor:
        """One restoration, (B, 2, F, T)."""
        margin = self.network.margin
        estimate = self.network.estimate(x, maps, margin)
        coloured, louder = self.network.shares(estimate, self.dials.reach * z, texture)
        aside = texture * self._set_aside(estimate)
        noise = within(noise, margin)[:, :, :-1]
        drawn = times_bands(estimate.spread, louder * self._noise_share(estimate)) * _evened(noise)
        # The mean and what colours it, less what is set aside of the correction: mean - low.
        restored = times_bands(estimate.mean, 1 - aside) + times_bands(estimate.low, aside + coloured)
        return _in_its_context(x, estimate.whole(restored + drawn), margin)

    def _set_aside(self, estimate: Estimate) -> torch.Tensor:
        """The share of the correction that a draw goes without, (B, 1, bands, T).

        A correction that is small beside its band mostly makes what is noisy a little weaker: nearer in the mean, but
        duller, and ViSQOL hears it (docs/training.md). What the MP3 has there is a draw as good as any.
        """
        changed, kept = _band_power(estimate.mean - estimate.low), _band_power(estimate.low)
        return SMALL * kept / (changed + SMALL * kept + EMPTY)

    def _noise_share(self, estimate: Estimate) -> torch.Tensor:
        """How much of the noise is drawn, (B, 1, bands, T): see Dials.air. More than 1 where it is lifted."""
        kept, drawn = _band_power(estimate.mean), _band_power(estimate.spread)
        empty = drawn / (drawn + kept + EMPTY)
        noisiness = _noisiness(estimate.flatness, 1 - empty)
        air = self.dials.air + (self.dials.noisy_air - self.dials.air) * noisiness
        most = empty.mean(2, keepdim=True)
        share = 1 - (1 - air) * empty * most.square()
        # What is drawn at 64 kbit/s is too quiet, the more so the more tonal the music is (docs/training.md).
        lift = LIFT + (NOISY_LIFT - LIFT) * noisiness
        share = share * (1 + lift * empty * torch.relu(1 - (most - LIFTED_AT).abs() / LIFTED_WITHIN))
        # Noise far below what its band keeps is not heard, and only costs waveform.
        return share * torch.sqrt(drawn / (drawn + MASKED * kept + EMPTY))


def _in_its_context(x: torch.Tensor, restored: torch.Tensor, margin: int) -> torch.Tensor:
    """What was restored of a chunk, and at both ends its context as it was: (B, 2, F, T)."""
    return torch.cat([x[..., :margin], restored, x[..., -margin:]], 3)


def _evened(noise: torch.Tensor) -> torch.Tensor:
    """Noise over its own magnitude in each bin: low-noise noise (Pumplin 1985, JASA 78, 100; Kohlrausch et al. 1997,
    Acustica 83, 659), which fluctuates less.

    Levels of single bins cannot be known. In decibels those of noise have a standard deviation of 5.6; of what the
    inverse transform leaves of this, 3.6, so that it is nearer to whatever the recording has (docs/training.md).

    Shape: of the STFT of unit white noise, (B, 2, F, T) -> the same.
    """
    re, im = noise.chunk(2, 1)
    least = LEAST_NOISE * FoldedSystem.spec.noise_rms
    return noise / torch.sqrt(re * re + im * im + least * least)


def _noisiness(flatness: torch.Tensor, heard: torch.Tensor) -> torch.Tensor:
    """How far what the MP3 kept is noise or attacks, 1, and not tones, 0, of about a second: (B, 1, 1, T).

    Args:
        flatness: as of Estimate, (B, 1, bands, T).
        heard: weights of the bands, of the same shape.
    """
    first, last = FLAT_BANDS
    flatness, heard = flatness[:, :, first:last], heard[:, :, first:last] + EMPTY
    # The weights are not averaged over time: they come from the network, which has used the context up.
    decibels = DECIBELS * (heard * flatness).sum(2, keepdim=True) / heard.sum(2, keepdim=True)
    return ((decibels - TONAL_DB) / (NOISY_DB - TONAL_DB)).clamp(0, 1)


def _band_power(plane: torch.Tensor) -> torch.Tensor:
    """Mean power of a bin in each band, over all channels: (B, C, F, T) -> (B, 1, F / 16, T)."""
    # Summed over bins first: over channels that would be two more passes over the plane.
    return (plane * plane).unflatten(2, (-1, BAND)).mean(3).sum(1, keepdim=True)
