"""The frames of an MP3 as a file of their own, for decoders that stumble over what else is in it."""

import io
import shutil
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..bitstream.frames import FrameScan
from . import temporary

_LONGEST_FRAME = 8192


class FrameFile(io.RawIOBase):
    """All frames of a scan and nothing but its filler behind, broken ones silenced; a seekable, read-only file.

    With `claim_more`, it says that it is longer than it is: mpg123 (inside libsndfile) guesses the length
    from the first frame and the size of the file, and libsndfile stops there, which cuts files of variable
    bitrate. The claim makes every guess too long. Up there mpg123 looks for an ID3v1 tag; it finds zeros.
    """

    def __init__(self, raw: BinaryIO, frames: FrameScan, claim_more: bool = False) -> None:
        super().__init__()
        self._raw = raw
        starts = np.array([start for start, _ in frames.runs], dtype=np.int64)
        sizes = np.array([stop - start for start, stop in frames.runs], dtype=np.int64)
        self._ends = np.cumsum(sizes)
        self._shift = starts - (self._ends - sizes)
        self._broken = frames.broken
        self._broken_stops = np.array([start + len(side) for start, side in frames.broken], dtype=np.int64)
        self._filler = frames.filler
        self._filled = int(self._ends[-1])  # from there on, filler
        self._size = self._filled + len(self._filler)
        self._claimed = self._size * 128 + _LONGEST_FRAME if claim_more else self._size
        self._pos = 0

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def tell(self) -> int:
        """The position in bytes."""
        return self._pos

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Moves the position and returns it."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._pos, io.SEEK_END: self._claimed}[whence]
        self._pos = max(0, base + offset)
        return self._pos

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes of frames; zeros in the last 128 bytes of a claimed size."""
        if self._claimed - 128 <= self._pos < self._claimed and self._claimed > self._size:
            data = bytes(min(size, self._claimed - self._pos))
            self._pos += len(data)
            return data
        parts = []
        while size > 0 and self._pos < self._size:
            part = self._part(size)
            if not part:
                break
            parts.append(part)
            size -= len(part)
            self._pos += len(part)
        return b"".join(parts)

    def _part(self, size: int) -> bytes:
        """Up to `size` bytes from the position on, of one run."""
        if self._pos >= self._filled:
            return self._filler[self._pos - self._filled :][:size]
        run = int(np.searchsorted(self._ends, self._pos, side="right"))
        return self._read_raw(self._pos + int(self._shift[run]), min(size, int(self._ends[run]) - self._pos))

    def _read_raw(self, start: int, size: int) -> bytes:
        """Bytes of the original file, with other side information where its frames are broken."""
        self._raw.seek(start)
        data = self._raw.read(size)
        first = int(np.searchsorted(self._broken_stops, start, side="right"))
        patched = (
            bytearray(data) if first < len(self._broken) and self._broken[first][0] < start + size else None
        )
        if patched is None:
            return data
        for begin, side in self._broken[first:]:
            if begin >= start + len(data):
                break
            low, high = max(begin, start), min(begin + len(side), start + len(data))
            patched[low - start : high - start] = side[low - begin : high - begin]
        return bytes(patched)

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fills a buffer and returns by how much."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def repaired_copy(path: Path, frames: FrameScan) -> Path:
    """Writes the frames of a damaged MP3 to a temporary file; the caller does `temporary.remove`."""
    copy = temporary.create_elsewhere("repaired.mp3")
    try:
        with open(path, "rb") as raw, open(copy, "wb") as file:
            shutil.copyfileobj(FrameFile(raw, frames), file, 1 << 20)
    except BaseException:
        temporary.remove(copy)
        raise
    return copy
