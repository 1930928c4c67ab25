"""File names in messages."""

import os
from collections.abc import Sequence
from pathlib import Path

# What names music. Files with another suffix can be restored too, when they are named themselves.
AUDIO_SUFFIXES = frozenset(
    (
        *(".mp3", ".mp2", ".mp1", ".mpa", ".m4a", ".m4b", ".m4r", ".aac", ".ogg", ".oga", ".opus", ".spx"),
        *(".flac", ".wav", ".wave", ".w64", ".rf64", ".aif", ".aiff", ".aifc", ".caf", ".au", ".snd"),
        *(
            ".wma",
            ".asf",
            ".ape",
            ".wv",
            ".mpc",
            ".tta",
            ".tak",
            ".mka",
            ".webm",
            ".weba",
            ".ac3",
            ".amr",
            ".ra",
        ),
    )
)


def shown(path: Path) -> str:
    """The name of a file as one printable line: odd bytes and control characters are written as escapes."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def draw_paths(out: Path, seeds: Sequence[int | str]) -> tuple[Path, ...]:
    """One path a seed: `out` itself for one, else out.seed7.flac, out.seed8.flac ..."""
    if len(seeds) == 1:
        return (out,)
    return tuple(out.with_name(f"{out.stem}.seed{seed}{out.suffix}") for seed in seeds)


def system_reason(error: OSError, name: str) -> str:
    """An error of the system that nobody foresaw, in one line.

    Args:
        error: the error.
        name: what it is about, where the error itself does not name a file.
    """
    named = name if error.filename is None else shown(Path(os.fsdecode(error.filename)))
    return f"{named}: {error.strerror or error}"
