"""What counts as done, and what does not."""

import dataclasses
import os
from pathlib import Path
from typing import Any

import mutagen.flac
import numpy as np
import pytest
import soundfile

from mp3fix.batch import done
from mp3fix.batch.done import Recipe, fingerprint, identity, state
from mp3fix.files import tags, tags_own

RECIPE = Recipe("ab12", 0.75, 1.0, None, None, "flac", "24", None, 0.0, None, True)


def made(path: Path, job: str | None, pictures: int = 0, seconds: float = 0.1) -> Path:
    """An output with the tags that a restoration has."""
    soundfile.write(path, np.zeros((int(8000 * seconds), 1)), 8000, "PCM_16", format=path.suffix[1:].upper())
    cover = [tags.Picture(os.urandom(1_000_000), "image/png", 3) for _ in range(pictures)]
    own = {"MP3FIX_VERSION": "1", "MP3FIX_MODEL": "music 2"} | ({done.TAG: job} if job else {})
    assert tags.write(path, tags.Tags(values={"TITLE": ["Ünten"]}, pictures=cover), own) == []
    return path


@pytest.fixture
def song(tmp_path: Path) -> Path:
    path = tmp_path / "song.mp3"
    path.write_bytes(bytes(range(256)) * 100)
    os.utime(path, (1e9, 1e9))
    return path


@pytest.mark.parametrize("suffix", [".flac", ".wav"])
@pytest.mark.parametrize("pictures", [0, 2])
def test_the_tag_is_found_in_both_formats(tmp_path: Path, suffix: str, pictures: int) -> None:
    path = made(tmp_path / f"x{suffix}", "0123456789abcdef", pictures)
    assert tags_own.read_own(path) == {
        "MP3FIX_VERSION": "1",
        "MP3FIX_MODEL": "music 2",
        done.TAG: "0123456789abcdef",
    }


def test_the_tag_is_found_behind_four_gigabytes(tmp_path: Path) -> None:
    """RF64: the sizes that count are elsewhere. The samples are a hole in the file."""
    small = made(tmp_path / "small.wav", "0123456789abcdef").read_bytes()
    chunk = small[small.index(b"id3 ") :]
    data = 5 * 2**30
    ds64 = b"ds64" + (28).to_bytes(4, "little") + b"".join(n.to_bytes(8, "little") for n in (0, data, 0))
    path = tmp_path / "large.wav"
    with open(path, "wb") as file:
        file.write(b"RF64\xff\xff\xff\xffWAVE" + ds64 + bytes(4))
        file.write(small[12:36] + b"data\xff\xff\xff\xff")
        file.seek(data, os.SEEK_CUR)
        file.write(chunk)
    assert tags_own.read_own(path)[done.TAG] == "0123456789abcdef"


def test_the_tag_is_found_behind_an_odd_number_of_bytes(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    soundfile.write(path, np.zeros(801), 8000, "PCM_24")
    assert tags.write(path, tags.Tags(), {done.TAG: "0123456789abcdef"}) == []
    assert tags_own.read_own(path)[done.TAG] == "0123456789abcdef"


def test_gigabytes_of_nothing_end_soon(tmp_path: Path) -> None:
    path = made(tmp_path / "x.wav", None)
    with open(path, "r+b") as file:
        file.truncate(2**32)  # a hole; read eight bytes at a time it would take minutes
    assert done.TAG not in tags_own.read_own(path)
    with open(path, "r+b") as file:
        file.seek(12)
        file.write(bytes(2**16))
    assert tags_own.read_own(path) == {}
    with open(path, "r+b") as file:
        file.write(b"fLaC")
    assert tags_own.read_own(path) == {}


def test_the_tag_outlives_other_taggers(tmp_path: Path) -> None:
    path = made(tmp_path / "x.flac", None)
    file = mutagen.flac.FLAC(path)
    file["mp3fix_job"] = "0123456789abcdef"
    file["comment"] = "MP3FIX"
    file.save()
    assert tags_own.read_own(path)[done.TAG] == "0123456789abcdef"


@pytest.mark.parametrize("suffix", [".flac", ".wav"])
def test_broken_files_have_no_tags(tmp_path: Path, suffix: str) -> None:
    path = made(tmp_path / f"x{suffix}", "0123456789abcdef")
    whole = path.read_bytes()
    for length in range(0, len(whole), 37):
        path.write_bytes(whole[:length])
        assert tags_own.read_own(path).get(done.TAG) in (None, "0123456789abcdef")
    for place in range(4, 200):
        path.write_bytes(whole[:place] + b"\xff" + whole[place + 1 :])
        assert isinstance(tags_own.read_own(path), dict)
    assert tags_own.read_own(tmp_path) == {} == tags_own.read_own(tmp_path / "missing")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("generator", "cd34"),
        ("texture", 0.5),
        ("texture", None),
        ("mix", 0.5),
        ("phase", "griffinlim"),
        ("rate", 48000),
        ("form", "wav"),
        ("bits", "16"),
        ("gain", 0.0),
        ("start", 1.0),
        ("duration", 10.0),
        ("tags", False),
    ],
)
def test_whatever_changes_the_output_changes_the_fingerprint(field: str, value: Any) -> None:
    other = dataclasses.replace(RECIPE, **{field: value})
    assert fingerprint(other, 0, "x") != fingerprint(RECIPE, 0, "x")


