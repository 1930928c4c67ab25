"""One song through the generator: arrays in, arrays out.

    resample - STFT - cut into chunks with real context - generator - ISTFT - resample - add

Only the change that the generator makes is transformed back and resampled; it is added to the song as it was
decoded. So what lies above the generator's band stays, and the errors of the transforms cancel.
"""

import math
from collections import abc, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np

from mp3fix.bitstream.maps import BitstreamMaps
from mp3fix.errors import UsageError
from mp3fix.generator.apply import Draw, Phase, Prepared, changes, grid, groups_of, prepared
from mp3fix.generator.catalog import DEFAULT
from mp3fix.generator.contract import Contract
from mp3fix.generator.session import Generator
from mp3fix.prefetch import prefetch
from mp3fix.signal.chunks import Chunk, chunked
from mp3fix.signal.resample import RateStream, output_length
from mp3fix.signal.silence import SilenceGate
from mp3fix.signal.stft import IstftStream, StftStream, stft

LOWEST_RATE = 44100  # Hz: the output's, for inputs below
TINY = 1e-8  # -160 dB: what resampling leaves of digital silence
LEAD_SECONDS = 0.25  # more than the reach of the resamplers and of the silence gate

Watch = Callable[[np.ndarray, np.ndarray], None]


@dataclass(frozen=True)
class Options:
    """How a song is restored.

    Attributes:
        seeds: one restoration each.
        texture: 0..1, how much of what cannot be known is drawn; None takes the generator's default.
        mix: 0 is the decoded song exactly, 1 the restored one.
        phase: "complex" takes the generator's phases, "griffinlim" and "neighbours" find them, the second from
            the components around each, faster and less well; None: as the generator needs.
        rate: of the output in Hz; None: the input's, or 44100 for anything below.
        chunk_seconds: length of a chunk. The result does not depend on it.
        batch: channels that a GPU runs together; a CPU runs them one by one. Nor on this.
    """

    seeds: tuple[int, ...] = (0,)
    texture: float | None = None
    mix: float = 1.0
    phase: Phase | None = None
    rate: int | None = None
    chunk_seconds: float = 3.0
    batch: int = 8

    def __post_init__(self) -> None:
        """Check ranges.

        Raises:
            ValueError: when a value is out of its range, or is none of those there are.
        """
        for name, value in (("texture", self.texture), ("mix", self.mix)):
            if value is not None and not 0 <= value <= 1:
                raise ValueError(f"{name} {value} is not between 0 and 1")
        if not self.seeds or any(not 0 <= seed < 2**63 for seed in self.seeds):
            raise ValueError("seeds must be whole numbers from 0 to 2**63 - 1")
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("each seed can be drawn once")
        if self.rate is not None and not 8000 <= self.rate <= 192000:
            raise ValueError(f"rate {self.rate} is not between 8000 and 192000 Hz")
        if self.phase not in (None, *get_args(Phase)):
            raise ValueError(f"phase {self.phase!r} is none of {', '.join(get_args(Phase))}")
        if self.chunk_seconds <= 0 or self.batch < 1:
            raise ValueError("chunk_seconds and batch must be positive")

    def output_rate(self, rate: int) -> int:
        """Sampling rate of the output for an input of this rate, Hz."""
        return self.rate or max(rate, LOWEST_RATE)


class Restorer:
    """A generator, loaded once, for any number of songs.

    Args:
        model: name of a bundled generator, or path of an .onnx file.
        device: "auto", "cpu", "cuda" or "cuda:N".
        threads: CPU threads of the network; None: all cores.
        fast: let a GPU round what it multiplies to 10 bits (TF32); see Generator.load.

    Raises:
        ModelError: no such generator, or its file is broken.
        DeviceError: the device asked for is not there.
    """

    def __init__(
        self,
        model: str | Path = DEFAULT,
        device: str = "auto",
        threads: int | None = None,
        fast: bool = False,
    ) -> None:
        self.generator = Generator.load(model, device, threads, fast)

    def restore(
        self,
        samples: np.ndarray,
        rate: int,
        options: Options | None = None,
        maps: BitstreamMaps | None = None,
    ) -> np.ndarray:
        """Restore a song held in memory, by the first of the seeds. Of an MP3, `maps` are those of its bitstream.

        Shape:
            samples: float32 (C, n) -> (C, m) at `options.output_rate(rate)`, m = round(n rate_out / rate).
        """
        samples = np.asarray(samples, np.float32)
        if samples.ndim != 2:
            raise ValueError(f"samples have shape {samples.shape}, not (channels, frames)")
        blocks = (samples[:, k : k + 65536] for k in range(0, samples.shape[1], 65536))
        restored = list(self.stream(blocks, rate, samples.shape[0], options, maps))
        return np.concatenate([np.zeros((samples.shape[0], 0), np.float32), *restored], axis=1)

    def stream(
        self,
        blocks: Iterable[np.ndarray],
        rate: int,
        channels: int,
        options: Options | None = None,
        maps: BitstreamMaps | None = None,
    ) -> Iterator[np.ndarray]:
        """Restore blocks as they come, float32 (C, n), by the first of the seeds; memory stays bounded.

        Blocks may be of any lengths, and an array may be filled again once the next one is asked for. Closing
        the iterator early ends its threads.

        Raises:
            ValueError: a sample is no finite number; the maps are of another number of channels.
            UsageError: the generator's phases are wanted of one that gives magnitudes.
        """
        song = Song(self.generator, rate, channels, options or Options(), maps=maps)
        return (draws[0] for draws in song.restored(_checked(blocks)))


