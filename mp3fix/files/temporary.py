"""Temporary files: beside their target, so that a result is whole or absent, and in the system's folder for them."""

import os
import platform
import re
import secrets
import tempfile
import zlib
from contextlib import suppress
from functools import cache
from pathlib import Path

from mp3fix.errors import OutputExistsError
from mp3fix.files.names import shown

# Which machine a process number belongs to: folders are shared between machines and containers.
_HOST = f"{zlib.crc32(platform.node().encode()):08x}"
_NAME = re.compile(r"\..*\.mp3fix-(\d+)-([0-9a-f]{8})[0-9a-f]{8}\.tmp", re.DOTALL)
_LONGEST = 255  # bytes in a file name on most systems
_ours: set[Path] = set()  # those of this process that exist, or are about to


def create(target: Path) -> Path:
    """An empty new file beside `target`, with the permissions that the umask gives to new files.

    Raises:
        OSError: when the folder is missing or not to be written to.
    """
    return _create(target, 0o666)


def create_elsewhere(name: str) -> Path:
    """An empty new file in the system's folder for temporary files, which no other user can read.

    Raises:
        OSError: when there is no such folder, or it is not to be written to.
    """
    return _create(Path(tempfile.gettempdir()) / name, 0o600)


def _create(target: Path, permissions: int) -> Path:
    # In both folders, whichever is needed this time: an earlier run may have been killed with files in both.
    remove_stale(target.parent)
    remove_stale(Path(tempfile.gettempdir()))
    end = f".mp3fix-{os.getpid()}-{_HOST}{secrets.token_hex(4)}.tmp"
    name = os.fsencode(target.name)[: _LONGEST - 1 - len(end)].decode("utf-8", "ignore")
    path = target.with_name(f".{name}{end}")
    _ours.add(path)  # first, so that an interrupt finds it at any moment
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, permissions))
    return path


def remove(path: Path) -> None:
    """Remove a temporary file, where it is still there."""
    with suppress(OSError):
        path.unlink()
    _ours.discard(path)


def remove_all() -> None:
    """Remove all that this process has: for its very end, when an interrupt may have come between two steps."""
    for path in list(_ours):
        remove(path)


@cache
def remove_stale(folder: Path) -> None:
    """Remove what processes of this machine that no longer run left in the folder; looks once a folder."""
    try:
        names = os.listdir(folder)
    except OSError:
        return  # whoever writes there hears of it
    for name in names:
        match = _NAME.fullmatch(name)
        if match and match[2] == _HOST and not _runs(int(match[1])):
            with suppress(OSError):  # another user's, perhaps
                (folder / name).unlink()


def _runs(process: int) -> bool:
    if os.name == "nt":  # signal 0 would end the process there, and open files cannot be removed anyway
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def sync(path: Path) -> None:
    """Return when the file is safely on the disk.

    Raises:
        OSError: when the disk refuses; some do so only now.
    """
    file = os.open(path, os.O_RDWR)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def publish(temporary: Path, target: Path, overwrite: bool) -> None:
    """Give a finished file, which `sync` has put on the disk, its name in one step.

    Raises:
        OutputExistsError: when the target came into being meanwhile and is not to be overwritten.
        OSError: when the system refuses.
    """
    if not overwrite:
        try:
            os.link(temporary, target)  # unlike a renaming, this fails where there is a file
            remove(temporary)
            return
        except FileExistsError:
            raise exists(target) from None
        except OSError:  # a file system without hard links
            if target.exists():
                raise exists(target) from None
    os.replace(temporary, target)
    _ours.discard(temporary)


def exists(target: Path) -> OutputExistsError:
    """The error that says so."""
    return OutputExistsError(f"{shown(target)} exists; use --force to overwrite it")
