"""WAV files at the byte level: the header, the samples' bytes, chunks behind them.

WAVE_FORMAT_PCM, IEEE_FLOAT and EXTENSIBLE as in Microsoft's "Multiple channel audio data and WAVE files";
RF64 beyond 4 GB as in EBU Tech 3306, which lets a JUNK chunk keep the place of the ds64 chunk.
"""

import os
import struct
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np

UNKNOWN = 0xFFFFFFFF  # what a size says that does not fit or is not known
LARGEST = 0xFFFFFFFF  # size that a RIFF file can say
_EMPTY = b"data" + bytes(4)  # the chunk of samples where there are none
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")  # of a sub-format, behind its 16-bit format tag
# Loudspeakers by number of channels, in the order of the channels: mono to 7.1; 0 is none in particular.
_MASKS = {1: 0x4, 2: 0x3, 3: 0x7, 4: 0x33, 5: 0x37, 6: 0x3F, 7: 0x70F, 8: 0x63F}
BYTES = {"16": 2, "24": 3, "32f": 4}


def header(rate: int, channels: int, bits: str, frames: int | None, room: bool = False) -> bytes:
    """All bytes before the first sample.

    frames None is a stream of unknown length: its sizes are 0xFFFFFFFF, and readers go on to the end.
    room keeps the place for RF64, so that the header is as long for every number of frames.
    """
    block = channels * BYTES[bits]
    tag = _FLOAT if bits == "32f" else _PCM
    plain = struct.pack("<HIIHH", channels, rate, min(rate * block, UNKNOWN), block, 8 * BYTES[bits])
    if channels > 2:
        mask = _MASKS.get(channels, 0)
        extension = struct.pack("<HHIH", 22, 8 * BYTES[bits], mask, tag) + _GUID_TAIL
        body = struct.pack("<H", _EXTENSIBLE) + plain + extension
    else:
        body = struct.pack("<H", tag) + plain + (b"\0\0" if tag == _FLOAT else b"")
    chunks = _chunk(b"fmt ", body)
    if tag == _FLOAT:
        chunks += _chunk(b"fact", struct.pack("<I", UNKNOWN if frames is None else min(frames, UNKNOWN)))
    if frames is None:
        return b"RIFF" + struct.pack("<I", UNKNOWN) + b"WAVE" + chunks + b"data" + struct.pack("<I", UNKNOWN)
    data = frames * block
    place = 36 if room else 0
    size = 4 + place + len(chunks) + 8 + data + data % 2
    if size <= LARGEST:
        start = b"RIFF" + struct.pack("<I", size) + b"WAVE" + (_chunk(b"JUNK", bytes(28)) if room else b"")
        return start + chunks + b"data" + struct.pack("<I", data)
    ds64 = struct.pack("<QQQI", size + 36 - place, data, frames, 0)
    start = b"RF64" + struct.pack("<I", UNKNOWN) + b"WAVE" + _chunk(b"ds64", ds64)
    return start + chunks + b"data" + struct.pack("<I", UNKNOWN)


def sample_bytes(samples: np.ndarray, bits: str) -> bytes:
    """Interleaved little-endian bytes of samples (channels, frames): float32 for 32f, else whole numbers."""
    if bits == "24":
        wide = np.ascontiguousarray(samples.T, "<i4")
        return wide.view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
    return np.ascontiguousarray(samples.T, "<f4" if bits == "32f" else "<i2").tobytes()


def append_chunk(path: Path, name: bytes, content: bytes) -> None:
    """Put a chunk behind the samples (and their padding) of a RIFF or RF64 file.

    Without samples it goes before their chunk: ffmpeg takes a data size of 0 for one that is not known, and what
    follows for samples.

    Raises:
        ValueError: when a RIFF file would pass 4 GB.
        OSError: when it cannot be written; the file may then be broken.
    """
    with open(path, "r+b") as file:
        start = file.read(28)
        behind = _EMPTY if _is_empty(file) else b""
        end = file.seek(0, os.SEEK_END)
        chunk = _chunk(name, content)
        size = end + len(chunk) - 8
        if start[:4] == b"RF64":
            place, packed = 20, struct.pack("<Q", size)
        elif size <= LARGEST:
            place, packed = 4, struct.pack("<I", size)
        else:
            raise ValueError("the WAV file would pass 4 GB")
        file.seek(end - len(behind))
        file.write(chunk + behind)
        file.seek(place)
        file.write(packed)


def _is_empty(file: BinaryIO) -> bool:
    """Whether the chunk of samples is one without any."""
    file.seek(12)
    while (head := file.read(8))[:4] != b"data":
        (size,) = struct.unpack("<4xI", head)
        file.seek(size + size % 2, os.SEEK_CUR)
    return head == _EMPTY


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


class WavFile:
    """A WAV file of a known length being written; a context manager.

    Args:
        path: an existing file, overwritten.
        rate, channels, bits, frames: as for `header`.
    """

    def __init__(self, path: Path, rate: int, channels: int, bits: str, frames: int) -> None:
        self._path, self._bits = path, bits
        self._start = header(rate, channels, bits, frames)
        self._padding = bytes(frames * channels * BYTES[bits] % 2)

    def __enter__(self) -> "WavFile":
        self._file = open(self._path, "r+b", buffering=0)
        self._put(self._start)
        return self

    def write(self, samples: np.ndarray) -> None:
        """Write whole numbers of `bits` bits, int32 (C, n)."""
        self._put(sample_bytes(samples, self._bits))

    def _put(self, data: bytes) -> None:
        written = 0
        while written < len(data):
            written += self._file.write(data[written:])

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._put(self._padding)
        finally:
            self._file.close()