def _phase(contract: Contract, wanted: Phase | None) -> Phase:
    """Where phases come from: what is wanted, else what the generator needs.

    Raises:
        UsageError: the generator has no phases to take.
    """
    if contract.domain == "waveform":
        return "complex"  # samples have none to find
    if contract.domain == "magnitude" and wanted == "complex":
        raise UsageError(
            f"{contract.name} gives magnitudes, no phases to take; they are found by griffinlim or neighbours"
        )
    return wanted or ("griffinlim" if contract.domain == "magnitude" else "complex")


def _checked(blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Copies of the blocks, since the pipeline holds on to them for a while."""
    for block in blocks:
        if not np.isfinite(block).all():
            raise ValueError("the samples are not all finite numbers")
        yield np.array(block, np.float32)


class Song:
    """One song on its way through the pipeline.

    Args:
        generator: the generator.
        rate: the song's, Hz.
        channels: the song's.
        options: how.
        lfe: channels that stay as they are.
        span: (start, stop) in output samples, stop None for the end: only this part is returned, equal to
            that part of the whole.
        maps: of the MP3's bitstream, None where nothing is known.
        watch: called with spectra of each chunk before, and of the first draw after, (C, T, F) each.

    Raises:
        UsageError: the generator's phases are wanted of one that gives magnitudes.
        ValueError: the maps are of another number of channels.
    """

    def __init__(
        self,
        generator: Generator,
        rate: int,
        channels: int,
        options: Options,
        lfe: tuple[int, ...] = (),
        span: tuple[int, int | None] = (0, None),
        watch: Watch | None = None,
        maps: BitstreamMaps | None = None,
    ) -> None:
        contract = generator.contract
        self._generator, self._options, self._watch, self._channels = generator, options, watch, channels
        if maps is not None and maps.channels != channels:
            raise ValueError(f"maps of {maps.channels} channels, but {channels} channels of samples")
        self._maps = maps
        self._spec = contract.stft
        self._spectral = contract.domain != "waveform"
        self._draw = Draw(options.seeds, options.texture, _phase(contract, options.phase), options.batch)
        self._groups = groups_of(channels, lfe)
        self._rates = rate, contract.stft.rate, options.output_rate(rate)
        self._context, self._multiple = grid(contract, self._draw)
        self._hop = contract.stft.hop if self._spectral else 1
        self._span = span
        self._base: deque[np.ndarray] = deque()
        self._given = 0  # samples at the generator's rate

    @property
    def rate(self) -> int:
        """Sampling rate of what comes out, Hz."""
        return self._rates[2]

    @property
    def origin(self) -> int:
        """Input sample at which the song is taken up, so that all grids fall where they fall in the whole."""
        rate, inner, outer = self._rates
        step = self._hop * self._multiple
        # A whole number of chunk steps at the generator's rate, and of samples at all three.
        period = step * rate // math.gcd(step * rate, inner)
        period *= rate // math.gcd(period * outer, rate)
        reach = (self._context * self._hop + self._spec.n_fft) / inner + LEAD_SECONDS
        return max(0, int((self._span[0] / outer - reach) * rate) // period * period)

    def restored(self, blocks: Iterable[np.ndarray]) -> abc.Generator[np.ndarray, None, None]:
        """Restore the song.

        Args:
            blocks: its samples from `origin` on, float32 (C, n).

        Yields:
            float32 (seeds, C, m), one block after the other. Its two threads end with the iterator, at the
            latest when it is closed.
        """
        size = max(1, round(self._options.chunk_seconds * self._spec.rate / self._hop))
        start = self._origin_inner // self._hop + (self._spec.first_frame if self._spectral else 0)
        chunks = chunked(self._analysis(self._needed(blocks)), start, size, self._context, self._multiple)
        with (
            closing(chunks),  # a loop over it would not
            closing(prefetch(self._prepared(chunks), 1)) as ahead,
            closing(prefetch(changes(ahead, self._generator, self._draw), 1)) as results,
        ):
            yield from self._cut(self._synthesis(results))

    def _prepared(self, chunks: Iterable[Chunk]) -> Iterator[Prepared]:
        return prepared(chunks, self._generator.contract, self._groups, self._draw, self._maps)

    @property
    def _origin_inner(self) -> int:
        return self.origin * self._rates[1] // self._rates[0]

    def _needed(self, blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """The blocks, ending a little after the last sample that the span depends on."""
        rate, inner, outer = self._rates
        stop = self._span[1]
        if stop is None:
            yield from blocks
            return
        reach = (self._context * self._hop + self._spec.n_fft) / inner + LEAD_SECONDS
        left = int((stop / outer + reach) * rate) - self.origin
        for block in blocks:
            yield block[:, :left]
            left -= block.shape[1]
            if left <= 0:
                return

    def _analysis(self, blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """The song at the generator's rate, as spectra or samples. Beside it, self._base fills."""
        rate, inner, outer = self._rates
        to_inner = RateStream(rate, inner, self._channels)
        to_outer = RateStream(rate, outer, self._channels)
        transform = StftStream(self._spec, self._channels)

        def advance(base: np.ndarray, samples: np.ndarray) -> np.ndarray:
            if rate != outer:
                base = np.where(np.abs(base) < TINY, np.float32(0), base)
            self._base.append(base)
            self._given += samples.shape[1]
            return transform.push(samples) if self._spectral else samples

        for block in blocks:
            yield advance(to_outer.push(block), to_inner.push(block))
        yield advance(to_outer.flush(), to_inner.flush())
        if self._spectral:
            yield transform.flush()

    def _synthesis(self, results: Iterable[tuple[Chunk, list[np.ndarray]]]) -> Iterator[np.ndarray]:
        """From changes of chunks to restored samples, (seeds, C, m)."""
        draws = len(self._options.seeds)
        rows = draws * self._channels
        transform = IstftStream(self._spec, rows)
        outward = RateStream(self._rates[1], self._rates[2], rows)
        gate = SilenceGate(rows)
        change = np.zeros((rows, 0), np.float32)
        base = np.zeros((self._channels, 0), np.float32)
        gated = 0  # samples of the base that the gate has seen but not yet given back

        def combine(more: np.ndarray, last: bool = False) -> np.ndarray:
            nonlocal change, base, gated
            change = np.concatenate([change, more], axis=1)
            base = np.concatenate([base, *(self._base.popleft() for _ in range(len(self._base)))], axis=1)
            if last:  # lengths rounded twice may differ by a sample
                change = np.pad(change, ((0, 0), (0, max(0, base.shape[1] - gated - change.shape[1]))))
            ready = min(change.shape[1], base.shape[1] - gated)
            decoded = np.tile(base[:, gated : gated + ready], (draws, 1))
            passed = gate.push(decoded, change[:, :ready])
            if last:
                passed = np.concatenate([passed, gate.flush()], axis=1)
            count = passed.shape[1]
            passed = passed.reshape(draws, self._channels, count)
            song = base[:, :count] + np.float32(self._options.mix) * passed
            change, base, gated = change[:, ready:], base[:, count:], gated + ready - count
            return song

        for chunk, drawn in results:
            self._show(chunk, drawn[0])
            together = np.concatenate(drawn)
            yield combine(outward.push(transform.push(together) if self._spectral else together))
        rest = transform.flush(self._given) if self._spectral else np.zeros((rows, 0), np.float32)
        yield combine(np.concatenate([outward.push(rest), outward.flush()], axis=1), last=True)

    def _show(self, chunk: Chunk, change: np.ndarray) -> None:
        if self._watch is not None:
            before = chunk.kept(chunk.data)
            both = before, before + np.float32(self._options.mix) * change
            self._watch(*(both if self._spectral else (stft(samples, self._spec) for samples in both)))

    def _cut(self, blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """The span, of output that begins at the origin."""
        rate, _, outer = self._rates
        at = self.origin * outer // rate
        start, stop = self._span
        for block in blocks:
            end = None if stop is None else max(0, stop - at)
            part = block[:, :, max(0, start - at) : end]
            at += block.shape[2]
            if part.shape[2]:
                yield part
            if stop is not None and at >= stop:
                return


def output_frames(frames: int, rate: int, options: Options) -> int:
    """Samples per channel of the restored song."""
    return output_length(frames, rate, options.output_rate(rate))
