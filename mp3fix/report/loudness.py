"""Loudness by ITU-R BS.1770-4, so that what is compared by ear is equally loud."""

import numpy as np

BLOCK_SECONDS = 0.4  # of a gating block
_HOP_SECONDS = 0.1
_LFE = 3  # its place among six channels, in the order of WAV files


def loudness(samples: np.ndarray, rate: int) -> float:
    """Integrated, gated loudness.

    The channels have the weights of BS.1770-4: 1, and 1.41 for the surround channels of four, five and six; the sixth,
    LFE, does not count. One channel counts once, as a loudspeaker of its own would (EBU Tech 3341 does not double it).

    Args:
        samples: float (C, n), up to six channels in the order of WAV files.
        rate: Hz.

    Returns:
        LUFS; -inf for silence (all blocks below -70 LUFS), and for less than one block of 400 ms: that has no
        integrated loudness.

    Raises:
        ValueError: there are more channels.
    """
    import pyloudnorm

    channels = samples.shape[0]
    if not 1 <= channels <= 6:
        raise ValueError(f"{channels} channels have no weights in BS.1770")
    hops = int((samples.shape[1] / rate - BLOCK_SECONDS) / _HOP_SECONDS + 1e-9)
    if samples.shape[1] < BLOCK_SECONDS * rate or not samples.any():
        return -np.inf
    # The standard leaves an incomplete last block out, pyloudnorm counts it as a quiet one.
    whole = samples[:, : round((BLOCK_SECONDS + hops * _HOP_SECONDS) * rate)].astype(np.float64)
    if channels == 6:
        whole = np.delete(whole, _LFE, axis=0)
    if channels == 4:  # left, right and two surrounds, where pyloudnorm expects a centre before them
        whole = np.insert(whole, 2, 0.0, axis=0)
    # Of its filters those called "DeMan" are the standard's to 0.001 dB at 48 kHz, its default is 0.04 dB below.
    return float(pyloudnorm.Meter(rate, "DeMan", BLOCK_SECONDS).integrated_loudness(whole.T))
