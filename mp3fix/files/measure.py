"""The end of a long-term spectrum, of a file's beginning or of samples: for --info, and for --below."""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mp3fix.files.decode import open_decoder
from mp3fix.signal.cutoff import CutoffMeter
from mp3fix.signal.stft import StftSpec, StftStream

_BLOCK = 65536  # samples of a channel
_HOP = 1024  # half a window: what is averaged over minutes needs no more


class Measured(NamedTuple):
    """What a file's spectrum shows.

    Attributes:
        cutoff: where it ends, Hz; 0 for silence.
        step_db: by how much it falls there; 0 where nothing is left on one of its sides.
        channels: of the file.
    """

    cutoff: float
    step_db: float
    channels: int


def measure(path: Path, seconds: float) -> Measured:
    """The end of a file's spectrum.

    Args:
        path: the file.
        seconds: of its beginning that are decoded, rounded up to whole blocks.

    Raises:
        DecodeError: nothing of it can be decoded.
    """
    with open_decoder(path) as decoder:
        count = int(seconds * decoder.rate) // _BLOCK + 1
        return _measured(islice(decoder.blocks(_BLOCK), count), decoder.rate, decoder.channels)


def measure_samples(samples: np.ndarray, rate: int) -> Measured:
    """The end of the spectrum of float32 (C, n) at a rate in Hz."""
    return _measured([samples], rate, len(samples))


def _measured(blocks: Iterable[np.ndarray], rate: int, channels: int) -> Measured:
    spec = StftSpec(rate=rate, hop=_HOP)
    stream, meter = StftStream(spec, channels), CutoffMeter(spec)
    for block in blocks:
        meter.push(stream.push(block))
    meter.push(stream.flush())
    return Measured(meter.hz, _step_db(meter, spec), channels)


def _step_db(meter: CutoffMeter, spec: StftSpec) -> float:
    level, bin_hz = meter.spectrum_db, spec.rate / spec.n_fft
    under, over = (
        level[max(0, int((meter.hz + low) / bin_hz)) : max(0, int((meter.hz + high) / bin_hz))]
        for low, high in ((-600, -50), (700, 1300))
    )
    return float(np.median(under) - np.median(over)) if len(under) and len(over) else 0.0
