"""The tags that mp3fix writes of its own, read back in a moment: whole libraries are asked for them."""

import io
import os
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

PREFIX = "MP3FIX_"  # of the names of tags that describe one restoration

_VORBIS_COMMENT = 4  # type of a FLAC metadata block
_LAST_BLOCK = 0x80
_MOST_CHUNKS = 1000  # of a WAV, blocks of a FLAC; gigabytes of zeros would be chunks of nothing
_MOST = 1 << 26  # bytes of a tag that are looked at; pictures in WAV are inside


def read_own(path: Path) -> dict[str, str]:
    """Name -> value of the tags MP3FIX_... of a FLAC or WAV file; none for anything else. Never raises."""
    try:
        with open(path, "rb") as file:
            start = file.read(4)
            if start == b"fLaC":
                return dict(_of_comments(_flac_comments(file)))
            if start in (b"RIFF", b"RF64"):
                return _of_id3(_id3_chunk(file))
    except (OSError, struct.error):
        pass
    return {}


def _flac_comments(file: BinaryIO) -> bytes:
    """The block of Vorbis comments (RFC 9639, section 8.6), without reading the pictures before it."""
    for _ in range(_MOST_CHUNKS):
        kind, high, low = struct.unpack(">BBH", file.read(4))
        size = high << 16 | low
        if kind & ~_LAST_BLOCK == _VORBIS_COMMENT:
            return file.read(size)
        if kind & _LAST_BLOCK:
            break
        file.seek(size, os.SEEK_CUR)
    return b""


def _of_comments(block: bytes) -> Iterator[tuple[str, str]]:
    # Each comment is NAME=value behind its length. The name may be in small letters once others wrote the file.
    for found in re.finditer(rb"MP3FIX_[A-Z]+=", block, re.IGNORECASE):
        place = found.start() - 4
        if place >= 0:
            (size,) = struct.unpack_from("<I", block, place)
            name, _, value = block[found.start() : found.start() + size].partition(b"=")
            yield name.decode("ascii").upper(), value.decode("utf-8", "replace")


def _id3_chunk(file: BinaryIO) -> bytes:
    """The ID3 chunk of a RIFF or RF64 file, wherever it stands."""
    file.seek(12)
    large = None  # size of the samples, where it does not fit into 32 bits
    for _ in range(_MOST_CHUNKS):
        name, size = struct.unpack("<4sI", file.read(8))
        if name.lower() == b"id3 ":
            return file.read(min(size, _MOST))
        if name == b"ds64":
            large = struct.unpack("<QQ", file.read(16))[1]
            size -= 16
        elif name == b"data" and large is not None:
            size = large
        file.seek(size + size % 2, os.SEEK_CUR)
    return b""


def _of_id3(content: bytes) -> dict[str, str]:
    if PREFIX.encode() not in content:
        return {}
    from mutagen.id3 import ID3  # takes a moment to import

    import mp3fix.files.tags_limits  # noqa: F401

    try:
        frames = ID3(io.BytesIO(content)).getall("TXXX")
    except Exception:  # a parser may raise anything on hostile bytes
        return {}
    return {frame.desc: str(frame) for frame in frames if frame.desc.startswith(PREFIX)}
