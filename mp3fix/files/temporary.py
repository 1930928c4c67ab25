"""Temporary files beside their target: a result is whole or absent."""

import os
import platform
import re
import secrets
import zlib
from functools import cache
from pathlib import Path

from mp3fix.errors import OutputExistsError
from mp3fix.files.names import shown

# Which machine a process number belongs to: folders are shared between machines and containers.
_HOST = f"{zlib.crc32(platform.node().encode()):08x}"
_NAME = re.compile(r"\..*\.mp3fix-(\d+)-([0-9a-f]{8})[0-9a-f]{8}\.tmp", re.DOTALL)
_LONGEST = 255  # bytes in a file name on most systems


def create(target: Path) -> Path:
    """An empty new file beside `target`, with the permissions that the umask gives to new files.

    Raises:
        OSError: when the folder is missing or not to be written to.
    """
    remove_stale(target.parent)
    end = f".mp3fix-{os.getpid()}-{_HOST}{secrets.token_hex(4)}.tmp"
    name = os.fsencode(target.name)[: _LONGEST - 1 - len(end)].decode("utf-8", "ignore")
    path = target.with_name(f".{name}{end}")
    open(path, "xb").close()
    return path


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
            (folder / name).unlink(missing_ok=True)


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


def publish(temporary: Path, target: Path, overwrite: bool) -> None:
    """Give the finished file its name in one step, when it is safely on the disk.

    Raises:
        OutputExistsError: when the target came into being meanwhile and is not to be overwritten.
        OSError: when the system refuses.
    """
    file = os.open(temporary, os.O_RDWR)
    try:
        os.fsync(file)
    finally:
        os.close(file)
    if not overwrite:
        try:
            os.link(temporary, target)  # unlike a renaming, this fails where there is a file
            temporary.unlink()
            return
        except FileExistsError:
            raise exists(target) from None
        except OSError:  # a file system without hard links
            if target.exists():
                raise exists(target) from None
    os.replace(temporary, target)


def exists(target: Path) -> OutputExistsError:
    """The error that says so."""
    return OutputExistsError(f"{shown(target)} exists; use --force to overwrite it")
