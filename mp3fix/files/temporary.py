"""Temporary files: beside their target, so that a result is whole or absent, and in the system's folder for them."""

import os
import platform
import re
import secrets
import tempfile
import time
import zlib
from contextlib import suppress
from functools import cache
from pathlib import Path

from mp3fix.errors import OutputExistsError
from mp3fix.files.names import shown


def _process_space() -> str:
    """What tells this boot, and this container, from others of the same host name; empty where nothing does.

    Only in one such space does a process number say which process is meant.
    """
    parts = []
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text())
    with suppress(OSError):
        parts.append(os.readlink("/proc/self/ns/pid"))
    with suppress(OSError):  # when its first process began: the system gives the numbers of namespaces again
        parts.append(Path("/proc/1/stat").read_text().rpartition(")")[2].split()[19])
    return " ".join(parts)


def _began() -> float:
    """When this machine began to run, seconds since 1970; 0 where only Linux would say."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return 0.0 if clock is None else time.time() - time.clock_gettime(clock)


def _hex(text: str) -> str:
    return f"{zlib.crc32(text.encode()):08x}"


# Folders are shared between machines and containers: whose process a number in a name is.
_HOST, _SPACE = _hex(platform.node()), _hex(_process_space())
_NAME = re.compile(r"\..*\.mp3fix-(\d+)-([0-9a-f]{8})([0-9a-f]{8})[0-9a-f]{8}\.tmp", re.DOTALL)
_ABANDONED_S = 24 * 3600.0  # whoever is at work writes more often
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
    end = f".mp3fix-{os.getpid()}-{_HOST}{_SPACE}{secrets.token_hex(4)}.tmp"
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
    """Remove what processes of this machine that no longer run left in the folder; looks once a folder.

    Another container of the same host name may be at work in the folder. What it leaves is removed after a day.
    """
    try:
        names = os.listdir(folder)
    except OSError:
        return  # whoever writes there hears of it
    for name in names:
        match = _NAME.fullmatch(name)
        if match is None or match[2] != _HOST:
            continue
        with suppress(OSError):  # another user's, perhaps
            if not _runs(int(match[1])) if match[3] == _SPACE else _abandoned(folder / name):
                (folder / name).unlink()


def _abandoned(path: Path) -> bool:
    """Whether a file of another boot, or of another container, was last written before this boot or a day ago."""
    return path.stat().st_mtime < max(_began(), time.time() - _ABANDONED_S)


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
