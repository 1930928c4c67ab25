"""--plot: which pictures are drawn where, and what is told of them."""

import json
import os
import shutil
import sys
from collections.abc import Callable
from importlib import util
from pathlib import Path
from typing import Any

import pytest
from programs import Ended

from mp3fix.batch.work import Task
from mp3fix.cli.config import configuration, understood
from mp3fix.cli.plot import picture_name
from mp3fix.cli.request import Request
from mp3fix.report import marks

Call = Callable[..., Ended]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures that take no time, where only their places matter."""

    def save(figure: Any, path: Path, form: str, metadata: dict[str, str | None]) -> None:
        path.write_text(" ".join(filter(None, metadata.values())))

    monkeypatch.setattr("mp3fix.report.picture._figure", lambda *_: None)
    monkeypatch.setattr("mp3fix.report.picture._save", save)


def wanted(*arguments: str) -> tuple[list[str] | None, str | None]:
    request = understood(list(arguments), "mp3fix")
    assert isinstance(request, Request)
    return request.inputs, picture_name(request.plot)


def records(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_its_name_may_be_left_out() -> None:
    """What follows is its name only where it names a picture: songs must not be taken for one."""
    assert wanted("x.mp3") == (["x.mp3"], None)
    assert wanted("x.mp3", "--plot") == (["x.mp3"], "")
    assert wanted("--plot", "x.mp3") == (["x.mp3"], "")
    assert wanted("--plot", "music/", "-v") == (["music/"], "")
    assert wanted("x.mp3", "--plot", "--force") == (["x.mp3"], "")
    for name in ("a.png", "b/a.SVG", "a.pdf"):
        assert wanted("x.mp3", "--plot", name) == wanted(f"--plot={name}", "x.mp3") == (["x.mp3"], name)
    assert wanted("x.mp3", "--plot", "--", "a.png") == (["x.mp3", "a.png"], "")
    assert wanted("--", "--plot", "a.png") == (["--plot", "a.png"], None)


def test_as_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    configuration().parent.mkdir(parents=True)
    configuration().write_text("plot = true")
    assert wanted("x.mp3")[1] == ""
    assert wanted("x.mp3", "--no-plot")[1] is None
    assert wanted("x.mp3", "--plot", "a.png")[1] == "a.png"
    assert wanted("x.mp3", "-o", "-")[1] is None  # nothing is left there to be drawn
    Path("my.toml").write_text("plot = false")
    assert wanted("x.mp3", "--preset", "my.toml")[1] is None
    for value, found in (("1", ""), ("0", None), ("b.png", "b.png")):
        monkeypatch.setenv("MP3FIX_PLOT", value)
        assert wanted("x.mp3", "--preset", "my.toml")[1] == found


def test_a_setting_that_names_no_picture(call: Call, song: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("my.toml").write_text('plot = "x.jpg"')
    ended = call(song, "--preset", "my.toml")
    assert (ended.code, ended.err) == (
        2,
        "mp3fix: my.toml: plot = x.jpg: pictures end in .png, .svg, .pdf\n",
    )
    monkeypatch.setenv("MP3FIX_PLOT", "x.gif")
    ended = call(song, "--preset", "my.toml")
    assert (ended.code, ended.err) == (2, "mp3fix: MP3FIX_PLOT=x.gif: pictures end in .png, .svg, .pdf\n")
    assert wanted("x.mp3", "--plot", "a.png")[1] == "a.png"  # what is typed comes first


@pytest.mark.parametrize(
    ("word", "arguments"),
    [
        ("--plot x.jpg: pictures end in .png, .svg, .pdf", ["--plot=x.jpg"]),
        ("--plot x.JPG: pictures end in .png, .svg, .pdf", ["--plot", "x.JPG", "-o", "out.flac"]),
        ("--plot a.tiff: pictures end in .png, .svg, .pdf", ["-o", "out.flac", "--plot", "a.tiff"]),
        ("-o -", ["--plot", "-o", "-"]),
        ("one picture for several", ["{song}", "music", "--plot", "x.png"]),
        ("overwrite an input", ["in.png", "-o", "out.flac", "--plot", "in.png"]),
        ("one draw", ["--plot", "--plot-channels", "all", "--samples", "2"]),
        ("--plot-scale", ["--plot", "--plot-scale", "bark"]),
    ],
)
def test_what_means_nothing(call: Call, song: Path, model: Path, word: str, arguments: list[str]) -> None:
    shutil.copy(song, "in.png")
    there = sorted(Path().rglob("*"))
    inputs = [song] if "in.png" not in arguments[0] and "{song}" not in arguments else []
    ended = call(*inputs, *(each.format(song=song) for each in arguments), "--model", model)
    assert (ended.code, ended.out) == (2, "") and word in ended.err and len(ended.err.splitlines()) <= 3
    assert sorted(Path().rglob("*")) == there


def test_without_matplotlib_nothing_is_begun(
    call: Call, song: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = util.find_spec
    monkeypatch.setattr(
        "mp3fix.report.extras.find_spec", lambda name: None if name == "matplotlib" else find(name)
    )
    ended = call(song, "--plot", "--model", model)
    assert ended.code == 2 and "pip install 'mp3fix[plot]'" in ended.err and len(ended.err.splitlines()) == 1
    assert os.listdir(song.parent) == ["song.mp3"]


@pytest.mark.slow
def test_a_library_has_one_beside_each(call: Call, song: Path, model: Path) -> None:
    """Drawn by the processes that restore. What is done and has its picture is left alone."""
    shutil.copy(song, "music/other.mp3")
    shutil.copy(song, "music/cover.png")
    command = ("music", "-o", "out", "--plot", "--model", model, "-j", 1, "--json")
    planned = records(call(*command, "--dry-run").out)
    ended = call(*command)
    assert ended.code == 0 and ended.err.count("\n") == 1, ended.err
    for found in (planned, records(ended.out)):
        assert [record["picture"] for record in found] == ["out/other.png", "out/song.png"]
    pictures = [Path("out/other.png"), Path("out/song.png")]
    assert all(marks.read(picture) for picture in pictures)
    dates = {path: path.stat().st_mtime_ns for path in Path("out").iterdir()}
    assert len(dates) == 4
    assert {record["status"] for record in records(call(*command).out)} == {"skipped"}

    os.utime("out/song.png", ns=(0, dates[Path("out/song.flac")] - 5_000_000_001))
    pictures[0].unlink()
    told = call(*command[:-1], "--dry-run")
    assert told.out.count("is done, but for its picture") == 2 and "2 to draw only" in told.err
    ended = call(*command)
    assert ended.code == 0 and {record["status"] for record in records(ended.out)} == {"drawn"}
    assert "2 only drawn" in ended.err
    assert {path: path.stat().st_mtime_ns for path in Path("out").glob("*.flac")} == {
        path: date for path, date in dates.items() if path.suffix == ".flac"
    }
    assert all(marks.read(picture) and picture.stat().st_mtime_ns > dates[picture] for picture in pictures)


@pytest.mark.usefixtures("drawing")
def test_a_picture_that_is_in_the_way(call: Call, song: Path, model: Path) -> None:
    picture = Path("music/song.restored.png")
    picture.write_text("my holidays")
    command = (song, "--plot", "--model", model)
    ended = call(*command)
    assert ended.code == 1 and "mp3fix did not draw it" in ended.err and "--force" in ended.err
    assert sorted(os.listdir("music")) == ["song.mp3", picture.name] and picture.read_text() == "my holidays"
    assert call(*command, "--force").code == 0 and marks.read(picture)
    # Of the same restoration, in another way: that is no loss. Of another, it is.
    before = picture.read_bytes()
    assert call(*command, "--plot-scale", "mel").code == 0 and picture.read_bytes() != before
    shutil.copy(song, "music/other.mp3")
    ended = call("music/other.mp3", "--seed", 3, "--plot", picture, "--model", model)
    assert ended.code == 1 and "shows another restoration" in ended.err
    assert not Path("music/other.restored.flac").exists()


@pytest.mark.usefixtures("drawing")
def test_names_for_several_draws(call: Call, song: Path, model: Path) -> None:
    draws = ("--seed", 7, "--samples", 2, "--plot", "--model", model)
    assert call(song, "-o", "out/", *draws).code == 0
    assert sorted(os.listdir("out")) == ["song.seed7-8.png", "song.seed7.flac", "song.seed8.flac"]
    assert call(song, "-o", "to/x.wav", *draws).code == 0
    assert sorted(os.listdir("to")) == ["x.seed7-8.png", "x.seed7.wav", "x.seed8.wav"]
    assert call(song, "-o", "by/", "--name", "{seed} {stem}.{ext}", *draws).code == 0
    assert sorted(os.listdir("by")) == ["7 song.flac", "7-8 song.png", "8 song.flac"]


@pytest.mark.usefixtures("drawing")
def test_the_song_stays_where_its_picture_fails(
    call: Call, song: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mp3fix.report.picture._figure", full)
    ended = call(song, "--plot", "x.png", "--model", model, "--json")
    (record,) = records(ended.out)
    assert ended.code == 1 and (record["status"], record["picture"]) == ("restored", None)
    assert "x.png" in record["picture_error"] and record["picture_error"] in ended.err
    assert Path("music/song.restored.flac").exists()
    ended = call(song, "--plot", "x.png", "--model", model, "--json")
    assert ended.code == 1 and records(ended.out)[0]["status"] == "failed"


@pytest.mark.parametrize("cluster", [False, True])
def test_a_file_where_its_folder_should_be(
    call: Call, song: Path, model: Path, cluster: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told before the song is restored, here or on a cluster."""
    Path("file").touch()
    given: list[Task] = []
    monkeypatch.setattr("mp3fix.batch.cluster.run", lambda tasks, *_: given.extend(tasks))
    elsewhere = ["--scheduler", "tcp://host:1"] if cluster else []
    ended = call(song, "--plot", "file/x.png", "--model", model, *elsewhere)
    assert not given
    told, _, summary = ended.err.partition("\n")
    assert (ended.code, told) == (1, "mp3fix: file: this folder cannot be made: File exists")
    assert ("1 failed" in summary) == cluster
    assert os.listdir("music") == ["song.mp3"]


