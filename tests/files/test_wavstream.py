"""WAV to a pipe."""

import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mp3fix.files.wavstream import PipeClosed, WavStream

RATE = 44100
needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="no ffmpeg")


def music(frames: int = 50_001, channels: int = 2, peak: float = 0.9) -> np.ndarray:
    noise = np.random.default_rng(3).uniform(-1, 1, (channels, frames)).astype(np.float32)
    return noise * np.float32(peak / np.abs(noise).max())


def streamed(
    samples: np.ndarray, bits: str, known: bool = True, block: int = 4096, **options: float
) -> bytes:
    file = io.BytesIO()
    frames = samples.shape[1] if known else None
    with WavStream(file, RATE, len(samples), bits, frames, **options) as stream:
        for start in range(0, samples.shape[1], block):
            stream.write(samples[:, start : start + block])
    assert stream.warnings == [] and stream.limited == 0
    return file.getvalue()


@pytest.mark.parametrize("bits", ["16", "24", "32f"])
@pytest.mark.parametrize("channels", [1, 2, 3, 6])
def test_a_known_length_gives_exact_sizes(bits: str, channels: int) -> None:
    samples = music(channels=channels)
    content = streamed(samples, bits)
    assert int.from_bytes(content[4:8], "little") == len(content) - 8
    with soundfile.SoundFile(io.BytesIO(content)) as file:
        assert (file.samplerate, file.channels, file.frames) == (RATE, channels, samples.shape[1])
        assert file.format == ("WAVEX" if channels > 2 else "WAV")
        found = file.read(dtype="float32", always_2d=True).T
    assert np.abs(found - samples).max() <= {"16": 1.5 * 2**-15, "24": 2**-23, "32f": 0}[bits]


@pytest.mark.parametrize("bits", ["16", "24", "32f"])
def test_an_unknown_length_announces_no_end(bits: str) -> None:
    content = streamed(music(), bits, known=False)
    assert content[4:8] == b"\xff" * 4 and content[content.index(b"data") + 4 :][:4] == b"\xff" * 4
    known = streamed(music(), bits)
    assert content[-100_000:] == known[-100_000:]


@needs_ffmpeg
@pytest.mark.ffmpeg
@pytest.mark.parametrize("bits", ["16", "24", "32f"])
@pytest.mark.parametrize("known", [True, False])
def test_another_program_reads_it_from_a_pipe(bits: str, known: bool) -> None:
    samples = music(channels=6)
    command = ["ffmpeg", "-v", "error", "-i", "-", "-f", "f32le", "-"]
    run = subprocess.run(command, input=streamed(samples, bits, known), capture_output=True, check=True)
    assert run.stderr == b""
    found = np.frombuffer(run.stdout, "<f4").reshape(-1, 6).T
    assert found.shape == samples.shape and np.abs(found - samples).max() < 2**-14


@pytest.mark.parametrize("bits", ["16", "24", "32f"])
def test_the_same_bytes_for_every_block_size(bits: str) -> None:
    whole = streamed(music(), bits, block=50_001)
    assert whole == streamed(music(), bits, block=997) == streamed(music(), bits, block=65536)


@pytest.mark.parametrize("bits", ["16", "24"])
def test_whole_numbers_are_limited_with_a_warning(bits: str) -> None:
    samples = music(peak=0.5)
    samples[:, 20_000] = 2.0
    file = io.BytesIO()
    with WavStream(file, RATE, 2, bits, samples.shape[1]) as stream:
        stream.write(samples)
    assert stream.limited == 2 and len(stream.warnings) == 1 and "6.0 dB" in stream.warnings[0]
    found = soundfile.read(io.BytesIO(file.getvalue()), dtype="float32")[0].T
    assert found.shape == samples.shape
    assert 0.99 < found[0, 20_000] < 1  # limited, not folded over
    far = np.r_[0:18_000, 22_000:50_001]
    assert np.abs(found[:, far] - samples[:, far]).max() <= 1.5 * 2**-15


def test_floats_are_not_limited() -> None:
    samples = music(peak=2.2)
    content = streamed(samples, "32f")
    assert np.array_equal(soundfile.read(io.BytesIO(content), dtype="float32")[0].T, samples)


def test_a_gain() -> None:
    samples = music(peak=1.9)
    found = soundfile.read(io.BytesIO(streamed(samples, "24", gain_db=-6.0)), dtype="float32")[0].T
    assert np.abs(found - samples * 10**-0.3).max() < 2**-22


def test_nothing_to_write_is_a_valid_file() -> None:
    for bits in ("16", "24", "32f"):
        content = streamed(music(1)[:, :0], bits)
        assert soundfile.info(io.BytesIO(content)).frames == 0


def test_an_error_before_the_first_sample_sends_nothing() -> None:
    file = io.BytesIO()
    with pytest.raises(RuntimeError), WavStream(file, RATE, 2):
        raise RuntimeError
    assert file.getvalue() == b""


def test_a_promise_that_is_not_kept_is_a_warning() -> None:
    with WavStream(io.BytesIO(), RATE, 2, "16", 1000) as stream:
        stream.write(music(999))
    assert stream.warnings == ["samples sent: 999; announced: 1000"]


def test_a_reader_that_has_gone() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as file:
        stream = WavStream(file, RATE, 2)
        with pytest.raises(PipeClosed):
            for _ in range(10):
                stream.write(music())


def test_a_program_whose_reader_goes_ends_quietly() -> None:
    program = (
        "import sys, numpy as np\n"
        "from mp3fix.files.wavstream import PipeClosed, WavStream\n"
        "try:\n"
        "    with WavStream(sys.stdout.buffer, 44100, 2) as stream:\n"
        "        for _ in range(1000): stream.write(np.zeros((2, 100), np.float32))\n"
        "except PipeClosed:\n"
        "    sys.exit(7)\n"
    )
    root = Path(__file__).parents[2]
    child = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=root,
        env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
    )
    assert child.stdout is not None and child.stderr is not None
    assert child.stdout.read(100)[:4] == b"RIFF"
    child.stdout.close()
    assert child.stderr.read() == b"" and child.wait() == 7


def test_a_pipe_that_takes_only_part_at_a_time() -> None:
    class Slow(io.BytesIO):
        def write(self, data: bytes) -> int:  # type: ignore[override]
            return super().write(data[:1000])

    file = Slow()
    with WavStream(file, RATE, 2, "16", 50_001) as stream:
        stream.write(music())
    assert file.getvalue() == streamed(music(), "16")


def test_a_disk_that_is_full_is_an_error_of_its_own() -> None:
    with open("/dev/full", "wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        WavStream(file, RATE, 2).write(music())