def test_seed_input_and_version_count_too(monkeypatch: pytest.MonkeyPatch) -> None:
    first = fingerprint(RECIPE, 0, "x")
    assert len(first) == 16 and int(first, 16) >= 0 and first == fingerprint(RECIPE, 0, "x")
    assert first not in (fingerprint(RECIPE, 1, "x"), fingerprint(RECIPE, 0, "y"))
    monkeypatch.setattr(done, "__version__", "other")
    assert fingerprint(RECIPE, 0, "x") != first


def test_one_half_and_one_are_numbers_however_they_are_written() -> None:
    assert fingerprint(dataclasses.replace(RECIPE, mix=1), 0, "x") == fingerprint(RECIPE, 0, "x")


def test_another_song_of_the_same_name_and_size_is_another(song: Path) -> None:
    first = identity(song)
    assert first == identity(song)
    content = bytearray(song.read_bytes())
    content[len(content) // 2] ^= 1
    song.write_bytes(content)
    assert identity(song) != first
    song.write_bytes(bytes(content) + b"\0")
    assert identity(song) != first != identity(song.with_name("missing"))


def test_states(song: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.flac"
    assert state(song, [out], ["a" * 16]) == "absent"
    made(out, "a" * 16)
    assert state(song, [out], ["a" * 16]) == "done"
    assert state(song, [out], ["b" * 16]) == "outdated"
    os.utime(out, (1e9 - 1, 1e9 - 1))
    assert state(song, [out], ["a" * 16]) == "outdated"
    os.utime(out, (1e9, 1e9))  # --preserve-time
    assert state(song, [out], ["a" * 16]) == "done"
    made(out, None)
    assert state(song, [out], ["a" * 16]) == "foreign"
    out.write_text("mine")
    assert state(song, [out], ["a" * 16]) == "foreign"
    out.unlink()
    out.symlink_to("nowhere")
    assert state(song, [out], ["a" * 16]) == "foreign"
    out.unlink()
    out.mkdir()
    assert state(song, [out], ["a" * 16]) == "foreign"


def test_states_of_several_seeds(song: Path, tmp_path: Path) -> None:
    outs, prints = [tmp_path / "1.flac", tmp_path / "2.flac"], ["1" * 16, "2" * 16]
    made(outs[0], prints[1])
    assert state(song, outs, prints) == "outdated"
    made(outs[0], prints[0])
    assert state(song, outs, prints) == "partial" == state(song, outs[::-1], prints[::-1])
    made(outs[1], prints[1])
    assert state(song, outs, prints) == "done"
    assert state(song, outs, prints[::-1]) == "outdated"
    outs[0].write_text("mine")
    assert state(song, outs, prints) == "foreign"


def test_memory_cards_keep_times_to_two_seconds(song: Path, tmp_path: Path) -> None:
    out = made(tmp_path / "out.flac", "a" * 16)
    os.utime(song, ns=(0, 1_000_000_001_500_000_000))
    os.utime(out, ns=(0, 1_000_000_000_000_000_000))
    assert state(song, [out], ["a" * 16]) == "done"
    os.utime(out, ns=(0, 1_000_000_001_000_000_000))
    assert state(song, [out], ["a" * 16]) == "outdated"
