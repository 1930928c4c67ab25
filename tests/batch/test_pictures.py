"""Pictures as part of a task: they travel with it, and need no generator where the song is done."""

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest
from made import how, song

from mp3fix.batch import cluster, pictures, work
from mp3fix.batch.disks import Disks
from mp3fix.batch.pictures import Sketch
from mp3fix.batch.plan import Job
from mp3fix.batch.work import Task
from mp3fix.batch.worker import Worker
from mp3fix.report import marks

SKETCH = Sketch("pictures/x.png", "mel", "all", "tiny 1.0", True, "01:mel:all", True)


def done() -> Task:
    """A song whose restoration is there, by a generator that is not."""
    outputs = (str(song("out.wav")),)
    return Task(
        str(song("in.wav")), outputs, replace(how(), model="none.onnx"), picture=SKETCH, restored=True
    )


def test_a_picture_travels_with_its_task() -> None:
    task = done()
    assert Task.from_json(task.to_json()) == task
    moved = cluster._absolute(task).picture
    assert moved == replace(SKETCH, path=os.path.abspath("pictures/x.png"))


def test_a_song_that_is_done_needs_no_generator() -> None:
    worker = Worker()
    try:
        record = worker.do(done())
    finally:
        worker.close()
    assert record["status"] == "drawn" and marks.read(Path("pictures/x.png")) == SKETCH.mark
    assert os.listdir("pictures") == ["x.png"]


def test_a_picture_that_another_run_draws_meanwhile() -> None:
    """Two runs of one command: neither fails. What somebody else puts there is kept."""
    Path("pictures").mkdir()
    picture, task = Path(SKETCH.path), replace(done(), picture=replace(SKETCH, overwrite=False))
    picture.write_text(f"mp3fix-picture:{SKETCH.mark};")
    assert work.attempt(task, None)["status"] == "drawn"
    picture.write_text("my holidays")
    assert work.attempt(task, None)["status"] == "failed" and picture.read_text() == "my holidays"


def test_a_disk_that_is_too_full_for_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Songs whose pictures do not fit any more count as those that do not fit."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("mp3fix.files.temporary.create", full)
    monkeypatch.setattr(work, "_restore", lambda *_: {"status": "restored", "seconds": 1.0})
    disks = Disks()
    for number in range(3):
        job = Job("in.wav", (Path("out.wav"),))
        assert not disks.given_up(job), number
        record = work.attempt(replace(done(), restored=False), object())  # type: ignore[arg-type]
        assert (record["status"], record["errno"], record["picture"]) == ("restored", "ENOSPC", None)
        disks.ended(job, record)
    assert disks.given_up(job)


def test_states_of_a_picture() -> None:
    picture, output = Path("x.png"), song("out.wav")
    mark = pictures.mark(["01", "02"], "mel", "mono")

    def state(wanted: str = mark) -> str:
        return pictures.state(picture, [output], wanted)

    assert state() == "absent"
    picture.write_text("a picture")
    assert state() == "foreign"
    picture.write_text(f"mp3fix-picture:{mark};")
    assert state() == "done"
    assert state(pictures.mark(["01", "02"], "log", "mono")) == "stale"
    assert state(pictures.mark(["01"], "mel", "mono")) == "other"
    os.utime(picture, (1, 1))
    assert state() == "stale"
    picture.write_text("mp3fix-picture::mel:mono;")  # of a pipe: nobody knows of which
    assert state(pictures.mark([], "mel", "mono")) == "other"
    picture.unlink()
    picture.symlink_to("nowhere")
    assert state() == "foreign"
    picture.unlink()
    picture.mkdir()
    assert state() == "foreign"
