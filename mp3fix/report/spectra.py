"""What a picture of a file shows, measured as the file streams by: its spectrogram, long-term spectrum and cut-off."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from mp3fix.files.decode import Decoder, open_decoder
from mp3fix.signal.cutoff import CutoffMeter
from mp3fix.signal.stft import StftSpec, StftStream

Channels = Literal["mono", "all"]

COLUMNS = 600  # of time, at least, in a file that has so many frames; fewer than twice as many
_BIN_HZ = (
    22.0  # at most between two bins, at every rate, so that pictures of files of different rates compare
)


@dataclass(frozen=True)
class Spectra:
    """What was measured of one file.

    Powers are relative to that of a sine of full scale.

    Attributes:
        columns: mean power in columns of time, float32 (R, T, F); R is 1 for the mean of all channels.
        long_term: mean power over the whole time, float64 (R, F).
        bin_hz: between two bins, of which the first is at 0 Hz.
        rate: of the file, Hz.
        column_seconds: length of a column; the last may be cut short.
        seconds: length of what was measured.
        cutoff: where the spectrum of all channels ends, Hz; 0 for silence.
    """

    columns: np.ndarray
    long_term: np.ndarray
    bin_hz: float
    rate: int
    column_seconds: float
    seconds: float
    cutoff: float


def measure(
    path: Path,
    start: float = 0.0,
    duration: float | None = None,
    channels: Channels = "mono",
    tick: Callable[[float], None] | None = None,
) -> Spectra:
    """Measure a file, in memory that does not grow with its length.

    Args:
        path: the file.
        start, duration: the part of it that is measured, seconds; None for the rest.
        channels: "mono" averages the powers of all channels, in which nothing cancels; "all" keeps them apart.
        tick: called with the seconds measured, every second or so.

    Raises:
        DecodeError: nothing of it can be decoded.
    """
    with open_decoder(path) as decoder:
        spec = _spec(decoder.rate)
        stream, meter = StftStream(spec, decoder.channels), CutoffMeter(spec)
        columns = _Columns(1 if channels == "mono" else decoder.channels, spec.bins)
        taken = 0

        def take(frames: np.ndarray) -> None:
            meter.push(frames)
            power = frames.real**2 + frames.imag**2
            columns.push(power.mean(0, keepdims=True) if channels == "mono" else power)

        for block in _span(decoder, start, duration):
            taken += block.shape[1]
            take(stream.push(block))
            if tick is not None:
                tick(taken / decoder.rate)
        take(stream.flush())
        full_scale = (spec.analysis_window().sum(dtype=np.float64) / 2) ** 2
        return Spectra(
            columns.powers() / np.float32(full_scale),
            columns.total / max(1, columns.frames) / full_scale,
            spec.rate / spec.n_fft,
            decoder.rate,
            columns.width * spec.hop / spec.rate,
            taken / decoder.rate,
            meter.hz,
        )


def _spec(rate: int) -> StftSpec:
    """2048 samples for 44.1 and 48 kHz; half a window apart: averages need no more."""
    n_fft = 256
    while rate / n_fft > _BIN_HZ * 1.1:
        n_fft *= 2
    return StftSpec(rate=rate, n_fft=n_fft, win_length=n_fft, hop=n_fft // 2)


def _span(decoder: Decoder, start: float, duration: float | None) -> Iterator[np.ndarray]:
    """The blocks of a part of the file."""
    first = round(start * decoder.rate)
    stop = None if duration is None else first + round(duration * decoder.rate)
    at = 0
    for block in decoder.blocks():
        here = block[:, max(0, first - at) : None if stop is None else max(0, stop - at)]
        at += block.shape[1]
        if here.shape[1]:
            yield here
        if stop is not None and at >= stop:
            return


class _Columns:
    """Mean powers in columns of time. Where there are too many, pairs become one, and those to come are as wide.

    Args:
        rows: R.
        bins: F.

    Attributes:
        width: frames of a column.
        frames: taken in so far.
        total: sum of all frames, float64 (R, F).
    """

    def __init__(self, rows: int, bins: int) -> None:
        self.width, self.frames = 1, 0
        self.total = np.zeros((rows, bins))
        self._means = np.zeros((rows, 2 * COLUMNS, bins), np.float32)
        self._count = 0  # of columns that are complete
        self._sum, self._summed = np.zeros((rows, bins), np.float32), 0  # of the one that is not

    def push(self, power: np.ndarray) -> None:
        """Take frames, (R, T, F)."""
        self.frames += power.shape[1]
        self.total += power.sum(1, dtype=np.float64)
        at = 0
        while at < power.shape[1]:
            part = power[:, at : at + self.width - self._summed]
            self._sum += part.sum(1)
            self._summed += part.shape[1]
            at += part.shape[1]
            if self._summed == self.width:
                self._end_column()

    def _end_column(self) -> None:
        self._means[:, self._count] = self._sum / self._summed
        self._sum[:], self._summed = 0, 0
        self._count += 1
        if self._count == 2 * COLUMNS:
            pairs = self._means[:, 0::2] + self._means[:, 1::2]
            self._means[:, :COLUMNS] = pairs / 2
            self._count, self.width = COLUMNS, 2 * self.width

    def powers(self) -> np.ndarray:
        """The columns so far, (R, T, F), the last perhaps of fewer frames; one of silence if there are none."""
        if self._summed:
            last = self._means[:, : self._count], (self._sum / self._summed)[:, None]
            return np.concatenate(last, axis=1)
        return self._means[:, : max(1, self._count)].copy()
