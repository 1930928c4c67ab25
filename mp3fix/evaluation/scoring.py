"""All measures of one restoration, each limited to its pair's cut-off: the recording's own, but for identity."""

import warnings

import numpy as np

from mp3fix.evaluation import perceptual, spectral, waveform
from mp3fix.evaluation.excerpts import Pair

# Key of scores.csv -> name in the report. ODG and DI are there only with a PEAQ program.
METRICS = {
    "lsd": "LSD, dB",
    "lsd_above": "LSD above the MP3's cut-off, dB",
    "lsd_below": "LSD below it, dB",
    "lsd_80": "LSD with a -80 dB floor, dB",
    "level": "level LSD, dB",
    "mse": "MSE",
    "snr": "SNR, dB",
    "si_sdr": "SI-SDR, dB",
    "l1": "L1 of standardised spectra",
    "l1_magnitude": "L1 of magnitudes",
    "mr_stft": "multi-resolution STFT",
    "visqol": "ViSQOL",
    "pesq": "PESQ",
    "stoi": "STOI",
    "odg": "ODG",
    "di": "DI",
}
LIMIT_DB = 120.0  # SNR and SI-SDR beyond it count as this, equal signals too: means need finite numbers


def score(pair: Pair, estimate: np.ndarray, brief: bool = False) -> dict[str, float]:
    """Measure a restoration.

    Spectral measures and signal-to-noise ratios are means over channels; silent channels are left out. What
    models hearing takes the mono mix.

    Args:
        pair: the recording and its MP3.
        estimate: the restoration.
        brief: without ViSQOL, which takes most of the time.

    Shape:
        estimate: float32 (C, n), as the pair's.
        returns: a value for each of METRICS, except ODG and DI; nan where there is nothing to compare.
    """
    known = waveform.low_passed(pair.reference, pair.cutoff), waveform.low_passed(estimate, pair.cutoff)
    channels = [
        _channel(pair.reference[c], estimate[c], known[0][c], known[1][c], pair.edges[c], pair.cutoff)
        for c in range(len(estimate))
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a mean of nothing is nan: so it is meant
        means = {name: float(np.nanmean([each[name] for each in channels])) for name in channels[0]}
    mono = [each.mean(0) for each in known]
    heard = {"pesq": perceptual.pesq(*mono), "stoi": perceptual.stoi(*mono)}
    return means | heard | ({} if brief else {"visqol": perceptual.visqol(*mono)})


def fidelity(pair: Pair, estimate: np.ndarray) -> dict[str, float]:
    """LSD, MSE and SNR of one channel (n,) against the pair's first: what many draws are compared by."""
    x, y = spectral.power(pair.reference[0]), spectral.power(estimate)
    known = [waveform.low_passed(each, pair.cutoff) for each in (pair.reference[0], estimate)]
    return {
        "lsd": spectral.log_spectral_distance(x, y, high=pair.cutoff),
        "mse": spectral.spectral_mse(x, y, pair.cutoff),
        "snr": _limited(waveform.snr(*known)),
    }


def _channel(
    reference: np.ndarray,
    estimate: np.ndarray,
    known_reference: np.ndarray,
    known_estimate: np.ndarray,
    edge: float,
    cutoff: float,
) -> dict[str, float]:
    x, y = spectral.power(reference), spectral.power(estimate)
    # The bin at the edge belongs to what the MP3 kept.
    beyond = edge + spectral.SPEC.rate / spectral.SPEC.n_fft
    return {
        "lsd": spectral.log_spectral_distance(x, y, high=cutoff),
        "lsd_above": spectral.log_spectral_distance(x, y, beyond, cutoff),
        "lsd_below": spectral.log_spectral_distance(x, y, 0, edge),
        "lsd_80": spectral.log_spectral_distance(x, y, high=cutoff, floor_db=-80),
        "level": spectral.level_distance(x, y, high=cutoff),
        "mse": spectral.spectral_mse(x, y, cutoff),
        "snr": _limited(waveform.snr(known_reference, known_estimate)),
        "si_sdr": _limited(waveform.si_sdr(known_reference, known_estimate)),
        "l1": spectral.standardised_l1(reference, estimate, cutoff),
        "l1_magnitude": spectral.magnitude_l1(x, y, cutoff),
        "mr_stft": spectral.multi_resolution_stft(reference, estimate, cutoff),
    }


def _limited(decibels: float) -> float:
    return float(np.clip(decibels, -LIMIT_DB, LIMIT_DB))
