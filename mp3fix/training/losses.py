"""The energy score of two draws, on compressed spectra, and what ties them to the recording.

The energy score (Gneiting & Raftery 2007, JASA 102, section 4.2) d(x, y1) + d(x, y2) - d(y1, y2) is least in
expectation when y1 and y2 are drawn as x is: where x can be predicted the spread goes to zero, where it cannot
the draws take its level. It needs no critic and cannot collapse.
"""

from dataclasses import dataclass

import torch
from torch.nn import functional

from mp3fix.signal.stft import StftSpec
from mp3fix.training.spectra import known_bins, spectrum, squared, stft

POWER = 0.4  # compression of magnitudes: between loudness (0.3) and the square root
LEVEL_SAMPLES = 1024  # over which levels are averaged
DROWNED = 10**-4.5  # of the loudest band's power: what is weaker is hardly heard
FLOOR = 1e-4  # of the example's rms spectrum, -80 dB: below it, level differences do not matter


@dataclass(frozen=True)
class Weights:
    """Weights of the terms.

    Attributes:
        complex: modulus of the complex difference of compressed spectra.
        magnitude: difference of compressed magnitudes.
        log: difference of log magnitudes, in nepers.
        level: difference of levels in 1/3 octaves and some 25 ms, in nepers. A bin of a noise differs from another by
            6 dB whatever its level; here the level itself can be seen.
        audible: the same for levels of whole bands that are not drowned by the loudest: within 45 dB below it.
        hiss: by how much such a level is above the recording's, in nepers: what is too much is heard, what is missing
            is not missed.
        similarity: what a draw lacks of being like the recording to ViSQOL, as an opinion (losses_similarity.py).
        profile: difference of long-term levels in 1/3 octaves, in nepers: what the song-level vector is for.
        mean: relative error of the estimate without noise, log10; counted three times where it is above the MP3's.
        draw: relative error of a draw, log10.
        harm: the same beyond what the MP3's setting allows.
        distance: log-spectral distance of a draw beyond 0.9 times the MP3's, in nepers.
    """

    complex: float = 1.0
    magnitude: float = 1.0
    log: float = 0.15
    level: float = 0.5
    audible: float = 0.5
    hiss: float = 0.5
    similarity: float = 0.0
    profile: float = 0.1
    mean: float = 1.0
    draw: float = 0.02
    harm: float = 1.0
    distance: float = 0.3


RESOLUTIONS = (
    (StftSpec(), 1.0),
    (StftSpec(n_fft=512, win_length=512, hop=128), 0.5),
)


