"""One file: decode, restore, encode, tag."""

import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np

from mp3fix import __version__
from mp3fix.errors import DecodeError, EncodeError
from mp3fix.files import tags
from mp3fix.files.decode import Decoder, open_decoder
from mp3fix.files.encode import Encoder, gain_for_peak
from mp3fix.files.mp3maps import FileBytes, bitstream_maps
from mp3fix.files.names import draw_paths, shown
from mp3fix.files.probe import Info, probe
from mp3fix.files.snapshot import Snapshot
from mp3fix.files.wavstream import PipeClosed, WavStream
from mp3fix.generator.catalog import DEFAULT
from mp3fix.restore import Options, Restorer, Song, output_frames
from mp3fix.signal.cutoff import CutoffMeter

Progress = Callable[[float, float | None], None]

_BANDS_HZ = (500, 1000, 1500, 2000, 3000, 6000, 12000)  # widths of the bands of a coarse spectrum ...
_MOST_BANDS = 15  # ... of which there are so many
_LOWEST_DB = -120.0


@dataclass(frozen=True)
class Target:
    """What is written.

    Attributes:
        bits: "16", "24" or "32f" (WAV only).
        gain_db: a fixed gain; None lowers a song that would pass full scale, and only such a song.
        start: seconds at which a preview begins.
        duration: its length in seconds; None for the rest.
        tags: whether tags and cover art are carried over.
        preserve_time: whether the output takes the input's modification time.
        overwrite: whether an existing output is replaced.
        jobs: what tells later how each output was made (see batch.done), one a seed; written as the tag
            MP3FIX_JOB, without `tags` too. Empty for none.
    """

    bits: Literal["16", "24", "32f"] = "24"
    gain_db: float | None = None
    start: float = 0.0
    duration: float | None = None
    tags: bool = True
    preserve_time: bool = False
    overwrite: bool = False
    jobs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check ranges.

        Raises:
            ValueError: when a time is out of its range.
        """
        if not 0 <= self.start < math.inf:
            raise ValueError(f"start {self.start} is not a time in seconds")
        if self.duration is not None and not 0 < self.duration < math.inf:
            raise ValueError(f"duration {self.duration} is not a length in seconds")


@dataclass
class Result:
    """What became of one file.

    Attributes:
        input: the file.
        outputs: the files written, one a seed; empty for a stream.
        info: what the input says of itself; None where nobody can tell.
        decoder: "ffmpeg" or "libsndfile".
        seconds: of audio written.
        elapsed: seconds that took.
        rate: of the output, Hz.
        cutoff_before, cutoff_after: measured, Hz; 0 for silence.
        gain_db: applied to keep within full scale, or asked for.
        band_hz: width of the bands of the two spectra, of which the first begins at 0 Hz.
        bands_before, bands_after: long-term spectra of the first draw, mean power in each band, dB below the strongest
            frequency, at least -120.
        warnings: what the user should know.
    """

    input: Path
    outputs: tuple[Path, ...]
    info: Info | None
    decoder: str
    seconds: float = 0.0
    elapsed: float = 0.0
    rate: int = 0
    cutoff_before: float = 0.0
    cutoff_after: float = 0.0
    gain_db: float = 0.0
    band_hz: int = 0
    bands_before: list[float] = field(default_factory=list)
    bands_after: list[float] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def record(self) -> dict[str, Any]:
        """The result as plain values, for JSON."""
        return {
            "status": "restored",
            "seconds": round(self.seconds, 3),
            "elapsed": round(self.elapsed, 3),
            "decoder": self.decoder,
            "rate": self.rate,
            "codec": self.info.codec if self.info else None,
            "bitrate_kbps": self.info.bitrate_kbps if self.info else None,
            "cutoff_before": round(self.cutoff_before),
            "cutoff_after": round(self.cutoff_after),
            "gain_db": round(self.gain_db, 2),
            "spectrum": {
                "band_hz": self.band_hz,
                "before_db": [round(level, 1) for level in self.bands_before],
                "after_db": [round(level, 1) for level in self.bands_after],
            },
            "warnings": self.warnings,
        }


def restore_file(
    path: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    restorer: Restorer | None = None,
    model: str | Path = DEFAULT,
    device: str = "auto",
    options: Options | None = None,
    target: Target | None = None,
    progress: Progress | None = None,
) -> Result:
    """Restore one file to a .flac or .wav file.

    Args:
        path: anything that can be decoded.
        out: the file to write; with several seeds, out.seed7.flac, out.seed8.flac ... beside it.
        restorer: one to be used again; None loads `model` on `device`.
        model, device: see Restorer.
        options: how to restore.
        target: what to write.
        progress: called with the seconds done and the seconds there are (None where unknown).

    Raises:
        Mp3fixError: of the kind that says what went wrong; nothing is left behind.
    """
    options = options or Options()
    if Path(out).suffix.lower() not in (".flac", ".wav"):
        raise EncodeError(f"{shown(Path(out))}: the output must end in .flac or .wav")
    return restore_song(
        Path(path),
        draw_paths(Path(out), options.seeds),
        restorer or Restorer(model, device),
        options,
        target or Target(),
        progress,
    )


def restore_song(
    path: Path,
    out: Sequence[Path] | BinaryIO,
    restorer: Restorer,
    options: Options,
    target: Target,
    progress: Progress | None = None,
) -> Result:
    """Restore one file to one file a seed, or to a pipe as WAV.

    Raises:
        Mp3fixError: as restore_file.
    """
    began = time.monotonic()
    for each in out if isinstance(out, Sequence) else ():
        if each.exists() and path.exists() and each.samefile(path):
            raise EncodeError(f"{shown(each)}: the output would overwrite the input; name another")
    source = Snapshot(path)
    info = _probe(path)
    with open_decoder(path) as decoder, FileBytes(path) as data:
        # Now, while it is there for sure: who restores from a stick may pull it out when all has been read.
        carried = tags.read(path) if target.tags and isinstance(out, Sequence) else tags.Tags()
        outer = options.output_rate(decoder.rate)
        span = _span(target, outer)
        meters = CutoffMeter(restorer.generator.contract.stft), CutoffMeter(restorer.generator.contract.stft)

        def watch(before: np.ndarray, after: np.ndarray) -> None:
            meters[0].push(before)
            # What is drawn where nothing was decoded is not written (see signal.silence).
            sounding = before.any(axis=2, keepdims=True)
            meters[1].push(after if sounding.all() else np.where(sounding, after, 0))

        maps = None
        if restorer.generator.contract.conditioning:
            maps = bitstream_maps(decoder, data, restorer.generator.contract.stft)
        song = Song(
            restorer.generator, decoder.rate, decoder.channels, options, decoder.lfe, span, watch, maps
        )
        frames = _frames(decoder, options, span)
        result = Result(path, (), info, decoder.decoder, rate=outer)
        with closing(song.restored(_from(decoder, song.origin))) as blocks:
            if isinstance(out, Sequence):
                result.outputs = tuple(out)
                written = _to_files(
                    blocks, out, decoder, restorer, options, target, result, frames, progress, source, carried
                )
            else:
                written = _to_pipe(blocks, out, decoder, options, target, result, frames, progress)
                if changed := source.changed():
                    result.warnings.append(changed)
        result.warnings[:0] = decoder.warnings
    result.seconds = written / outer
    result.cutoff_before, result.cutoff_after = (meter.hz for meter in meters)
    rate = restorer.generator.contract.stft.rate
    result.band_hz = next(hz for hz in _BANDS_HZ if rate / 2 <= _MOST_BANDS * hz)
    result.bands_before, result.bands_after = (_bands(meter, result.band_hz, rate) for meter in meters)
    result.elapsed = time.monotonic() - began
    return result


def _bands(meter: CutoffMeter, width: int, rate: int) -> list[float]:
    power = 10 ** (meter.spectrum_db / 10)
    frequencies = np.linspace(0, rate / 2, len(power))
    starts = np.searchsorted(frequencies, np.arange(0, rate / 2, width))
    means = np.add.reduceat(power, starts) / np.diff([*starts, len(power)])
    return [max(_LOWEST_DB, float(10 * np.log10(mean))) if mean > 0 else _LOWEST_DB for mean in means]


def _probe(path: Path) -> Info | None:
    try:
        return probe(path)
    except DecodeError:
        return None  # the decoder says better what is wrong, if anything is


def _span(target: Target, rate: int) -> tuple[int, int | None]:
    """The preview in output samples."""
    start = round(target.start * rate)
    return start, None if target.duration is None else start + round(target.duration * rate)


def _frames(decoder: Decoder, options: Options, span: tuple[int, int | None]) -> int | None:
    """Samples per channel that will come out, where the file says how long it is."""
    promised = decoder.expected
    if promised is None:
        return None if span[1] is None else span[1] - span[0]
    whole = output_frames(promised, decoder.rate, options)
    return max(0, (whole if span[1] is None else min(span[1], whole)) - span[0])


def _from(decoder: Decoder, origin: int) -> Iterator[np.ndarray]:
    """The decoded blocks from a sample on. Decoding from the start is exact in every format, and quick."""
    skip = origin
    for block in decoder.blocks():
        if skip < block.shape[1]:
            yield block[:, skip:]
        skip = max(0, skip - block.shape[1])


def _to_files(
    blocks: Iterator[np.ndarray],
    paths: Sequence[Path],
    decoder: Decoder,
    restorer: Restorer,
    options: Options,
    target: Target,
    result: Result,
    frames: int | None,
    progress: Progress | None,
    source: Snapshot,
    carried: tags.Tags,
) -> int:
    """Write one file a seed, all of them or none; returns samples per channel."""
    written = 0
    with ExitStack() as stack:
        encoders = []
        for path in paths:
            form: Literal["wav", "flac"] = "wav" if path.suffix.lower() == ".wav" else "flac"
            encoder = Encoder(
                path,
                result.rate,
                decoder.channels,
                form,
                target.bits,
                gain_db=target.gain_db,
                overwrite=target.overwrite,
            )
            encoders.append(stack.enter_context(encoder))
        for block in blocks:
            for encoder, draw in zip(encoders, block, strict=True):
                encoder.write(draw)
            written += block.shape[2]
            if progress is not None:
                progress(written / result.rate, frames / result.rate if frames else None)
        _check_start(written, target, result.input)
        if changed := source.changed():
            raise DecodeError(changed)
        # All draws of a song share one gain, so that they can be compared. Floats need none.
        needed = 0.0 if target.bits == "32f" else gain_for_peak(max(encoder.peak for encoder in encoders))
        gain = needed if target.gain_db is None else target.gain_db
        jobs = target.jobs or ("",) * len(encoders)
        for encoder, seed, job in zip(encoders, options.seeds, jobs, strict=True):
            extra = _own_tags(restorer, options, seed, gain) if target.tags else {}
            if job:
                extra["MP3FIX_JOB"] = job
            done = encoder.finish(carried, extra, gain)
            result.gain_db = done.gain_db
            result.warnings += [text for text in done.warnings if text not in result.warnings]
        # Only now that all are whole and on the disk.
        for encoder in encoders:
            encoder.publish()
    if target.preserve_time:
        times = source.status.st_atime_ns, source.status.st_mtime_ns
        for path in paths:
            try:
                os.utime(path, ns=times)
            except OSError as error:
                result.warnings.append(f"{shown(path)} keeps today's date: {error.strerror or error}")
    return written


def _to_pipe(
    blocks: Iterator[np.ndarray],
    pipe: BinaryIO,
    decoder: Decoder,
    options: Options,
    target: Target,
    result: Result,
    frames: int | None,
    progress: Progress | None,
) -> int:
    """Write the first draw to a pipe; returns samples per channel."""
    written = 0
    gain = target.gain_db or 0.0
    # A length that is only about right must not get into the header: players would cut the end, or wait for it.
    announced = frames if decoder.exact else None
    stream = WavStream(pipe, result.rate, decoder.channels, target.bits, announced, gain)
    result.gain_db = gain
    try:
        with stream:
            for block in blocks:
                stream.write(block[0])
                written += block.shape[2]
                if progress is not None:
                    progress(written / result.rate, frames / result.rate if frames else None)
            _check_start(written, target, result.input)
        result.warnings += stream.warnings
    except PipeClosed:
        pass
    except OSError as error:
        raise EncodeError(f"standard output: {error.strerror or error}") from error
    return written


def _check_start(written: int, target: Target, path: Path) -> None:
    if not written and target.start:
        raise DecodeError(f"{shown(path)}: ends before {target.start:g} s, where --start says to begin")


def _own_tags(restorer: Restorer, options: Options, seed: int, gain: float) -> dict[str, str]:
    """What is said of this restoration in the file's own tags."""
    contract = restorer.generator.contract
    own = {"MP3FIX_VERSION": __version__, "MP3FIX_MODEL": f"{contract.name} {contract.version}"}
    if contract.noise:
        own["MP3FIX_SEED"] = str(seed)
    if contract.texture:
        own["MP3FIX_TEXTURE"] = (
            f"{contract.default_texture if options.texture is None else options.texture:g}"
        )
    if options.mix != 1:
        own["MP3FIX_MIX"] = f"{options.mix:g}"
    if gain:
        own["MP3FIX_GAIN"] = f"{gain:.2f} dB"
    return own
