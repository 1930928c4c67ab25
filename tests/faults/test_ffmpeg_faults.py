"""An ffmpeg that is killed, hangs, or says more than anybody wants to hear."""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import mp3s
import pytest
import soundfile
from running import PATIENCE, begin, end, files_in, is_whole

import mp3fix
from mp3fix.files import ffmpeg, watchdog
from mp3fix.restore import Restorer

pytestmark = pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="needs /proc")
HEADER = b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x03\0\x02\0\x44\xac\0\0\x20\x62\x05\0\x08\0\x20\0data\xff\xff\xff\xff"
BLOCK = 65536  # frames that are read at a time
FRAMES = 4 * BLOCK

Fake = Callable[[str], None]


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    path = tmp_path / "song.wav"
    soundfile.write(path, mp3s.music(FRAMES, 44100).T, 44100)
    return path


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """An ffmpeg that lists its formats and then runs some Python, which writes to `out` and `err`."""

    def make(body: str) -> None:
        program = tmp_path / "fake-ffmpeg"
        program.write_text(
            f"#!{sys.executable} -S\n"
            "import os, subprocess, sys, time\n"
            "out, err = sys.stdout.buffer, sys.stderr.buffer\n"
            "if '-demuxers' in sys.argv:\n"
            "    print(' D  wav             WAV / WAVE')\n"
            "    sys.exit()\n"
            f"HEADER, BLOCK = {HEADER!r}, bytes({BLOCK * 8})\n" + body
        )
        program.chmod(0o755)
        monkeypatch.setenv("MP3FIX_FFMPEG", str(program))
        ffmpeg.safe_formats.cache_clear()

    return make


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ffmpeg, "HANG_S", 2.0)
    monkeypatch.setattr(watchdog, "STEP_S", 0.1)


def children(process: int) -> list[int]:
    found = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [int(each) for each in found]


@pytest.mark.ffmpeg
def test_one_that_is_killed(model: Path, out: Path, tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    with soundfile.SoundFile(path, "w", 44100, 2) as file:
        block = mp3s.music(441000, 44100).T
        for _ in range(30):
            file.write(block)
    process = begin(path, "--model", model, "-o", out / "x.flac")
    until = time.monotonic() + PATIENCE
    while not files_in(out):  # there is a decoder then, with most of its work before it
        assert process.poll() is None and time.monotonic() < until
        time.sleep(0.01)
    (child,) = children(process.pid)
    os.kill(child, signal.SIGKILL)
    ended = end(process)
    assert ended.code == 1 and ended.err == (
        f"mp3fix: {path}: ffmpeg was killed (signal 9) before the end: try again\n"
    )
    assert files_in(out) == []


@pytest.mark.parametrize("by", ["itself", "a child of it"])
def test_one_that_hangs(
    fake: Fake, impatient: None, wav: Path, out: Path, restorer: Restorer, by: str
) -> None:
    hang = "time.sleep(600)" if by == "itself" else "subprocess.run(['sleep', '600'])"
    fake(f"out.write(HEADER + BLOCK); out.flush(); {hang}")
    with pytest.raises(
        mp3fix.DecodeError, match=r"song\.wav: ffmpeg gave nothing for 2 s and was stopped: try again"
    ):
        mp3fix.restore_file(wav, out / "x.flac", restorer=restorer)
    assert files_in(out) == [] and children(os.getpid()) == []


def test_one_that_hangs_at_once_leaves_libsndfile(
    fake: Fake, impatient: None, wav: Path, out: Path, restorer: Restorer
) -> None:
    fake("time.sleep(600)")
    assert mp3fix.restore_file(wav, out / "x.flac", restorer=restorer).decoder == "libsndfile"
    assert is_whole(out / "x.flac", FRAMES / 44100) and children(os.getpid()) == []


def test_one_that_is_slow(fake: Fake, impatient: None, wav: Path, out: Path, restorer: Restorer) -> None:
    """Longer than patience lasts, but never without a byte for so long."""
    fake("out.write(HEADER)\nfor _ in range(4): time.sleep(0.7); out.write(BLOCK); out.flush()")
    assert mp3fix.restore_file(wav, out / "x.flac", restorer=restorer).decoder == "ffmpeg"
    assert is_whole(out / "x.flac", FRAMES / 44100)


def test_one_that_talks_garbage(fake: Fake, wav: Path, out: Path, restorer: Restorer) -> None:
    """More than a pipe holds, before, between and after the samples, and no line ever ends."""
    noise = "err.write(os.urandom(2_000_000).replace(b'\\n', b'')); err.flush()"
    fake(f"out.write(HEADER)\nfor _ in range(4): {noise}; out.write(BLOCK); out.flush()\n{noise}")
    result = mp3fix.restore_file(wav, out / "x.flac", restorer=restorer)
    assert is_whole(out / "x.flac", FRAMES / 44100)
    (warning,) = result.warnings
    assert warning.startswith("ffmpeg reported errors, the last of ") and len(warning) < 20_000


def test_one_that_fails_after_the_last_sample(fake: Fake, wav: Path, out: Path, restorer: Restorer) -> None:
    fake("out.write(HEADER + 4 * BLOCK); out.flush(); sys.exit(3)")
    result = mp3fix.restore_file(wav, out / "x.flac", restorer=restorer)
    assert is_whole(out / "x.flac", FRAMES / 44100)
    assert result.warnings == ["ffmpeg ended with exit code 3"]
