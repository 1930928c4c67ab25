"""Many songs in one run of the program: several at a time, interrupted, killed, on a cluster."""

import hashlib
import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mp3s
import mutagen.flac
import numpy as np
import pytest
import soundfile
from processes import PATIENCE, Killer, runs, temporaries, wait_for, workers
from programs import Ended
from test_process import on_terminal

Start = Callable[..., "subprocess.Popen[bytes]"]

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs Linux's /proc")


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """Five short songs, and two of some minutes that come last."""
    folder = tmp_path / "music"
    for name in ("album", "late"):
        (folder / name).mkdir(parents=True)
    for number in range(5):
        song = mp3s.lame(mp3s.music(44100 + 4410 * number, 44100, seed=number), 44100)
        (folder / "album" / f"{number}.mp3").write_bytes(song)
    for name in ("long", "longer"):
        noise = np.random.default_rng(0).integers(-3000, 3000, 8000 * 60, np.int16)
        soundfile.write(folder / "late" / f"{name}.wav", noise, 8000)
    return folder


EVERYTHING = [*(f"album/{number}.flac" for number in range(5)), "late/long.flac", "late/longer.flac"]


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def digests(folder: Path) -> dict[str, str]:
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in files(folder)}


def ended(process: "subprocess.Popen[bytes]") -> Ended:
    out, err = process.communicate(timeout=3 * PATIENCE)
    assert b"Traceback" not in err
    return Ended(process.returncode, out.decode(), err.decode())


def records(told: Ended) -> dict[str, dict[str, Any]]:
    """By the name of the input."""
    return {Path(record["input"]).name: record for record in map(json.loads, told.out.splitlines())}


@pytest.mark.slow
def test_the_same_bytes_however_many_at_a_time(
    start: Start, music: Path, model: Path, tmp_path: Path
) -> None:
    chosen = [music / "album", "--model", model, "--seed", 3, "--samples", 2]
    for jobs in (1, 2, 3):
        told = ended(start(*chosen, "-o", tmp_path / f"j{jobs}", "-j", jobs))
        assert told.code == 0 and told.err.startswith("mp3fix: 5 restored, 0 failed; ")
    assert len(files(tmp_path / "j1")) == 10
    assert digests(tmp_path / "j1") == digests(tmp_path / "j2") == digests(tmp_path / "j3")


@pytest.mark.slow
def test_a_line_of_json_for_each(start: Start, music: Path, model: Path, tmp_path: Path) -> None:
    (music / "bad.mp3").write_text("no music")
    chosen = [music, "--model", model, "-o", tmp_path / "out", "-j", 2, "--json", "-q"]
    first = ended(start(*chosen))
    told = records(first)
    assert (
        first.code == 1 and first.err.count("\n") == 1 and "bad.mp3: " in first.err
    )  # no summary: it is quiet
    assert len(told) == 8 and told.pop("bad.mp3")["status"] == "failed"
    assert {record["status"] for record in told.values()} == {"restored"}
    assert told["3.mp3"]["outputs"] == [str(tmp_path / "out" / "album" / "3.flac")]
    assert told["long.wav"]["seconds"] == 60 and told["3.mp3"]["bitrate_kbps"] == 128
    assert {"elapsed", "cutoff_before", "cutoff_after", "seeds", "model", "device", "warnings"} < told[
        "3.mp3"
    ].keys()
    again = records(ended(start(*chosen)))
    assert again.pop("bad.mp3")["status"] == "failed"
    assert {record["status"] for record in again.values()} == {"skipped"} and len(again) == 7


