"""Disk to samples: ffmpeg where there is one, libsndfile otherwise; one length from both, no silent loss."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np

from ..bitstream.frames import FrameScan
from ..errors import DecodeError
from . import ffmpeg, missing, sniff, temporary
from .bursts import BurstGate
from .lengths import Promise, promised
from .names import shown
from .sndfile import SndfileSource
from .source import Source

LEAST_RATE, MOST_RATE = 8000, 192000
MOST_CHANNELS = 16
# Times full scale. Whole numbers written as floats are far below; the squares of what is beyond are infinite.
MOST_LEVEL = 1e12


def open_decoder(path: Path) -> "Decoder":
    """Opens a file of any format for decoding; use it in a `with`.

    Raises:
        DecodeError: the file is missing, is not audio, nothing of it can be decoded, its rate or its number
            of channels is out of range, or $MP3FIX_FFMPEG is wrong.
    """
    frames = sniff.look(path)
    source, name = _open_source(path, frames)
    try:
        return Decoder(path, source, name, frames)
    except BaseException:
        source.close()
        raise


def _open_source(path: Path, frames: FrameScan | None) -> tuple[Source, str]:
    """The first decoder that decodes anything of the file, and its name."""
    program = ffmpeg.find()
    if program is None:
        try:
            return SndfileSource(path, frames), "libsndfile"
        except DecodeError as error:
            raise DecodeError(f"{error}\nIf it is music, install ffmpeg: it reads more formats.") from error
    try:
        return ffmpeg.FfmpegSource(program, path, frames), "ffmpeg"
    except DecodeError as error:
        # Free-format MP3, for one, is beyond ffmpeg.
        try:
            return SndfileSource(path, frames), "libsndfile"
        except DecodeError:
            raise error from None


class Decoder:
    """An open file.

    Attributes:
        frames: of an MP3, else None.
        rate: Hz.
        channels: number of channels, in the order of WAV files.
        lfe: indices of the low-frequency channels.
        decoder: "ffmpeg" or "libsndfile".
        exact: whether `expected` is so to the sample.
        expected: samples per channel the file promises, None where it does not say; other containers than WAV,
            AIFF, FLAC and MP3 say it to within a fraction of a second.
        warnings: complete once `blocks` has come to its end: what is missing, and what else is wrong.
    """

    def __init__(self, path: Path, source: Source, decoder: str, frames: FrameScan | None) -> None:
        name = shown(path)
        if not LEAST_RATE <= source.rate <= MOST_RATE:
            raise DecodeError(
                f"{name}: has a rate of {source.rate} Hz; {LEAST_RATE} to {MOST_RATE} Hz can be restored"
            )
        if not 1 <= source.channels <= MOST_CHANNELS:
            raise DecodeError(
                f"{name}: has {source.channels} channels; up to {MOST_CHANNELS} can be restored"
            )
        self.rate, self.channels, self.lfe = source.rate, source.channels, source.lfe
        self.decoder = decoder
        self.warnings: list[str] = []
        self._path, self.frames = path, frames
        self._source: Source = source
        self._gate: BurstGate | None = None
        self._unsound = 0
        self._start, self._stop = 0, None
        if frames is None:
            self._promise = promised(path)
            if self._promise == Promise() and isinstance(source, SndfileSource):
                self._promise = Promise(source.frames)
        else:
            self._promise = Promise(frames.expected_samples)
            self._gate = self._source = BurstGate(source)
            self._start, stop = frames.trim
            self._stop = min(stop, frames.samples)
        self.expected = self._promise.count(self.rate)
        self.exact = frames is not None or self._promise.samples is not None

    def blocks(self, block_frames: int = 65536) -> Iterator[np.ndarray]:
        """Decodes once from the start: float32 (channels, block_frames), the last block shorter.

        Samples that are not finite, or beyond MOST_LEVEL, are 0. The file is closed at the end, and when the
        iterator is given up.

        Raises:
            DecodeError: nothing can be decoded, or the decoder was killed.
        """
        delivered = 0
        left = None if self._stop is None else max(0, self._stop - self._start)
        try:
            skip = self._start
            while skip and (skipped := len(self._source.read(min(skip, block_frames)))):
                skip -= skipped
            while len(block := self._source.read(block_frames if left is None else min(block_frames, left))):
                delivered += len(block)
                left = None if left is None else left - len(block)
                yield self._cleaned(block)
            complaint = self._source.finish()
            if not delivered:
                raise DecodeError(f"{shown(self._path)}: {complaint or 'no sample of it can be decoded'}")
            self._judge(delivered, complaint)
        finally:
            self.close()

    def _cleaned(self, block: np.ndarray) -> np.ndarray:
        """(n, channels) as the decoder gives it to (channels, n), writeable, with finite samples only."""
        samples = np.array(block.T, dtype=np.float32, order="C")
        sound = np.abs(samples) <= MOST_LEVEL  # NaN is not
        if not sound.all():
            self._unsound += int(np.count_nonzero(~sound))
            samples[~sound] = 0.0
        return samples

    def _judge(self, delivered: int, complaint: str | None) -> None:
        """Fills the warnings."""
        if self.frames is None or self._gate is None:
            self.warnings += missing.in_file(self._promise, delivered, self.rate)
        else:
            self.warnings += missing.in_mp3(self.frames, delivered, self._gate.muted)
        if complaint:
            self.warnings.append(complaint)
        if self._unsound:
            self.warnings.append(
                f"{self._unsound} samples were NaN, infinite or absurdly large and are now 0"
            )

    def close(self) -> None:
        """Stops decoding, at any point; the child process is gone when this returns."""
        self._source.close()

    def __enter__(self) -> "Decoder":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def spool_stdin(stream: BinaryIO) -> Path:
    """Copies a pipe to a temporary file; the caller does `temporary.remove`. MP3s must be read twice, and need an end.

    Raises:
        DecodeError: the stream is a terminal, is empty, or cannot be copied.
    """
    if stream.isatty():
        raise DecodeError("standard input is a terminal: pipe a file into it, or name one")
    path = None
    try:
        path = temporary.create_elsewhere("stdin")
        with open(path, "wb") as file:
            shutil.copyfileobj(stream, file, 1 << 20)
            size = file.tell()
        if not size:
            raise DecodeError("standard input is empty")
    except BaseException as error:
        if path is not None:
            temporary.remove(path)
        if isinstance(error, OSError):
            raise DecodeError(f"standard input cannot be copied to a temporary file ({error})") from error
        raise
    return path
