"""The folders of outputs: made when they are needed, and gone again if nothing was put in them."""

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from mp3fix.errors import EncodeError
from mp3fix.files import temporary
from mp3fix.files.names import shown

T = TypeVar("T")

# Another run that ends removes folders that are empty, and may do so just before something is put in. It does that
# once a folder; several runs may.
_TRIES = 3


class Folders:
    """A context manager. What was made is removed at its end where it is empty."""

    def __init__(self) -> None:
        self._made: list[Path] = []

    def make(self, folder: Path | None) -> None:
        """Make a folder, if one is given, and those above it, where they are not there.

        Raises:
            EncodeError: the system refuses.
        """
        if folder is None or folder.is_dir():
            return
        for left in reversed(range(_TRIES)):
            missing = [each for each in (folder, *folder.parents) if not os.path.lexists(each)]
            self._made += missing[::-1]
            try:
                folder.mkdir(parents=True, exist_ok=True)
                return
            except OSError as error:
                if left and isinstance(error, FileNotFoundError | FileExistsError):
                    continue  # one above it, or it itself, was removed in between
                raise EncodeError(
                    f"{shown(folder)}: this folder cannot be made: {error.strerror or error}"
                ) from error

    def make_for(self, target: Path) -> None:
        """Make the folder of a file that is written after much work, and see that files can be made there.

        Raises:
            EncodeError: the system refuses.
        """
        self.make(target.parent)
        try:
            temporary.remove(temporary.create(target))
        except OSError as error:
            raise EncodeError(f"{shown(target)} cannot be written: {error.strerror or error}") from error

    def fill(self, folders: Iterable[Path | None], write: Callable[[], T]) -> T:
        """Write into folders that were there; where another run has removed them since, make them, and write again.

        Args:
            folders: None among them are passed over.
            write: raises EncodeError if a folder is not there, and leaves nothing behind then.

        Returns:
            What `write` returns.

        Raises:
            EncodeError: the system refuses.
        """
        folders = list(folders)
        for _ in range(_TRIES - 1):
            try:
                return write()
            except EncodeError as error:
                if not isinstance(error.__cause__, FileNotFoundError):
                    raise
                for folder in folders:
                    self.make(folder)
        return write()

    def __enter__(self) -> "Folders":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for folder in reversed(self._made):
            with suppress(OSError):  # there is something in it
                folder.rmdir()
