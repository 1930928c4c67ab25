"""The headers of Layer III frames: what they say, and where in a file one can be believed.

Source: ISO/IEC 11172-3, section 2.4.1.3; MPEG-2 (13818-3) halves the frame, MPEG-2.5 is Fraunhofer's
extension to 8, 11.025 and 12 kHz.
"""

import re
from mmap import mmap
from typing import NamedTuple

_MPEG1_KBPS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_MPEG2_KBPS = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
# By the version's two bits: MPEG-1, MPEG-2, MPEG-2.5.
_RATES = {
    3: (44100, 48000, 32000),
    2: (22050, 24000, 16000),
    0: (11025, 12000, 8000),
}
# Bytes of side information, which tells how to read the main data, for (MPEG-1, mono).
SIDE_BYTES = {(True, True): 17, (True, False): 32, (False, True): 9, (False, False): 17}
RESERVOIR = 511  # bytes: the most that main_data_begin can reach back (255 in MPEG-2)
_FREE_LEAST, _FREE_MOST, _FREE_TRIES = 48, 4096, 4
# Headers in a row that make a place believable: in the stream's own format, and in another one.
_CONFIRM_SAME, _CONFIRM_NEW = 2, 3


class Header(NamedTuple):
    """What the first three bytes of a frame say."""

    length: int  # bytes, 0 for free format
    kbps: int  # 0 for free format
    rate: int
    samples: int  # per channel
    pad: int
    format: tuple[int, int]  # what stays the same in a stream: version, rate


def _headers() -> dict[bytes, Header]:
    """All valid beginnings of Layer III frames."""
    table = {}
    for version, rates in _RATES.items():
        mpeg1 = version == 3
        for index, kbps in enumerate(_MPEG1_KBPS if mpeg1 else _MPEG2_KBPS):
            for code, rate in enumerate(rates):
                for low in range(4):
                    pad = low >> 1
                    length = (144000 if mpeg1 else 72000) * kbps // rate + pad if kbps else 0
                    header = Header(length, kbps, rate, 1152 if mpeg1 else 576, pad, (version, rate))
                    for crc in (0, 1):
                        second = 0xE2 | version << 3 | crc
                        table[bytes((0xFF, second, index << 4 | code << 2 | low))] = header
    return table


HEADERS = _headers()
_CANDIDATE = re.compile(rb"\xff[\xe2\xe3\xf2\xf3\xfa\xfb][\x00-\xee]")


def find(data: bytes | mmap, pos: int, end: int, current: tuple[int, int] | None) -> tuple[int, int] | None:
    """The first believable frame from `pos` on; None where there is none.

    Believable are several headers in a row (fewer in the format `current`), two frames that reach the end,
    or, at the very start of the audio (`current` is None), one that does.

    Returns:
        its place, and in free format the length of a frame less padding (else 0).
    """
    for match in _CANDIDATE.finditer(data, pos, end):
        at = match.start()
        header = HEADERS.get(match.group())
        if header is None:
            continue
        free = 0 if header.length else _free_length(data, at, end)
        if not (header.length or free):
            continue
        wanted = _CONFIRM_SAME if header.format == current else _CONFIRM_NEW
        next_at, seen = at, 0
        while seen < wanted:
            follower = HEADERS.get(data[next_at : next_at + 3]) if next_at < end else None
            if follower is None or follower.format != header.format or not (follower.length or free):
                break
            next_at += follower.length or free + follower.pad
            seen += 1
        fills = next_at == end and (seen >= 2 or (current is None and at == pos))
        runs_out = next_at > end and seen >= 2
        if seen == wanted or fills or runs_out:
            return at, free
    return None


def side_info(data: bytes | mmap, pos: int) -> tuple[int, int, int]:
    """Where the side information of the frame at `pos` begins and ends, and its main_data_begin.

    That is by how many bytes, in the main data of the frames before it, this frame's main data begin early.
    """
    mpeg1 = HEADERS[data[pos : pos + 3]].samples == 1152
    start = pos + (4 if data[pos + 1] & 1 else 6)  # behind the CRC
    stop = start + SIDE_BYTES[mpeg1, data[pos + 3] >> 6 == 3]
    return start, stop, data[start] << 1 | data[start + 1] >> 7 if mpeg1 else data[start]


def silent_side_info(data: bytes | mmap, pos: int, reservoir: int) -> bytes:
    """Side information to silence the frame at `pos`, its main_data_begin as large as `reservoir` allows."""
    start, stop, _ = side_info(data, pos)
    mpeg1 = HEADERS[data[pos : pos + 3]].samples == 1152
    head = min(reservoir, RESERVOIR) << 7 if mpeg1 else min(reservoir, RESERVOIR // 2) << 8
    return head.to_bytes(2, "big") + bytes(stop - start - 2)


def silent_frame(data: bytes | mmap, pos: int, free: int) -> bytes:
    """A frame of silence with the header of the frame at `pos`, without its CRC."""
    header = HEADERS[data[pos : pos + 3]]
    head = bytes((0xFF, data[pos + 1] | 1, *data[pos + 2 : pos + 4]))
    return head.ljust(header.length or free + header.pad, b"\0")


def _free_length(data: bytes | mmap, pos: int, end: int) -> int:
    """Bytes of a free-format frame less padding: the distance to the next one; 0 where there is none."""
    head = data[pos : pos + 3]
    pad = HEADERS[head].pad
    rate = head[2] & 0x0C
    same = re.compile(
        re.escape(head[:2]) + b"[" + b"".join(re.escape(bytes((rate | k,))) for k in range(4)) + b"]"
    )
    at = pos + _FREE_LEAST
    for _ in range(_FREE_TRIES):
        match = same.search(data, at, min(end, pos + _FREE_MOST))
        if match is None:
            return 0
        length = match.start() - pos - pad
        after = match.start() + length + HEADERS[match.group()].pad
        if after == end or same.match(data, after, min(end, after + 3)):
            return length
        at = match.start() + 1
    return 0
