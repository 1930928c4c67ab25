"""How like two signals are to ViSQOL, as a loss.

ViSQOL in audio mode (Chinen et al. 2020, arXiv 2004.09584, section 2) compares levels in 32 gammatone bands and
frames of 80 ms, 20 ms apart, by the neurogram similarity index (Hines & Harte 2012, Speech Communication 54,
eq. 6): the product of how equal the levels are and of how they are correlated, in patches of 3 bands and 3 frames. Its
levels are 10 log10 of an rms, so that its floor, 45 below the loudest band, lies 90 dB below it.

Here the bands are sums over an STFT, weighed by the filters' responses, and frames are 81 ms long and 23 ms apart.
"""

from functools import lru_cache

import torch
from torch.nn import functional

from mp3fix.signal.stft import StftSpec
from mp3fix.training.spectra import known_bins, squared, stft

BANDS = 32
LOWEST_HZ = 50.0
HIGHEST_HZ = 24000.0  # half of ViSQOL's sampling rate; what lies above half of ours is not known
EAR_Q, LEAST_HZ = 9.26449, 24.7  # of an equivalent rectangular bandwidth (Glasberg & Moore 1990)
FRAMES = 5  # of the STFT in one of ViSQOL's; every second one begins another
RANGE = 45.0  # below the loudest band of a frame
SILENCE = 10**-7.2  # of the example's mean power: -90 dB re full scale for music at -18 dB
C1, C3 = 1e-4, 4.5e-4  # of the index
WINDOW = (0.0113033910, 0.0838251475, 0.6194858457)  # of a patch: its corners, its sides, its centre
TINY = 1e-10
# What ViSQOL's opinion loses for each unit that a band lacks, from the lowest to the highest: slopes of its own
# regression, which is nearly linear in all of them (docs/training.md, run 11). Below 6 kHz they are next to none.
SLOPES = 23 * (0.02,) + (0.08, 0.30, 0.36, 0.45, 0.54, 0.54, 0.42, 0.36, 0.24)
CLOSE, NEARLY_ALIKE = 0.4, 0.03  # of the logarithm that keeps alike what nearly is


def lost_opinion(x: torch.Tensor, y: torch.Tensor, trusted: torch.Tensor) -> torch.Tensor:
    """What ViSQOL's mean opinion loses, and a logarithm of the mean dissimilarity, which is steep where it is small.

    By its opinion alone, next to nothing would be gained where MP3s are good, and nothing below 6 kHz.

    Args:
        x, y, trusted: as of `dissimilarity`.

    Returns:
        (B,); for y = x about -1.4.
    """
    lacking, known = dissimilarity(x, y, trusted)
    mean = lacking.sum(1) / known.sum(1).clamp_min(1)
    return lacking @ torch.tensor(SLOPES, device=x.device) + CLOSE * torch.log(mean + NEARLY_ALIKE)


def dissimilarity(
    x: torch.Tensor, y: torch.Tensor, trusted: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """One less the mean similarity index of each recording and what stands for it, by band.

    Args:
        x, y: recording and other, (B, n), scaled so that the recording's rms is about 1.
        trusted: frequency up to which the recording is known, as a share of the Nyquist frequency, (B,).

    Returns:
        each 0 to 2, and 0 where a band is not known; 1 where it is known, else 0: (B, bands) both.
    """
    spec = StftSpec()
    mask = known_bins(trusted, spec.bins)
    filters, centres = _filters(spec, x.device)
    spectra = stft(torch.cat([x, y]), spec)
    # Mean power of a sample, as far as a band lets it through.
    scale = 2 / (spec.n_fft * float((spec.analysis_window() ** 2).sum()))
    power = scale * squared(spectra) * mask.repeat(2, 1)[:, :, None]
    bands = functional.avg_pool1d(torch.matmul(filters, power), FRAMES, 2)
    wanted, other = (5 * torch.log10(bands + SILENCE)).chunk(2)
    floor = torch.maximum(wanted.amax(1, keepdim=True), other.amax(1, keepdim=True)) - RANGE
    wanted, other = torch.maximum(wanted, floor), torch.maximum(other, floor)
    lowest = torch.minimum(wanted.amin((1, 2), keepdim=True), other.amin((1, 2), keepdim=True))
    known = (centres <= trusted[:, None] * spec.rate / 2).to(x.dtype)
    return (1 - _similarity(wanted - lowest, other - lowest)).mean(2) * known, known


def _similarity(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The index of each patch of two arrays of levels, (B, bands, frames)."""
    corner, side, centre = WINDOW
    window = torch.tensor([corner, side, corner, side, centre, side, corner, side, corner], device=x.device)
    a, b = (_patches(each) for each in (x, y))
    mean_a, mean_b = (torch.einsum("bkft,k->bft", each, window) for each in (a, b))
    # Variances of what is left of the means: of squares of levels, little would be left in float32.
    a, b = a - mean_a[:, None], b - mean_b[:, None]
    variance_a, variance_b, covariance = (
        torch.einsum("bkft,bkft,k->bft", p, q, window) for p, q in ((a, a), (b, b), (a, b))
    )
    intensity = (2 * mean_a * mean_b + C1) / (mean_a**2 + mean_b**2 + C1)
    return intensity * (covariance + C3) / (torch.sqrt(variance_a * variance_b + TINY) + C3)


def _patches(levels: torch.Tensor) -> torch.Tensor:
    """The 3 x 3 neighbours of each level, (B, 9, bands, frames); edges are repeated."""
    padded = functional.pad(levels[:, None], (1, 1, 1, 1), mode="replicate")
    return functional.unfold(padded, 3).unflatten(2, levels.shape[1:])


@lru_cache(maxsize=2)
def _filters(spec: StftSpec, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Power responses of the bands' filters, (bands, F), and their centres in Hz, (bands,).

    Centres are evenly spread over equivalent rectangular bandwidths (Slaney 1993, Apple TR 35); the response is that of
    a gammatone filter of fourth order near its centre.
    """
    share = torch.arange(1, BANDS + 1, dtype=torch.float64) / BANDS
    edge = EAR_Q * LEAST_HZ
    ratio = torch.tensor((LOWEST_HZ + edge) / (HIGHEST_HZ + edge), dtype=torch.float64)
    centres = (HIGHEST_HZ + edge) * ratio**share - edge
    width = 1.019 * (centres / EAR_Q + LEAST_HZ)
    hz = torch.linspace(0, spec.rate / 2, spec.bins, dtype=torch.float64)
    response = (1 + ((hz - centres[:, None]) / width[:, None]) ** 2) ** -4
    return response.flip(0).float().to(device), centres.flip(0).float().to(device)
