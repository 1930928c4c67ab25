"""What is left of processes that were killed, where machines and containers share a folder."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mp3fix.files import temporary

ELSEWHERE = "0123abcd"  # another boot of this machine, or another container of its host name


@pytest.fixture(autouse=True)
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "spool").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "spool"))


def left(folder: Path, process: int, space: str = ELSEWHERE, age: float = 0.0) -> Path:
    """A file as another process leaves it, last written so many seconds ago."""
    mine = temporary.create(folder / "song.flac")
    name = mine.name.replace(f"-{os.getpid()}-", f"-{process}-").replace(temporary._SPACE, space)
    path = mine.rename(mine.with_name(name))
    os.utime(path, (time.time() - age,) * 2)
    temporary.remove_stale.cache_clear()
    return path


def dead() -> int:
    """The number of a process that does not run."""
    child = subprocess.Popen(["true"])
    child.wait()
    return child.pid


def test_the_names(tmp_path: Path) -> None:
    path = temporary.create(tmp_path / "song.flac")
    assert re.fullmatch(rf"\.song\.flac\.mp3fix-{os.getpid()}-[0-9a-f]+\.tmp", path.name)


def test_a_container_of_the_same_host_name_keeps_what_it_writes(tmp_path: Path) -> None:
    """Its process numbers say nothing here."""
    theirs, ours = left(tmp_path, dead()), left(tmp_path, dead(), temporary._SPACE)
    temporary.remove_stale(tmp_path)
    assert theirs.exists() and not ours.exists()


def test_what_a_killed_container_left_goes_after_a_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though a process of its number runs here: of containers, the first often has the same."""
    monkeypatch.setattr(temporary, "_began", lambda: 0.0)
    fresh, old = left(tmp_path, os.getpid(), age=23 * 3600), left(tmp_path, os.getpid(), age=25 * 3600)
    temporary.remove_stale(tmp_path)
    assert fresh.exists() and not old.exists()


def test_what_an_earlier_boot_left_goes_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(temporary, "_began", lambda: time.time() - 60)
    since, before = left(tmp_path, os.getpid(), age=30), left(tmp_path, os.getpid(), age=90)
    temporary.remove_stale(tmp_path)
    assert since.exists() and not before.exists()


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="only Linux says when it began")
def test_when_this_machine_began() -> None:
    told = re.search(r"^btime (\d+)$", Path("/proc/stat").read_text(), re.MULTILINE)
    assert told and abs(temporary._began() - int(told[1])) < 5


SPACE = "from mp3fix.files import temporary; print(temporary._SPACE)"


def test_processes_of_one_machine_share_their_numbers() -> None:
    assert subprocess.check_output([sys.executable, "-c", SPACE], text=True).strip() == temporary._SPACE


def test_containers_do_not() -> None:
    apart = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc"]
    if shutil.which("unshare") is None or subprocess.run([*apart, "true"], capture_output=True).returncode:
        pytest.skip("needs unshare, and to be allowed to use it")
    found = subprocess.check_output([*apart, sys.executable, "-c", SPACE], text=True).strip()
    assert re.fullmatch("[0-9a-f]{8}", found) and found != temporary._SPACE
