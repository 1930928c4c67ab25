"""What the values of some options mean: formats, seeds, times."""

import re
from pathlib import Path

from mp3fix.batch.plan import SUFFIXES, names_file
from mp3fix.batch.sources import STDIO
from mp3fix.errors import UsageError

_SEED_LIMIT = 2**63


def output_suffix(output: str | None, form: str | None, bits: str | None) -> str:
    """Suffix of the outputs: that of -o, else by --format, else .flac (.wav for 32-bit float).

    Raises:
        UsageError: they contradict each other.
    """
    if output == STDIO:
        if form not in (None, "wav"):
            raise UsageError("-o - writes WAV; leave --format out")
        return ".wav"
    if output is not None and names_file(output):
        chosen = Path(output).suffix.lower()
        if form is not None and form != SUFFIXES[chosen]:
            raise UsageError(f"-o names a {chosen} file, --format says {form}")
    else:
        chosen = f".{form}" if form else (".wav" if bits == "32f" else ".flac")
    if bits == "32f" and chosen != ".wav":
        raise UsageError("FLAC holds 16 or 24 bits; 32-bit float needs WAV (--format wav)")
    return chosen


def seeds(first: int | None, samples: int) -> tuple[int, ...]:
    """The seeds of --seed and --samples.

    Raises:
        UsageError: they are too large.
    """
    first = first or 0
    if first + samples > _SEED_LIMIT:
        raise UsageError(
            f"--seed {first}: the largest seed is {_SEED_LIMIT - 1}, that of the last sample included"
        )
    return tuple(range(first, first + samples))


def seconds(text: str) -> float:
    """A time such as 90, 1:30, 1:02:03.5.

    Raises:
        UsageError: it is none.
    """
    if not re.fullmatch(r"(\d{1,4}:){0,2}\d{1,9}(\.\d*)?", text):
        raise UsageError(f"{text!r} is not a time; write 90, 1:30 or 1:02:03.5")
    total = 0.0
    for part in text.split(":"):
        total = total * 60 + float(part)
    return total
