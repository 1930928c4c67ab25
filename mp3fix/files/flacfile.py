"""FLAC by libsndfile, with errors of the disk that say what is wrong."""

import hashlib
import io
import os
import struct
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

import numpy as np
import soundfile

MAX_CHANNELS = 8
MAX_RATE = 655350  # Hz: 16 bits in units of 10 Hz
_EXACT_RATE = 65535  # up to here the unit is 1 Hz


def can_hold_rate(rate: int) -> bool:
    """Whether FLAC's frame header can say this sampling rate."""
    return 1 <= rate <= _EXACT_RATE or (rate <= MAX_RATE and rate % 10 == 0)


class FlacFile:
    """A FLAC file being written; a context manager.

    libsndfile calls back into Python to write. That happens in a thread: callbacks swallow exceptions, so
    that an interrupt from the keyboard, which only ever reaches the main thread, would be lost there. It also
    lets the caller prepare a block while the last one is encoded.

    Args:
        path: an existing file, overwritten.
        rate, channels: as FLAC can hold them.
        bits: 16 or 24.
    """

    def __init__(self, path: Path, rate: int, channels: int, bits: int) -> None:
        self._path, self._format = path, (rate, channels, bits)
        self._frames = 0

    def __enter__(self) -> "FlacFile":
        self._disk = _Disk(self._path)
        self._pool = ThreadPoolExecutor(1)
        # The thread starts before there is anything to write: a pool that is interrupted while it starts one forgets
        # it and starts another, and libsndfile crashes when a file is closed by one while the other writes to it.
        self._pool.submit(int).result()
        self._pending: Future[None] | None = None
        rate, channels, bits = self._format
        subtype = f"PCM_{bits}"
        # libsndfile writes nothing before the first block
        try:
            self._file = soundfile.SoundFile(self._disk, "w", rate, channels, subtype, format="FLAC")
        except soundfile.SoundFileError as error:  # a libsndfile without FLAC
            self._disk.close()
            raise OSError(0, str(error)) from error
        return self

    def write(self, samples: np.ndarray) -> None:
        """Write whole numbers of `bits` bits, int32 (C, n).

        Raises:
            OSError: when the disk refuses this block or the one before.
        """
        self._frames += samples.shape[1]
        # libsndfile takes the highest bits of 32
        wide = np.ascontiguousarray(samples.T) << (32 - self._format[2])
        self._wait()
        self._pending = self._pool.submit(self._file.write, wide)

    def _wait(self) -> None:
        """Wait for the block that is being encoded."""
        if self._pending is not None:
            try:
                self._pending.result()
            except (soundfile.SoundFileError, AssertionError) as error:
                raise self._disk.error or OSError(0, str(error)) from error
            finally:
                self._pending = None
        if self._disk.error is not None:
            raise self._disk.error

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._wait()
                self._pending = self._pool.submit(self._file.close)
                self._wait()
                if not self._frames:  # libsndfile would leave the file empty
                    self._disk.write(_empty(*self._format))
                    self._wait()
        finally:
            self._pool.submit(self._file.close)
            self._pool.shutdown()
            self._disk.close()


class _Disk(io.RawIOBase):
    """The file as libsndfile's callbacks see it: the first error is kept, not raised."""

    def __init__(self, path: Path) -> None:
        self._file = open(path, "r+b", buffering=0)  # noqa: SIM115 (close closes it)
        self.error: OSError | None = None

    def write(self, data: bytes) -> int:  # type: ignore[override]
        written = 0
        try:
            while written < len(data) and self.error is None:
                written += self._file.write(data[written:])
        except OSError as error:
            self.error = error
        return written

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        return self._file.readinto(buffer)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        self._file.close()


def _empty(rate: int, channels: int, bits: int) -> bytes:
    """A FLAC file without samples: the marker and STREAMINFO (RFC 9639, section 8.2) as the last block."""
    block_size = 4096
    packed = rate << 44 | (channels - 1) << 41 | (bits - 1) << 36  # and 36 bits for no samples
    info = struct.pack(">HH6xQ", block_size, block_size, packed) + hashlib.md5(usedforsecurity=False).digest()
    return b"fLaC" + bytes([0x80, 0, 0, len(info)]) + info
