"""What a picture says of itself, so that mp3fix knows again what it drew, and of which restoration."""

import re
from pathlib import Path

from mp3fix import __version__

SUFFIXES = (".png", ".svg", ".pdf")

# Keys that each format has. All write them as they are: PNG and SVG at the beginning, PDF at the end.
_PROGRAM = {"png": "Software", "svg": "Creator", "pdf": "Creator"}
_TEXT = {"png": "Description", "svg": "Description", "pdf": "Subject"}
_DATE = {"png": None, "svg": "Date", "pdf": "CreationDate"}

_MARK = re.compile(rb"mp3fix-picture:([\x21-\x7e]*?);")
_LOOKED_AT = 1 << 16  # bytes at either end


def metadata(form: str, mark: str) -> dict[str, str | None]:
    """What is written into a picture.

    Args:
        form: "png", "svg" or "pdf".
        mark: printable ASCII without spaces and semicolons.
    """
    values: dict[str, str | None] = {
        _PROGRAM[form]: f"mp3fix {__version__}",
        _TEXT[form]: f"mp3fix-picture:{mark};",
    }
    if (date := _DATE[form]) is not None:
        values[date] = None  # equal pictures are equal files
    return values


def read(path: Path) -> str | None:
    """The mark in a picture; None for what mp3fix did not draw, or cannot be read. Never raises."""
    try:
        with open(path, "rb") as file:
            data = file.read(_LOOKED_AT)
            size = file.seek(0, 2)
            file.seek(max(len(data), size - _LOOKED_AT))
            data += file.read()
    except OSError:
        return None
    found = _MARK.search(data)
    return found[1].decode("ascii") if found else None
