"""The folders of outputs: made when they are needed, and gone again if nothing was put in them."""

import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from mp3fix.errors import EncodeError
from mp3fix.files.names import shown


class Folders:
    """A context manager; all is made and removed by one process, whoever writes into the folders."""

    def __init__(self) -> None:
        self._made: list[Path] = []

    def make(self, folder: Path | None) -> None:
        """Make a folder, if one is given, and those above it, where they are not there.

        Raises:
            EncodeError: the system refuses.
        """
        if folder is None or folder.is_dir():
            return
        missing = [each for each in (folder, *folder.parents) if not os.path.lexists(each)]
        self._made += missing[::-1]
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EncodeError(
                f"{shown(folder)}: this folder cannot be made: {error.strerror or error}"
            ) from error

    def __enter__(self) -> "Folders":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for folder in reversed(self._made):
            with suppress(OSError):  # there is something in it
                folder.rmdir()
