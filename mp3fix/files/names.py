"""File names in messages."""

import os
from collections.abc import Sequence
from pathlib import Path


def shown(path: Path) -> str:
    """The name of a file as one printable line: odd bytes and control characters are written as escapes."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def draw_paths(out: Path, seeds: Sequence[int]) -> tuple[Path, ...]:
    """One path a seed: `out` itself for one, else out.seed7.flac, out.seed8.flac ..."""
    if len(seeds) == 1:
        return (out,)
    return tuple(out.with_name(f"{out.stem}.seed{seed}{out.suffix}") for seed in seeds)
