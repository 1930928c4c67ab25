"""Limits for mutagen's reading of ID3, which a hostile tag would make fill the memory or take hours.

Importing this module sets them, wherever mutagen then finds ID3: before an MP3, in a WAV, in a chapter's frames.
What is beyond them is skipped like anything else that is broken.
"""

import struct
import zlib
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from mutagen.id3 import _frames, _specs, _tags

# A compressed frame may unpack to so many times its size: text shrinks to a fifth, pictures not at all.
MOST_TIMES = 64
# mutagen copies the rest of a tag behind each frame, and the rest of a frame behind each value: bytes in all.
MOST_COPIED = 10**10
MOST_VALUES = 2000  # of one frame


def _decompress(data: bytes) -> bytes:
    """As zlib.decompress, but an error where the result is far larger than what it is made of."""
    unpacker = zlib.decompressobj()
    content = unpacker.decompress(data, MOST_TIMES * max(1, len(data)))
    if not unpacker.eof:
        raise zlib.error("cut short, or too large")
    return content


def _walk(data: bytes, size_of: Callable[[int], int]) -> int:
    """Frames of ID3v2.3 or 2.4 in a tag, by how a frame's size is written."""
    count = at = 0
    while at + 10 <= len(data) and data[at : at + 4].strip(b"\0"):
        at += 10 + size_of(struct.unpack_from(">L", data, at + 4)[0])
        count += 1
    return count


def _seven_bits(size: int) -> int:
    return (size >> 24 & 127) << 21 | (size >> 16 & 127) << 14 | (size >> 8 & 127) << 7 | size & 127


def _read_frames(header: Any, data: bytes, frames: Any) -> Any:
    # ID3v2.4 is written with both kinds of sizes; mutagen guesses.
    if max(_walk(data, int), _walk(data, _seven_bits)) * len(data) > MOST_COPIED:
        return [], [], b""
    return _original_read_frames(header, data, frames)


def _read_values(spec: Any, header: Any, frame: Any, data: bytes) -> tuple[list[Any], bytes]:
    values: list[Any] = []
    while data and len(values) < MOST_VALUES:
        record = []
        for part in spec.specs:
            value, data = part.read(header, frame, data)
            record.append(value)
        values.append(record if len(spec.specs) != 1 else record[0])
    return values, b""


_original_read_frames = _tags.read_frames
for _place, _name, _limited in (
    (_frames, "zlib", SimpleNamespace(decompress=_decompress, error=zlib.error)),
    (_tags, "read_frames", _read_frames),
    (_specs.MultiSpec, "read", _read_values),
):
    setattr(_place, _name, _limited)
