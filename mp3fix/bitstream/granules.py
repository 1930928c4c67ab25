"""What the frames of an MP3 say of its spectrum: quantised values and their steps, read but not synthesised.

Sources: ISO/IEC 11172-3, sections 2.4.1.7 and 2.4.2.7 (syntax), 2.4.3.4 (scalefactors, requantisation); ISO/IEC
13818-3, section 2.4.3.2, for the lower sampling rates.

Where a granule begins is told by the lengths of those before it, and only scalefactors may be taken over from the one
before. So all of them are read at once, a step of NumPy for each pair of values: some 200 times as fast as the music
plays.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .bands import LINES, PREFLAG, SLOTS, bands
from .bits import Bits
from .headers import HEADERS, SIDE_BYTES
from .huffman import CODES, LONGEST

_GAIN_ZERO = 210  # global_gain of a step of 1
_PURE_SHORT = 2  # block_type
_PRIVATE_BITS = {(True, True): 5, (True, False): 3, (False, True): 1, (False, False): 2}  # by (MPEG-1, mono)
# Bits of a scalefactor by scalefac_compress, for the lower and the upper bands (MPEG-1).
_SLEN = np.array(
    [(0, 0, 0, 0, 3, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4), (0, 1, 2, 3, 0, 1, 2, 3, 1, 2, 3, 1, 2, 3, 2, 3)]
)
# How many scalefactors share each of four lengths (MPEG-2), by range of scalefac_compress, for long and short blocks.
_SHARES = np.array(
    [[(6, 5, 5, 5), (9, 9, 9, 9)], [(6, 5, 7, 3), (9, 9, 12, 6)], [(11, 10, 0, 0), (18, 18, 0, 0)]]
)


@dataclass(frozen=True)
class Granules:
    """Some granules in a row.

    Attributes:
        values: magnitudes of the quantised values, int32 (G, C, 576), in the stream's order of lines.
        exponents: of their steps: four times the base-2 logarithm, int32 (G, C, 576). A value q stands for
            q^(4/3) 2^(exponent / 4), where a full-scale sine has about 1.
        short: whether a granule has three short blocks, bool (G, C).
        known: whether it could be read: not where its data are lost, nor mixed blocks and intensity stereo,
            bool (G, C).
        middle: whether the two channels are middle and side, bool (G,).
    """

    values: np.ndarray
    exponents: np.ndarray
    short: np.ndarray
    known: np.ndarray
    middle: np.ndarray


class _Side(NamedTuple):
    """Side information of granules, int64 (G,) each, or (G, N) where there are several.

    Attributes:
        length: bits of scalefactors and values, part2_3_length.
        pairs: of values that are coded by pairs, big_values.
        gain, compress, preflag, scale: global_gain, scalefac_compress, preflag, scalefac_scale.
        block, mixed: block_type (0 without window switching), mixed_block_flag.
        tables: of the Huffman codes of three regions, (G, 3).
        ends: lines at which the first and second region end, (G, 2).
        subgain: of three windows, subblock_gain, (G, 3).
        quads: the table of quadruples, 32 or 33.
    """

    length: np.ndarray
    pairs: np.ndarray
    gain: np.ndarray
    compress: np.ndarray
    block: np.ndarray
    mixed: np.ndarray
    tables: np.ndarray
    subgain: np.ndarray
    ends: np.ndarray
    preflag: np.ndarray
    scale: np.ndarray
    quads: np.ndarray


def read(data: bytes, places: np.ndarray, channels: int) -> Granules:
    """Read frames that follow each other.

    Args:
        data: the frames.
        places: where each begins, and where the last one ends, int64 (frames + 1,). All have the first one's version
            and rate.
        channels: of the song.

    Returns:
        their granules, one or two a frame. Not known are those whose main data begin before the first frame, and
        those of another number of channels.
    """
    header = HEADERS[data[:3]]
    mpeg1, mono = header.samples == 2 * LINES, channels == 1
    per_frame = 2 if mpeg1 else 1
    buffer = np.frombuffer(data, np.uint8)
    starts = places[:-1]
    # No CRC where the lowest bit of the second byte is set.
    sides = starts + 4 + 2 * (~buffer[starts + 1] & 1).astype(np.int64)
    size = SIDE_BYTES[mpeg1, mono]
    fields = _Fields(buffer[sides[:, None] + np.arange(size)])
    back = fields.take(9 if mpeg1 else 8)
    fields.skip(_PRIVATE_BITS[mpeg1, mono])
    copied = np.stack([fields.flags(4) for _ in range(channels)], 1) if mpeg1 else None
    parts = [_side(fields, mpeg1, header.rate) for _ in range(per_frame * channels)]
    # Frames, granules, channels, one behind the other.
    side = _Side(*(np.stack(each, 1).reshape(-1, *each[0].shape[1:]) for each in zip(*parts, strict=True)))

    mode = buffer[starts + 3]
    other = (mode >> 6 == 3) != mono
    # Where main data begin. Frames of another number of channels have their own size of side information.
    stops = sides + np.where(other, SIDE_BYTES[mpeg1, not mono], size)
    turns = np.zeros(len(buffer) + 1, np.int64)
    turns[starts] += 1
    turns[stops] -= 1
    main = np.cumsum(turns)[:-1] == 0
    begins = np.concatenate([[0], np.cumsum(main)])[stops] - back
    lengths = side.length.reshape(len(starts), -1)
    at = (8 * begins[:, None] + np.cumsum(lengths, 1) - lengths).reshape(-1)
    bits = Bits(buffer[main])

    joint = (mode >> 6 == 1)[:, None]
    intensity, middle = joint & (mode[:, None] & 16 > 0), joint & (mode[:, None] & 32 > 0)
    readable = (begins >= 0) & ~other
    known = np.repeat(~intensity & readable[:, None], per_frame * channels, 1).reshape(-1)
    known &= side.mixed == 0
    at = np.where(known, at, 0)
    scalefactors, used = _scalefactors(bits, at, side, copied, per_frame)
    values = _values(bits, at + used, np.where(known, at + side.length, 0), side)

    is_short = side.block == _PURE_SHORT
    table = bands(header.rate)
    slots = table.slots[is_short.astype(np.int64)]
    raised = scalefactors + np.where(is_short[:, None], 0, side.preflag[:, None] * PREFLAG)
    exponents = (side.gain - _GAIN_ZERO)[:, None] - 2 * (side.scale[:, None] + 1) * np.take_along_axis(
        raised, slots, 1
    )
    exponents -= np.where(is_short[:, None], 8 * side.subgain[:, table.windows], 0)
    shape = (len(starts) * per_frame, channels)
    return Granules(
        values.reshape(*shape, LINES),
        exponents.astype(np.int32).reshape(*shape, LINES),
        is_short.reshape(shape),
        known.reshape(shape),
        np.repeat(middle[:, 0] & (channels == 2), per_frame),
    )


class _Fields:
    """The side information of all frames, field after field. Takes bytes (frames, size)."""

    def __init__(self, rows: np.ndarray) -> None:
        self._bits = np.unpackbits(rows, axis=1).astype(np.int64)
        self._at = 0

    def flags(self, count: int) -> np.ndarray:
        """The next bits, (frames, count)."""
        self._at += count
        return self._bits[:, self._at - count : self._at]

    def take(self, count: int) -> np.ndarray:
        """The next bits as numbers, (frames,)."""
        return self.flags(count) @ (1 << np.arange(count)[::-1])

    def skip(self, count: int) -> None:
        """Goes on by so many bits, or back."""
        self._at += count


def _side(fields: _Fields, mpeg1: bool, rate: int) -> _Side:
    """The side information of one granule and channel of each frame."""
    length, pairs, gain = fields.take(12), fields.take(9), fields.take(8)
    compress, switched = fields.take(4 if mpeg1 else 9), fields.take(1) == 1
    # The same 22 bits mean one thing or another.
    block, mixed = fields.take(2), fields.take(1)
    two = np.stack([fields.take(5), fields.take(5), np.zeros_like(pairs)], 1)
    subgain = np.stack([fields.take(3) for _ in range(3)], 1)
    fields.skip(-22)
    three = np.stack([fields.take(5) for _ in range(3)], 1)
    counts = fields.take(4), fields.take(3)
    preflag = fields.take(1) if mpeg1 else (compress >= 500).astype(np.int64)
    scale, quads = fields.take(1), fields.take(1)
    table = bands(rate)
    block = np.where(switched, block, 0)
    ends = np.stack([table.long[np.minimum(sum(counts[:k], k), 22)] for k in (1, 2)], 1)
    region = np.where(block == _PURE_SHORT, table.regions[1], table.regions[0])
    ends = np.where(switched[:, None], np.stack([region, np.full_like(region, LINES)], 1), ends)
    return _Side(
        length,
        np.minimum(pairs, LINES // 2),
        gain,
        compress,
        block,
        np.where(switched, mixed, 0),
        np.where(switched[:, None], two, three),
        subgain,
        ends,
        preflag,
        scale,
        32 + quads,
    )


def _scalefactors(
    bits: Bits, at: np.ndarray, side: _Side, copied: np.ndarray | None, per_frame: int
) -> tuple[np.ndarray, np.ndarray]:
    """Scalefactors (G, SLOTS) and the bits they take (G,).

    `copied`, (frames, C, 4): which groups of long bands a second granule takes over from the first; None in MPEG-2.
    """
    is_short = side.block == _PURE_SHORT
    counts = np.zeros((len(at), SLOTS), np.int64)
    order = np.arange(SLOTS)
    if copied is None:
        low, middle, high = side.compress, side.compress - 400, side.compress - 500
        rows = (side.compress >= 400).astype(np.int64) + (side.compress >= 500)
        four = np.choose(
            rows[:, None],
            [
                np.stack([(low >> 4) // 5, (low >> 4) % 5, (low >> 2) & 3, low & 3], 1),
                np.stack([(middle >> 2) // 5, (middle >> 2) % 5, middle & 3, 0 * low], 1),
                np.stack([high // 3, high % 3, 0 * low, 0 * low], 1),
            ],
        )
        ends = np.cumsum(_SHARES[rows, is_short.astype(np.int64)], 1)
        for k in range(4)[::-1]:
            counts = np.where(order < ends[:, k : k + 1], four[:, k : k + 1], counts)
    else:
        split = np.where(is_short, 18, 11)[:, None]
        last = np.where(is_short, 36, 21)[:, None]
        lower, upper = _SLEN[:, side.compress]
        counts = np.where(order < split, lower[:, None], upper[:, None]) * (order < last)
        take = np.zeros((len(copied), per_frame, copied.shape[1], SLOTS), bool)
        take[:, 1, :, :21] = np.repeat(copied, (6, 5, 5, 5), 2) > 0
        take = take.reshape(-1, SLOTS) & ~is_short[:, None]
        counts[take] = 0
    used = counts.sum(1)
    found = bits.peek(at[:, None] + np.cumsum(counts, 1) - counts, counts)
    if copied is not None:
        of_frames = found.reshape(len(copied), per_frame, -1)
        of_frames[:, 1] = np.where(take.reshape(of_frames.shape)[:, 1], of_frames[:, 0], of_frames[:, 1])
        found = of_frames.reshape(-1, SLOTS)
    return found, used


def _values(bits: Bits, at: np.ndarray, end: np.ndarray, side: _Side) -> np.ndarray:
    """Magnitudes, int32 (G, 576), of Huffman codes from `at` to `end`; zeros from where they are broken on."""
    values = np.zeros((LINES + 4, len(at)), np.int32)
    at = at.copy()
    rows = np.flatnonzero(at < end)
    for line in range(0, LINES, 2):
        rows = rows[(2 * side.pairs[rows] > line) & (at[rows] < end[rows])]
        if not len(rows):
            break
        region = (side.ends[rows] <= line).sum(1)
        table = side.tables[rows, region]
        place = at[rows]
        entry = CODES.entries[CODES.first[table] + (bits.peek(place, LONGEST) >> CODES.unread[table])]
        place = place + (entry & 31)
        escape = CODES.escape[table]
        for part, value in enumerate(((entry >> 9).astype(np.int64), ((entry >> 5) & 15).astype(np.int64))):
            more = np.where(value == 15, escape, 0)
            if more.any():
                value = value + bits.peek(place, more)
            place = place + more + (value > 0)  # behind each value its sign
            values[line + part, rows] = value
        at[rows] = place
    rows = np.flatnonzero(at < end)
    lines = 2 * side.pairs
    while len(rows := rows[(lines[rows] < LINES) & (at[rows] < end[rows])]):
        table = side.quads[rows]
        entry = CODES.entries[CODES.first[table] + (bits.peek(at[rows], LONGEST) >> CODES.unread[table])]
        four = (entry[:, None].astype(np.int64) >> np.array([8, 7, 6, 5])) & 1
        at[rows] += (entry & 31) + four.sum(1)
        # A quadruple that goes beyond the end is stuffing.
        whole = at[rows] <= end[rows]
        for k in range(4):
            values[lines[rows] + k, rows] = np.where(whole, four[:, k], 0)
        lines[rows] += 4
    return values[:LINES].T
