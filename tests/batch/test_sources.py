"""From what was named to files."""

import io
import os
import subprocess
from pathlib import Path

import pytest
from test_done import made

from mp3fix.batch.sources import Found, find
from mp3fix.errors import UsageError


def tree(*names: str) -> None:
    for name in names:
        path = Path(os.fsdecode(os.fsencode(name)))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def places(found: Found) -> dict[str, str]:
    return {source.typed: str(source.relative) for source in found.sources}


def test_a_folder_gives_its_music_by_name() -> None:
    tree("m/b/2.mp3", "m/b/10.MP3", "m/b/1.ogg", "m/a.flac", "m/z.opus", "m/C/x.wma", "m/b/c/d.m4a")
    tree("m/cover.jpg", "m/b/list.m3u", "m/.hidden.mp3", "m/.git/x.mp3", "m/notes", "m/b/x.mp3.part")
    found = find(["m"])
    assert [source.typed for source in found.sources] == [
        *("m/a.flac", "m/z.opus", "m/C/x.wma", "m/b/1.ogg", "m/b/10.MP3", "m/b/2.mp3", "m/b/c/d.m4a")
    ]
    assert places(found)["m/b/c/d.m4a"] == "b/c/d.m4a"
    assert found.library and not found.failures


def test_the_order_is_that_of_the_names_and_not_of_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    tree(*(f"m/{n}/{n}.mp3" for n in "cab"))
    straight = find(["m"])
    listed = os.scandir

    class Backwards:
        def __init__(self, path: str) -> None:
            self.entries = sorted(listed(path), key=lambda entry: entry.name, reverse=True)

        def __enter__(self) -> list[os.DirEntry[str]]:
            return self.entries

        def __exit__(self, *error: object) -> None:
            pass

    monkeypatch.setattr("os.scandir", Backwards)
    assert find(["m"]) == straight


def test_a_file_that_is_named_is_taken_whatever_it_is() -> None:
    tree("m/.hidden", "notes.txt", "m/[1].mp3")
    names = ["m/.hidden", "notes.txt", "gone.mp3", "m/[1].mp3"]
    found = find(names)
    assert places(found) == {
        "m/.hidden": ".hidden",
        "notes.txt": "notes.txt",
        "gone.mp3": "gone.mp3",
        "m/[1].mp3": "[1].mp3",
    }
    assert not found.library and not found.failures


def test_of_several_inputs_each_folder_keeps_its_name() -> None:
    """So that music/* and music/ end in the same tree."""
    tree("m/A/1.mp3", "m/B/1.mp3", "m/loose.mp3")
    several = find(["m/A", "m/B/", "m/loose.mp3"])
    assert (
        places(several)
        == places(find(["m"]))
        == {"m/A/1.mp3": "A/1.mp3", "m/B/1.mp3": "B/1.mp3", "m/loose.mp3": "loose.mp3"}
    )
    os.chdir("m/A")
    assert places(find([".", "../B"])) == {"./1.mp3": "A/1.mp3", "../B/1.mp3": "B/1.mp3"}


def test_links_are_followed_and_loops_are_not() -> None:
    tree("m/a/1.mp3", "elsewhere/2.mp3", "elsewhere/sub/3.mp3")
    Path("m/a/up").symlink_to("..")
    Path("m/Same").symlink_to("a")  # comes before it
    Path("m/other").symlink_to("../elsewhere")
    Path("elsewhere/loop").symlink_to(".")
    Path("elsewhere/back").symlink_to("../m")
    Path("m/file.mp3").symlink_to("a/1.mp3")
    Path("m/dangling.mp3").symlink_to("nowhere")
    assert list(places(find(["m"])).values()) == ["file.mp3", "a/1.mp3", "other/2.mp3", "other/sub/3.mp3"]


