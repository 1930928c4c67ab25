"""From what was typed to what goes where."""

import os
from pathlib import Path
from typing import Any

import pytest

from mp3fix.batch.plan import Job, Naming, jobs
from mp3fix.batch.sources import find
from mp3fix.errors import UsageError


def planned(
    inputs: list[str],
    output: str | None,
    draws: tuple[int, ...] = (0,),
    name: str | None = None,
    copies: bool = False,
) -> list[Job]:
    to_wav = output is not None and output.endswith(".wav") and not Path(output).is_dir()
    naming = Naming(".wav" if to_wav else ".flac", draws, "music", name)
    return jobs(find(inputs, output=output), output, naming, copies)


def outputs(*arguments: Any, **options: Any) -> list[list[str]]:
    return [[str(path) for path in job.outputs] for job in planned(*arguments, **options)]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_without_an_output_the_result_lies_beside_the_input() -> None:
    assert outputs(["a/in.mp3", "b.ogg"], None) == [["a/in.restored.flac"], ["b.restored.flac"]]


@pytest.mark.parametrize("output", ["out.wav", "deep/out.FLAC"])
def test_an_audio_suffix_names_a_file(output: str) -> None:
    assert outputs(["in.mp3"], output) == [[output]]


@pytest.mark.parametrize("output", ["out", "out/", "out.wav/", "out.v1"])
def test_anything_else_names_a_folder(output: str) -> None:
    job = planned(["music/in.mp3"], output)[0]
    assert job == Job("music/in.mp3", (Path(output) / "in.flac",), Path(output))


def test_a_folder_that_looks_like_a_file_is_a_folder() -> None:
    Path("live.wav").mkdir()
    assert outputs(["in.mp3"], "live.wav") == [["live.wav/in.flac"]]


def test_each_seed_has_its_own_file() -> None:
    five = [f"out/in.seed{seed}.flac" for seed in range(7, 12)]
    assert outputs(["in.mp3"], "out/", tuple(range(7, 12))) == [five]
    assert outputs(["in.mp3"], "x.wav", (0, 1)) == [["x.seed0.wav", "x.seed1.wav"]]
    assert outputs(["in.mp3"], None, (0, 1)) == [["in.restored.seed0.flac", "in.restored.seed1.flac"]]


def test_only_the_last_suffix_is_taken_off() -> None:
    assert outputs(["12. in C.mp3", ".hidden", "no suffix"], "out") == [
        ["out/12. in C.flac"],
        ["out/.hidden.flac"],
        ["out/no suffix.flac"],
    ]


def test_standard_input_and_output() -> None:
    assert planned(["-"], "-") == [Job("-", ())]
    assert outputs(["-"], "out/") == [["out/stdin.flac"]]
    assert outputs(["-"], "x.flac") == [["x.flac"]]


@pytest.mark.parametrize(
    ("inputs", "output", "draws", "word"),
    [
        (["a.mp3", "-"], "out/", 1, "only"),
        (["-"], None, 1, "-o"),
        (["a.mp3", "b.mp3"], "-", 1, "folder"),
        (["a.mp3"], "-", 2, "folder"),
        (["a.mp3", "b.mp3"], "x.wav", 1, "folder"),
        (["a.mp3"], "x.mp3", 1, ".flac"),
        (["a.mp3"], "x.M4A", 1, ".flac"),
        (["a.mp3"], "", 1, "empty"),
        ([""], "out/", 1, "empty"),
        (["x/a.mp3", "y/a.mp3"], "out/", 1, "x/a.mp3 and y/a.mp3"),
        (["a.mp3", "a.ogg"], None, 1, "a.restored.flac"),
        (["a.mp3", "a.mp3"], None, 1, "a.restored.flac"),
        (["a.wav"], "a.wav", 1, "overwrite an input"),
        (["a.flac"], ".", 1, "overwrite an input"),
        (["a.mp3", "a.restored.flac"], None, 1, "overwrite an input"),
    ],
)
def test_what_has_no_place(inputs: list[str], output: str | None, draws: int, word: str) -> None:
    with pytest.raises(UsageError, match=word):
        outputs(inputs, output, tuple(range(draws)))


def test_an_output_that_is_the_input_by_another_name() -> None:
    Path("song.wav").touch()
    Path("link.wav").symlink_to("song.wav")
    Path("here").symlink_to(".")
    for output in ("link.wav", "here/song.wav", os.path.abspath("song.wav")):
        with pytest.raises(UsageError, match="overwrite an input"):
            outputs(["song.wav"], output)
    with pytest.raises(UsageError, match="overwrite an input"):
        outputs(["link.wav"], "song.wav")


def test_an_existing_file_is_no_folder() -> None:
    Path("notes.txt").touch()
    with pytest.raises(UsageError, match=r"notes\.txt"):
        outputs(["in.mp3"], "notes.txt")


def test_names_in_messages_fit_in_a_line() -> None:
    with pytest.raises(UsageError, match=r"a\\n\\xffb\.mp3: mp3fix writes"):
        outputs(["in.mp3"], "a\n\udcffb.mp3")
    assert Job("a\nb", ()).name == r"a\nb"
    assert Job("-", ()).name == "standard input"
