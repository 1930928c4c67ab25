"""From what was typed to what goes where."""

import os
from pathlib import Path
from typing import Any

import pytest

from mp3fix.batch.plan import Job, Naming, _ignores_case, jobs
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


def tree(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()


def test_a_folder_is_mirrored() -> None:
    tree("music/Artist/Album/01.mp3", "music/02.ogg")
    first, second = planned(["music"], "restored")
    assert first == Job("music/02.ogg", (Path("restored/02.flac"),), Path("restored"))
    folder = Path("restored/Artist/Album")
    assert second == Job("music/Artist/Album/01.mp3", (folder / "01.flac",), folder)
    assert outputs(["music"], None) == [
        ["music/02.restored.flac"],
        ["music/Artist/Album/01.restored.flac"],
    ]


def test_a_folder_of_one_song_is_a_folder() -> None:
    tree("music/01.mp3")
    assert outputs(["music"], "out") == [["out/01.flac"]]
    for output in ("x.wav", "-"):
        with pytest.raises(UsageError, match="folder"):
            planned(["music"], output)


def test_a_folder_without_music_plans_nothing() -> None:
    Path("music").mkdir()
    for output in ("x.wav", "-", "out", None):
        assert planned(["music"], output) == []


def test_the_output_may_be_the_folder_itself() -> None:
    tree("music/a/1.mp3")
    assert outputs(["music"], "music") == [["music/a/1.flac"]]


@pytest.mark.parametrize(
    ("template", "draws", "made"),
    [
        ("{stem}.{ext}", (0,), ["a.b.flac"]),
        ("{stem}.{input_ext}.{ext}", (0,), ["a.b.mp3.flac"]),
        ("{stem} ({model}).{ext}", (0,), ["a.b (music).flac"]),
        ("{stem}.flac", (0,), ["a.b.flac"]),
        ("{{{stem}}}.{ext}", (0,), ["{a.b}.flac"]),
        ("{stem}.{ext}", (7, 8), ["a.b.seed7.flac", "a.b.seed8.flac"]),
        ("{stem}-{seed}.{ext}", (7, 8), ["a.b-7.flac", "a.b-8.flac"]),
        ("{stem}-{seed}.{ext}", (7,), ["a.b-7.flac"]),
    ],
)
def test_names_by_a_template(template: str, draws: tuple[int, ...], made: list[str]) -> None:
    assert outputs(["m/a.b.mp3"], "out", draws, name=template) == [[f"out/{name}" for name in made]]
    assert outputs(["m/a.b.mp3"], None, draws, name=template) == [[f"m/{name}" for name in made]]


def test_braces_in_a_name_are_no_fields() -> None:
    assert outputs(["{stem}{x}.mp3"], "out", name="{stem}.{ext}") == [["out/{stem}{x}.flac"]]


@pytest.mark.parametrize(
    ("template", "word"),
    [
        ("{artist}.{ext}", r"no \{artist\}.*\{stem\}"),
        ("{}.{ext}", r"no \{\}"),
        ("{stem!r}.{ext}", r"no \{stem!r\}, but \{stem\}"),
        ("{stem:>9}.{ext}", r"no \{stem:>9\}, but \{stem\}"),
        ("{stem.x}.{ext}", "no"),
        ("{stem", "brace"),
        ("stem}.{ext}", "brace"),
        ("{stem}", r"end in .\{ext\}"),
        ("{stem}.wav", r"end in .\{ext\}"),
        ("", r"end in .\{ext\}"),
        (".{ext}", r"end in .\{ext\}"),
        ("a/{stem}.{ext}", "is a path"),
        ("/{stem}.{ext}", "is a path"),
    ],
)
def test_what_is_no_template(template: str, word: str) -> None:
    with pytest.raises(UsageError, match=word):
        planned(["a.mp3"], "out", name=template)


def test_a_template_that_does_not_tell_songs_apart() -> None:
    with pytest.raises(UsageError, match=r"a\.mp3 and b\.mp3 would both become out/x\.flac"):
        planned(["a.mp3", "b.mp3"], "out", name="x.{ext}")


def test_all_collisions_are_told_at_once() -> None:
    tree(*(f"m/{number}.{suffix}" for number in range(9) for suffix in ("mp3", "ogg")))
    with pytest.raises(UsageError) as caught:
        planned(["m"], "out")
    told = str(caught.value).splitlines()
    assert told[0] == "m/0.mp3 and m/0.ogg would both become out/0.flac"
    assert len(told) == 7 and told[5] == "and 4 more like these" and "{input_ext}" in told[6]
    assert len(planned(["m"], "out", name="{stem}.{input_ext}.{ext}")) == 18


def test_names_that_differ_in_case_only(monkeypatch: pytest.MonkeyPatch) -> None:
    tree("m/a.mp3", "m/A.ogg")
    assert len(planned(["m"], "out")) == 2
    monkeypatch.setattr("mp3fix.batch.plan._ignores_case", lambda folder: True)
    with pytest.raises(UsageError, match=r"m/A\.ogg and m/a\.mp3 would both become out/a\.flac"):
        planned(["m"], "out")


def test_a_file_system_that_ignores_case_is_known_by_its_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here by a link under the other name, which is what such a file system looks like."""
    Path("Music/123").mkdir(parents=True)
    assert not _ignores_case(os.path.abspath("Music"))
    Path("mUSIC").symlink_to("Music")
    for folder in ("Music", "Music/123", "Music/123/not there"):
        assert _ignores_case(os.path.abspath(folder))


def test_copies_have_a_place_too() -> None:
    tree("m/a/1.flac", "m/2.mp3")
    loose, album = planned(["m"], "out", copies=True)
    assert (loose.copy, album.copy) == (Path("out/2.mp3"), Path("out/a/1.flac"))
    assert album.outputs == (Path("out/a/1.flac"),)  # one or the other
    assert planned(["m"], "out")[0].copy is None
    tree("m/2.flac")
    with pytest.raises(UsageError, match=r"m/2\.flac and m/2\.mp3 would both become out/2\.flac"):
        planned(["m"], "out", copies=True)
    for output in (None, "x.wav"):
        with pytest.raises(UsageError, match="--others copy needs a folder"):
            planned(["2.mp3"], output, copies=True)
