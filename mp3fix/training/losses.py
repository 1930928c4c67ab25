"""The energy score of two draws, on compressed spectra, and what ties them to the recording.

The energy score (Gneiting & Raftery 2007, JASA 102, section 4.2) d(x, y1) + d(x, y2) - d(y1, y2) is least in
expectation when y1 and y2 are drawn as x is: where x can be predicted the spread goes to zero, where it cannot
the draws take its level. It needs no critic and cannot collapse.
"""

from dataclasses import dataclass

import torch

from mp3fix.signal.stft import StftSpec
from mp3fix.training.spectra import stft

POWER = 0.4  # compression of magnitudes: between loudness (0.3) and the square root
FLOOR = 1e-4  # of the example's rms spectrum, -80 dB: below it, level differences do not matter


@dataclass(frozen=True)
class Weights:
    """Weights of the terms.

    Attributes:
        complex: modulus of the complex difference of compressed spectra.
        magnitude: difference of compressed magnitudes.
        log: difference of log magnitudes, in nepers.
        profile: difference of long-term levels in 1/3 octaves, in nepers: what the song-level vector is for.
        mean: relative error of the estimate without noise, log10; counted three times where it is above the MP3's.
        draw: relative error of a draw, log10.
        harm: the same beyond what the MP3's setting allows.
        distance: log-spectral distance of a draw beyond 0.9 times the MP3's, in nepers.
    """

    complex: float = 1.0
    magnitude: float = 1.0
    log: float = 0.15
    profile: float = 0.1
    mean: float = 0.6
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
        bins = torch.arange(spec.bins, device=x.device) / (spec.bins - 1)
        mask = (bins <= trusted[:, None]).to(x.dtype)[:, :, None]
        scale = float(spec.analysis_window().std()) * spec.n_fft**0.5
        values = _compressed(stft(torch.cat([x, y1, y2]), spec) / scale)
        for value, weight in zip(values, (weights.complex, weights.magnitude, weights.log), strict=True):
            a, b, c = value.chunk(3)
            score = _modulus(a - b) + _modulus(a - c) - _modulus(b - c)
            total = total + share * weight * (score * mask).mean() / 2
    return total


def profile_score(x: torch.Tensor, y1: torch.Tensor, y2: torch.Tensor, trusted: torch.Tensor) -> torch.Tensor:
    """Energy score of two draws' levels over the whole example, in 1/3 octaves from 50 Hz; in nepers.

    White noise hardly moves such a level, the song-level vector does: it learns to answer for what is not known.
    """
    count = x.shape[-1] // 2 + 1
    hz = torch.linspace(0, 22050, count, device=x.device)
    octave = torch.floor(3 * torch.log2(hz.clamp_min(1.0) / 50)).long()
    bands = int(octave.max()) + 1
    known = ((hz >= 50) & (hz <= 22050 * trusted[:, None])).to(x.dtype)
    index = octave.clamp_min(0).expand(3 * len(x), -1)
    spectra = torch.fft.rfft(torch.cat([x, y1, y2]), norm="ortho")
    power = (spectra.real**2 + spectra.imag**2 + FLOOR**2) * known.repeat(3, 1)
    sums = power.new_zeros(len(power), bands).scatter_add(1, index, power)
    bins = known.new_zeros(len(x), bands).scatter_add(1, index[: len(x)], known)
    levels = 0.5 * torch.log(sums / bins.clamp_min(1.0).repeat(3, 1) + FLOOR**2)
    a, b, c = levels.chunk(3)
    score = ((a - b).abs() + (a - c).abs() - (b - c).abs()) / 2
    return (score * (bins > 0)).sum() / (bins > 0).sum().clamp_min(1)


def excess_distance(
    x: torch.Tensor, y: torch.Tensor, before: torch.Tensor, trusted: torch.Tensor
) -> torch.Tensor:
    """By how much the log-spectral distance of y exceeds 0.9 times that of `before`, nepers, mean over the batch."""
    spec = StftSpec()
    scale = float(spec.analysis_window().std()) * spec.n_fft**0.5
    bins = torch.arange(spec.bins, device=x.device) / (spec.bins - 1)
    mask = (bins <= trusted[:, None]).to(x.dtype)[:, :, None]
    spectra = stft(torch.cat([x, y, before]), spec) / scale
    a, b, c = (0.5 * torch.log(spectra.real**2 + spectra.imag**2 + FLOOR**2)).chunk(3)
    mean = mask.mean(1).clamp_min(1e-3)
    after, was = ((((a - each) ** 2 * mask).mean(1) / mean + 1e-8).sqrt().mean(-1) for each in (b, c))
    return torch.relu(after - 0.9 * was).mean()


def relative_error(x: torch.Tensor, y: torch.Tensor, trusted: torch.Tensor) -> torch.Tensor:
    """log10 of error energy over signal energy below `trusted`, (B,); 0 for silence.

    The derivative does not depend on how small the error is, so that nearly perfect input stays so.
    """
    spectra = torch.fft.rfft(torch.stack([x, x - y]), norm="ortho")
    known = torch.arange(spectra.shape[-1], device=x.device) / (spectra.shape[-1] - 1) <= trusted[:, None]
    signal, error = 2 * ((spectra.real**2 + spectra.imag**2) * known).sum(-1)
    return torch.log10(error / (signal + 1e-9) + 1e-6) * (signal > 1e-6)


def _compressed(spectra: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    power = spectra.real**2 + spectra.imag**2 + FLOOR**2
    magnitude = power ** (POWER / 2)
    factor = power ** ((POWER - 1) / 2)
    return torch.view_as_real(spectra) * factor[..., None], magnitude, 0.5 * torch.log(power)


def _modulus(difference: torch.Tensor) -> torch.Tensor:
    if difference.dim() == 4:
        return (difference.square().sum(-1) + 1e-10).sqrt()
    return difference.abs()
