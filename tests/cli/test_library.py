"""Folders and lists on the command line: what is planned, told and written."""

import io
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mp3s
import numpy as np
import pytest
from programs import Ended

Call = Callable[..., Ended]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def library(made_song: Path) -> Path:
    """Two songs in folders, one loose, and what lies about."""
    for name in ("A/1.mp3", "A/2.mp3", "loose.mp3"):
        path = Path("lib") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(made_song, path)
    Path("lib/A/cover.jpg").touch()
    return Path("lib")


@pytest.fixture(scope="session")
def loud(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of an MP3 of 320 kbit/s, with all its treble."""
    path = tmp_path_factory.mktemp("loud") / "loud.mp3"
    noise = 0.02 * np.random.default_rng(0).standard_normal((2, 88200)).astype(np.float32)
    path.write_bytes(mp3s.lame(mp3s.music(88200, 44100) + noise, 44100, 320))
    return path


def files(folder: str) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in Path(folder).rglob("*") if path.is_file())


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def by_input(text: str) -> dict[str, dict[str, Any]]:
    return {record["input"]: record for record in lines(text)}


def test_a_library_is_mirrored(call: Call, library: Path, model: Path) -> None:
    ended = call(library, "--model", model, "-o", "out", "-j", 1, "--json")
    assert ended.code == 0 and {record["status"] for record in lines(ended.out)} == {"restored"}
    assert files("out") == ["A/1.flac", "A/2.flac", "loose.flac"]
    assert files("lib") == ["A/1.mp3", "A/2.mp3", "A/cover.jpg", "loose.mp3"]
    dates = [path.stat().st_mtime_ns for path in Path("out").rglob("*.flac")]
    again = call(library, "--model", model, "-o", "out", "-j", 1, "--json")
    assert again.code == 0 and {record["status"] for record in lines(again.out)} == {"skipped"}
    assert dates == [path.stat().st_mtime_ns for path in Path("out").rglob("*.flac")]


def test_beside_each_and_never_what_was_made(call: Call, library: Path, model: Path) -> None:
    for _ in range(2):
        assert call(library, "--model", model, "-j", 1, "--name", "{stem}+{model}.{ext}").code == 0
        made = f"+{model.stem}.flac"
        assert files("lib") == [
            "A/1" + made,
            "A/1.mp3",
            "A/2" + made,
            "A/2.mp3",
            "A/cover.jpg",
            "loose" + made,
            "loose.mp3",
        ]


def test_a_list_of_names(call: Call, library: Path, model: Path) -> None:
    odd = Path("lib/two\nlines\udcff.mp3")
    (library / "loose.mp3").rename(odd)
    Path("list").write_bytes(b"lib/A/1.mp3\0" + os.fsencode(odd) + b"\0")
    assert call("--input-list", "list", "--model", model, "-o", "out", "-j", 1).code == 0
    assert files("out") == ["lib/A/1.flac", "lib/two\nlines\udcff.flac"]


@pytest.mark.parametrize("text", [b"", b"\n", b"\0"])
def test_an_empty_list_is_a_library_of_no_songs(
    call: Call, model: Path, text: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `find -newer` gives it in a quiet night."""
    chosen = ["--input-list", "-", "--model", model, "-o", "out"]
    for options, told in (
        ([], "mp3fix: 0 restored, 0 failed\n"),
        (["--json", "-q"], ""),
        (["--dry-run"], "mp3fix: 0 to restore\n"),
    ):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))
        assert call(*chosen, *options) == Ended(0, "", told)
    assert not os.path.exists("out")


def test_an_empty_list_and_a_folder(call: Call, library: Path, model: Path) -> None:
    """The songs go where they go in other nights."""
    Path("list").touch()
    assert call(library, "--input-list", "list", "--model", model, "-o", "out", "-j", 1).code == 0
    assert files("out") == ["lib/A/1.flac", "lib/A/2.flac", "lib/loose.flac"]


@pytest.mark.parametrize("options", [[], ["--dry-run"]])
def test_all_inputs_are_the_folder_of_outputs(
    call: Call, library: Path, model: Path, options: list[str]
) -> None:
    ended = call(library, "./lib/", "--model", model, "-o", "lib", *options)
    assert ended.code == 2 and ended.err.startswith("mp3fix: lib: is the folder of -o")
    assert len(files("lib")) == 4