@pytest.mark.parametrize(
    "number",  # of one song alone, test_process tests them all
    [
        signal.SIGINT,
        *(pytest.param(each, marks=pytest.mark.slow) for each in (signal.SIGTERM, signal.SIGHUP)),
    ],
)
def test_an_interrupted_run_goes_on_where_it_was(
    start: Start, music: Path, model: Path, tmp_path: Path, number: int
) -> None:
    out = tmp_path / "out"
    chosen = [music, "--model", model, "-o", out, "-j", 2]
    process = start(*chosen)
    wait_for(lambda: "longer.flac" in temporaries(out / "late"))
    children = workers(process.pid)
    process.send_signal(number)
    told = ended(process)
    assert told.code == 130 and told.err.splitlines()[-1] == "mp3fix: interrupted"
    assert len(children) == 2 and not any(map(runs, children))
    finished = files(out)
    assert {*EVERYTHING[:5]} <= {*finished} < {*EVERYTHING} and os.listdir(tmp_path / "spool") == []
    dates = {name: (out / name).stat().st_mtime_ns for name in finished}
    told = ended(start(*chosen))
    assert told.code == 0
    assert told.err.startswith(
        f"mp3fix: {7 - len(finished)} restored, {len(finished)} skipped as done, 0 failed; "
    )
    assert files(out) == EVERYTHING
    assert dates == {name: (out / name).stat().st_mtime_ns for name in finished}


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_was(start: Start, music: Path, model: Path, tmp_path: Path) -> None:
    """Its workers notice, and leave nothing."""
    out = tmp_path / "out"
    chosen = [music, "--model", model, "-o", out, "-j", 2]
    process = start(*chosen)
    wait_for(lambda: "longer.flac" in temporaries(out / "late"))
    children = workers(process.pid)
    process.kill()
    process.wait()
    wait_for(lambda: not any(map(runs, children)))
    assert {*files(out)} < {*EVERYTHING} and os.listdir(tmp_path / "spool") == []
    assert ended(start(*chosen)).code == 0
    assert files(out) == EVERYTHING


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_song_that_kills_its_worker(
    start: Start, music: Path, model: Path, tmp_path: Path, jobs: int
) -> None:
    killer = Killer(tmp_path / "out" / "late", "long.flac", 2)
    told = ended(start(music, "--model", model, "-o", tmp_path / "out", "-j", jobs))
    assert told.code == 1 and len(killer.killed) == 2
    failed, summary = told.err.splitlines()
    assert "long.wav: its worker was killed twice" in failed and summary.startswith(
        "mp3fix: 6 restored, 1 failed; "
    )
    assert files(tmp_path / "out") == [name for name in EVERYTHING if name != "late/long.flac"]


def test_a_bar_for_all(start: Start, music: Path, model: Path, tmp_path: Path) -> None:
    for path in music.glob("late/*.wav"):
        path.unlink()
    (music / "bad.mp3").write_text("no music")
    code, out, shown = on_terminal(start, music, "--model", model, "-o", tmp_path / "out", "-j", 2)
    assert (code, out) == (1, b"")
    assert "6/6 files, 1 failed, 0.1 min of audio" in shown and "x real time" in shown and " left" in shown
    assert "bad.mp3: is a text file" in shown
    assert shown.rstrip().splitlines()[-1].count("mp3fix: 5 restored, 1 failed; 0.1 min of audio in 0:")


def test_the_note_of_how_it_was_made_is_there_without_tags(
    call: Callable[..., Ended], music: Path, model: Path, tmp_path: Path
) -> None:
    song = music / "album" / "0.mp3"
    for name, options in (("a", []), ("b", ["--no-tags"]), ("c", ["--no-tags"])):
        assert call(song, "--model", model, "-o", tmp_path / f"{name}.flac", *options).code == 0
    notes = [mutagen.flac.FLAC(tmp_path / f"{name}.flac")["mp3fix_job"] for name in "abc"]
    assert notes[0] != notes[1] == notes[2] and len(notes[1][0]) == 16


@pytest.mark.slow
def test_a_cluster(start: Start, music: Path, model: Path, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="needs the extra [cluster]")
    chosen = [music.relative_to(tmp_path), "--model", model]
    assert ended(start(*chosen, "-o", "alone", "-j", 1)).code == 0
    settings = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with distributed.LocalCluster(**settings, silence_logs=50) as cluster:
        clustered = [*chosen, "-o", "out", "--scheduler", cluster.scheduler_address]
        process = start(*clustered)
        wait_for(lambda: "longer.flac" in temporaries(tmp_path / "out" / "late"))
        process.send_signal(signal.SIGINT)
        told = ended(process)
        assert told.code == 130 and told.err.splitlines()[-1] == "mp3fix: interrupted"
        assert {*files(tmp_path / "out")} < {*EVERYTHING}
        told = ended(start(*clustered))
    assert told.code == 0 and ", 0 failed; " in told.err and told.err.count("\n") == 1
    assert digests(tmp_path / "out") == digests(tmp_path / "alone")


def test_no_cluster(start: Start, music: Path, model: Path, tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason="needs the extra [cluster]")
    """An address that could be one: it is no wrong usage. Nothing is summed up, since nothing has been done."""
    told = ended(start(music, "--model", model, "-o", "out", "--scheduler", "nonsense://host:1"))
    assert told.code == 1 and told.err.startswith("mp3fix: --scheduler nonsense://host:1: no dask scheduler")
    assert not (tmp_path / "out").exists()
