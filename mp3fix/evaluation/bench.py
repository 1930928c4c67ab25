"""mp3fix-lab bench: how fast generators are, alone and in the whole process, on each device; as Markdown.

What is compared takes turns, RUNS times, and the best counts: what else a machine does then disturbs all alike.
"""

import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from mp3fix.errors import DeviceError
from mp3fix.files.decode import open_decoder
from mp3fix.files.encode import Encoder
from mp3fix.files.mp3maps import FileBytes, bitstream_maps
from mp3fix.generator.catalog import DEFAULT, find, list_models
from mp3fix.generator.contract import Contract, read_contract
from mp3fix.generator.devices import available_cores
from mp3fix.generator.session import Generator
from mp3fix.report.demo import EXCERPT
from mp3fix.restore import Options, Restorer
from mp3fix.signal import noise
from mp3fix.signal.stft import IstftStream, StftStream, istft, stft

RUNS = 3
LEAST_SECONDS = 0.5  # of one measurement: what is quicker is repeated so long
CPU_BATCHES, GPU_BATCHES = (
    (1, 2),
    (1, 2, 4, 8),
)  # rows that run together; a row is a channel, or a pair of them
SONGS = (1, 4, 8)  # whose chunks a GPU takes together
WORKERS = (1, 4)  # threads that transform and run them; the GPU works for one while the others transform
CHUNKS = 8  # that each worker takes in a measurement
AGREEMENT = 1e-3  # largest difference between a sample of CUDA's and the CPU's

RATE = 44100

Report = Callable[[str], None]
Stage = Callable[[], object]


