"""The program as a process of its own: pipes, signals, terminals, what it loads."""

import fcntl
import os
import pty
import re
import select
import shlex
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from programs import EXCERPT, PROGRAM

Start = Callable[..., "subprocess.Popen[bytes]"]

PATIENCE = 60  # seconds; nothing here takes more than a few, unless it hangs


def ended(process: "subprocess.Popen[bytes]", stdin: bytes | None = None) -> tuple[int, bytes, bytes]:
    out, err = process.communicate(stdin, timeout=PATIENCE)
    return process.returncode, out, err


def wait_for(found: Callable[[], Any], process: "subprocess.Popen[bytes]") -> Any:
    """What is found, before the process ends."""
    until = time.monotonic() + PATIENCE
    while not (result := found()):
        assert process.poll() is None and time.monotonic() < until
        time.sleep(0.01)
    return result


@pytest.fixture(scope="session")
def long_song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An hour, of which a process can only ever see the beginning here."""
    path = tmp_path_factory.mktemp("long") / "long.wav"
    minute = np.random.default_rng(0).integers(-3000, 3000, 8000 * 60, np.int16)
    with soundfile.SoundFile(path, "w", 8000, 1, "PCM_16") as file:
        for _ in range(60):
            file.write(minute)
    return path


@pytest.fixture
def left(tmp_path: Path) -> Callable[[], list[str]]:
    """What a process has left: beside its outputs, and of temporary files elsewhere."""
    return lambda: [*os.listdir(tmp_path / "out"), *os.listdir(tmp_path / "spool")]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


@pytest.mark.parametrize(
    ("bits", "width", "kind"), [(None, 4, 3), ("24", 3, 1), ("16", 2, 1)], ids=["32f", "24", "16"]
)
def test_a_stream_is_a_wav_with_exact_sizes(
    start: Start, song: Path, model: Path, bits: str | None, width: int, kind: int
) -> None:
    options = [] if bits is None else ["--bits", bits]
    code, wav, err = ended(start(song, "--model", model, "--gain", -6, "-o", "-", *options))
    assert (code, err) == (0, b"")
    assert wav[:4] + wav[8:16] == b"RIFFWAVEfmt " and struct.unpack("<I", wav[4:8])[0] == len(wav) - 8
    data = wav.index(b"data")
    assert struct.unpack("<I", wav[data + 4 : data + 8])[0] == len(wav) - data - 8 == 88200 * 2 * width
    found_kind, channels, rate, _, block = struct.unpack("<HHIIH", wav[20:34])
    assert (channels, rate, block) == (2, 44100, 2 * width) and found_kind in (kind, 0xFFFE)


def test_a_stream_is_the_file(start: Start, song: Path, model: Path, out: Path) -> None:
    code, wav, _ = ended(
        start("-", "--model", model, "-o", "-", stdin=subprocess.PIPE), stdin=song.read_bytes()
    )
    assert code == 0
    assert ended(start(song, "--model", model, "--bits", "32f", "-o", out / "x.wav"))[0] == 0
    streamed = np.frombuffer(wav[wav.index(b"data") + 8 :], "<f4").reshape(-1, 2)
    assert np.array_equal(streamed, soundfile.read(out / "x.wav", dtype="float32")[0])


def test_standard_input_to_a_file(start: Start, song: Path, model: Path, out: Path, left: Any) -> None:
    process = start("-", "--model", model, "-o", out, stdin=subprocess.PIPE)
    assert ended(process, song.read_bytes()) == (0, b"", b"")
    assert left() == ["stdin.flac"] and soundfile.info(out / "stdin.flac").frames == 88200


def test_a_reader_that_goes_ends_the_stream_quietly(
    start: Start, long_song: Path, model: Path, tmp_path: Path
) -> None:
    process = start(long_song, "--model", model, "-o", "-")
    assert process.stdout is not None and len(process.stdout.read(1000)) == 1000
    process.stdout.close()
    process.stdout = None
    assert ended(process) == (0, None, b"")
    assert os.listdir(tmp_path / "spool") == []


@pytest.mark.parametrize("arguments", [["--list-models"], ["--info", EXCERPT], ["--help"]])
def test_a_reader_that_is_gone(start: Start, arguments: list[object]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    process = start(*arguments, stdout=writer)
    os.close(writer)
    assert ended(process) == (1, None, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
@pytest.mark.parametrize("arguments", [["--list-models"], [EXCERPT, "--duration", 1, "-o", "-"]])
def test_a_full_disk_behind_standard_output(start: Start, arguments: list[object]) -> None:
    with open("/dev/full", "wb") as full:
        code, _, err = ended(start(*arguments, stdout=full))
    assert code == 1 and err.startswith(b"mp3fix: standard output: ") and err.count(b"\n") == 1


SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.mark.parametrize("number", SIGNALS)
def test_an_interrupt_leaves_nothing(
    start: Start, long_song: Path, model: Path, out: Path, left: Any, number: int
) -> None:
    folder = out / "new"
    process = start(long_song, "--model", model, "--samples", 2, "-o", folder)
    wait_for(lambda: folder.is_dir() and sum(file.stat().st_size for file in folder.iterdir()), process)
    while process.poll() is None:  # who is impatient presses more than once
        process.send_signal(number)
        time.sleep(0.002)
    assert ended(process) == (130, b"", b"mp3fix: interrupted\n")
    assert left() == []


@pytest.mark.parametrize("at_the_end", [False, True])
def test_an_interrupt_of_a_stream_that_nobody_reads(
    start: Start, song: Path, model: Path, tmp_path: Path, at_the_end: bool
) -> None:
    """Where there is something left to write it must not wait for a reader, not even at its very end."""
    with open(song, "rb") as file:
        process = start("-", "--model", model, "--bits", "16", "-o", "-", stdin=file)
    assert process.stdout is not None and process.stderr is not None
    size = 44 + 88200 * 4
    pipe = fcntl.fcntl(process.stdout, fcntl.F_GETPIPE_SZ)
    os.read(process.stdout.fileno(), 1)
    left = size - pipe - 100 if at_the_end else 1000
    while left > 1:
        left -= len(os.read(process.stdout.fileno(), left - 1))
    time.sleep(0.3)  # the pipe fills meanwhile
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 130  # without reading
    assert process.stderr.read() == b"mp3fix: interrupted\n"
    assert os.listdir(tmp_path / "spool") == []


def test_an_interrupt_while_waiting_for_input(start: Start, out: Path, left: Any) -> None:
    process = start("-", "-o", out / "x.flac", stdin=subprocess.PIPE)
    wait_for(left, process)
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 130
    assert left() == []


def test_an_ignored_hangup_stays_ignored(start: Start, song: Path, model: Path, out: Path) -> None:
    """nohup mp3fix ..."""
    command = shlex.join([*PROGRAM, str(song), "--model", str(model), "-o", str(out / "x.flac")])
    script = f"trap '' HUP; {command} & sleep 0.3; kill -HUP $!; wait $!"
    assert (
        subprocess.run(["bash", "-c", script], timeout=PATIENCE, cwd=Path(__file__).parents[2]).returncode
        == 0
    )


def on_terminal(start: Start, *arguments: object) -> tuple[int, bytes, str]:
    """Standard output and what appears on a terminal as standard error."""
    ours, theirs = pty.openpty()
    process = start(*arguments, stderr=theirs)
    os.close(theirs)
    shown = b""
    while process.poll() is None or select.select([ours], [], [], 0)[0]:
        if select.select([ours], [], [], 0.05)[0]:
            try:
                shown += os.read(ours, 65536)
            except OSError:  # how Linux says that the other side has been closed
                break
    os.close(ours)
    code, out, _ = ended(process)
    return code, out, shown.decode()


def test_progress_is_shown_on_a_terminal(start: Start, song: Path, out: Path) -> None:
    odd = song.rename(song.with_name("[bold]odd.mp3"))
    code, printed, shown = on_terminal(start, odd, "-o", out / "x.flac")
    assert (code, printed) == (0, b"")
    assert "[bold]odd.mp3" in shown and "100%" in shown and "\x1b[" in shown
    last = shown.rstrip().splitlines()[-1]
    assert re.search(r"x\.flac: 2\.0 s of audio in .* kbit/s, cut-off .* kHz$", last)


def test_quiet_on_a_terminal(start: Start, song: Path, model: Path, out: Path) -> None:
    assert on_terminal(start, song, "--model", model, "-q", "-o", out / "x.flac") == (0, b"", "")


def test_a_stream_is_not_written_to_a_terminal(start: Start, song: Path) -> None:
    ours, theirs = pty.openpty()
    code, _, err = ended(start(song, "-o", "-", stdout=theirs))
    os.close(theirs)
    os.close(ours)
    assert code == 2 and b"terminal" in err


def test_names_that_are_not_text(start: Start, song: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real argument of odd bytes, printed where only ASCII can be."""
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    odd = song.rename(os.fsdecode(bytes(song.parent) + b"/\xff\n\xc3\xa4.mp3"))
    code, printed, err = ended(start("--info", odd))
    assert (code, err) == (0, b"") and rb"\xff\n\xe4.mp3" in printed.splitlines()[0]


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys; from mp3fix.cli.main import main; code = main(['--help']); "
        "heavy = {'numpy', 'onnxruntime', 'soundfile', 'soxr', 'mutagen', 'pydub', 'torch'}; "
        "sys.exit(f'loaded: {loaded}' if (loaded := heavy & sys.modules.keys()) else code)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=Path(__file__).parents[2], capture_output=True, timeout=PATIENCE
    )
    assert (ran.returncode, ran.stderr) == (0, b"") and b"Usage: mp3fix" in ran.stdout


def test_cuda_without_a_gpu(
    start: Start, song: Path, model: Path, out: Path, left: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    code, printed, err = ended(start(song, "--model", model, "--device", "cuda", "-o", out / "x.flac"))
    assert (code, printed) == (1, b"") and b"cuda" in err and len(err.splitlines()) <= 3
    assert left() == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(start: Start, monkeypatch: pytest.MonkeyPatch, shell: str) -> None:
    monkeypatch.setenv("_MP3FIX_COMPLETE", f"source_{shell}")
    code, script, err = ended(start())
    assert (code, err) == (0, b"") and b"_MP3FIX_COMPLETE" in script


def test_completion_of_an_option(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_MP3FIX_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "mp3fix --tex")
    monkeypatch.setenv("COMP_CWORD", "1")
    code, completed, err = ended(start())
    assert (code, completed.split(), err) == (0, [b"--texture"], b"")
