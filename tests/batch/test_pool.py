"""Songs done by worker processes, some of which are killed."""

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile
from made import LONG, how, outputs, song, tasks
from processes import Killer, runs, temporaries, workers

from mp3fix.batch import pool, work
from mp3fix.batch.work import Record, Task
from mp3fix.batch.worker import Unloaded
from mp3fix.errors import Mp3fixError
from mp3fix.restore import Restorer
from mp3fix.song import Target

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs Linux's /proc")


def run(planned: list[Task], jobs: int) -> dict[str, Record]:
    """The records by input."""
    found: dict[str, Record] = {}
    pool.run(planned, jobs, lambda *_: None, lambda task, record: found.update({task.input: record}))
    return found


def test_more_songs_than_workers() -> None:
    planned = tasks(how(), *(song(f"{number}.wav") for number in range(4)))
    records = run(planned, 2)
    assert [records[task.input]["status"] for task in planned] == ["restored"] * 4
    assert [records[task.input]["seconds"] for task in planned] == [1.0] * 4
    assert outputs() == [f"{number}.flac" for number in range(4)]
    assert workers(os.getpid()) == []


def test_names_that_are_not_text() -> None:
    planned = tasks(how(), song("byte\udcff\n.wav"))
    assert run(planned, 1)[planned[0].input]["status"] == "restored"
    assert outputs() == ["byte\udcff\n.flac"]


def test_what_fails_does_not_stop_the_others() -> None:
    Path("bad.mp3").write_text("no music")
    planned = tasks(how(), Path("bad.mp3"), Path("gone.mp3"), song("good.wav"))
    records = run(planned, 2)
    assert records["good.wav"]["status"] == "restored"
    assert records["bad.mp3"]["status"] == "failed" and "bad.mp3: " in records["bad.mp3"]["error"]
    assert records["gone.mp3"] == {"status": "failed", "error": "gone.mp3: no such file"}


def test_a_song_whose_worker_is_killed_once_is_done() -> None:
    planned = tasks(how(), song("unlucky.wav", LONG), *(song(f"{number}.wav") for number in range(3)))
    killer = Killer(Path("out"), "unlucky.flac", 1)
    records = run(planned, 2)
    assert len(killer.killed) == 1
    assert {record["status"] for record in records.values()} == {"restored"} and len(records) == 4
    assert outputs() == ["0.flac", "1.flac", "2.flac", "unlucky.flac"]
    assert soundfile.info("out/unlucky.flac").duration == LONG


def test_a_song_that_kills_its_worker_twice_is_left() -> None:
    planned = tasks(how(), song("poison.wav", LONG), *(song(f"{number}.wav") for number in range(3)))
    killer = Killer(Path("out"), "poison.flac", 3)
    records = run(planned, 2)
    assert len(killer.killed) == 2
    poison = records.pop("poison.wav")
    assert poison["status"] == "failed"
    assert poison["error"].startswith("poison.wav: its worker was killed twice (signal 9)")
    assert {record["status"] for record in records.values()} == {"restored"} and len(records) == 3
    assert outputs() == ["0.flac", "1.flac", "2.flac"]


def test_an_interrupt_ends_the_workers_and_leaves_nothing() -> None:
    planned = tasks(how(), song("a.wav", LONG), song("b.wav", LONG))
    begun: set[str] = set()
    seen: list[int] = []

    def interrupt(task: Task, done: float, total: float | None) -> None:
        begun.add(task.input)
        if len(begun) == 2:
            seen.extend(workers(os.getpid()))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pool.run(planned, 2, interrupt, lambda *_: None)
    assert len(seen) == 2 and not any(map(runs, seen))
    # The one whose worker started first may have ended before the other one began.
    assert len(outputs()) <= 1 and not temporaries(Path("out"))


def test_workers_end_with_their_parent() -> None:
    """Killed, it can say nothing to them."""
    script = (
        "import sys; from mp3fix.batch import pool; from mp3fix.batch.work import Task; "
        "pool.run([Task.from_json(line) for line in sys.stdin], 2, lambda *_: None, lambda *_: None)"
    )
    # So long that the first is not done before the second has begun, however busy the machine is.
    planned = tasks(how(), song("a.wav", 10 * LONG), song("b.wav", 10 * LONG))
    process = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write("".join(task.to_json() + "\n" for task in planned).encode())
    process.stdin.close()
    while len(temporaries(Path("out"))) < 2:
        assert process.poll() is None
        time.sleep(0.005)
    children = workers(process.pid)
    process.kill()
    process.wait()
    assert len(children) == 2
    while any(map(runs, children)):
        time.sleep(0.005)
    assert outputs() == []


def test_a_generator_that_cannot_be_loaded_ends_the_run() -> None:
    Path("bad.onnx").write_text("no network")
    planned = tasks(replace(how(), model="bad.onnx"), song("a.wav"), song("b.wav"))
    with pytest.raises(Unloaded, match=r"bad\.onnx"):
        run(planned, 2)
    assert workers(os.getpid()) == []


def test_a_worker_that_cannot_be_started_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr("subprocess.Popen", fail)
    with pytest.raises(Mp3fixError, match=r"no process can be started: Resource .* unavailable; .*-j"):
        run(tasks(how(), song("1.wav"), song("2.wav")), 2)


def test_what_nobody_foresaw_fails_one_song_only(monkeypatch: pytest.MonkeyPatch) -> None:
    restore_song = work.restore_song

    def fail(path: Path, *arguments: object) -> object:
        if path.name == "1.wav":
            raise RuntimeError("a bug")
        return restore_song(path, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(work, "restore_song", fail)
    restorer = Restorer(*how().loads)
    found = [work.attempt(task, restorer) for task in tasks(how(), song("1.wav"), song("2.wav"))]
    assert [record["status"] for record in found] == ["failed", "restored"]
    assert found[0]["error"].startswith("1.wav: RuntimeError: a bug")


def test_an_output_that_another_run_has_just_made_is_no_failure() -> None:
    """Only one that carries the note of being the same."""
    path = song("a.wav")
    noted = replace(how(), target=Target(jobs=("0123456789abcdef",)))
    assert run(tasks(noted, path), 1)["a.wav"]["status"] == "restored"
    assert run(tasks(noted, path), 1)["a.wav"] == work.DONE
    other = run(tasks(replace(how(), target=Target(jobs=("f" * 16,))), path), 1)["a.wav"]
    assert other["status"] == "failed" and "out/a.flac exists" in other["error"]


def test_what_libraries_print_stays_out_of_the_answers() -> None:
    script = (
        "import os; from mp3fix.batch import child; tasks, answers = child._take_pipes(); "
        "print('python', flush=True); os.system('echo c; cat'); answers.write(tasks.read()); answers.flush()"
    )
    ran = subprocess.run([sys.executable, "-c", script], input=b"a task", capture_output=True, check=True)
    assert (ran.stdout, ran.stderr) == (b"a task", b"python\nc\n")