@pytest.mark.usefixtures("drawing")
def test_standard_input_has_one_too(
    call: Call, song: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    monkeypatch.setattr("mp3fix.report.picture._figure", lambda heading, *_: seen.append(heading))
    with open(song, "rb") as file:
        monkeypatch.setattr(sys, "stdin", type("Stdin", (), {"buffer": file}))
        assert call("-", "-o", "out.flac", "--plot", "--model", model).code == 0
    assert marks.read(Path("out.png")) is not None and seen[0].startswith("standard input, MP3")
    Path("out.flac").unlink()
    ended = call("-", "-o", "out.flac", "--plot", "--model", model)
    assert ended.code == 1 and "out.png" in ended.err and not Path("out.flac").exists()


@pytest.mark.usefixtures("drawing")
def test_the_heading_and_titles(call: Call, song: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr("mp3fix.report.picture._figure", lambda *arguments: seen.append(arguments))
    span = ("--start", 1, "--duration", 0.5)
    call(song, "--plot", "--gain", -3, "--seed", 5, *span, "--model", model)
    heading, files, measured, view, start = seen[0]
    assert heading.startswith("song.mp3, MP3, ") and heading.endswith(" kbit/s")
    assert [file.title for file in files] == ["before", "after: tiny 1.0, seed 5, gain -3.0 dB"]
    assert start == 1 and [each.seconds for each in measured] == pytest.approx([0.5, 0.5], abs=1e-3)
    assert (view.scale, view.channels) == ("linear", "mono")


def test_what_is_left_alone_has_none(call: Call, song: Path, model: Path) -> None:
    """--below: no restoration, nothing to draw."""
    ended = call("music", "-o", "out", "--below", 8, "--others", "copy", "--plot", "--model", model, "--json")
    assert ended.code == 0
    (record,) = records(ended.out)
    assert (record["status"], record["picture"]) == ("copied", None) and os.listdir("out") == ["song.mp3"]
