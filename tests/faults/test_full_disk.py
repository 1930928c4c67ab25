"""A disk without room: one line that says so, and nothing on it that was not there before."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import mp3s
import pytest
import soundfile
from running import SECONDS, files_in, is_whole, limited_to, run

import mp3fix
from mp3fix.restore import Restorer

SPOOL_KB = SECONDS * 44100 * 8 // 1024  # a draw of the song as it waits for its gain

Disk = Callable[[Path, int], Path]


@pytest.mark.parametrize("samples", [1, 3])
def test_a_small_disk(song: Path, model: Path, disk: Disk, tmp_path: Path, samples: int) -> None:
    small = disk(tmp_path / "small", SPOOL_KB + 100)  # full as the first draw is encoded
    (small / "other").write_text("what was there")
    ended = run(song, "--model", model, "--samples", samples, "-o", small / "song.flac")
    name = small / ("song.flac" if samples == 1 else "song.seed0.flac")
    assert (ended.code, ended.out) == (1, "") and ended.err == (
        f"mp3fix: {name} cannot be written: the disk is full (No space left on device): "
        "make room, or name another place\n"
    )
    assert files_in(small) == ["other"]


@pytest.mark.parametrize(("form", "samples"), [("flac", 3), ("wav", 1)])
def test_files_that_may_not_grow(song: Path, model: Path, out: Path, form: str, samples: int) -> None:
    ended = run(
        *(song, "--model", model, "--samples", samples, "--format", form, "-o", out / "new"),
        preexec_fn=limited_to(300_000),
    )
    assert ended.code == 1 and ended.err.count("\n") == 1
    assert "song" in ended.err and "File too large" in ended.err
    assert files_in(out) == [] and not (out / "new").exists()


def test_no_room_for_standard_input(song: Path, model: Path, out: Path, spool: Path, disk: Disk) -> None:
    disk(spool, 20)
    with open(song, "rb") as file:
        ended = run("-", "--model", model, "-o", out, stdin=file)
    assert ended.code == 1 and ended.err.count("\n") == 1
    assert "standard input" in ended.err and "No space left on device" in ended.err
    assert files_in(out) == files_in(spool) == []


@pytest.mark.parametrize(("form", "bits"), [("flac", "16"), ("wav", "32f")])
def test_the_draws_of_a_song_are_there_all_or_none(
    restorer: Restorer, disk: Disk, tmp_path: Path, form: str, bits: str
) -> None:
    """However much room there is: each size ends the run at another step."""
    song = tmp_path / "song.wav"
    soundfile.write(song, mp3s.music(44100, 44100).T, 44100)
    small = disk(tmp_path / "small", 100)
    options, target = mp3fix.Options(seeds=(7, 8, 9)), mp3fix.Target(bits=bits, overwrite=True)  # type: ignore[arg-type]
    counts = []
    for size in range(SPOOL_KB // 4, SPOOL_KB * 2, SPOOL_KB // 4):
        subprocess.run(["mount", "-o", f"remount,size={size}k", str(small)], check=True)
        try:
            mp3fix.restore_file(song, small / f"x.{form}", restorer=restorer, options=options, target=target)
        except mp3fix.EncodeError as error:
            assert "the disk is full" in str(error)
        names = files_in(small)
        assert names == [] or names == [f"x.seed{seed}.{form}" for seed in (7, 8, 9)]
        for name in names:
            assert is_whole(small / name, 1)
            (small / name).unlink()
        counts.append(len(names))
    assert counts[0] == 0 and counts[-1] == 3


def test_other_disks_go_on(made_song: bytes, model: Path, disk: Disk, tmp_path: Path) -> None:
    out = tmp_path / "out"
    disk(out / "b", 100)
    for name in ("a", "b", "c"):
        (tmp_path / "music" / name).mkdir(parents=True)
        (tmp_path / "music" / name / "song.mp3").write_bytes(made_song)
    ended = run(tmp_path / "music", "--model", model, "--json", "-o", out)
    assert ended.code == 1 and "b/song.flac cannot be written: the disk is full" in ended.err
    records = {Path(each["input"]).parent.name: each for each in map(json.loads, ended.out.splitlines())}
    assert {name: record["status"] for name, record in records.items()} == {
        "a": "restored",
        "b": "failed",
        "c": "restored",
    }
    assert "the disk is full" in records["b"]["error"]
    assert files_in(out) == ["a/song.flac", "c/song.flac"] and is_whole(out / "a/song.flac")


def test_a_disk_that_stays_full_is_given_up(
    made_song: bytes, model: Path, disk: Disk, tmp_path: Path
) -> None:
    """The others' songs are not: not those on other disks, and not those that are done."""
    out = tmp_path / "out"
    disk(out / "full", 100)
    for name in (*(f"full/{number}" for number in range(6)), "late/song"):
        path = tmp_path / "music" / f"{name}.mp3"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(made_song)
    ended = run(tmp_path / "music", "--model", model, "--json", "-o", out, "-j", 1)
    assert ended.code == 1 and ended.err.count("the disk is full") == 3
    told = ended.err.splitlines()
    assert len(told) == 5 and told[3].startswith(
        f"mp3fix: 3 more songs were not begun: the disk of {out}/full "
    )
    assert told[4].startswith("mp3fix: 1 restored, 6 failed; ")
    records = {Path(each["input"]).stem: each for each in map(json.loads, ended.out.splitlines())}
    assert [records[f"{number}"].get("errno") for number in range(6)] == ["ENOSPC"] * 3 + [None] * 3
    assert "not begun" in records["5"]["error"] and records["song"]["status"] == "restored"
    assert files_in(out) == ["late/song.flac"]


def test_a_disk_that_is_read_only_is_given_up(
    made_song: bytes, model: Path, mount: Callable[..., Path], tmp_path: Path
) -> None:
    """Though a mirrored tree meets it as a folder that cannot be made, another for each song."""
    out = mount(tmp_path / "out", "-t", "tmpfs", "-o", "ro", "tmpfs")
    for number in range(5):
        (tmp_path / "music" / str(number)).mkdir(parents=True)
        (tmp_path / "music" / str(number) / "song.mp3").write_bytes(made_song)
    ended = run(tmp_path / "music", "--model", model, "-o", out)
    assert ended.code == 1 and ended.err.count("Read-only file system") == 3
    assert "mp3fix: 2 more songs were not begun: the disk of " in ended.err
