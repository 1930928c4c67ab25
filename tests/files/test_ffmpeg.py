"""The child process: found where it should be, fed safely, reaped always, and quoted when it complains."""

import gc
import os
import subprocess
import sys
import threading
import types
from collections.abc import Callable
from pathlib import Path

import mp3s
import numpy as np
import pytest
import soundfile

from mp3fix.errors import DecodeError
from mp3fix.files import ffmpeg
from mp3fix.files.decode import open_decoder

RATE = 44100
HEADER = b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x03\0\x02\0\x44\xac\0\0\x20\x62\x05\0\x08\0\x20\0data\xff\xff\xff\xff"


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    path = tmp_path / "song.wav"
    soundfile.write(path, mp3s.music(RATE, RATE).T, RATE)
    return path


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen]:
    """Every child process that is started, with what it was started with as `given`."""
    started = []
    original = subprocess.Popen

    class Recorded(original):  # type: ignore[valid-type,misc]
        def __init__(self, *arguments: object, **options: object) -> None:
            self.given = (arguments, options)
            started.append(self)
            super().__init__(*arguments, **options)

    monkeypatch.setattr(subprocess, "Popen", Recorded)
    return started


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Makes a program that lists formats like ffmpeg and then runs some Python; `out` and `err` are its pipes."""

    def make(body: str) -> Path:
        program = tmp_path / "fake-ffmpeg"
        program.write_text(
            f"#!{sys.executable} -S\n"
            "import os, signal, sys, time\n"
            "out, err = sys.stdout.buffer, sys.stderr.buffer\n"
            "if '-demuxers' in sys.argv:\n"
            "    print(' D  wav             WAV / WAVE')\n"
            "    sys.exit()\n"
            f"HEADER = {HEADER!r}\n" + body
        )
        program.chmod(0o755)
        monkeypatch.setenv("MP3FIX_FFMPEG", str(program))
        ffmpeg.safe_formats.cache_clear()
        return program

    return make


posix = pytest.mark.skipif(os.name != "posix", reason="the fake ffmpeg is a script")


# Where it is


@posix
def test_the_variable_comes_first_then_the_path_then_imageio(
    fake: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = fake("")
    assert ffmpeg.find() == named
    monkeypatch.delenv("MP3FIX_FFMPEG")
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "ffmpeg").write_bytes(named.read_bytes())
    (folder / "ffmpeg").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    imageio = types.ModuleType("imageio_ffmpeg")
    imageio.get_ffmpeg_exe = lambda: "/somewhere/ffmpeg"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", imageio)
    assert ffmpeg.find() == folder / "ffmpeg"
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    assert ffmpeg.find() == Path("/somewhere/ffmpeg")
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    assert ffmpeg.find() is None


def test_a_wrong_variable_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wav: Path) -> None:
    monkeypatch.setenv("MP3FIX_FFMPEG", str(tmp_path / "no-such-ffmpeg"))
    with pytest.raises(DecodeError, match=r"MP3FIX_FFMPEG=.*no-such-ffmpeg"):
        open_decoder(wav)


@posix
def test_something_else_of_that_name_leaves_libsndfile(
    tmp_path: Path, wav: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, script in enumerate(
        (b"#!/bin/sh\nexit 3\n", b"#!/bin/sh\necho hello\n", b"\x7fELF nonsense")
    ):
        program = tmp_path / f"ffmpeg{number}"
        program.write_bytes(script)
        program.chmod(0o755)
        monkeypatch.setenv("MP3FIX_FFMPEG", str(program))
        with open_decoder(wav) as opened:
            assert opened.decoder == "libsndfile"


# What it is told


@pytest.mark.ffmpeg
def test_a_child_gets_no_stdin_and_no_shell(wav: Path, children: list[subprocess.Popen]) -> None:
    with open_decoder(wav) as opened:
        assert opened.decoder == "ffmpeg"
    (arguments,), options = children[-1].given  # type: ignore[attr-defined]
    assert isinstance(arguments, list) and f"file:{wav}" in arguments
    assert options["stdin"] == subprocess.DEVNULL and not options.get("shell")


@pytest.mark.ffmpeg
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.ffconcat", "ffconcat version 1.0\nfile song.wav\n"),
        ("list.txt", "ffconcat version 1.0\nfile song.wav\n"),
        ("list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:1,\nsong.ts\n#EXT-X-ENDLIST\n"),
    ],
)
def test_playlists_open_no_other_file(
    name: str, text: str, wav: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = ffmpeg.find()
    assert program is not None
    path = wav.parent / name
    path.write_text(text)
    make = [program, "-v", "error", "-i", wav, "-c:a", "mp2", "-f", "mpegts", wav.with_suffix(".ts")]
    subprocess.run(make, stdin=subprocess.DEVNULL, check=True)
    with pytest.raises(DecodeError):
        ffmpeg.FfmpegSource(program, path)
    # Without the list of safe formats ffmpeg would have obeyed: so the test tests something.
    everything = ffmpeg.safe_formats(program) + ",concat,hls,mpegts"
    monkeypatch.setattr(ffmpeg, "safe_formats", lambda _: everything)
    source = ffmpeg.FfmpegSource(program, path)
    assert source.rate == RATE
    source.close()


# How it ends


@pytest.mark.ffmpeg
@pytest.mark.parametrize("how", ["break", "error", "close", "forgotten", "never started", "end"])
def test_no_child_survives(how: str, tmp_path: Path, children: list[subprocess.Popen]) -> None:
    path = tmp_path / "long.wav"
    soundfile.write(path, np.zeros((RATE * 20, 2)), RATE)
    threads = threading.active_count()
    if how == "break":
        with open_decoder(path) as opened:
            for _ in opened.blocks(1000):
                break
    elif how == "error":
        with pytest.raises(RuntimeError), open_decoder(path) as opened:
            for _ in opened.blocks(1000):
                raise RuntimeError
    elif how == "close":
        opened = open_decoder(path)
        blocks = opened.blocks(1000)
        next(blocks)
        opened.close()
        opened.close()
    elif how == "forgotten":
        blocks = open_decoder(path).blocks(1000)
        next(blocks)
        del blocks
        gc.collect()
    elif how == "never started":
        with open_decoder(path):
            pass
    else:
        with open_decoder(path) as opened:
            assert sum(block.shape[1] for block in opened.blocks()) == RATE * 20
    assert children and all(child.returncode is not None for child in children)
    assert all(pipe.closed for child in children[-1:] for pipe in (child.stdout, child.stderr) if pipe)
    assert threading.active_count() == threads


@posix
def test_a_child_that_hangs_is_killed(
    fake: Callable[[str], Path], wav: Path, children: list[subprocess.Popen]
) -> None:
    fake(
        "out.write(HEADER + bytes(8000)); out.flush(); signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    )
    with open_decoder(wav) as opened:
        assert next(opened.blocks(100)).shape == (2, 100)
    assert children[-1].returncode == -9


@posix
def test_a_flood_of_complaints_does_not_block(fake: Callable[[str], Path], wav: Path) -> None:
    flood = "err.write(b'bad\\n' * 200000 + b'[wav @ 0x12ab] worst\\n'); err.flush()"
    fake(f"{flood}\nout.write(HEADER + bytes(8 * {RATE}))")
    with open_decoder(wav) as opened:
        assert sum(block.shape[1] for block in opened.blocks()) == RATE
    assert opened.warnings == ["ffmpeg reported errors, the last of 200001: [wav] worst"]


@posix
def test_the_last_complaint_is_in_the_error(fake: Callable[[str], Path], tmp_path: Path) -> None:
    fake("err.write(b'first\\nlast words\\n'); sys.exit(1)")
    path = tmp_path / "song.xyz"
    path.write_bytes(bytes(1000))
    with pytest.raises(DecodeError, match=r"song\.xyz: .*last words"):
        open_decoder(path)


@posix
def test_a_child_killed_from_outside_is_an_error_not_a_short_song(
    fake: Callable[[str], Path], wav: Path
) -> None:
    fake("out.write(HEADER + bytes(8000)); out.flush(); os.kill(os.getpid(), signal.SIGKILL)")
    with open_decoder(wav) as opened, pytest.raises(DecodeError, match="killed"):
        list(opened.blocks())


@posix
def test_a_child_that_ends_early_is_noticed(fake: Callable[[str], Path], wav: Path) -> None:
    fake("out.write(HEADER + bytes(8 * 11025 + 3)); out.flush(); sys.exit(7)")
    with open_decoder(wav) as opened:
        assert sum(block.shape[1] for block in opened.blocks()) == 11025
    assert "0.75 s of music are missing (75.0 %)" in opened.warnings[0]
    assert "exit code 7" in opened.warnings[1]


@pytest.mark.ffmpeg
@pytest.mark.parametrize("whole", [True, False])
def test_the_repaired_copy_of_a_damaged_mp3_is_removed(
    whole: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = mp3s.lame(mp3s.music(3 * RATE, RATE), RATE)
    path = tmp_path / "song.mp3"
    path.write_bytes(data[:20000] + bytes(3000) + data[23000:])
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    with open_decoder(path) as opened:
        assert opened.decoder == "ffmpeg" and len(list(folder.iterdir())) == 1
        for _ in opened.blocks(1000):
            if not whole:
                break
    assert list(folder.iterdir()) == []


# What it reads that libsndfile does not


@pytest.mark.ffmpeg
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("song.m4a", ["-c:a", "aac"]),
        ("song.mp4", ["-c:a", "alac"]),
        ("song.aac", ["-c:a", "aac"]),
        ("song.ac3", ["-c:a", "ac3"]),
        ("song.wma", ["-c:a", "wmav2"]),
        ("song.mka", ["-c:a", "flac"]),
        ("song.mp2", ["-c:a", "mp2"]),
        ("song.wv", ["-c:a", "wavpack"]),
        ("song.tta", ["-c:a", "tta"]),
        ("song.ts", ["-c:a", "mp2"]),
        ("song.webm", ["-c:a", "libopus", "-ar", "48000"]),
        ("song.opus", ["-c:a", "libopus", "-ar", "48000"]),
        ("song.avi", ["-c:a", "libmp3lame"]),
    ],
)
def test_formats_of_ffmpeg(name: str, options: list[str], wav: Path) -> None:
    program = ffmpeg.find()
    assert program is not None
    path = wav.with_name(name)
    command = [program, "-v", "error", "-i", wav, *options, path]
    if subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True).returncode:
        pytest.skip("this ffmpeg does not write it")
    with open_decoder(path) as opened:
        samples = np.concatenate(list(opened.blocks()), axis=1)
    assert samples.shape[1] == pytest.approx(opened.rate, abs=opened.rate / 8)
    assert np.abs(samples).max() > 0.2
    assert opened.warnings == []


@pytest.mark.ffmpeg
def test_a_film_without_sound(tmp_path: Path) -> None:
    program = ffmpeg.find()
    path = tmp_path / "silent.mkv"
    picture = ["-f", "lavfi", "-i", "color=size=16x16:duration=0.2", "-c:v", "mjpeg"]
    subprocess.run([str(program), "-v", "error", *picture, path], stdin=subprocess.DEVNULL, check=True)
    with pytest.raises(DecodeError, match=r"silent\.mkv: ffmpeg finds no audio"):
        open_decoder(path)
