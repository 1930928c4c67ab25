"""Samples to a WAV or FLAC file that is whole or absent.

Whole-number formats are spooled as float32 beside the target, so that a song whose peak passes full scale
gets one gain for all of it instead of clipping. 32-bit floats pass full scale without harm and are written at
once.
"""

import errno
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Literal

import numpy as np

from mp3fix.errors import EncodeError
from mp3fix.files import tags as tagging
from mp3fix.files import temporary, wav
from mp3fix.files.flacfile import MAX_CHANNELS, MAX_RATE, FlacFile, can_hold_rate
from mp3fix.files.names import shown
from mp3fix.signal.levels import from_db, peak, quantise, to_db

Format = Literal["wav", "flac"]
Bits = Literal["16", "24", "32f"]

# Where a gain puts the peak: dither, one unit of 16 bits, must still fit below full scale.
CEILING = 1 - 2**-14
_BLOCK = 65536  # frames
# What the system says too shortly.
_ADVICE = {
    errno.ENOSPC: "the disk is full ({}): make room, or name another place",
    errno.EFBIG: "no larger file is allowed there ({}): name another place, or write FLAC",
}


@dataclass(frozen=True)
class Encoded:
    """What was written.

    Attributes:
        frames: samples per channel.
        peak_dbfs: the song's peak before any gain, in dB of full scale (-inf for silence).
        gain_db: the gain applied.
        warnings: one line each: clipping, tags that could not be kept.
    """

    frames: int
    peak_dbfs: float
    gain_db: float
    warnings: list[str] = field(default_factory=list)


def gain_for_peak(peak: float) -> float:
    """Gain in dB that brings a peak (linear) beyond full scale just below it; 0 for any other."""
    return to_db(CEILING / peak) if peak > 1 else 0.0


