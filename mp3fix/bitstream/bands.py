"""Scalefactor bands of Layer III: where they begin, how their scalefactors lie in the stream.

Source: ISO/IEC 11172-3, tables B.8; ISO/IEC 13818-3, tables B.2; for MPEG-2.5 what LAME and mpg123 do.
"""

from functools import cache
from typing import NamedTuple

import numpy as np

LINES = 576
_LONG_MPEG2 = (0, 6, 12, 18, 24, 30, 36, 44, 54, 66, 80, 96, 116, 140, 168, 200, 238, 284, 336, 396, 464, 522)
_LONG = {
    44100: (0, 4, 8, 12, 16, 20, 24, 30, 36, 44, 52, 62, 74, 90, 110, 134, 162, 196, 238, 288, 342, 418),
    48000: (0, 4, 8, 12, 16, 20, 24, 30, 36, 42, 50, 60, 72, 88, 106, 128, 156, 190, 230, 276, 330, 384),
    32000: (0, 4, 8, 12, 16, 20, 24, 30, 36, 44, 54, 66, 82, 102, 126, 156, 194, 240, 296, 364, 448, 550),
    24000: (0, 6, 12, 18, 24, 30, 36, 44, 54, 66, 80, 96, 114, 136, 162, 194, 232, 278, 332, 394, 464, 540),
    8000: (
        0,
        12,
        24,
        36,
        48,
        60,
        72,
        88,
        108,
        132,
        160,
        192,
        232,
        280,
        336,
        400,
        476,
        566,
        568,
        570,
        572,
        574,
    ),
}
_SHORT_MPEG25 = (0, 4, 8, 12, 18, 26, 36, 48, 62, 80, 104, 134, 174)
_SHORT = {
    44100: (0, 4, 8, 12, 16, 22, 30, 40, 52, 66, 84, 106, 136),
    48000: (0, 4, 8, 12, 16, 22, 28, 38, 50, 64, 80, 100, 126),
    32000: (0, 4, 8, 12, 16, 22, 30, 42, 58, 78, 104, 138, 180),
    22050: (0, 4, 8, 12, 18, 24, 32, 42, 56, 74, 100, 132, 174),
    24000: (0, 4, 8, 12, 18, 26, 36, 48, 62, 80, 104, 136, 180),
    8000: (0, 8, 16, 24, 36, 52, 72, 96, 124, 160, 162, 164, 166),
}
SLOTS = 39  # 13 short bands of three windows; of long blocks the first 22 are used
# By how much preflag raises the scalefactors of long blocks.
PREFLAG = np.array([0] * 11 + [1, 1, 1, 1, 2, 2, 3, 3, 3, 2] + [0] * (SLOTS - 21))


class Bands(NamedTuple):
    """The bands of a sampling rate, of long blocks [0] and of short ones [1], in the stream's order of lines.

    Attributes:
        slots: int64 (2, 576): which scalefactor a line takes; of short blocks three times the band, plus the window.
        starts: where each slot's lines begin, two arrays.
        windows: int64 (576,): the window of a short block's line.
        places: int64 (576,): the line's place among the 192 of its window.
        regions: where the second region of Huffman codes begins: blocks with other windows than long ones, short ones.
        long: where the bands of long blocks begin, and the end, int64 (23,).
    """

    slots: np.ndarray
    starts: tuple[np.ndarray, np.ndarray]
    windows: np.ndarray
    places: np.ndarray
    regions: tuple[int, int]
    long: np.ndarray


@cache
def bands(rate: int) -> Bands:
    """The bands at a sampling rate in Hz."""
    long = np.array([*_LONG.get(rate, _LONG_MPEG2), LINES])
    short = np.array([*_SHORT.get(rate, _SHORT_MPEG25), LINES // 3])
    widths = np.repeat(np.diff(short), 3)
    starts = np.cumsum(widths) - widths
    slot = np.repeat(np.arange(SLOTS), widths)
    places = np.arange(LINES) - starts[slot] + short[slot // 3]
    slots = np.stack([np.repeat(np.arange(22), np.diff(long)), slot])
    return Bands(slots, (long[:-1], starts), slot % 3, places, (int(long[8]), 3 * int(short[3])), long)
