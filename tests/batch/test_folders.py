"""Folders of outputs, also while another run removes those that it found no use for."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from mp3fix.batch import work
from mp3fix.batch.folders import Folders
from mp3fix.batch.work import How, Task, attempt
from mp3fix.errors import DecodeError, EncodeError
from mp3fix.files.encode import Encoder
from mp3fix.restore import Options
from mp3fix.song import Result, Target

FOLDER = Path("out/album")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_what_is_empty_goes_and_what_was_there_stays() -> None:
    Path("there").mkdir()
    with Folders() as folders:
        for name in ("there", "empty/er", "full/empty", "full/full"):
            folders.make(Path(name))
        Path("full/full/song.flac").touch()
    assert sorted(map(str, Path().rglob("*"))) == ["full", "full/full", "full/full/song.flac", "there"]


def other_run() -> Folders:
    """Another run that has made the folder, and found nothing yet to put in."""
    folders = Folders()
    folders.make(FOLDER)
    return folders


def played(monkeypatch: pytest.MonkeyPatch, before: Callable[[], None]) -> dict[str, object]:
    """The record of a song that this run restores into the folder, which it found there.

    Args:
        monkeypatch: puts an encoder in the place of the network.
        before: called once the song is being worked on, before its output is begun.
    """

    def restore(source: Path, outputs: list[Path], *_: object) -> Result:
        before()
        with Encoder(outputs[0], 44100, 2) as encoder:
            encoder.commit()
        return Result(source, tuple(outputs), None, "ffmpeg")

    monkeypatch.setattr(work, "restore_song", restore)
    restorer = SimpleNamespace(generator=SimpleNamespace(device="cpu"))
    task = Task("song.mp3", (str(FOLDER / "song.flac"),), How("music", "cpu", 1, False, Options(), Target()))
    with Folders() as folders:
        folders.make(FOLDER)
        return attempt(task, restorer)  # type: ignore[arg-type]


def test_another_run_removes_the_folder_before_anything_is_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    other, ends = other_run(), ["now"]

    def before() -> None:
        if ends:
            ends.pop()
            other.__exit__(None, None, None)
            assert not Path("out").exists()

    assert played(monkeypatch, before)["status"] == "restored"
    assert [path.name for path in FOLDER.iterdir()] == ["song.flac"]


def test_a_folder_that_cannot_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told in the end, and nothing is left behind."""
    FOLDER.mkdir(parents=True)
    record = played(monkeypatch, lambda: shutil.rmtree("out", ignore_errors=True))
    assert (record["status"], record["errno"]) == ("failed", "ENOENT") and "song.flac" in str(record["error"])
    assert not Path("out").exists()


def test_a_song_that_fails_in_a_folder_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who makes it again, removes it too."""
    other, steps = other_run(), [0]

    def before() -> None:
        steps[0] += 1
        if steps[0] > 1:
            raise DecodeError("song.mp3: is broken")
        other.__exit__(None, None, None)

    assert played(monkeypatch, before) == {"status": "failed", "error": "song.mp3: is broken"}
    assert steps == [2] and not Path("out").exists()


def test_another_run_removes_the_folder_above_one_that_is_being_made(monkeypatch: pytest.MonkeyPatch) -> None:
    real, ends = os.mkdir, ["now"]

    def mkdir(path: Path, *mode: int) -> None:
        if ends and os.path.isdir("out"):
            ends.pop()
            os.rmdir("out")
        real(path, *mode)

    monkeypatch.setattr(os, "mkdir", mkdir)
    Folders().make(FOLDER)
    assert not ends and FOLDER.is_dir()


def test_what_fails_otherwise_is_not_tried_again() -> None:
    tried = []

    def write() -> None:
        tried.append(1)
        raise EncodeError("full") from OSError(28, "No space left on device")

    with pytest.raises(EncodeError, match="full"):
        Folders().fill([FOLDER], write)
    assert tried == [1] and not FOLDER.exists()
