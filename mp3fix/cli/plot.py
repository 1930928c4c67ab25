"""The option --plot, whose value may be left out."""

from collections.abc import Sequence
from pathlib import Path

from mp3fix.errors import UsageError
from mp3fix.files.names import shown
from mp3fix.report import marks

YES, NO = "yes", "no"
_YES, _NO = ("1", "true", YES, "on"), ("0", "false", NO, "off")
_OTHERS = (
    ".jpg",
    ".jpeg",
    ".gif",
    ".webp",
    ".bmp",
    ".tif",
    ".tiff",
)  # pictures that are not drawn, and no music either


def with_values(arguments: list[str]) -> list[str]:
    """What was typed, with --plot's value as part of it: the next word only if that names a picture of any format.

    So `--plot song.mp3` is a song, not a picture, and `--plot out.jpg` no song: `picture_name` refuses it.
    """
    typed: list[str] = []
    ahead = list(arguments)
    while ahead:
        word = ahead.pop(0)
        if word == "--":
            return [*typed, word, *ahead]
        if word == "--plot":
            named = (
                bool(ahead) and not ahead[0].startswith("-") and _ends_in(ahead[0], marks.SUFFIXES + _OTHERS)
            )
            word = f"--plot={ahead.pop(0) if named else YES}"
        typed.append(f"--plot={NO}" if word == "--no-plot" else word)
    return typed


def picture_name(value: str | None, where: str | None = None) -> str | None:
    """What --plot says: the picture's name, "" for one beside each output, None for none.

    Args:
        value: of the option.
        where: it was found, for messages; None for the command line.

    Raises:
        UsageError: it names something else.
    """
    if value is None or value.lower() in _NO:
        return None
    if value.lower() in _YES:
        return ""
    if not _ends_in(value, marks.SUFFIXES):
        where = where or f"--plot {shown(Path(value))}"
        raise UsageError(f"{where}: pictures end in {', '.join(marks.SUFFIXES)}")
    return value


def _ends_in(name: str, suffixes: Sequence[str]) -> bool:
    return Path(name).suffix.lower() in suffixes
