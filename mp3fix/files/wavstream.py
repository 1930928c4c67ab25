"""Samples to a pipe as WAV. A pipe cannot be rewound: sizes are said first, peaks limited as they come."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import BinaryIO

import numpy as np

from mp3fix.files import wav
from mp3fix.signal.levels import Limiter, from_db, quantise, to_db


class PipeClosed(Exception):
    """Whoever read the pipe has gone: nothing is wrong, and nothing is left to do."""


class WavStream:
    """A WAV being written to a pipe; a context manager that finishes the stream where no error came.

    Args:
        file: binary file object; it is flushed but not closed.
        rate: Hz.
        channels: in the order of WAV files.
        bits: "32f", or "24" or "16" (dithered), which are limited to full scale.
        frames: samples per channel, where known; None announces a stream without end.
        gain_db: gain applied to all.

    Attributes:
        limited: samples beyond full scale that were limited.
        warnings: complete after `close`.

    Raises:
        PipeClosed: from `write` and `close`.
        OSError: other errors of the file, from the same.
    """

    def __init__(
        self,
        file: BinaryIO,
        rate: int,
        channels: int,
        bits: str = "32f",
        frames: int | None = None,
        gain_db: float = 0.0,
    ) -> None:
        self._file, self._bits = file, bits
        self._channels, self._promised = channels, frames
        self._gain = np.float32(from_db(gain_db))
        self._limiter = None if bits == "32f" else Limiter(rate, channels)
        self._header = wav.header(rate, channels, bits, frames)
        self._written = 0
        self.limited = 0
        self.warnings: list[str] = []

    def write(self, block: np.ndarray) -> None:
        """Send samples, float32 (C, n); with the first the header, so that an early error sends nothing."""
        samples = block * self._gain if self._gain != 1 else block
        if self._limiter is not None:
            self.limited += int(np.count_nonzero(np.abs(samples) > 1))
            samples = self._limiter.push(samples)
        self._send(samples)

    def close(self) -> None:
        """Send what the limiter holds back, and the end."""
        if self._limiter is not None:
            self._send(self._limiter.flush())
            if self.limited:
                gain = to_db(self._limiter.lowest_gain)
                self.warnings.append(
                    f"samples beyond full scale: {self.limited}; the level was lowered there by up to "
                    f"{-gain:.1f} dB (32-bit float needs no limit)"
                )
        else:
            self._send(np.zeros((self._channels, 0), np.float32))
        size = self._written * self._channels * wav.BYTES[self._bits]
        self._put(bytes(size % 2))
        if self._promised is not None and self._promised != self._written:
            self.warnings.append(f"samples sent: {self._written}; announced: {self._promised}")
        with self._reader_watched():
            self._file.flush()

    def __enter__(self) -> "WavStream":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()

    def _send(self, samples: np.ndarray) -> None:
        content = samples if self._bits == "32f" else quantise(samples, int(self._bits), self._written)
        self._put(self._header + wav.sample_bytes(content, self._bits))
        self._header = b""
        self._written += samples.shape[1]

    def _put(self, data: bytes) -> None:
        view = memoryview(data)
        while view:  # an unbuffered pipe may take less than all
            with self._reader_watched():
                written = self._file.write(view)
            view = view[len(view) if written is None else written :]

    @contextmanager
    def _reader_watched(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            # Windows says EINVAL where the reader of a pipe has gone
            if isinstance(error, BrokenPipeError) or (os.name == "nt" and error.errno == errno.EINVAL):
                self._silence()
                raise PipeClosed from None
            raise

    def _silence(self) -> None:
        """Let what the file object still buffers go nowhere: Python would complain about it at its end."""
        try:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._file.fileno())
            os.close(nowhere)
        except OSError:  # no file of the system behind it
            pass
