"""The option --plot, whose value may be left out."""

from pathlib import Path

from mp3fix.errors import UsageError
from mp3fix.files.names import shown
from mp3fix.report import marks

YES, NO = "yes", "no"
_YES, _NO = ("1", "true", YES, "on"), ("0", "false", NO, "off")


def with_values(arguments: list[str]) -> list[str]:
    """What was typed, with --plot's value as part of it: the next word only if that names a picture.

    So `--plot song.mp3` is a song, not a picture.
    """
    typed: list[str] = []
    ahead = list(arguments)
    while ahead:
        word = ahead.pop(0)
        if word == "--":
            return [*typed, word, *ahead]
        if word == "--plot":
            named = bool(ahead) and not ahead[0].startswith("-") and _is_picture(ahead[0])
            word = f"--plot={ahead.pop(0) if named else YES}"
        typed.append(f"--plot={NO}" if word == "--no-plot" else word)
    return typed


def picture_name(value: str | None) -> str | None:
    """What --plot says: the picture's name, "" for one beside each output, None for none.

    Raises:
        UsageError: it names something else.
    """
    if value is None or value.lower() in _NO:
        return None
    if value.lower() in _YES:
        return ""
    if not _is_picture(value):
        raise UsageError(f"--plot {shown(Path(value))}: pictures end in {', '.join(marks.SUFFIXES)}")
    return value


def _is_picture(name: str) -> bool:
    return Path(name).suffix.lower() in marks.SUFFIXES
