"""What a file is, before any decoder sees it: an MP3, something a decoder may know, or certainly no music."""

import mmap
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ..bitstream.frames import FrameScan, scan
from ..bitstream.tagbytes import audio_span
from ..errors import DecodeError
from .names import shown

_NOT_AUDIO = (
    (rb"\xff\xd8\xff", "a JPEG image"),
    (rb"\x89PNG", "a PNG image"),
    (rb"GIF8", "a GIF image"),
    (rb"RIFF....WEBP", "a WebP image"),
    (rb"(?:II\*\0|MM\0\*)", "a TIFF image"),
    (rb"%PDF-", "a PDF document"),
    (rb"PK\x03\x04", "a ZIP archive"),
    (rb"(?:Rar!|7z\xbc\xaf)", "an archive"),
)
_PLAYLIST = re.compile(
    rb"#EXTM3U|ffconcat|\[playlist\]|\[reference\]|<\?xml.*<(?:mpd|playlist|smil|asx|rss)\b|<(?:mpd|smil|asx|\?wpl)\b",
    re.IGNORECASE | re.DOTALL,
)
_PLAYLIST_SUFFIXES = frozenset(
    (".m3u", ".m3u8", ".pls", ".xspf", ".cue", ".ffconcat", ".wpl", ".asx", ".mpd")
)
_CONTAINER = re.compile(
    rb"RIFF|RF64|RIFX|riff|FORM|fLaC|OggS|....ftyp|....moov|\x1aE\xdf\xa3|FLV|\x30\x26\xb2\x75|MAC |wvpk|MPCK"
    rb"|MP\+|TTA1|\.snd|caff|#!AMR|\xff[\xf0\xf1\xf8\xf9]|\x0b\x77|DSD |FRM8|\0\0\x01\xba|MThd",
    re.DOTALL,
)
_NEAR_START = 4096
# Layer I or II of MPEG-1 or 2, with a bitrate and a rate.
_OTHER_LAYER = re.compile(
    rb"\xff[\xf4-\xf7\xfc-\xff](?:%s)"
    % b"|".join(re.escape(bytes((b,))) for b in range(16, 240) if b & 12 != 12),
    re.DOTALL,
)
_LARGEST_READ = 1 << 26
# Control characters, and the byte that each MP3 frame begins with: in text it would be a rare letter.
_NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f\xff]")


def look(path: Path) -> FrameScan | None:
    """The frames of an MP3; None for a file of another kind, which a decoder may or may not know.

    Raises:
        DecodeError: the file is missing, not a file, unreadable, empty, or certainly no music.
    """
    name = shown(path)
    try:
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            raise DecodeError(f"{name}: is a folder: name the files in it")
        if not stat.S_ISREG(status.st_mode):
            raise DecodeError(
                f"{name}: is not a regular file: to read a pipe, give - and redirect it to stdin"
            )
        if not status.st_size:
            raise DecodeError(f"{name}: is empty")
        with open(path, "rb") as file, _bytes(file, status.st_size) as data:
            return _look(data, path)
    except FileNotFoundError as error:
        raise DecodeError(f"{name}: no such file") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DecodeError(f"{name}: cannot be read ({reason})") from error


def is_other_layer(path: Path) -> bool:
    """Whether a file begins, behind its tags, like MPEG audio of Layer I or II (.mp1, .mp2)."""
    with open(path, "rb") as file, _bytes(file, os.stat(path).st_size) as data:
        begin, _ = audio_span(data)
        return bool(_OTHER_LAYER.match(data[begin : begin + 4]))


@contextmanager
def _bytes(file: BinaryIO, size: int) -> Iterator[bytes | mmap.mmap]:
    """What is in a file. To look into a mapped one that another program cuts short ends the process (SIGBUS), so
    only what would take much memory is mapped."""
    if size <= _LARGEST_READ:
        yield file.read()
    else:
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield data


def _look(data: bytes | mmap.mmap, path: Path) -> FrameScan | None:
    """The same for the bytes of an existing file."""
    name = shown(path)
    begin, end = audio_span(data)
    head = data[begin : min(end, begin + 4096)]
    if not head:
        raise DecodeError(f"{name}: holds tags but no audio")
    for magic, what in _NOT_AUDIO:
        if re.match(magic, head, re.DOTALL):
            raise DecodeError(f"{name}: is {what}, not music")
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    # In any encoding: no audio format goes on for long without a control character.
    is_text = not _NO_TEXT.search(head)
    if _PLAYLIST.match(text) or (is_text and path.suffix.lower() in _PLAYLIST_SUFFIXES):
        raise DecodeError(f"{name}: is a playlist, not music: name the files it lists")
    if is_text:
        raise DecodeError(f"{name}: is a text file, not music")
    if _CONTAINER.match(head):
        return None
    found = scan(data)
    covered = sum(stop - start for start, stop in found.runs)
    # Frames near the start (behind an Info frame), or in a good part of the file; a film may hold some too.
    near_start = bool(found.runs) and found.runs[0][0] - begin <= _NEAR_START
    return found if near_start or covered * 4 > end - begin > 0 else None