def test_a_folder_deeper_than_calls_can_be() -> None:
    folder, here = Path("m"), os.getcwd()
    folder.mkdir()
    os.chdir(folder)
    for _ in range(1200):
        os.mkdir("d")
        os.chdir("d")
    Path("x.mp3").touch()
    os.chdir(here)
    assert [len(source.relative.parts) for source in find(["m"]).sources] == [1201]
    subprocess.run(["rm", "-r", "m"], check=True)  # which pytest could not


def test_only_files_are_music() -> None:
    tree("m/1.mp3")
    os.mkfifo("m/pipe.mp3")
    Path("m/album.mp3").mkdir()
    tree("m/album.mp3/2.mp3")
    assert list(places(find(["m"]))) == ["m/1.mp3", "m/album.mp3/2.mp3"]


def test_the_folder_of_outputs_is_not_walked() -> None:
    tree("m/1.mp3", "m/out/1.flac", "m/other/2.mp3")
    Path("link").symlink_to("m/out")
    for output in ("m/out", "m/out/", "./m/../m/out", "link"):
        assert list(places(find(["m"], output=output))) == ["m/1.mp3", "m/other/2.mp3"]
    assert list(places(find(["m/out"], output="m/out"))) == ["m/out/1.flac"]  # unless it is what was named


def test_the_folder_of_outputs_among_several_inputs_is_not_walked() -> None:
    """As with `mp3fix * -o restored`, run again."""
    tree("a/1.mp3", "2.mp3", "restored/a/copied.mp3")
    found = find(["2.mp3", "a", "restored"], output="restored")
    assert [source.typed for source in found.sources] == ["2.mp3", "a/1.mp3"] and not found.failures
    assert [source.typed for source in find(["restored"], output="restored").sources] == [
        "restored/a/copied.mp3"
    ]


def test_patterns_do_not_reach_into_the_folder_of_outputs() -> None:
    tree("a/1.mp3", "2.mp3", "restored/a/copied.mp3", "restored/copied.mp3")
    for pattern in ("**/*.mp3", "*", "**"):
        found = find([pattern], output="restored")
        assert sorted(source.typed for source in found.sources) == ["2.mp3", "a/1.mp3"], pattern
        assert not found.failures


def test_a_link_to_what_is_above_is_a_loop() -> None:
    tree("top/music/a/1.mp3", "top/other/2.mp3")
    os.symlink("..", "top/music/up")
    os.symlink("../..", "top/music/a/up")
    assert [source.typed for source in find(["top/music"]).sources] == ["top/music/a/1.mp3"]


def test_what_is_named_twice_is_taken_once() -> None:
    tree("m/a.mp3")
    Path("list").write_text("m/a.mp3\n./m/a.mp3\nm/a.mp3\n")
    assert len(find([], "list").sources) == 1
    assert len(find(["m/a.mp3", "./m/a.mp3"]).sources) == 1
    assert places(find(["m", "m/a.mp3"])).keys() == {"m/a.mp3"}
    assert len(find(["m", "m/a.mp3"]).sources) == 2  # to m/a.flac, and to a.flac


def test_what_mp3fix_made_is_no_input() -> None:
    """By its tags, whatever its name; a file of somebody else may be called so."""
    tree("m/1.mp3", "m/2.restored.flac")
    made(Path("m/1.restored.flac"), "0" * 16)
    made(Path("m/odd name.wav"), "0" * 16)
    assert list(places(find(["m"]))) == ["m/1.mp3", "m/2.restored.flac"]
    assert len(find(["m"], own=True).sources) == 4
    assert list(places(find(["m/1.restored.flac"]))) == ["m/1.restored.flac"]