def test_a_song_that_goes_to_two_places(call: Call, library: Path, model: Path) -> None:
    ended = call(library, "lib/loose.mp3", "--model", model, "-o", "out", "-j", 1, "--json")
    told = [(record["input"], record["outputs"]) for record in lines(ended.out)]
    assert ended.code == 0 and [output for name, output in told if name == "lib/loose.mp3"] == [
        ["out/lib/loose.flac"],
        ["out/loose.flac"],
    ]


@pytest.mark.parametrize("name", ["lib/loose.mp3", "lib"])
def test_a_draw_is_missing(call: Call, library: Path, model: Path, name: str) -> None:
    """One more is asked for, or one has gone: no --force is needed for it, and the others stay as they are."""
    chosen = [name, "--model", model, "--seed", 7, "-o", "out", "-j", 1, "--samples"]
    assert call(*chosen, 2).code == 0
    kept = Path("out/loose.seed7.flac").read_bytes(), Path("out/loose.seed8.flac").read_bytes()
    planned = call(*chosen, 3, "--dry-run")
    assert planned.code == 0 and "1 of 3 draws is missing, and all are made anew" in planned.out
    assert call(*chosen, 3).code == 0
    assert Path("out/loose.seed9.flac").is_file()
    Path("out/loose.seed7.flac").unlink()
    assert call(*chosen, 2).code == 0
    assert kept == (Path("out/loose.seed7.flac").read_bytes(), Path("out/loose.seed8.flac").read_bytes())


def test_a_folder_that_cannot_be_made_is_told_once(call: Call, library: Path, model: Path) -> None:
    Path("file").touch()
    ended = call(library, "--model", model, "-o", "file/out")
    assert ended.code == 1 and ended.err.count("\n") == 1
    assert ended.err == "mp3fix: file/out: this folder cannot be made: Not a directory\n"


