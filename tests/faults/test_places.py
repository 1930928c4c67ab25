"""Places where nothing can be written: said before or after the work, and left as they were."""

import os
from collections.abc import Callable
from pathlib import Path

from running import files_in, is_whole, run

Mount = Callable[..., Path]


def test_a_read_only_disk(song: Path, model: Path, mount: Mount, tmp_path: Path) -> None:
    mount(tmp_path / "fixed", "-t", "tmpfs", "tmpfs")
    mount(tmp_path / "fixed", "-o", "remount,ro")
    for target in (tmp_path / "fixed/song.flac", tmp_path / "fixed/new/"):
        ended = run(song, "--model", model, "-o", f"{target}/" if target.suffix == "" else target)
        assert ended.code == 1 and ended.err.count("\n") == 1
        assert ended.err.startswith(f"mp3fix: {target}") and "Read-only file system" in ended.err
    assert files_in(tmp_path / "fixed") == []


def test_a_file_where_a_folder_should_be(song: Path, model: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("what was there")
    ended = run(song, "--model", model, "-o", f"{tmp_path}/file/new/")
    assert ended.code == 1 and ended.err.count("\n") == 1
    assert f"{tmp_path}/file/new: this folder cannot be made: Not a directory" in ended.err
    assert (tmp_path / "file").read_text() == "what was there"


def test_a_folder_that_others_mount_something_on(
    song: Path, model: Path, mount: Mount, tmp_path: Path
) -> None:
    """An output that cannot be replaced keeps what it holds."""
    (tmp_path / "elsewhere").write_text("precious")
    (tmp_path / "song.flac").touch()
    mount(tmp_path / "song.flac", "--bind", tmp_path / "elsewhere")
    before = files_in(tmp_path)
    ended = run(song, "--model", model, "--force", "-o", tmp_path / "song.flac")
    assert ended.code == 1 and "song.flac cannot be written: Device or resource busy" in ended.err
    assert (tmp_path / "elsewhere").read_text() == "precious" and files_in(tmp_path) == before


def test_a_read_only_output(song: Path, model: Path, out: Path) -> None:
    """It is a file like any other: --force replaces it, as mv and rsync do."""
    path = out / "song.flac"
    path.write_text("what was there")
    path.chmod(0o444)
    ended = run(song, "--model", model, "-o", path)
    assert ended.code == 1 and "exists" in ended.err and path.read_text() == "what was there"
    assert run(song, "--model", model, "--force", "-o", path).code == 0
    assert is_whole(path) and os.listdir(out) == ["song.flac"]