def test_what_has_nothing_in_it_is_told() -> None:
    tree("notes/x.txt", "m/1.mp3")
    made(Path("m2.flac"), "0" * 16)
    Path("made").mkdir()
    Path("m2.flac").rename("made/m2.flac")
    found = find(["notes", "m", "made", "*.mp3", "n*"])
    assert list(places(found)) == ["m/1.mp3"]
    told = dict(found.failures)
    assert told["notes"] == "notes: no music in this folder"
    assert told["made"] == "made: nothing in this folder but what mp3fix made"
    assert told["*.mp3"] == "*.mp3: no such file, and as a pattern it matches nothing"
    assert "no music" in dict(find(["n*"]).failures)["notes"]
    tree("a.txt")
    assert find(["*.txt"]).failures == [("*.txt", "*.txt: no music matches this pattern")]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_without_permission() -> None:
    tree("m/a/1.mp3", "m/b/1.mp3")
    Path("m/a").chmod(0)
    found = find(["m"])
    Path("m/a").chmod(0o700)
    assert list(places(found)) == ["m/b/1.mp3"] and "m/a: this folder cannot be read" in found.failures[0][1]


def test_a_folder_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told, and stops nothing else."""
    tree("m/a/1.mp3", "m/b/1.mp3")
    listed = os.scandir

    def scandir(path: str) -> object:
        if path == "m/a":
            raise PermissionError(13, "Permission denied", path)
        return listed(path)

    monkeypatch.setattr("os.scandir", scandir)
    found = find(["m"])
    assert list(places(found)) == ["m/b/1.mp3"]
    assert found.failures == [("m/a", "m/a: this folder cannot be read: Permission denied")]


def test_patterns_that_the_shell_left_alone() -> None:
    tree("m/a/1.mp3", "m/a/cover.jpg", "m/b/c/2.mp3", "m/3.mp3", "m/a/.hidden.mp3")
    assert places(find(["m/*/*.mp3"])) == {"m/a/1.mp3": "a/1.mp3"}
    everything = {"m/3.mp3": "3.mp3", "m/a/1.mp3": "a/1.mp3", "m/b/c/2.mp3": "b/c/2.mp3"}
    for pattern in ("m/**/*.mp3", "m/**", "m/*"):
        found = find([pattern])
        assert places(found) == everything and len(found.sources) == 3
        assert found.library and not found.failures
    assert places(find(["m/[ab]"])) == {"m/a/1.mp3": "a/1.mp3", "m/b/c/2.mp3": "b/c/2.mp3"}


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_list_has_a_name_a_line(end: bytes) -> None:
    Path("list").write_bytes(
        end.join(
            [
                b"\xef\xbb\xbfa b.mp3",
                b"",
                b" x.mp3",
                b"m/\xff.mp3",
                b"/abs/y.mp3",
                b"../up/z.mp3",
                b"-",
                b"[1]*.mp3",
            ]
        )
    )
    found = find([], "list")
    assert places(found) == {
        "a b.mp3": "a b.mp3",
        " x.mp3": " x.mp3",
        "m/\udcff.mp3": "m/\udcff.mp3",
        "/abs/y.mp3": "abs/y.mp3",
        "../up/z.mp3": "up/z.mp3",
        "./-": "-",
        "[1]*.mp3": "[1]*.mp3",
    }
    assert found.library and not found.failures


def test_a_list_that_find_has_written(monkeypatch: pytest.MonkeyPatch) -> None:
    tree("m/a/1.mp3")
    text = b"two\nlines.mp3\0back\r\0m/a\0"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))
    assert places(find(["x.mp3"], "-")) == {
        "x.mp3": "x.mp3",
        "two\nlines.mp3": "two\nlines.mp3",
        "back\r": "back\r",
        "m/a/1.mp3": "m/a/1.mp3",
    }


def test_what_cannot_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    tree("list")
    Path("empty").touch()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"x.mp3")))
    for inputs, listed, word in (
        (["a.mp3", "-"], None, "only"),
        (["-"], "list", "only"),
        (["-"], "empty", "only"),
        (["-"], "-", "only"),
        ([""], None, "empty"),
        ([], "", "empty"),
        ([], "gone", "gone: No such file"),
        ([], ".", "Is a directory"),
    ):
        with pytest.raises(UsageError, match=word):
            find(inputs, listed)