class Encoder:
    """One song being written; a context manager that leaves nothing behind unless `publish` succeeds.

    Args:
        path: the target. Until `publish`, only temporary files `.NAME.mp3fix-PID-RANDOM.tmp` appear beside it.
        rate: Hz.
        channels: in the order of WAV files.
        format: "wav" (RF64 where it must hold more than 4 GB) or "flac".
        bits: "16" (dithered), "24", or "32f" (WAV only).
        gain_db: a fixed gain; None: one that avoids clipping, where there would be any.
        overwrite: whether the target may exist.

    Raises:
        OutputExistsError: the target exists and is not to be overwritten.
        EncodeError: the format cannot hold this, or the target is no place for a file. Entering, `write`,
            `finish` and `publish` raise it with the system's reason when the disk refuses.
    """

    def __init__(
        self,
        path: Path,
        rate: int,
        channels: int,
        format: Format = "flac",
        bits: Bits = "24",
        gain_db: float | None = None,
        overwrite: bool = False,
    ) -> None:
        self._path = Path(path)
        self._rate, self._channels = rate, channels
        self._format, self._bits = format, bits
        self._fixed_gain, self._overwrite = gain_db, overwrite
        self._frames, self._peak = 0, 0.0
        self._temporaries: list[Path] = []
        self._check_format()
        with self._errors():
            self._check_target()

    def _check_format(self) -> None:
        name = shown(self._path)
        if self._format == "flac":
            if self._channels > MAX_CHANNELS:
                raise EncodeError(
                    f"{name}: FLAC holds at most {MAX_CHANNELS} channels, not {self._channels}; write WAV"
                )
            if self._bits == "32f":
                raise EncodeError(f"{name}: FLAC holds 16 or 24 bits, no floats; write WAV")
            if not can_hold_rate(self._rate):
                raise EncodeError(
                    f"{name}: FLAC cannot hold {self._rate} Hz (at most {MAX_RATE}, in tens above 65535); "
                    "write WAV"
                )

    def _check_target(self) -> None:
        name = shown(self._path)
        if self._path.is_dir():
            raise EncodeError(f"{name} is a folder; name a file in it")
        if not os.path.lexists(self._path):
            return
        if self._path.exists() and not self._path.is_file():
            # a device or a pipe: os.replace would remove it
            raise EncodeError(f"{name} is no regular file; write to a pipe with -o -")
        if not self._overwrite:
            raise temporary.exists(self._path)

    def __enter__(self) -> "Encoder":
        try:
            with self._errors():
                self._first = self._create()
                self._file: BinaryIO = open(self._first, "r+b", buffering=1 << 20)
                if self._bits == "32f":
                    self._file.write(wav.header(self._rate, self._channels, "32f", 0, room=True))
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()
        self._remove()

    def _close(self) -> None:
        with suppress(OSError):  # what could not be written is thrown away
            self._file.close()

    def _remove(self, kept: Path | None = None) -> None:
        for path in self._temporaries:
            if path != kept:
                temporary.remove(path)

    def _create(self) -> Path:
        path = temporary.create(self._path)
        self._temporaries.append(path)
        return path

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn the system's errors into one line."""
        try:
            yield
        except OSError as error:
            reason = error.strerror or str(error) or type(error).__name__
            advised = _ADVICE.get(error.errno or 0, "{}").format(reason)
            raise EncodeError(f"{shown(self._path)} cannot be written: {advised}") from error

    @property
    def peak(self) -> float:
        """Largest magnitude so far, before any gain; full scale is 1."""
        return self._peak

    def write(self, block: np.ndarray) -> None:
        """Append samples, float32 (C, n)."""
        if block.ndim != 2 or block.shape[0] != self._channels:
            raise ValueError(f"a block of shape {block.shape} for {self._channels} channels")
        loudest = peak(block)
        if not math.isfinite(loudest):
            raise EncodeError(
                f"{shown(self._path)} cannot be written: the samples are not all finite numbers"
            )
        self._peak = max(self._peak, loudest)
        self._frames += block.shape[1]
        if self._bits == "32f" and self._fixed_gain:
            block = block * np.float32(from_db(self._fixed_gain))
        with self._errors():
            self._file.write(wav.sample_bytes(block, "32f"))

    def commit(
        self,
        tags: tagging.Tags | None = None,
        extra: dict[str, str] | None = None,
        gain_db: float | None = None,
    ) -> Encoded:
        """Finish the file and give it its name: `finish` and `publish`."""
        done = self.finish(tags, extra, gain_db)
        self.publish()
        return done

    def finish(
        self,
        tags: tagging.Tags | None = None,
        extra: dict[str, str] | None = None,
        gain_db: float | None = None,
    ) -> Encoded:
        """Write all there is to be written, to the disk itself, so that `publish` has only to rename.

        Args:
            tags: from `tags.read`.
            extra: further tags: name -> value.
            gain_db: the gain that several files share: `gain_for_peak` of the largest of their peaks. Floats
                need none and get none; a fixed gain goes before it.
        """
        warnings: list[str] = []
        with self._errors():
            if self._bits == "32f":
                gain = self._fixed_gain or 0.0
                self._file.seek(0)
                self._file.write(wav.header(self._rate, self._channels, "32f", self._frames, room=True))
                result = self._first
            else:
                gain = gain_for_peak(self._peak) if gain_db is None else gain_db
                gain = gain if self._fixed_gain is None else self._fixed_gain
                result = self._create()
                clipped = self._encode(result, np.float32(from_db(gain)))
                self._close()
                self._remove(result)  # the spool: its room may be needed
                if clipped:
                    fitting = math.floor(10 * to_db(CEILING / self._peak)) / 10
                    warnings.append(
                        f"samples clipped at a gain of {gain:+.1f} dB: {clipped} ({fitting:+.1f} dB would fit)"
                    )
            self._file.close()
            warnings += tagging.write(result, tags or tagging.Tags(), extra or {})
            temporary.sync(result)
        self._result = result
        return Encoded(self._frames, to_db(self._peak), gain, warnings)

    def publish(self) -> None:
        """Give the finished file its name, in one step."""
        with self._errors():
            temporary.publish(self._result, self._path, self._overwrite)

    def _encode(self, path: Path, gain: np.float32) -> int:
        """Spool to result; returns the number of samples beyond full scale."""
        clipped = start = 0
        bits = int(self._bits)
        with self._sink(path) as sink:
            for block in self._spooled():
                samples = block * gain
                if float(gain) * self._peak > 1:
                    clipped += int(np.count_nonzero(np.abs(samples) > 1))
                sink.write(quantise(samples, bits, start))
                start += block.shape[1]
        return clipped

    def _spooled(self) -> Iterator[np.ndarray]:
        """The spool's samples, float32 (C, n)."""
        self._file.seek(0)
        while data := self._file.read(_BLOCK * self._channels * 4):
            yield np.ascontiguousarray(np.frombuffer(data, "<f4").reshape(-1, self._channels).T)

    def _sink(self, path: Path) -> "FlacFile | wav.WavFile":
        if self._format == "flac":
            return FlacFile(path, self._rate, self._channels, int(self._bits))
        return wav.WavFile(path, self._rate, self._channels, self._bits, self._frames)
