"""Inputs that change while they are read: all of what was there, or an error, never a mixture."""

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import mp3s
import pytest
import soundfile
from mutagen.flac import FLAC
from running import ROOT, files_in

import mp3fix
from mp3fix.files import ffmpeg
from mp3fix.restore import Options, Restorer
from mp3fix.song import Target, restore_song

LONG = 8  # seconds: more than a decoder is ahead of what is written
BIT = Options(chunk_seconds=0.5)

Change = Callable[[Path], None]


@pytest.fixture(params=["ffmpeg", "libsndfile"])
def decoder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "libsndfile":
        monkeypatch.setattr(ffmpeg, "find", lambda: None)
    elif ffmpeg.find() is None:
        pytest.skip("no ffmpeg")
    return str(request.param)


@pytest.fixture(scope="session")
def long_songs() -> dict[str, bytes]:
    samples = mp3s.music(44100 * LONG, 44100)
    wav = io.BytesIO()
    soundfile.write(wav, samples.T, 44100, format="WAV")
    return {"mp3": mp3s.lame(samples, 44100), "wav": wav.getvalue()}


@pytest.fixture(params=["mp3", "wav"])
def path(request: pytest.FixtureRequest, long_songs: dict[str, bytes], tmp_path: Path) -> Path:
    path = tmp_path / f"long.{request.param}"
    path.write_bytes(long_songs[request.param])
    return path


def restored(path: Path, out: Path, restorer: Restorer, change: Change) -> mp3fix.Result:
    """Restore it; it is changed when the first second has been written."""
    done = []

    def progress(seconds: float, _: float | None) -> None:
        if seconds > 1 and not done:
            done.append(seconds)
            change(path)

    result = mp3fix.restore_file(path, out / "x.flac", restorer=restorer, options=BIT, progress=progress)
    assert done and done[0] < LONG / 3
    return result


def test_one_that_vanishes_is_read_to_its_end(
    path: Path, out: Path, restorer: Restorer, decoder: str
) -> None:
    reference = mp3fix.restore_file(path, out / "reference.flac", restorer=restorer, options=BIT)
    result = restored(path, out, restorer, os.unlink)
    assert (out / "x.flac").read_bytes() == (out / "reference.flac").read_bytes()
    assert result.warnings == reference.warnings and result.decoder == decoder


def test_its_tags_and_time_are_kept_though_it_vanishes(song: Path, out: Path, restorer: Restorer) -> None:
    os.utime(song, (1e9, 1e9))
    mp3fix.restore_file(
        song,
        out / "x.flac",
        restorer=restorer,
        target=Target(preserve_time=True),
        progress=lambda *_: song.unlink(missing_ok=True),
    )
    assert (out / "x.flac").stat().st_mtime == 1e9
    assert FLAC(out / "x.flac")["title"] == ["A title"]


def append(path: Path) -> None:
    with open(path, "ab") as file:
        file.write(path.read_bytes()[-100_000:])


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def write_anew(path: Path) -> None:
    path.write_bytes(path.read_bytes())


def replace(path: Path) -> None:
    new = path.with_name("new")
    new.write_bytes(path.read_bytes())
    times = path.stat()
    os.utime(new, ns=(times.st_atime_ns, times.st_mtime_ns))
    new.replace(path)


@pytest.mark.parametrize("change", [append, truncate, write_anew, replace])
def test_one_that_is_written_to(
    path: Path, out: Path, restorer: Restorer, decoder: str, change: Change
) -> None:
    with pytest.raises(mp3fix.DecodeError, match=rf"long\.{path.suffix[1:]}: it changed while it was read"):
        restored(path, out, restorer, change)
    assert files_in(out) == []


def test_a_stream_of_one_that_is_written_to_says_so(path: Path, restorer: Restorer) -> None:
    result = restore_song(
        path, io.BytesIO(), restorer, BIT, Target(bits="32f"), progress=lambda *_: append(path)
    )
    assert [warning for warning in result.warnings if "it changed while it was read" in warning]


def test_one_whose_permissions_change_is_the_same(path: Path, out: Path, restorer: Restorer) -> None:
    restored(path, out, restorer, lambda path: path.chmod(0o444))
    assert soundfile.info(out / "x.flac").duration == pytest.approx(LONG, abs=0.1)


def test_one_that_shrinks_while_its_frames_are_counted(path: Path, out: Path) -> None:
    """A process that looks into a mapped file beyond its end is killed."""
    script = """
import os, sys
from pathlib import Path
from mp3fix.files import sniff
look = sniff._look
def cut(data, path):
    os.truncate(path, 5000)
    return look(data, path)
sniff._look = cut
print(sniff.look(Path(sys.argv[1])))
"""
    command = [sys.executable, "-c", script, str(path)]
    assert subprocess.run(command, cwd=ROOT, timeout=60, stdout=subprocess.PIPE).returncode == 0