def energy_score(
    x: torch.Tensor, y1: torch.Tensor, y2: torch.Tensor, trusted: torch.Tensor, weights: Weights
) -> torch.Tensor:
    """Energy score of two draws over two resolutions.

    Args:
        x, y1, y2: recording and draws, (B, n), scaled to a common level.
        trusted: frequency up to which the recording is known, as a share of the Nyquist frequency, (B,).
        weights: of the terms.

    Returns:
        A scalar.
    """
    total = x.new_zeros(())
    for spec, share in RESOLUTIONS:
        spectra, mask = _spectra((x, y1, y2), trusted, spec)
        values = _compressed(spectra)
        for value, weight in zip(values, (weights.complex, weights.magnitude, weights.log), strict=True):
            total = total + share * weight * (_score(value) * mask).mean()
    # The finer of the resolutions sees attacks.
    octaves = _third_octaves(spec.bins, x.device)
    known = torch.matmul(octaves, mask) / octaves.sum(1)[:, None] > 0.99
    frames = LEVEL_SAMPLES // spec.hop
    powers = squared(spectra) * mask.repeat(3, 1, 1)
    power = torch.matmul(octaves, powers) / octaves.sum(1)[:, None]
    power = functional.avg_pool1d(power, frames, frames // 2)
    total = total + weights.level * (_score(0.5 * torch.log(power + FLOOR**2)) * known).mean()
    # What is heard beside the loudest: a lone instrument's air that is not there, rather than its depth below hearing.
    bands = power * octaves.sum(1)[:, None]
    floor = DROWNED * bands.chunk(3)[0].amax(1, keepdim=True).repeat(3, 1, 1) + FLOOR**2
    audible = 0.5 * torch.log(bands + floor)
    wanted, *drawn = audible.chunk(3)
    excess = sum(torch.relu(each - wanted) for each in drawn) / 2
    return total + ((weights.audible * _score(audible) + weights.hiss * excess) * known).mean()


def profile_score(x: torch.Tensor, y1: torch.Tensor, y2: torch.Tensor, trusted: torch.Tensor) -> torch.Tensor:
    """Energy score of two draws' levels over the whole example, in 1/3 octaves from 50 Hz; in nepers.

    White noise hardly moves such a level, the song-level vector does: it learns to answer for what is not known.
    """
    spectra = spectrum(torch.cat([x, y1, y2]))
    octaves = _third_octaves(spectra.shape[-1], x.device)
    mask = known_bins(trusted, spectra.shape[-1])
    bins = torch.matmul(mask, octaves.T)
    sums = torch.matmul(squared(spectra) * mask.repeat(3, 1), octaves.T)
    levels = 0.5 * torch.log(sums / bins.clamp_min(1.0).repeat(3, 1) + FLOOR**2)
    known = bins > 0
    return (_score(levels) * known).sum() / known.sum().clamp_min(1)


def excess_distance(
    x: torch.Tensor, y: torch.Tensor, before: torch.Tensor, trusted: torch.Tensor
) -> torch.Tensor:
    """By how much the log-spectral distance of y exceeds 0.9 times that of `before`, nepers, mean over the batch."""
    spectra, mask = _spectra((x, y, before), trusted, StftSpec())
    a, b, c = (0.5 * torch.log(squared(spectra) + FLOOR**2)).chunk(3)
    mean = mask.mean(1).clamp_min(1e-3)
    after, was = ((((a - each) ** 2 * mask).mean(1) / mean + 1e-8).sqrt().mean(-1) for each in (b, c))
    return torch.relu(after - 0.9 * was).mean()


def relative_errors(
    x: torch.Tensor, others: tuple[torch.Tensor, ...], trusted: torch.Tensor
) -> tuple[torch.Tensor, ...]:
    """log10 of error energy over signal energy below `trusted`, (B,) for each of the others; 0 for silence.

    The derivative does not depend on how small the error is, so that nearly perfect input stays so.
    """
    spectra = spectrum(torch.stack([x, *(x - y for y in others)]))
    known = known_bins(trusted, spectra.shape[-1])
    signal, *errors = 2 * (squared(spectra) * known).sum(-1)
    return tuple(torch.log10(error / (signal + 1e-9) + 1e-6) * (signal > 1e-6) for error in errors)


def _spectra(
    signals: tuple[torch.Tensor, ...], trusted: torch.Tensor, spec: StftSpec
) -> tuple[torch.Tensor, torch.Tensor]:
    """Spectra of signals (B, n), one after the other along the first axis; (B, F, 1), 1 for each known bin."""
    scale = float(spec.analysis_window().std()) * spec.n_fft**0.5
    return stft(torch.cat(signals), spec) / scale, known_bins(trusted, spec.bins)[:, :, None]


def _compressed(spectra: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Parts of the compressed spectra, (3 B, 2, F, T); their moduli, and the plain ones' logarithms, (3 B, F, T)."""
    log = 0.5 * torch.log(squared(spectra) + FLOOR**2)
    # Exponentials of the logarithm: powers take several times as long on a CPU.
    factor = torch.exp((POWER - 1) * log)
    return torch.stack([spectra.real * factor, spectra.imag * factor], 1), torch.exp(POWER * log), log


def _score(values: torch.Tensor) -> torch.Tensor:
    """The energy score of each value of x, y1 and y2, which lie one after the other along the first axis."""
    x, y1, y2 = values.chunk(3)
    return (_modulus(x - y1) + _modulus(x - y2) - _modulus(y1 - y2)) / 2


def _third_octaves(bins: int, device: torch.device) -> torch.Tensor:
    """The bins that belong to each 1/3 octave from 50 Hz, (bands, F), for those bands that have any."""
    hz = torch.linspace(0, StftSpec().rate / 2, bins, device=device)
    octave = torch.floor(3 * torch.log2(hz.clamp_min(1.0) / 50))
    bands = (octave == torch.arange(40, device=device)[:, None]).float()
    return bands[bands.any(1)]


def _modulus(difference: torch.Tensor) -> torch.Tensor:
    """Of real values (B, F, T), or of complex ones (B, 2, F, T)."""
    if difference.dim() == 4:
        return (difference.square().sum(1) + 1e-10).sqrt()
    return difference.abs()
