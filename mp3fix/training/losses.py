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
        mean: relative error of the estimate without noise, log10.
        draw: the same of the draws.
    """

    complex: float = 1.0
    magnitude: float = 1.0
    log: float = 0.15
    mean: float = 0.1
    draw: float = 0.02


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


def relative_error(x: torch.Tensor, y: torch.Tensor, trusted: torch.Tensor) -> torch.Tensor:
    """log10 of error energy over signal energy below `trusted`, mean over the batch; silence does not count.

    The derivative does not depend on how small the error is, so that nearly perfect input stays so.
    """
    spectra = torch.fft.rfft(torch.stack([x, x - y]), norm="ortho")
    known = torch.arange(spectra.shape[-1], device=x.device) / (spectra.shape[-1] - 1) <= trusted[:, None]
    signal, error = 2 * ((spectra.real**2 + spectra.imag**2) * known).sum(-1)
    return (torch.log10(error / (signal + 1e-9) + 1e-6) * (signal > 1e-6)).mean()


def _compressed(spectra: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    power = spectra.real**2 + spectra.imag**2 + FLOOR**2
    magnitude = power ** (POWER / 2)
    factor = power ** ((POWER - 1) / 2)
    return torch.view_as_real(spectra) * factor[..., None], magnitude, 0.5 * torch.log(power)


def _modulus(difference: torch.Tensor) -> torch.Tensor:
    if difference.dim() == 4:
        return (difference.square().sum(-1) + 1e-10).sqrt()
    return difference.abs()
