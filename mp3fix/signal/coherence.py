"""How alike two channels are where the song's spectrum ends, and noise that is alike to the same degree.

What a generator draws above the cut-off should be as wide as the music just below it: noise independent in
two channels would put a wide hiss on a narrow recording, the same noise would narrow a wide one.
"""

import numpy as np

REACH = 4  # frames on each side that the estimate depends on
_FLOOR = 1e-8  # -80 dB of the local peak: bins above the highest stronger one hold nothing


def coherence(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Signed coherence of the top octave below the local cut-off, between -1 and 1.

    Re<L, R*> / sqrt(<L, L> <R, R>), the inner products taken over the 2 REACH + 1 frames around each and the
    bins from half the cut-off up to it; the cut-off is the highest bin whose power over the same frames
    passes -80 dB of the strongest. Frames outside the arrays count as silent: give REACH frames more than
    are used. Exactly 1 for frames that are bit-equal in both channels, and where a channel is silent.

    Shape:
        left, right: complex64 (T, F).
        returns: float64 (T,).
    """
    if not len(left):
        return np.ones(0)
    # (..., 2): products of real and imaginary parts apart, so that no complex product is computed in vain.
    l_parts, r_parts = (np.ascontiguousarray(x).view(x.real.dtype) for x in (left, right))
    l_power = _smooth(_fold(l_parts * l_parts))
    r_power = _smooth(_fold(r_parts * r_parts))
    cross = _smooth(_fold(l_parts * r_parts))
    power = l_power + r_power
    audible = power > _FLOOR * power.max(axis=1, keepdims=True)
    cutoff = left.shape[1] - 1 - np.argmax(audible[:, ::-1], axis=1)
    result = np.ones(len(left))
    for t, top in enumerate(cutoff):
        octave = slice((top + 1) // 2, top + 1)
        energies = l_power[t, octave].sum(dtype=np.float64) * r_power[t, octave].sum(dtype=np.float64)
        if energies > 0:
            result[t] = cross[t, octave].sum(dtype=np.float64) / np.sqrt(energies)
    result[np.all(left == right, axis=1)] = 1.0
    return np.clip(result, -1.0, 1.0)


def _fold(products: np.ndarray) -> np.ndarray:
    """Sum of neighbouring columns, (T, 2 F) -> (T, F)."""
    return products[:, 0::2] + products[:, 1::2]


def _smooth(x: np.ndarray) -> np.ndarray:
    """Sum over the 9 frames around each, zeros outside, (T, F).

    Sums of 2, 4 and 8 frames built on one another, then the ninth: the same order for every frame, so that
    the result does not depend on where a chunk begins.
    """
    total = np.pad(x, ((REACH, REACH), (0, 0)))
    ninth = total[2 * REACH :].copy()
    for step in (1, 2, 4):
        total = total[:-step] + total[step:]
    return total[: len(x)] + ninth


def mix(n_mid: np.ndarray, n_side: np.ndarray, gamma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Noise for the left and right channel, of coherence gamma, out of two independent noises.

    eps_L = a M + b S and eps_R = a M - b S with a**2 = (1 + gamma) / 2, b**2 = (1 - gamma) / 2: variances
    stay, the covariance a**2 - b**2 is gamma. Bit-equal in both channels where gamma is 1.

    Shape:
        n_mid, n_side: complex64 (T, F); gamma: (T,).
        returns: two complex64 (T, F).
    """
    mid = np.sqrt((1 + gamma) / 2).astype(np.float32)[:, np.newaxis] * n_mid
    side = np.sqrt((1 - gamma) / 2).astype(np.float32)[:, np.newaxis] * n_side
    return mid + side, mid - side
