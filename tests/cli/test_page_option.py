"""mp3fix --page: what it makes, what it refuses before any work, and what it does not touch."""

import builtins
import importlib.util
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from programs import Ended

from mp3fix.files import temporary

pytest.importorskip("jinja2", reason="needs the extra [page]")
pytest.importorskip("pyloudnorm", reason="needs the extra [page]")

Call = Callable[..., Ended]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def facts_of(page: str) -> Any:
    found = re.search(r'type="application/json">(.*?)</script>', Path(page).read_text(encoding="utf-8"))
    assert found
    return json.loads(found[1])


def names_of(page: str) -> list[str]:
    return [source["name"] for source in facts_of(page)["sources"]]


def test_a_page_of_all_draws(call: Call, song: Path, model: Path) -> None:
    options = ("--model", model, "--seed", "7", "--samples", "2", "--json")
    ended = call(song, "-o", "out/", "--page", "pages/song.html", *options)
    record = json.loads(ended.out)
    assert ended.code == 0 and record["page"] == "pages/song.html"
    assert ended.err == f"mp3fix: pages/song.html: a page of {record['page_bytes'] / 1e6:.1f} MB\n"
    assert names_of("pages/song.html")[:3] == ["Original", "Restored, seed 7", "Restored, seed 8"]
    text = Path("pages/song.html").read_text(encoding="utf-8")
    assert "<h1>A title</h1>" in text and "tiny 1.0, mp3fix" in text and "song.mp3" in text


def test_of_what_is_done_only_the_page_is_made(call: Call, song: Path, model: Path) -> None:
    command = (song, "-o", "out.wav", "--model", model, "--gain", "-6")
    assert call(*command).code == 0
    written = Path("out.wav").stat().st_mtime_ns
    assert call(*command, "--page", "out.html", "--page-seconds", 1).code == 0
    assert Path("out.wav").stat().st_mtime_ns == written
    facts = facts_of("out.html")
    assert facts["frames"] == 44100 and facts["start"] == 0.5 and facts["sources"][1]["fileGain"] == -6
    first = Path("out.html").read_bytes()
    assert call(*command, "--page", "out.html", "--page-seconds", 1).code == 0  # its own is made again
    assert Path("out.html").read_bytes() == first


def test_a_dry_run_names_it(call: Call, song: Path, model: Path) -> None:
    command = (song, "-o", "out.wav", "--model", model, "--page", "out.html")
    assert call(*command, "--dry-run").out == f"{song} -> out.wav\n{song} -> out.html\n"
    assert json.loads(call(*command, "--dry-run", "--json").out)["page"] == "out.html"
    assert not list(Path().glob("out.*"))
    assert call(*command[:-2], "-q").code == 0
    assert call(*command, "--dry-run").out == f"{song} -> out.wav (is done)\n{song} -> out.html\n"


