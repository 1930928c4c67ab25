"""Whether a file is still the one that was opened."""

import os
from pathlib import Path

from mp3fix.errors import DecodeError
from mp3fix.files.names import shown


class Snapshot:
    """A file as it is now.

    Attributes:
        status: what the system says of it.
    """

    def __init__(self, path: Path) -> None:
        """Look at the file.

        Raises:
            DecodeError: it cannot be looked at.
        """
        self._path = path
        try:
            self.status = os.stat(path)
        except FileNotFoundError as error:
            raise DecodeError(f"{shown(path)}: no such file") from error
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise DecodeError(f"{shown(path)}: cannot be read ({reason})") from error

    def changed(self) -> str | None:
        """What to say when it has been written to or replaced since; None when it is the same, or has gone.

        Who reads a file that is removed meanwhile still reads all of it; one that is written to, by a download
        or a tag editor, gives something of both.
        """
        try:
            now = os.stat(self._path)
        except OSError:
            return None
        if all(getattr(now, name) == getattr(self.status, name) for name in _SAME):
            return None
        return f"{shown(self._path)}: it changed while it was read: try again when nobody writes to it"


_SAME = ("st_dev", "st_ino", "st_size", "st_mtime_ns")
