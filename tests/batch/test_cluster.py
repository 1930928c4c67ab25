"""Songs done by a dask cluster of separate processes, some of which are killed."""

import gc
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from made import LONG, how, outputs, song, tasks
from processes import Killer, parent, runs, temporaries, wait_for, workers

from mp3fix.batch import cluster, pool
from mp3fix.batch.work import Record, Task

distributed = pytest.importorskip("distributed", reason="needs the extra [cluster]")

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs Linux's /proc")


@pytest.fixture(scope="module")
def local() -> Iterator[Any]:
    """Two dask workers, each a process."""
    settings = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with distributed.LocalCluster(**settings, silence_logs=50) as made:
        yield made


def run(planned: list[Task], address: str) -> list[tuple[str, Record]]:
    found: list[tuple[str, Record]] = []
    cluster.run(planned, address, lambda task, record: found.append((task.input, record)), lambda: None)
    return found


def dask_workers(local: Any) -> list[int]:
    with distributed.Client(local.scheduler_address, set_as_default=False) as client:
        return sorted(client.run(os.getpid).values())


@pytest.mark.slow
def test_songs(local: Any) -> None:
    Path("bad.mp3").write_text("no music")
    planned = tasks(how(), *(song(f"{number}.wav") for number in range(5)), Path("bad.mp3"), Path("gone.mp3"))
    records = dict(run(planned, local.scheduler_address))
    assert [records[f"{number}.wav"]["status"] for number in range(5)] == ["restored"] * 5
    assert "bad.mp3: " in records["bad.mp3"]["error"]
    assert (
        "gone.mp3: " in records["gone.mp3"]["error"] and socket.gethostname() in records["gone.mp3"]["error"]
    )
    assert outputs() == [f"{number}.flac" for number in range(5)]
    assert [workers(process) for process in dask_workers(local)] == [[], []]