def test_from_a_pipe(call: Call, song: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open(song, "rb") as file:
        monkeypatch.setattr("sys.stdin", type("Stdin", (), {"buffer": file}))
        assert (
            call("-", "-o", "out.flac", "--page", "out.html", "--model", model, "--start", 1, "-q").code == 0
        )
    assert facts_of("out.html")["start"] == 1 and "standard input" in Path("out.html").read_text()


@pytest.mark.parametrize(
    ("code", "word", "options"),
    [
        (2, "ends in .html", ["--page", "out.png"]),
        (2, "-o - leaves none", ["--page", "out.html", "-o", "-"]),
        (2, "one song", ["--page", "out.html", "other.mp3", "-o", "out"]),
        (2, "overwrite the input", ["--page", "link.html"]),
        (2, "--page-seconds", ["--page", "out.html", "--page-seconds", "0"]),
        (1, "mine.html exists", ["--page", "mine.html"]),
        (1, "is a folder", ["--page", "folder.html"]),
        (1, "cannot be made", ["--page", "mine.html/out.html"]),
    ],
)
def test_refused_before_any_work(
    call: Call, song: Path, model: Path, code: int, word: str, options: list[str]
) -> None:
    Path("other.mp3").write_bytes(song.read_bytes())
    Path("link.html").symlink_to(song)
    Path("mine.html").write_text("<p>mine")
    Path("folder.html").mkdir()
    before = {path: path.is_file() and path.read_bytes() for path in Path().rglob("*")}
    ended = call(song, "--model", model, *options)
    assert (ended.code, ended.out) == (code, "") and word in ended.err and len(ended.err.splitlines()) <= 3
    assert {path: path.is_file() and path.read_bytes() for path in Path().rglob("*")} == before


def test_more_channels_than_a_page_plays(call: Call, model: Path) -> None:
    soundfile.write("in.wav", np.zeros((1000, 3)), 44100)
    ended = call("in.wav", "--page", "out.html", "--model", model)
    assert (
        ended.code == 2
        and "one or two channels, not 3" in ended.err
        and not Path("in.restored.flac").exists()
    )


@pytest.mark.parametrize("library", ["jinja2", "pyloudnorm"])
def test_a_missing_library(
    call: Call, song: Path, model: Path, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        "mp3fix.report.extras.find_spec", lambda name: None if name == library else real(name)
    )
    ended = call(song, "--page", "out.html", "--model", model)
    assert ended.code == 2 and ended.err == f"mp3fix: --page needs {library}: pip install 'mp3fix[page]'\n"
    assert not list(Path().glob("*.flac"))


@pytest.mark.parametrize(
    ("error", "told"),
    [(OSError(28, "No space left on device"), "No space left"), (MemoryError(), "not enough memory")],
)
def test_a_page_that_fails_leaves_the_song(
    call: Call, song: Path, model: Path, error: Exception, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("mp3fix.report.page.write_files", full)
    ended = call(song, "-o", "out.flac", "--page", "out.html", "--model", model, "--json")
    record = json.loads(ended.out)
    assert ended.code == 1 and record["status"] == "restored" and record["page"] is None
    assert "is restored, but has no page: out.html: " in ended.err and told in ended.err
    assert Path("out.flac").exists() and not Path("out.html").exists()


def test_a_picture_that_fails_leaves_the_page(
    call: Call, song: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a song that is done, too; and where both fail, both are told."""
    pytest.importorskip("matplotlib", reason="needs the extra [plot]")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mp3fix.report.picture._figure", full)
    command = (song, "-o", "out.flac", "--plot", "--page", "out.html", "--model", model, "--json")
    for status in ("restored", "failed"):
        ended = call(*command)
        record = json.loads(ended.out)
        assert (ended.code, record["status"], record["page"]) == (1, status, "out.html")
        assert "out.png cannot be written" in ended.err and "out.html: a page of" in ended.err
        assert names_of("out.html")[:2] == ["Original", "Restored"]
        Path("out.html").unlink()
    monkeypatch.setattr("mp3fix.report.page.write_files", full)
    ended = call(*command)
    assert ended.code == 1 and json.loads(ended.out)["page"] is None
    assert "out.png cannot be written" in ended.err and "no page: out.html: No space left" in ended.err


@pytest.mark.parametrize("name", ["--page=locked/out.html", "--plot=locked/out.png"])
@pytest.mark.parametrize("piped", [False, True])
def test_a_folder_that_is_not_to_be_written_to(
    call: Call, song: Path, model: Path, name: str, piped: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told before the song is restored, as of outputs."""
    create = temporary.create

    def locked(target: Path) -> Path:
        if target.parent.name == "locked":
            raise OSError(13, "Permission denied")
        return create(target)

    monkeypatch.setattr(temporary, "create", locked)
    monkeypatch.setattr("mp3fix.cli.restoring.Restorer", lambda *_: pytest.fail("work was begun"))
    Path("locked").mkdir()
    with open(song, "rb") as file:
        monkeypatch.setattr("sys.stdin", type("Stdin", (), {"buffer": file}))
        ended = call("-" if piped else song, "-o", "out.flac", name, "--model", model)
    told = f"mp3fix: {name.partition('=')[2]} cannot be written: Permission denied\n"
    assert (ended.code, ended.err) == (1, told) and not Path("out.flac").exists()


def test_help_needs_no_library(call: Call, song: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --page neither is loaded."""
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.split(".")[0] in ("jinja2", "pyloudnorm"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    assert call(song, "--model", model, "-o", "out.flac").code == 0
