"""make bench: a four-minute stereo song, the whole process and its parts, as times real time."""

import argparse
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

from mp3fix.files.decode import open_decoder
from mp3fix.files.encode import Encoder
from mp3fix.generator.devices import available_cores
from mp3fix.generator.session import Generator
from mp3fix.report.demo import EXCERPT
from mp3fix.restore import Options
from mp3fix.signal import noise
from mp3fix.signal.stft import IstftStream, StftStream

RUNS = 3


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=4.0)
    parser.add_argument("--model", default="music")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    seconds = options.minutes * 60
    with tempfile.TemporaryDirectory() as folder:
        song = _song(Path(folder), seconds)
        rows = [
            *_processes(song, Path(folder), options.model, options.device),
            *_parts(song, Path(folder), options.model, options.device, seconds),
        ]
    machine = platform.processor() or platform.machine()
    print(f"{options.minutes:g} min of stereo at 44.1 kHz, {available_cores()} cores, {machine}\n")
    print("| what | seconds | times real time | peak RSS |\n|---|---|---|---|")
    for name, taken, memory in rows:
        shown = f"{memory:.0f} MB" if memory else ""
        print(f"| {name} | {taken:.2f} | {seconds / taken:.0f} | {shown} |")


def _song(folder: Path, seconds: float) -> Path:
    """The bundled excerpt, repeated, as an MP3 at 128 kbit/s."""
    with open_decoder(EXCERPT) as decoder:
        excerpt = np.concatenate(list(decoder.blocks()), axis=1).T
    repeats = int(np.ceil(seconds * 44100 / len(excerpt)))
    path = folder / "song.mp3"
    song = np.clip(np.tile(excerpt, (repeats, 1))[: round(seconds * 44100)], -1, 1)
    soundfile.write(path, song, 44100, format="MP3", bitrate_mode="CONSTANT", compression_level=0.7)
    return path


def _processes(song: Path, folder: Path, model: str, device: str) -> list[tuple[str, float, float]]:
    """The whole program, start-up and all: best of a few runs, with its peak memory."""
    rows = []
    for name, extra in (
        ("mp3fix to FLAC, whole process", ["-o", str(folder / "out.flac")]),
        ("mp3fix to 32-bit WAV, whole process", ["-o", str(folder / "out.wav"), "--bits", "32f"]),
        (
            "mp3fix --phase griffinlim to FLAC, whole process",
            ["-o", str(folder / "out.flac"), "--phase", "griffinlim"],
        ),
    ):
        command = [sys.executable, "-c", "from mp3fix.cli.main import run; run()", str(song), "-f", "-q"]
        command += ["--model", model, "--device", device, *extra]
        rows.append((name, *_best_process(command)))
    return rows


def _best_process(command: list[str]) -> tuple[float, float]:
    """Seconds and peak resident memory in MB of the best run. The memory is the child's own, by a wrapper."""
    wrapper = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    best, memory = float("inf"), 0.0
    for _ in range(RUNS):
        began = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", wrapper, *command], check=True, capture_output=True)
        best = min(best, time.perf_counter() - began)
        memory = max(memory, int(done.stdout) / 1024)
    return best, memory


def _parts(
    song: Path, folder: Path, model: str, device: str, seconds: float
) -> list[tuple[str, float, float]]:
    """Each stage by itself, over the whole song."""
    generator = Generator.load(model, device)
    spec = generator.contract.stft

    def decode() -> None:
        with open_decoder(song) as decoder:
            for _ in decoder.blocks():
                pass

    with open_decoder(song) as decoder:
        samples = np.concatenate(list(decoder.blocks()), axis=1)
    blocks = [samples[:, k : k + (1 << 18)] for k in range(0, samples.shape[1], 1 << 18)]

    def transform() -> list[np.ndarray]:
        stream = StftStream(spec, 2)
        return [*(stream.push(block) for block in blocks), stream.flush()]

    frames = transform()

    def inverse() -> None:
        stream = IstftStream(spec, 2)
        for each in frames:
            stream.push(each)
        stream.flush(samples.shape[1])

    def draw() -> None:
        for stream in range(2):
            for start in range(0, round(seconds * spec.rate / spec.hop), 512):
                noise.spectrogram(0, stream, start, start + 512, spec)

    chunk = Options().chunk_seconds
    size = round(chunk * spec.rate / spec.hop) + 2 * generator.contract.context
    x = np.random.default_rng(0).standard_normal((1, 2, spec.bins, size)).astype(np.float32)
    runs = round(2 * seconds / chunk)

    def network() -> None:
        for _ in range(runs):
            generator.run(x, x if generator.contract.noise else None)

    def encode() -> None:
        with Encoder(folder / "part.flac", 44100, 2, overwrite=True) as encoder:
            for block in blocks:
                encoder.write(block)
            encoder.commit()

    stages: list[tuple[str, Callable[[], object]]] = [
        ("decode", decode),
        ("STFT", transform),
        ("noise spectrograms", draw),
        ("network, with context", network),
        ("ISTFT", inverse),
        ("encode FLAC, spooled", encode),
    ]
    rows = []
    for name, stage in stages:
        best = float("inf")
        for _ in range(RUNS):
            began = time.perf_counter()
            stage()
            best = min(best, time.perf_counter() - began)
        rows.append((f"{name} alone", best, 0.0))
    limit = rows[0][1] + rows[-1][1]
    return [*rows, ("the limit: decode and encode alone", limit, 0.0)]


if __name__ == "__main__":
    main()
