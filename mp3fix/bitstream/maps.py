"""What an MP3's own bits tell a generator, on the grid of its STFT: how large the error of each bin is to be expected.

A decoder gives q^(4/3) steps back for what lay between the midpoints of its neighbours, so the step sizes bound the
error of every coefficient: they tell how loud what was rounded away may have been. That holds for any encoder, if not
to the last percent: maps are what is to be expected, not limits. They are planes (K, F, T).
"""

from array import array
from typing import Literal, NamedTuple, Protocol, get_args

import numpy as np

from .bands import LINES, bands
from .frames import FrameScan
from .granules import Granules, read
from .headers import HEADERS, RESERVOIR, SIDE_BYTES

# The maps there are: an rms in the units of a linear STFT, and shares.
Name = Literal["error", "zeros", "dead", "short"]
NAMES: tuple[Name, ...] = get_args(Name)
UNKNOWN = -1.0  # the value of all maps where nothing is known
# The energy of what was rounded to zero, relative to the square of half a step: -5.9 dB (measured, LAME).
_HOLE = 10**-0.59
# The first granule's centre in what a decoder gives: 17.5 samples of 32 bands, and half their window.
_LAPPED = 816
# The rms of a bin of a 2048-point STFT, periodic Hann, for long blocks' coefficients of rms 1, both at 44.1 kHz ...
_GAIN = 470.0
_SHORT_SHARE = (272 / 470) ** 2  # ... and how much less power short blocks' have
_BLOCK = 512  # frames that are read at once
_MOST = 15 + 2**13 - 1  # the largest value
_TOGETHER = 256  # frames of the STFT whose maps are made at once: a matrix of these by their granules


def _powers() -> np.ndarray:
    """Expected error power of each value, in squared steps, float32.

    Half of what lies between the midpoints of the neighbours on both sides, uniformly spread: a third of its square.
    """
    values = np.arange(_MOST + 1.0)
    half = ((values + 1) ** (4 / 3) - np.abs(values - 1) ** (4 / 3)) / 4
    return np.where(values == 0, 0.25 * _HOLE, half**2 / 3).astype(np.float32)


_POWERS = _powers()
_STEP_RANGE = (-400, 60)
# Squared steps by exponent.
_STEPS = np.exp2(0.5 * np.arange(_STEP_RANGE[0], _STEP_RANGE[1] + 1)).astype(np.float32)


class Slices(Protocol):
    """Bytes, or a file that is read where it is asked for."""

    def __getitem__(self, part: slice, /) -> bytes:
        """Bytes from part.start to part.stop, or fewer if there are no more."""


def readable(scan: FrameScan) -> bool:
    """Whether the maps of an MP3 can be told: its frames are one run, so that it is known when each of them sounds.

    Of free format all is unknown then.
    """
    return len(scan.runs) == 1