@pytest.mark.slow
def test_the_same_bytes_as_without_a_cluster(local: Any) -> None:
    songs = [song(f"{number}.wav", 5 + number) for number in range(3)]
    results = []
    for jobs in (1, 2, None):
        planned = tasks(how(), *songs)
        if jobs is None:
            run(planned, local.scheduler_address)
        else:
            threads = replace(how(), threads=2 // jobs)
            pool.run([replace(task, how=threads) for task in planned], jobs, lambda *_: None, lambda *_: None)
        results.append([Path("out", name).read_bytes() for name in outputs()])
        for name in outputs():
            Path("out", name).unlink()
    assert len(results[0]) == 3 and results[0] == results[1] == results[2]


@pytest.mark.slow
def test_a_bundled_generator_with_a_folder_of_its_name_in_the_way(local: Any) -> None:
    """As the library itself may be called."""
    Path("music").mkdir()
    Path("music-det").touch()
    shutil.copy(how().model, "mine.onnx")
    for number, model in enumerate(("music", "music-det", "mine.onnx")):
        planned = tasks(replace(how(), model=model), song(f"{number}.wav"))
        ((_, record),) = run(planned, local.scheduler_address)
        assert record["status"] == "restored", record


@pytest.mark.slow
def test_paths_that_go_up_from_behind_a_link(local: Any) -> None:
    """The system goes to the folder above the one that is linked; there may be another file at the shorter path."""
    Path("disk/songs").mkdir(parents=True)
    song("disk/a.wav")
    Path("link").symlink_to("disk/songs")
    Path("disk/out").mkdir()
    task = replace(tasks(how(), Path("link/../a.wav"))[0], outputs=("link/../out/a.flac",))
    ((_, record),) = run([task], local.scheduler_address)
    assert record["status"] == "restored", record
    assert os.listdir("disk/out") == ["a.flac"] and outputs() == []


@pytest.mark.slow
def test_what_a_killed_dask_worker_had_is_done_by_another(local: Any) -> None:
    before = dask_workers(local)
    planned = tasks(how(), song("long.wav", LONG), *(song(f"{number}.wav") for number in range(6)))
    killer = Killer(Path("out"), "long.flac", 1, whom=parent)
    records = run(planned, local.scheduler_address)
    assert len(killer.killed) == 1 and not any(map(runs, killer.killed))
    assert sorted(name for name, _ in records) == sorted(task.input for task in planned)
    assert {record["status"] for _, record in records} <= {"restored", "skipped"}
    assert outputs() == [*(f"{number}.flac" for number in range(6)), "long.flac"]
    assert dask_workers(local) != before


@pytest.mark.slow
def test_a_song_that_kills_its_worker_twice_is_left(local: Any) -> None:
    before = dask_workers(local)
    planned = tasks(how(), song("poison.wav", LONG), *(song(f"{number}.wav") for number in range(3)))
    killer = Killer(Path("out"), "poison.flac", 3)
    records = dict(run(planned, local.scheduler_address))
    assert len(killer.killed) == 2
    assert "killed twice" in records.pop("poison.wav")["error"]
    assert {record["status"] for record in records.values()} == {"restored"}
    assert outputs() == ["0.flac", "1.flac", "2.flac"]
    assert dask_workers(local) == before


@pytest.mark.slow
def test_an_interrupt_leaves_nothing(local: Any) -> None:
    planned = tasks(how(), song("quick.wav"), song("a.wav", LONG), song("b.wav", LONG), song("c.wav", LONG))
    before: list[
        str
    ] = []  # on a busy machine one of the long songs may be through before the other has begun

    def interrupt(task: Task, record: Record) -> None:
        wait_for(lambda: len(temporaries(Path("out"))) == 2)
        before.extend(name for name in outputs() if not name.startswith("."))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cluster.run(planned, local.scheduler_address, interrupt, lambda: None)
    assert outputs() == before and "quick.flac" in before
    assert [workers(process) for process in dask_workers(local)] == [[], []]


@pytest.mark.slow
def test_another_version_and_a_missing_generator(local: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    planned = tasks(replace(how(), model="nowhere.onnx"), song("a.wav"))
    ((_, record),) = run(planned, local.scheduler_address)
    assert record["status"] == "failed" and "a.wav: " in record["error"] and "nowhere.onnx" in record["error"]
    monkeypatch.setattr(cluster, "__version__", "9.9")
    ((_, record),) = run(planned, local.scheduler_address)
    assert record["status"] == "failed" and "a.wav: " in record["error"] and "9.9" in record["error"]


@pytest.mark.slow
def test_a_scheduler_that_goes_away() -> None:
    planned = tasks(how(), song("quick.wav"), song("a.wav", LONG))
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as made:
        closing = threading.Thread(target=made.close)
        with pytest.raises(cluster.ClusterError, match="lost"):
            cluster.run(planned, made.scheduler_address, lambda *_: closing.start(), lambda: None)
        closing.join()
    wait_for(lambda: not temporaries(Path("out")))
    assert {*outputs()} <= {"quick.flac", "a.flac"}


@pytest.mark.slow
def test_a_cluster_without_workers_is_waited_for() -> None:
    """And whoever waits is told so, once."""
    with distributed.LocalCluster(
        n_workers=0, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as made:
        told: list[str] = []

        def waits() -> None:
            told.append("waits")
            made.scale(1)

        planned = tasks(how(), song("a.wav"), song("b.wav"))
        cluster.run(planned, made.scheduler_address, lambda task, _: told.append(task.input), waits)
    assert told[0] == "waits" and sorted(told[1:]) == ["a.wav", "b.wav"]


def test_no_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "_CONNECT_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    for address in (f"tcp://127.0.0.1:{port}", "nonsense", "nonsense://x:1"):
        with pytest.raises(cluster.ClusterError, match=address):
            run(tasks(how(), song("a.wav")), address)
        # A client that failed ends when it is collected; were that while the next one starts, both would wait for ever.
        gc.collect()


def test_without_the_extra() -> None:
    script = (
        "import sys; sys.modules['distributed'] = None; from mp3fix.batch import cluster; "
        "cluster.run([], 'tcp://x:1', print, print)"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "ClusterError" in ran.stderr and "mp3fix[cluster]" in ran.stderr
