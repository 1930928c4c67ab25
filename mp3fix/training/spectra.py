"""Spectra of training examples, and which of their bins are known.

`stft` and `istft` are a torch mirror of signal/stft, so that training and inference cannot drift apart (tested equal to
1e-6).
"""

import torch
from scipy.fft import next_fast_len
from torch.nn import functional

from mp3fix.signal.stft import StftSpec


def stft(samples: torch.Tensor, spec: StftSpec) -> torch.Tensor:
    """Short-time spectra of the frames wholly inside the signal.

    Shape: (B, n) -> complex (B, F, T), T = (n - n_fft) // hop + 1.
    """
    window = torch.tensor(spec.analysis_window()).to(samples.device)
    frames = samples.unfold(-1, spec.n_fft, spec.hop) * window
    return torch.fft.rfft(frames).transpose(-1, -2)


def istft(spectra: torch.Tensor, spec: StftSpec) -> torch.Tensor:
    """Least-squares inverse of `stft` (Griffin & Lim 1984, eq. 6).

    Shape: complex (B, F, T) -> (B, n), n = (T - 1) hop + n_fft. The first and last n_fft - hop samples are not
    covered by all the frames that overlap them in a longer signal.
    """
    window = torch.tensor(spec.analysis_window()).to(spectra.device)
    frames = torch.fft.irfft(spectra.transpose(-1, -2), spec.n_fft) * window
    count = frames.shape[1]
    length = (count - 1) * spec.hop + spec.n_fft

    def overlap_add(columns: torch.Tensor) -> torch.Tensor:
        return functional.fold(columns, (1, length), (1, spec.n_fft), stride=(1, spec.hop)).flatten(1)

    envelope = overlap_add((window**2).expand(1, count, -1).transpose(1, 2))
    return overlap_add(frames.transpose(1, 2)) / envelope.clamp_min(1e-8)


def spectrum(signals: torch.Tensor) -> torch.Tensor:
    """Spectra of whole signals, orthonormal, over a length that is fast to transform: zeros follow.

    Shape: (..., n) -> complex (..., F).
    """
    return torch.fft.rfft(signals, next_fast_len(signals.shape[-1], real=True), norm="ortho")


def squared(spectra: torch.Tensor) -> torch.Tensor:
    """Squared modulus: complex of any shape -> float of the same, cheaper than of the modulus."""
    return spectra.real**2 + spectra.imag**2


def known_bins(trusted: torch.Tensor, bins: int) -> torch.Tensor:
    """Which of so many bins, 0 Hz to the Nyquist frequency, are known of a recording: (B, bins), 1 for these, else 0.

    Args:
        trusted: frequency up to which the recording is known, as a share of the Nyquist frequency, (B,).
        bins: at least 2.
    """
    shares = torch.arange(bins, device=trusted.device) / (bins - 1)
    return (shares <= trusted[:, None]).to(trusted.dtype)
