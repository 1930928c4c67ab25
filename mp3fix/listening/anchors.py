"""MUSHRA's anchors: the reference through a linear-phase low-pass.

ITU-R BS.1534 asks of the filter at 3.5 kHz: ripple within 0.1 dB, 25 dB at 4 kHz and 50 dB at 4.5 kHz at least. The one
at 7 kHz is held to the same in proportion: 25 dB at 8 kHz, 50 dB at 9 kHz.
"""

import numpy as np

LOW, MID = "anchor35", "anchor70"
EDGES = {LOW: 3500.0, MID: 7000.0}  # Hz, end of the passband
_STOP = 8 / 7  # times the edge: 4 kHz of 3.5, where the stopband begins
_DB = 60.0


def response(edge: float, rate: int) -> np.ndarray:
    """Taps of the low-pass whose passband ends at `edge` Hz, float64 (n,), n odd; symmetric.

    A Kaiser window (Kaiser 1974) reaches 60 dB from `_STOP` on: its ripple is then 0.01 dB.
    """
    from scipy.signal import firwin, kaiserord

    width = edge * (_STOP - 1)
    taps, beta = kaiserord(_DB, width / (rate / 2))
    return np.asarray(firwin(taps | 1, edge + width / 2, window=("kaiser", beta), fs=rate), np.float64)


def anchor(reference: np.ndarray, rate: int, edge: float) -> np.ndarray:
    """The reference low-passed without delay, float32 (C, n) -> (C, n). Too low a rate leaves it as it is."""
    from scipy.signal import oaconvolve

    if edge * _STOP >= rate / 2:
        return reference
    return np.asarray(
        oaconvolve(reference, response(edge, rate)[np.newaxis], mode="same", axes=1), np.float32
    )