def bench(models: Sequence[str], device: str, minutes: float, report: Report) -> tuple[str, float | None]:
    """Measure.

    Args:
        models: names or paths of generators, compared; what takes one only takes the first. None given: the
            default one and its variants.
        device: "cuda" or "cuda:N" to measure a GPU beside the CPU; "auto": if one can be used; "cpu".
        minutes: length of the song.
        report: called with what is being measured.

    Returns:
        the tables, Markdown, and the largest difference of a sample between the GPU's song and the CPU's: None
        without a GPU; to be judged by AGREEMENT.

    Raises:
        ModelError: no such generator, or its file is broken.
        DeviceError: the GPU asked for cannot be used.
    """
    models = models or _bundled()
    found = Generator.load(models[0], device).device
    gpu = None if found == "cpu" else found
    machine = f"{available_cores()} cores, {platform.processor() or platform.machine()}"
    parts = [f"{minutes:g} min of stereo at 44.1 kHz, {machine}, Python {platform.python_version()}"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        song, samples = _song(folder, minutes * 60)
        report("network alone")
        parts += ["Network alone, times real time of stereo:", _network(models, gpu)]
        if gpu:
            report("many songs on the GPU")
            parts += ["Network, STFT and its inverse, many songs:", _many_songs(models[0], gpu)]
        report("other stages alone")
        parts += ["Other stages alone:", _stages(models[0], song, samples, folder)]
        report("whole process")
        parts += ["Whole process:", _processes(models, gpu, song, samples, folder)]
    difference = None
    if gpu:
        report("the same song on both")
        difference = _difference(models[0], gpu, samples)
        verdict = "as promised" if difference <= AGREEMENT else "more than promised"
        parts += [f"The same song on {gpu} and on the CPU differs by {difference:.1e} at most: {verdict}."]
    return "\n\n".join(parts), difference


def _bundled() -> list[str]:
    """The default generator and those of its variants that are there."""
    variants = [DEFAULT, f"{DEFAULT}-fp16", f"{DEFAULT}-int8"]
    return [name for name, _, _ in list_models() if name in variants]


def _song(folder: Path, seconds: float) -> tuple[Path, np.ndarray]:
    """The bundled excerpt, repeated, as an MP3 at 128 kbit/s, and decoded, float32 (2, n)."""
    with open_decoder(EXCERPT) as decoder:
        excerpt = np.concatenate(list(decoder.blocks()), axis=1).T
    repeats = int(np.ceil(seconds * RATE / len(excerpt)))
    song = np.clip(np.tile(excerpt, (repeats, 1))[: round(seconds * RATE)], -1, 1)
    path = folder / "song.mp3"
    soundfile.write(path, song, RATE, format="MP3", bitrate_mode="CONSTANT", compression_level=0.7)
    with open_decoder(path) as decoder:
        return path, np.concatenate(list(decoder.blocks()), axis=1)


def fastest(stages: Sequence[Stage]) -> list[float]:
    """Seconds that each takes at best; infinity for one that a GPU cannot do, for want of memory."""
    best = [float("inf")] * len(stages)
    for turn in range(RUNS + 1):
        for index, stage in enumerate(stages):
            began, done = time.perf_counter(), 0
            try:
                while done == 0 or time.perf_counter() - began < LEAST_SECONDS * (turn > 0):
                    stage()
                    done += 1
            except DeviceError:
                continue
            if turn:  # the first is for warming up
                best[index] = min(best[index], (time.perf_counter() - began) / done)
    return best


def chunk_of(contract: Contract) -> tuple[int, int, float]:
    """A chunk as a song is cut into: frames (samples of a waveform generator) kept, context, and seconds kept."""
    hop = 1 if contract.domain == "waveform" else contract.stft.hop
    kept = round(Options.chunk_seconds * contract.stft.rate / hop)
    kept, context = (-(-size // contract.multiple) * contract.multiple for size in (kept, contract.context))
    return kept, context, kept * hop / contract.stft.rate


def random_inputs(contract: Contract, batch: int, length: int) -> dict[str, Any]:
    """Random inputs of a generator, as many frames (samples) long as asked for; magnitudes are positive."""
    rng = np.random.default_rng(0)
    drawn = {
        name: rng.standard_normal([batch, *(size or length for size in dims[1:])], np.float32)
        for name, dims in contract.inputs.items()
        if name != "texture"
    }
    if contract.domain == "magnitude":
        drawn["x"] = np.abs(drawn["x"])
    return drawn


def _network(models: Sequence[str], gpu: str | None) -> str:
    cores = available_cores()
    ways: list[tuple[str, str, int | None, bool]] = [
        (f"cpu, threads: {threads}", "cpu", threads, False) for threads in sorted({1, min(2, cores), cores})
    ]
    if gpu:
        ways += [(gpu, gpu, None, False), (f"{gpu}, --fast", gpu, None, True)]
    heads, cells, stages, seconds = [], [], [], []
    for model in models:
        megabytes = find(model).stat().st_size / 1e6
        for shown, device, threads, fast in ways:
            generator = Generator.load(model, device, threads, fast)
            contract = generator.contract
            kept, context, each = chunk_of(contract)
            heads.append([Path(model).stem, f"{megabytes:.1f} MB", shown])
            for batch in CPU_BATCHES if device == "cpu" else GPU_BATCHES:
                cells.append((len(heads) - 1, batch))
                stages.append(partial(generator.run, **random_inputs(contract, batch, kept + 2 * context)))
                seconds.append(each * batch * contract.channels / 2)
    rates = _rates(seconds, fastest(stages))
    found = dict(zip(cells, rates, strict=True))
    batches = GPU_BATCHES if gpu else CPU_BATCHES
    rows = [[*head, *(found.get((row, batch), "") for batch in batches)] for row, head in enumerate(heads)]
    return _table(["generator", "file", "device", *(f"batch {batch}" for batch in batches)], rows)


def _many_songs(model: str, gpu: str) -> str:
    """Chunks of several songs through the transform, the network and back; noise lies ready."""
    generator = Generator.load(model, gpu)
    contract = generator.contract
    if (contract.domain, contract.channels) != ("complex", 1):
        return "Only for generators of complex spectra that take one channel a row."
    spec, (kept, context, each) = contract.stft, chunk_of(contract)
    frames = kept + 2 * context

    def chunk(samples: np.ndarray, others: dict[str, Any]) -> np.ndarray:
        spectra = stft(samples, spec)
        planes = np.stack([spectra.real, spectra.imag], 1).swapaxes(2, 3)
        y = generator.run(planes, **others)
        change = (y[:, 0] + 1j * y[:, 1]).swapaxes(1, 2) - spectra
        return istft(change[:, context : context + kept], spec)

    def together(workers: int, job: Stage) -> None:
        with ThreadPoolExecutor(workers) as pool:
            for running in [pool.submit(job) for _ in range(workers * CHUNKS)]:
                running.result()

    heads, stages, seconds = [], [], []
    for songs in SONGS:
        others = random_inputs(contract, 2 * songs, frames)
        del others["x"]
        length = (frames - 1) * spec.hop + spec.n_fft
        samples = np.random.default_rng(0).standard_normal((2 * songs, length), np.float32)
        for workers in WORKERS:
            heads.append([str(songs), str(workers)])
            stages.append(partial(together, workers, partial(chunk, samples, others)))
            seconds.append(each * songs * workers * CHUNKS)
    rates = _rates(seconds, fastest(stages))
    rows = [[*head, rate] for head, rate in zip(heads, rates, strict=True)]
    return _table(["songs together", "threads", "times real time"], rows)


def _stages(model: str, song: Path, samples: np.ndarray, folder: Path) -> str:
    """Each stage but the network by itself, over the whole song."""
    spec = read_contract(find(model)).stft
    blocks = [samples[:, k : k + (1 << 18)] for k in range(0, samples.shape[1], 1 << 18)]

    def decode() -> None:
        with open_decoder(song) as decoder:
            for _ in decoder.blocks():
                pass

    def transform() -> list[np.ndarray]:
        stream = StftStream(spec, 2)
        return [*(stream.push(block) for block in blocks), stream.flush()]

    frames = transform()

    def inverse() -> None:
        stream = IstftStream(spec, 2)
        for each in frames:
            stream.push(each)
        stream.flush(samples.shape[1])

    def told() -> None:
        with open_decoder(song) as decoder, FileBytes(song) as data:
            maps = bitstream_maps(decoder, data, spec)
            assert maps is not None
            for start in range(0, samples.shape[1] // spec.hop, 256):
                maps.planes(spec.hop * np.arange(start, start + 256))

    def draw() -> None:
        for stream in range(2):
            for start in range(0, samples.shape[1] // spec.hop, 512):
                noise.spectrogram(0, stream, start, start + 512, spec)

    def encode() -> None:
        with Encoder(folder / "part.flac", RATE, 2, overwrite=True) as encoder:
            for block in blocks:
                encoder.write(block)
            encoder.commit()

    names = ["decode", "STFT", "maps of the bitstream", "noise spectrograms", "ISTFT", "encode FLAC, spooled"]
    taken = fastest([decode, transform, told, draw, inverse, encode])
    names, taken = [*names, "the limit: decode and encode"], [*taken, taken[0] + taken[-1]]
    rates = _rates([samples.shape[1] / RATE] * len(taken), taken)
    rows = [[name, f"{each:.2f}", rate] for name, each, rate in zip(names, taken, rates, strict=True)]
    return _table(["stage", "seconds", "times real time"], rows)


def _processes(models: Sequence[str], gpu: str | None, song: Path, samples: np.ndarray, folder: Path) -> str:
    """The whole program, start-up and all."""
    flac, wav = (["-o", str(folder / f"out.{suffix}")] for suffix in ("flac", "wav"))
    ways = [(model, "FLAC", flac) for model in models]
    ways += [(models[0], "32-bit WAV", [*wav, "--bits", "32f"])]
    if read_contract(find(models[0])).domain != "waveform":
        ways += [(models[0], "FLAC, --phase griffinlim", [*flac, "--phase", "griffinlim"])]
    heads, commands = [], []
    for device in ("cpu", gpu) if gpu else ("cpu",):
        for model, shown, extra in ways:
            heads.append([Path(model).stem, device, shown])
            command = [sys.executable, "-c", "from mp3fix.cli.main import run; run()", str(song), "-f", "-q"]
            commands.append([*command, "--model", model, "--device", device, *extra])
    runs = [[_process(command) for command in commands] for _ in range(RUNS)]
    rows = []
    for head, *turns in zip(heads, *runs, strict=True):
        wall, cpu, memory = np.array(turns).T
        rate = samples.shape[1] / RATE / wall.min()
        figures = [f"{wall.min():.2f}", f"{rate:.0f}", f"{cpu.min():.2f}", f"{memory.max():.0f} MB"]
        rows.append([*head, *figures])
    return _table(
        ["generator", "device", "to", "seconds", "times real time", "CPU seconds", "peak RSS"], rows
    )


def _process(command: Sequence[str]) -> tuple[float, float, float]:
    """Seconds, CPU seconds and peak resident memory in MB of a process; by a wrapper, to see no other child's."""
    wrapper = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True); "
        "used = resource.getrusage(resource.RUSAGE_CHILDREN); "
        "print(used.ru_utime + used.ru_stime, used.ru_maxrss)"
    )
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", wrapper, *command], check=True, stdout=subprocess.PIPE)
    taken = time.perf_counter() - began
    cpu, kilobytes = map(float, done.stdout.split())
    return taken, cpu, kilobytes / 1024


def _difference(model: str, gpu: str, samples: np.ndarray) -> float:
    """The largest difference of a sample between two restorations of a song, one on the GPU, one on the CPU."""
    first, second = (Restorer(model, device).restore(samples, RATE) for device in (gpu, "cpu"))
    return float(np.abs(first - second).max())


def _rates(seconds: Sequence[float], taken: Sequence[float]) -> list[str]:
    """Times real time, for a table."""
    each = zip(seconds, taken, strict=True)
    return ["failed" if spent == float("inf") else f"{length / spent:.0f}" for length, spent in each]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in (head, *rows)]
    return "\n".join([lines[0], "|---" * len(head) + "|", *lines[1:]])
