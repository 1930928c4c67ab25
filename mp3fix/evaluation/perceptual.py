"""Measures that model hearing. All take samples (n,) at 44.1 kHz, of one channel or the mono mix."""

from functools import lru_cache
from typing import Any

import numpy as np
import soxr

RATE = 44100
VISQOL_RATE = 48000  # of its audio mode
PESQ_RATE = 16000  # wide-band
STOI_RATE = 16000  # it looks at 150 Hz to 4.3 kHz, and resamples to 10 kHz by itself


def visqol(reference: np.ndarray, estimate: np.ndarray) -> float:
    """ViSQOL's MOS-LQO in audio mode, 1 to about 4.73 (Chinen et al. 2020, arXiv 2004.09584).

    One call on 10 s takes 7.5 s of CPU without numba and 1.05 s with it, the same value to 1e-15: 65 %
    of it are the gammatone filters, of the degraded signal's patches too, so that keeping the recording's
    spectrogram (its interface has no way) would save a quarter at most.
    """
    x, y = (_resampled(each, VISQOL_RATE) for each in (reference, estimate))
    return float(_visqol().measure_from_arrays(x, y, VISQOL_RATE).moslqo)


def pesq(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Wide-band PESQ (ITU-T P.862.2), 1.04 to 4.64; nan where it finds nothing like an utterance."""
    from pesq import NoUtterancesError
    from pesq import pesq as measure

    if not reference.any() or not estimate.any():
        return float("nan")  # it divides by the peak
    try:
        x, y = (_resampled(each, PESQ_RATE) for each in (reference, estimate))
        return float(measure(PESQ_RATE, x, y, "wb"))
    except NoUtterancesError:
        return float("nan")


def stoi(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Short-time objective intelligibility, at most 1 (Taal et al. 2011); nan for too little sound."""
    from pystoi import stoi as measure

    x, y = (_resampled(each, STOI_RATE) for each in (reference, estimate))
    value = float(measure(x, y, STOI_RATE))
    return value if value > 1e-4 else float("nan")  # 1e-5 is how it says that there is not enough to compare


def _resampled(samples: np.ndarray, rate: int) -> np.ndarray:
    return soxr.resample(samples.astype(np.float64), RATE, rate)


@lru_cache(maxsize=1)
def _visqol() -> Any:
    from visqol import VisqolApi

    api = VisqolApi()
    api.create(mode="audio")
    return api
