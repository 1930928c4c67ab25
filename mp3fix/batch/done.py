"""Whether an output is there already, made as it would be made now. The files themselves say it, in a tag."""

import hashlib
import json
import os
import stat
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from mp3fix import __version__
from mp3fix.files.tags_own import read_own

TAG = "MP3FIX_JOB"  # holds the fingerprint of how the file was made

State = Literal["absent", "done", "partial", "outdated", "foreign"]

_LOOKED_AT = 4096  # bytes of the input
_COARSE = 2_000_000_000  # ns: the file systems of memory cards keep times to two seconds


@dataclass(frozen=True)
class Recipe:
    """All that decides what an output sounds and looks like, but for the input and the seed.

    Device, threads and --fast are left out: they change nothing that can be heard.

    Attributes:
        generator: SHA-256 of the generator's file, as `digest` gives it.
        texture: as used, the generator's default filled in; None for a generator without.
        mix: as in Options.
        phase: as in Options.
        rate: asked for, Hz; None for the default.
        form: "wav" or "flac".
        bits, gain, start, duration, tags: as in Target.
    """

    generator: str
    texture: float | None
    mix: float
    phase: str | None
    rate: int | None
    form: str
    bits: str
    gain: float | None
    start: float
    duration: float | None
    tags: bool


def digest(generator: Path) -> str:
    """SHA-256 of a generator's file.

    Raises:
        OSError: it cannot be read.
    """
    with open(generator, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def identity(source: Path) -> str:
    """What tells an input from another that once had its name: its size and some bytes from its middle.

    "" for what cannot be read: whoever decodes it hears of it.
    """
    if not source.is_file():  # a pipe would keep us waiting
        return ""
    try:
        with open(source, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - _LOOKED_AT) // 2)
            return f"{size} {hashlib.sha256(file.read(_LOOKED_AT)).hexdigest()}"
    except OSError:
        return ""


def fingerprint(recipe: Recipe, seed: int, source: str) -> str:
    """16 hexadecimal digits that differ wherever the output may differ.

    Args:
        recipe: how it is made.
        seed: drawn.
        source: `identity` of the input.
    """
    # Whole numbers and floats that are equal must not differ in their spelling.
    values = {key: float(value) if type(value) is int else value for key, value in asdict(recipe).items()}
    text = json.dumps([__version__, seed, source, values], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def state(source: Path, outputs: Sequence[Path], fingerprints: Sequence[str]) -> State:
    """What is there of the outputs of one input, as `together` says it of `states`."""
    return together(states(source, outputs, fingerprints))


def states(source: Path, outputs: Sequence[Path], fingerprints: Sequence[str]) -> list[State]:
    """What is there of each output of one input.

    Args:
        source: the input.
        outputs: one file a seed.
        fingerprints: what `fingerprint` gives for each of them.

    Returns:
        "absent": nothing is there. "done": it was made in this way, and is not older than the input. "outdated": mp3fix
        made it, but it is older or was made otherwise. "foreign": mp3fix did not make it.
    """
    return [_state(source, *pair) for pair in zip(outputs, fingerprints, strict=True)]


def together(states: Sequence[State]) -> State:
    """What is there of all the outputs of one input.

    Args:
        states: of each.

    Returns:
        "absent" or "done": all are. "partial": some are done, the others absent. Else "foreign" if one of them is, or
        "outdated".
    """
    found = set(states)
    if len(found) == 1:
        return found.pop()
    if found == {"done", "absent"}:
        return "partial"
    return "foreign" if "foreign" in found else "outdated"


def _state(source: Path, output: Path, wanted: str) -> State:
    try:
        there = os.stat(output)
    except FileNotFoundError:
        return "foreign" if os.path.islink(output) else "absent"
    except OSError:
        return "absent"  # whoever writes there hears of it
    if not stat.S_ISREG(there.st_mode):  # a pipe would keep us waiting
        return "foreign"
    found = read_own(output).get(TAG)
    if found is None:
        return "foreign"
    return "done" if found == wanted and not older(there, source) else "outdated"


def older(there: os.stat_result, source: Path) -> bool:
    """Whether a file is older than the one it was made from, as far as file systems tell."""
    allowed = _COARSE if there.st_mtime_ns % _COARSE == 0 else 0
    try:
        return there.st_mtime_ns + allowed < os.stat(source).st_mtime_ns
    except OSError:
        return False  # whoever reads the input hears of it
