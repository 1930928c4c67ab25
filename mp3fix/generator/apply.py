"""A generator applied to the chunks of a song: spectra (or samples) in, what it changes out.

A row is what one run of the network takes: one channel, or a pair of them for a generator of two channels.
Rows of all chunks, channels and seeds go through the batch together, as many as `batch` says, on a GPU.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal

import numpy as np

from mp3fix.bitstream.maps import NAMES, UNKNOWN, BitstreamMaps
from mp3fix.generator.contract import Contract
from mp3fix.generator.session import Generator
from mp3fix.signal import coherence, griffinlim, neighbours, noise
from mp3fix.signal.chunks import Chunk
from mp3fix.signal.stft import StftSpec, stft

ITERATIONS = 16  # of Griffin-Lim: fixed, so that a chunk's context is known
UNCHANGED = 0.01  # a bin whose magnitude changes by less than this share keeps its value and phase
HINT = 1e-3  # of a bin's magnitude: where the input has less, the phase starts from the noise
PLACE = StftSpec()  # the frames on which a waveform generator's noise is placed in the stereo image

Groups = tuple[tuple[int, ...], ...]
Phase = Literal["complex", "griffinlim", "neighbours"]


@dataclass(frozen=True)
class Draw:
    """How a song is drawn.

    Attributes:
        seeds: one restoration each.
        texture: scale of the noise; None takes the generator's default. At 0 all seeds are the same.
        phase: of what changed: the generator's own ("complex"), or found by Griffin-Lim or from the neighbours.
        batch: rows that a GPU runs together. A CPU runs them one by one: several at once are no faster there, take
            more memory and may round differently.
    """

    seeds: tuple[int, ...] = (0,)
    texture: float | None = None
    phase: Phase = "complex"
    batch: int = 1


def groups_of(channels: int, lfe: tuple[int, ...] = ()) -> Groups:
    """Channels that belong together: left-right pairs in WAV order, an odd one (the centre) alone; no LFE."""
    rest = [channel for channel in range(channels) if channel not in lfe]
    single = [] if len(rest) % 2 == 0 else [rest.pop(min(2, len(rest) - 1))]
    pairs = [(rest[k], rest[k + 1]) for k in range(0, len(rest), 2)]
    return tuple(sorted([*pairs, *((channel,) for channel in single)]))


def grid(contract: Contract, draw: Draw) -> tuple[int, int]:
    """Context on each side and the multiple on which chunks lie, in frames (samples of a waveform generator)."""
    if contract.domain == "waveform":
        reach = coherence.REACH * PLACE.hop + PLACE.n_fft if contract.noise else 0
        return contract.context + reach, math.lcm(contract.multiple, PLACE.hop)
    context = contract.context + (coherence.REACH if contract.noise or draw.phase != "complex" else 0)
    if draw.phase == "griffinlim":
        context += griffinlim.context(contract.stft, ITERATIONS)
    elif draw.phase == "neighbours":
        context += neighbours.CONTEXT
    return context, contract.multiple


@dataclass(frozen=True)
class Prepared:
    """A chunk, and the rows that the network takes of it, for each seed and group."""

    chunk: Chunk
    rows: list[list["_Row"]]


def prepared(
    chunks: Iterable[Chunk],
    contract: Contract,
    groups: Groups,
    draw: Draw,
    maps: BitstreamMaps | None = None,
) -> Iterator[Prepared]:
    """What the network takes of each chunk.

    Args:
        chunks: spectra complex64 (C, T, F), or samples float32 (C, n) for a waveform generator, with the
            context that `grid` asks for, at absolute positions.
        contract: the generator's.
        groups: of channels; channels in none stay as they are.
        draw: how.
        maps: of the bitstream, for a generator that takes them; None where nothing is known.
    """
    seeds = _seeds(contract, draw)
    for chunk in chunks:
        heard = _heard(chunk, contract, groups, maps)
        yield Prepared(chunk, [_rows(chunk, contract, groups, seed, draw, heard) for seed in seeds])


def changes(
    chunks: Iterable[Prepared], generator: Generator, draw: Draw
) -> Iterator[tuple[Chunk, list[np.ndarray]]]:
    """What the generator changes, for each chunk and seed.

    Args:
        chunks: of `prepared`.
        generator: the generator.
        draw: how.

    Yields:
        each chunk, and a list with one array a seed: output minus input of the kept part, in the chunk's own
        type.
    """
    iterator = iter(chunks)
    together = 1 if generator.device == "cpu" else draw.batch
    while held := _hold(iterator, together):
        rows = [row for each in held for rows in each.rows for row in rows]
        outputs = _run(generator, rows, draw.texture, together)
        for each in held:
            yield (
                each.chunk,
                [_change(each.chunk, rows, outputs, generator.contract, draw) for rows in each.rows],
            )


def _hold(chunks: Iterator[Prepared], together: int) -> list[Prepared]:
    """The next chunk, and as many more as can run with it."""
    held = list(islice(chunks, 1))
    if held:
        each = sum(len(rows) for rows in held[0].rows)
        held += islice(chunks, max(0, together // max(1, each) - 1))
    return held


def _seeds(contract: Contract, draw: Draw) -> tuple[int, ...]:
    """The seeds; 0 for each where nothing is drawn, so that neither z nor where phases start from differ."""
    texture = contract.default_texture if draw.texture is None else draw.texture
    drawn = contract.noise and (texture > 0 or not contract.texture)
    return draw.seeds if drawn else (0,) * len(draw.seeds)


@dataclass(frozen=True)
class _Heard:
    """What the network takes of some channels for every seed alike: x, and the maps (channels x maps, F, T) or None."""

    channels: tuple[int, ...]
    x: np.ndarray
    told: np.ndarray | None


@dataclass(frozen=True)
class _Row:
    """One row: what is heard, the noise that the network takes, and where phases are found the noise as it is
    (complex (T, F) a channel)."""

    heard: _Heard
    seed: int
    noise: np.ndarray | None
    drawn: list[np.ndarray]


def _conditioning(chunk: Chunk, contract: Contract, maps: BitstreamMaps | None) -> np.ndarray | None:
    """The maps that a generator takes, for each channel of the chunk: float32 (C, K, F, T)."""
    if maps is None or not contract.conditioning:
        return None
    spec = contract.stft
    first = chunk.first * spec.hop + spec.offset + spec.n_fft // 2
    planes = maps.planes(first + spec.hop * np.arange(chunk.data.shape[1]))
    taken = planes[:, [NAMES.index(name) for name in contract.conditioning]]
    if contract.unknown != UNKNOWN:
        taken[taken < 0] = contract.unknown
    return taken


def _heard(
    chunk: Chunk, contract: Contract, groups: Groups, maps: BitstreamMaps | None
) -> list[list[_Heard]]:
    """For each group, its rows but for what is drawn."""
    told = _conditioning(chunk, contract, maps)

    def of(channels: tuple[int, ...]) -> _Heard:
        mine = None if told is None else told[list(channels)].reshape(-1, *told.shape[2:])
        return _Heard(channels, _planes([chunk.data[c] for c in channels], contract.domain), mine)

    # A generator of pairs hears a single channel twice.
    return [
        [of((c,)) for c in group] if contract.channels == 1 else [of(group if len(group) == 2 else group * 2)]
        for group in groups
    ]


def _rows(
    chunk: Chunk, contract: Contract, groups: Groups, seed: int, draw: Draw, heard: list[list[_Heard]]
) -> list[_Row]:
    rows = []
    # A magnitude generator still takes its noise as real and imaginary parts.
    kind = "waveform" if contract.domain == "waveform" else "complex"
    for number, (group, parts) in enumerate(zip(groups, heard, strict=True)):
        drawn = _noise(chunk, contract, number, group, seed, draw)
        for part in parts:
            noises = [drawn[group.index(c)] for c in part.channels] if drawn else []
            taken = _planes(noises, kind) if "spectrogram" in contract.noise else None
            rows.append(_Row(part, seed, taken, noises if draw.phase != "complex" else []))
    return rows


def _noise(
    chunk: Chunk, contract: Contract, number: int, group: tuple[int, ...], seed: int, draw: Draw
) -> list[np.ndarray]:
    """The song's noise for each channel of a group over the chunk, as coherent as the music (rule: coherence)."""
    if "spectrogram" not in contract.noise and draw.phase == "complex":
        return []
    start, stop = chunk.first, chunk.first + chunk.data.shape[1]

    def white(stream: int) -> np.ndarray:
        if contract.domain == "waveform":
            return noise.gaussian(seed, stream, noise.Purpose.SPECTROGRAM, start, stop - start)
        return noise.spectrogram(seed, stream, start, stop, contract.stft)

    mid = white(2 * number)
    if len(group) == 1:
        return [mid]
    left, right = chunk.data[group[0]], chunk.data[group[1]]
    if np.array_equal(left, right):
        return [mid, mid]
    if contract.domain == "waveform":
        # Frames centred on multiples of hop; the first and last few see less than they should: context.
        frames = stft(np.pad(np.stack([left, right]), ((0, 0), (PLACE.n_fft // 2,) * 2)), PLACE)
        at = np.arange(frames.shape[1]) * PLACE.hop
        gamma = np.interp(np.arange(stop - start), at, coherence.coherence(frames[0], frames[1]))
        return [each[:, 0] for each in coherence.mix(mid[:, None], white(2 * number + 1)[:, None], gamma)]
    return list(coherence.mix(mid, white(2 * number + 1), coherence.coherence(left, right)))


def _planes(channels: list[np.ndarray], domain: str) -> np.ndarray:
    """Channels, (T, F) or (n,), as the network takes them: float32 (P, F, T) or (P, n)."""
    if domain == "waveform":
        return np.stack(channels)
    if domain == "magnitude":
        return np.stack([np.abs(channel).T for channel in channels])
    count, bins = channels[0].shape
    planes = np.empty((2 * len(channels), bins, count), np.float32)
    for k, channel in enumerate(channels):
        planes[2 * k], planes[2 * k + 1] = channel.real.T, channel.imag.T
    return planes


def _run(
    generator: Generator, rows: list[_Row], texture: float | None, together: int
) -> Iterator[np.ndarray]:
    """The network's output for each row. Rows of one shape next to each other run together, so many at most.

    A row that is the one before it bit by bit, as of songs with the same in both channels, is not run again.
    """
    while rows:
        batch: list[_Row] = []
        places: list[int] = []  # in the batch, of each row
        for row in rows:
            if not (batch and _same(row, batch[-1])):
                if len(batch) == together or row.heard.x.shape != rows[0].heard.x.shape:
                    break
                batch.append(row)
            places.append(len(batch) - 1)
        rows = rows[len(places) :]
        outputs = _run_batch(generator, batch, texture)
        yield from (outputs[place] for place in places)


def _same(row: _Row, other: _Row) -> bool:
    """Whether the network takes the same of both."""
    mine, theirs = row.heard, other.heard
    pairs = (mine.x, theirs.x), (row.noise, other.noise), (mine.told, theirs.told)
    return row.seed == other.seed and all(a is b or np.array_equal(a, b) for a, b in pairs)  # type: ignore[arg-type]


def _run_batch(generator: Generator, rows: list[_Row], texture: float | None) -> np.ndarray:
    contract = generator.contract
    z = [noise.z_vector(row.seed, contract.z_size) for row in rows] if contract.z_size else None
    noises = [row.noise for row in rows if row.noise is not None]
    told = [row.heard.told for row in rows if row.heard.told is not None]
    return generator.run(
        _stacked([row.heard.x for row in rows]),
        noise=_stacked(noises) if noises else None,
        z=np.stack(z) if z else None,
        texture=texture if contract.texture else None,
        conditioning=_stacked(told) if told else None,
    )


def _stacked(arrays: list[np.ndarray]) -> np.ndarray:
    """What np.stack gives, without a copy of a single array."""
    return arrays[0][np.newaxis] if len(arrays) == 1 else np.stack(arrays)


def _change(
    chunk: Chunk, rows: list[_Row], outputs: Iterator[np.ndarray], contract: Contract, draw: Draw
) -> np.ndarray:
    """Output minus input of the kept part, (C, T, F) or (C, n)."""
    result = np.zeros_like(chunk.kept(chunk.data))
    inner = chunk.inner
    for row in rows:
        y = next(outputs)
        for k, channel in enumerate(row.heard.channels):
            x = chunk.data[channel]
            if draw.phase == "complex":
                result[channel] = _plane(y[..., inner], k, contract.domain) - x[inner]
            else:
                magnitude = np.abs(_plane(y, k, contract.domain))
                found = _phases(x, magnitude, row.drawn[k], contract.stft, draw.phase)
                result[channel] = found[inner] - x[inner]
    return result


def _plane(y: np.ndarray, channel: int, domain: str) -> np.ndarray:
    """A channel of what the network gives, (P, F, T) or (P, n): complex64 or float32 (T, F), or float32 (n,)."""
    if domain != "complex":
        return y[channel].T
    _, bins, count = y.shape
    plane = np.empty((count, bins), np.complex64)
    plane.real, plane.imag = y[2 * channel].T, y[2 * channel + 1].T
    return plane


def _phases(
    x: np.ndarray, magnitude: np.ndarray, drawn: np.ndarray, spec: StftSpec, phase: Phase
) -> np.ndarray:
    """Spectra (T, F) of the given magnitudes, phases found by Griffin-Lim or from the neighbours.

    The search starts from the input's phase, or the noise's where the input has next to nothing. What the generator
    hardly changed stays exactly as it was.
    """
    present = np.abs(x)
    # All of it continuous in the magnitudes: at a threshold the last bit of the network's output, which may
    # depend on the batch, would decide about a bin.
    changed = np.abs(magnitude - present) / (present + np.float32(1e-9))
    kept = np.clip(2 - changed / UNCHANGED, 0, 1)
    hint = drawn * (magnitude * np.float32(HINT / spec.noise_rms))
    start = (x + (1 - kept) * hint).astype(np.complex64)
    if phase == "neighbours":
        return neighbours.refine(magnitude, start, kept, spec)
    refined = griffinlim.refine(magnitude[None], start[None], kept[None], spec, ITERATIONS)
    return refined[0]
