"""Noise that belongs to the song: any slice of it equals that slice of the whole.

The words come from Philox4x64-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"), which
computes word i from i alone. Positions may be negative: a frame that begins before the song covers noise too.
numpy's Generator.standard_normal cannot do this, since it uses up a varying number of words a sample.
"""

from enum import IntEnum
from functools import lru_cache

import numpy as np

from mp3fix.signal.stft import StftSpec, stft

# Gaussian noise is computed in whole blocks on the absolute grid: the same vectorised loops then see the same
# element at the same place, so that not even a last bit depends on where a slice begins.
_BLOCK = 8192


class Purpose(IntEnum):
    """What noise is for; each purpose has noise of its own."""

    SPECTROGRAM = 0
    VECTOR = 1
    DITHER = 2


def words(seed: int, stream: int, purpose: Purpose, start: int, count: int) -> np.ndarray:
    """Words start .. start + count - 1 of the sequence that belongs to (seed, stream, purpose).

    Word i is word i % 4 of the Philox block with counter i // 4 (modulo 2**256, so i may be negative) and key
    (seed, purpose * 2**32 + stream).

    Shape:
        returns: uint64 (count,).

    Raises:
        ValueError: when seed is not in [0, 2**63) or stream not in [0, 2**32).
    """
    if not 0 <= seed < 2**63:
        raise ValueError(f"seed {seed} is not between 0 and 2**63 - 1")
    if not 0 <= stream < 2**32:
        raise ValueError(f"stream {stream} is not between 0 and 2**32 - 1")
    block, skip = divmod(start, 4)
    # numpy increments the counter before it computes a block, so it starts one below.
    counter = (block - 1) % 2**256
    philox = np.random.Philox(key=seed + (int(purpose) * 2**32 + stream) * 2**64, counter=counter)
    return philox.random_raw(skip + count)[skip:]


def gaussian(seed: int, stream: int, purpose: Purpose, start: int, count: int) -> np.ndarray:
    """White Gaussian noise of unit variance, samples start .. start + count - 1, float32 (count,).

    Box-Muller in float64: samples 2k and 2k + 1 are made of words 2k and 2k + 1. start may be negative.
    """
    noise = np.empty(count, np.float32)
    for block in range(start // _BLOCK * _BLOCK, start + count, _BLOCK):
        first, stop = max(block, start), min(block + _BLOCK, start + count)
        noise[first - start : stop - start] = _gaussian_block(seed, stream, purpose, block)[
            first - block : stop - block
        ]
    return noise


@lru_cache(maxsize=256)  # 8 MB, five seeds of stereo: chunks overlap, and take a fourth of their noise twice
def _gaussian_block(seed: int, stream: int, purpose: Purpose, start: int) -> np.ndarray:
    """One block of _BLOCK samples, float32."""
    uniform = (words(seed, stream, purpose, start, _BLOCK) >> np.uint64(11)).reshape(-1, 2).T * 2.0**-53
    radius = np.sqrt(-2 * np.log(uniform[0] + 2.0**-53))  # of (0, 1]: never the logarithm of zero
    angle = 2 * np.pi * uniform[1]
    noise = np.empty((_BLOCK // 2, 2), np.float32)
    np.multiply(radius, np.cos(angle), out=noise[:, 0], casting="same_kind")
    np.multiply(radius, np.sin(angle), out=noise[:, 1], casting="same_kind")
    return noise.reshape(-1)


def spectrogram(seed: int, stream: int, start: int, stop: int, spec: StftSpec) -> np.ndarray:
    """STFT of the song's white noise, absolute frames [start, stop), complex64 (T, F)."""
    first, end = spec.sample_span(start, stop)
    noise = gaussian(seed, stream, Purpose.SPECTROGRAM, first, max(0, end - first))
    return stft(noise[np.newaxis], spec)[0, : stop - start]


def tpdf(seed: int, channel: int, start: int, count: int) -> np.ndarray:
    """Triangular noise for dither, in units of the last bit, between -1 and 1, float32 (count,).

    The difference of the two uniform halves of a word: of variance 1/6, it makes the quantisation error's
    mean and power independent of the signal (Lipshitz, Wannamaker & Vanderkooy 1992).
    """
    halves = words(seed, channel, Purpose.DITHER, start, count)
    high = (halves >> np.uint64(32)).astype(np.int64)
    low = (halves & np.uint64(2**32 - 1)).astype(np.int64)
    return ((high - low) * 2.0**-32).astype(np.float32)


def z_vector(seed: int, size: int) -> np.ndarray:
    """The song-level vector: unit Gaussian values, float32 (size,)."""
    return gaussian(seed, 0, Purpose.VECTOR, 0, size)