class BitstreamMaps:
    """The maps of an MP3, read as they are asked for.

    Args:
        data: of the file.
        scan: of the file, which must be readable.
        start: sample of the decoder's untrimmed output, at the MP3's rate, that is sample 0 for whoever asks.
        rate, n_fft, window: of the STFT, window float (n_fft,).

    Attributes:
        channels: of the song.
    """

    def __init__(
        self, data: Slices, scan: FrameScan, start: int, rate: int, n_fft: int, window: np.ndarray
    ) -> None:
        self._data, self._start, self._rate = data, start, rate
        self._own_rate, self.channels = scan.rate, scan.channels
        self._per_frame = scan.samples_per_frame // LINES
        self._places = _places(data, *scan.runs[0])
        head = 6 + SIDE_BYTES[self._per_frame == 2, scan.channels == 1]
        # At least so many bytes of main data are before each frame.
        self._main = np.cumsum(np.concatenate([[0], np.maximum(np.diff(self._places) - head, 0)]))
        # Where the bins lie among the lines.
        width = rate / n_fft * (2 * LINES / scan.rate)
        lines = np.arange(n_fft // 2 + 1) * width - 0.5
        self._beyond = lines > LINES - 0.5
        first = np.clip(np.round(lines - max(0.0, width - 1) / 2), 0, LINES - 1).astype(np.int64)
        self._first = first
        # Lines of a bin, where these are the narrower.
        self._counts = np.maximum(np.diff(first, append=LINES), 1)[:, None] if width > 1 else None
        energy = float(np.sum(window.astype(np.float64) ** 2))
        self._gain = np.float32(_GAIN * np.sqrt(rate / scan.rate * energy / 768))
        self._kernel = _kernel(window, rate, scan.rate)
        self._blocks: dict[int, _Lines] = {}

    def planes(self, centres: np.ndarray) -> np.ndarray:
        """The maps of frames by their centres, in samples of the STFT's rate, ascending; float32 (C, K, F, T)."""
        planes = np.empty((self.channels, len(NAMES), len(self._first), len(centres)), np.float32)
        for start in range(0, len(centres), _TOGETHER):
            part = slice(start, start + _TOGETHER)
            self._fill(centres[part], planes[..., part])
        return planes

    def _fill(self, centres: np.ndarray, planes: np.ndarray) -> None:
        # In granules, which may be fractions.
        at = (centres * (self._own_rate / self._rate) + self._start - _LAPPED) / LINES
        heard, step = self._kernel
        reach = len(heard) // 2 * step
        first = max(0, int(at[0] - reach))
        last = min((len(self._places) - 1) * self._per_frame, int(at[-1] + reach) + 1)
        if first >= last:
            planes[:] = UNKNOWN
            return
        lines = self._lines(first, last)
        off = step * (np.arange(len(heard)) - len(heard) // 2)
        weights = np.interp(np.arange(first, last) - at[:, None], off, heard, left=0, right=0)
        total = weights.sum(1)
        weights = (weights / np.maximum(total, 1e-9)[:, None]).astype(np.float32)
        over_time = np.matmul(lines.planes.swapaxes(2, 3), weights.T)
        if self._counts is not None:
            over_time = np.add.reduceat(over_time, self._first, axis=2) / self._counts
        over_time[:, 0] = np.sqrt(over_time[:, 0]) * self._gain
        if self._counts is not None:
            planes[:, :3] = over_time
        else:  # a line belongs to several bins
            np.take(over_time, self._first, axis=2, out=planes[:, :3])
        planes[:, 0, self._beyond], planes[:, 1:3, self._beyond] = 0, 1
        planes[:, 3] = (lines.short @ weights.T)[:, None]
        unsure = (total <= 1e-9) | (weights @ ~lines.known > 1e-3)
        if unsure.any():
            planes[..., unsure] = UNKNOWN

    def _lines(self, first: int, last: int) -> "_Lines":
        """What granules say. Read in blocks, of which the last few are kept: a song is asked for from start to end."""
        size = _BLOCK * self._per_frame
        numbers = range(first // size, (last - 1) // size + 1)
        for number in numbers:
            if number not in self._blocks:
                self._blocks[number] = self._read(number * _BLOCK)
        for number in self._blocks.keys() - set(range(numbers[0] - 1, numbers[-1] + 1)):
            del self._blocks[number]
        parts = []
        for number in numbers:
            inner = slice(max(0, first - number * size), last - number * size)
            block = self._blocks[number]
            parts.append((block.planes[:, :, inner], block.short[:, inner], block.known[inner]))
        if len(parts) == 1:
            return _Lines(*parts[0])
        planes, short, known = zip(*parts, strict=True)
        return _Lines(np.concatenate(planes, 2), np.concatenate(short, 1), np.concatenate(known))

    def _read(self, first: int) -> "_Lines":
        """One block, from a frame on."""
        last = min(len(self._places) - 1, first + _BLOCK)
        # Its first frames may need what the main data of some frames before it hold.
        early = max(0, int(np.searchsorted(self._main, self._main[first] - RESERVOIR, "right")) - 1)
        places = self._places[early : last + 1]
        data = self._data[int(places[0]) : int(places[-1])]
        places = places - places[0]
        # Who writes to it meanwhile is told in the end.
        if len(data) < places[-1] or not _are_frames(data, places):
            count = (last - first) * self._per_frame
            planes = np.zeros((self.channels, 3, count, LINES), np.float32)
            return _Lines(planes, planes[:, 0, :, 0], np.zeros(count, bool))
        granules = read(data, places, self.channels)
        return _of_lines(granules, (first - early) * self._per_frame, self._own_rate)


class _Lines(NamedTuple):
    """What each line of some granules says.

    Attributes:
        planes: expected error power, share of zeros and of dead bands, by frequency, float32 (C, 3, G, 576).
        short: share of short blocks, float32 (C, G).
        known: whether anything is known, bool (G,).
    """

    planes: np.ndarray
    short: np.ndarray
    known: np.ndarray


def _places(data: Slices, start: int, stop: int) -> np.ndarray:
    """Where frames of one run begin, and where it ends."""
    places = array("q", [start])
    at = start
    while at < stop and (header := HEADERS.get(data[at : at + 3])) and header.length:
        at += header.length
        places.append(at)
    return np.array(places)


def _are_frames(data: bytes, places: np.ndarray) -> bool:
    """Whether frames of one version and rate still lie where they were found."""
    found = [HEADERS.get(data[place : place + 3]) for place in places[:-1]]
    return all(
        header is not None and header.length == length and header.format == found[0].format  # type: ignore[union-attr]
        for header, length in zip(found, np.diff(places), strict=True)
    )


def _of_lines(granules: Granules, drop: int, rate: int) -> _Lines:
    """What the lines of all granules but the first few say."""
    values, exponents = granules.values[drop:], granules.exponents[drop:]
    short, table = granules.short[drop:], bands(rate)
    dead = np.empty(values.shape, bool)
    for kind in (False, True):
        chosen = short == kind
        loudest = np.maximum.reduceat(values[chosen], table.starts[kind], axis=1)
        dead[chosen] = (loudest == 0)[:, table.slots[int(kind)]]
    power = _POWERS[values] * _STEPS[np.clip(exponents, *_STEP_RANGE) - _STEP_RANGE[0]]
    planes = np.stack([power, values == 0, dead]).astype(np.float32)
    if short.any():
        # By frequency, means over the three windows.
        order = np.argsort(table.places, kind="stable")
        means = planes[:, short][..., order].reshape(3, -1, LINES // 3, 3).mean(3)
        means[0] *= _SHORT_SHARE
        planes[:, short] = np.repeat(means, 3, 2)
    middle = granules.middle[drop:]
    if middle.any():
        planes[:, middle] = planes[:, middle].mean(2, keepdims=True)
    known = np.all(granules.known[drop:], axis=1)
    planes[:, ~known] = 0
    # Side by side for each channel, so that products over time need no copies.
    return _Lines(np.ascontiguousarray(planes.transpose(2, 0, 1, 3)), short.T.astype(np.float32), known)


def _kernel(window: np.ndarray, rate: int, own_rate: int) -> tuple[np.ndarray, float]:
    """How much a frame of the STFT hears of a granule so far off its centre: what their windows share.

    Returns:
        float64 (an odd number,), the middle one for a granule at the centre; and the others' distance in granules.
    """
    step = 1 / 64
    granule = np.sin(np.pi * (np.arange(128) + 0.5) / 128) ** 2
    length = len(window) / rate * own_rate / LINES
    places = (np.arange(max(1, int(length / step))) + 0.5) * step / length * len(window)
    heard = np.interp(places, np.arange(len(window)), window.astype(np.float64) ** 2)
    both = np.convolve(heard, granule)
    return np.pad(both, 1)[: 2 * (len(both) // 2) + 3], step
