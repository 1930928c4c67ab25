"""Standard input as an input."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mp3fix.batch.sources import STDIO
from mp3fix.errors import DecodeError, Mp3fixError
from mp3fix.files import temporary
from mp3fix.files.decode import spool_stdin
from mp3fix.files.names import shown


@contextmanager
def as_file(typed: str) -> Iterator[Path]:
    """An input as a file: standard input is spooled to a temporary one.

    Raises:
        DecodeError: nothing comes from there.
    """
    if typed != STDIO:
        yield Path(typed)
        return
    if sys.stdin is None:
        raise DecodeError("standard input is closed")
    path = spool_stdin(sys.stdin.buffer)
    try:
        yield path
    except Mp3fixError as error:
        raise type(error)(str(error).replace(shown(path), "standard input")) from error
    finally:
        temporary.remove(path)
