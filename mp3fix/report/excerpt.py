"""The same excerpt of a song from several files: at one rate, to the sample, as 16-bit FLAC."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from mp3fix.files.decode import open_decoder
from mp3fix.report.loudness import loudness
from mp3fix.signal.cutoff import CutoffMeter
from mp3fix.signal.levels import peak, quantise
from mp3fix.signal.resample import RateStream
from mp3fix.signal.stft import StftSpec, StftStream

FULL_SCALE = 32768  # of 16 bits


@dataclass(frozen=True)
class Span:
    """A part of a song.

    Attributes:
        rate: Hz.
        start: its first sample, in the file it is read from, at that rate.
        frames: samples per channel.
    """

    rate: int
    start: int
    frames: int


@dataclass(frozen=True)
class Measured:
    """What is said of an excerpt.

    Attributes:
        lufs: loudness, -inf for silence and for less than 0.4 s.
        peak: largest magnitude, full scale being 1.
        cutoff: where the spectrum ends, Hz; 0 for silence.
    """

    lufs: float
    peak: float
    cutoff: float


def read(path: Path, span: Span) -> np.ndarray:
    """The excerpt, float32 (C, frames); silence behind the file's end.

    Raises:
        DecodeError: nothing of the file can be decoded.
    """
    stop = span.start + span.frames
    parts, at = [], 0
    with open_decoder(path) as decoder:
        channels = decoder.channels
        stream = RateStream(decoder.rate, span.rate, channels)
        for block in _resampled(decoder.blocks(), stream):
            parts.append(block[:, max(0, span.start - at) : max(0, stop - at)])
            at += block.shape[1]
            if at >= stop:
                break
    samples = np.concatenate([*parts, np.zeros((channels, 0), np.float32)], axis=1)
    return np.pad(samples, ((0, 0), (0, span.frames - samples.shape[1])))


def _resampled(blocks: Iterator[np.ndarray], stream: RateStream) -> Iterator[np.ndarray]:
    for block in blocks:
        yield stream.push(block)
    yield stream.flush()


def as_16_bits(samples: np.ndarray, scale: float) -> np.ndarray:
    """Samples times a factor as int16 (C, n), dithered by noise that is the same for all that is compared."""
    return quantise(samples * np.float32(scale), 16, 0).astype(np.int16)


def minus(one: np.ndarray, gain: float, other: np.ndarray) -> np.ndarray:
    """One excerpt without the gain (a factor) that its file got, minus another: int16 to float32 (C, n)."""
    return (one.astype(np.float32) / np.float32(gain) - other.astype(np.float32)) / FULL_SCALE


def measure(samples: np.ndarray, rate: int) -> Measured:
    """Loudness, peak and cut-off of samples, float32 (C, n)."""
    spec = StftSpec(rate=rate)
    stream, meter = StftStream(spec, samples.shape[0]), CutoffMeter(spec)
    for start in range(0, samples.shape[1], 1 << 18):
        meter.push(stream.push(samples[:, start : start + (1 << 18)]))
    meter.push(stream.flush())
    return Measured(loudness(samples, rate), peak(samples), meter.hz)


def pieces(samples: np.ndarray, rate: int, frames: int) -> Iterator[bytes]:
    """FLAC files of `frames` samples each, the last shorter, of int16 (C, n)."""
    for start in range(0, samples.shape[1], frames):
        file = io.BytesIO()
        piece = np.ascontiguousarray(samples[:, start : start + frames].T)
        soundfile.write(file, piece, rate, "PCM_16", format="FLAC", compression_level=1.0)  # the smallest
        yield file.getvalue()