def test_a_pipe_is_no_work_for_a_cluster(
    start: Callable[..., Any], library: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scheduler may be in the configuration of whoever wants to listen to a song."""
    monkeypatch.setenv("MP3FIX_SCHEDULER", "tcp://127.0.0.1:1")
    process = start("lib/loose.mp3", "--model", model, "-o", "-")
    out, err = process.communicate(timeout=100)
    assert (process.returncode, err) == (0, b"") and out.startswith(b"RIFF")


def test_the_current_folder_is_gone(call: Call, model: Path) -> None:
    Path("gone").mkdir()
    os.chdir("gone")
    os.rmdir("../gone")
    ended = call("song.mp3", "--model", model, "-o", "out")
    assert ended.code == 1 and "standard output" not in ended.err
    assert "No such file or directory" in ended.err


def test_collisions_stop_it_before_any_work(call: Call, library: Path, model: Path) -> None:
    shutil.copy("lib/A/1.mp3", "lib/A/1.mp2")
    ended = call(library, "--model", model, "-o", "out", "-j", 1)
    assert ended.code == 2 and not os.path.exists("out")
    assert ended.err.startswith("mp3fix: lib/A/1.mp2 and lib/A/1.mp3 would both become out/A/1.flac\n")
    assert "{input_ext}" in ended.err and len(ended.err.splitlines()) == 2


def test_info_of_a_folder(call: Call, library: Path) -> None:
    ended = call("--info", library, "--json")
    assert ended.code == 0
    assert [record["input"] for record in lines(ended.out)] == ["lib/loose.mp3", "lib/A/1.mp3", "lib/A/2.mp3"]
    assert {record["codec"] for record in lines(ended.out)} == {"MP3"}
    Path("empty").mkdir()
    ended = call("--info", "empty")
    assert ended == Ended(1, "", "mp3fix: empty: no music in this folder\n")


def test_a_dry_run_tells_why(call: Call, library: Path, loud: Path, model: Path) -> None:
    shutil.copy(loud, "lib/loud.mp3")
    call(library / "A/1.mp3", "--model", model, "-o", "out/A")
    Path("out/A/2.flac").write_text("mine")
    chosen = [library, "--model", model, "-o", "out", "--dry-run"]
    ended = call(*chosen)
    assert ended.code == 1 and ended.err.startswith("mp3fix: out/A/2.flac exists, and was not made by ")
    told = ended.out.splitlines()
    assert told[:2] == ["lib/loose.mp3 -> out/loose.flac", "lib/loud.mp3 -> out/loud.flac"]
    assert "lib/A/1.mp3" in told[2] and "is done" in told[2]
    assert files("out") == ["A/1.flac", "A/2.flac"]
    kept = call(*chosen, "--below", 256).out.splitlines()
    assert kept[1].startswith("lib/loud.mp3") and "320 kbit/s, its spectrum ends at" in kept[1]
    copied = call(*chosen, "--below", 256, "--others", "copy", "--json")
    assert by_input(copied.out)["lib/loud.mp3"]["outputs"] == ["out/loud.mp3"]


def test_a_dry_run_counts_and_has_the_records_of_a_run(call: Call, library: Path, model: Path) -> None:
    assert call(library / "A/1.mp3", "--model", model, "-o", "out/A").code == 0
    Path("lib/bad.mp3").write_text("no music")
    Path("out/loose.flac").write_text("mine")
    chosen = [library, "--model", model, "-o", "out", "--json"]
    planned, run = call(*chosen, "--dry-run"), call(*chosen)
    assert planned.err.splitlines()[-1] == "mp3fix: 1 to restore, 1 done already, 2 would fail"
    assert call(*chosen, "--dry-run", "-q").err.count("\n") == planned.err.count("\n") - 1
    foreseen, real = by_input(planned.out), by_input(run.out)
    for name, status in ("A/1.mp3", "skipped"), ("bad.mp3", "failed"), ("loose.mp3", "failed"):
        assert foreseen[f"lib/{name}"]["status"] == status
        assert foreseen[f"lib/{name}"] == real[f"lib/{name}"]
    assert foreseen["lib/A/2.mp3"].keys() < real["lib/A/2.mp3"].keys()
    assert real["lib/A/1.mp3"]["reason"] == "is done"


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_below(call: Call, library: Path, loud: Path, model: Path, jobs: int) -> None:
    shutil.copy(loud, "lib/A/loud.mp3")
    os.utime("lib/A/loud.mp3", (1e9, 1e9))
    chosen = [library, "--model", model, "-o", "out", "-j", jobs, "--json", "--below", 256]
    left = call(*chosen)
    record = by_input(left.out)["lib/A/loud.mp3"]
    assert left.code == 0 and record["status"] == "left" and "320 kbit/s" in record["reason"]
    assert files("out") == ["A/1.flac", "A/2.flac", "loose.flac"]
    copied = by_input(call(*chosen, "--others", "copy").out)
    assert [record["status"] for record in copied.values()].count("skipped") == 3
    assert copied["lib/A/loud.mp3"]["status"] == "copied"
    assert Path("out/A/loud.mp3").read_bytes() == loud.read_bytes()
    assert Path("out/A/loud.mp3").stat().st_mtime == 1e9
    planned = by_input(call(*chosen, "--others", "copy", "--dry-run").out)["lib/A/loud.mp3"]
    assert planned["status"] == "skipped" and planned["outputs"] == ["out/A/loud.mp3"]
    again = by_input(call(*chosen, "--others", "copy").out)
    assert {record["status"] for record in again.values()} == {"skipped"}


def test_a_folder_of_what_is_left_is_not_made(call: Call, loud: Path, model: Path) -> None:
    Path("lib/A").mkdir(parents=True)
    shutil.copy(loud, "lib/A/loud.mp3")
    assert call("lib", "--model", model, "-o", "out", "-j", 1, "--below", 96).code == 0
    assert not os.path.exists("out")


def test_others_cannot_be_copied_onto_themselves(call: Call, library: Path, model: Path) -> None:
    ended = call(library, "--model", model, "--below", 96, "--others", "copy")
    assert ended.code == 2 and "-o" in ended.err
    ended = call(library, "--model", model, "--below", 96, "--others", "copy", "-o", library)
    assert ended.code == 2 and "overwrite an input" in ended.err
