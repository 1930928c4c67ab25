"""From what was typed to what goes where: inputs, outputs, formats, times. Nothing is read or written here."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mp3fix.files.names import draw_paths, shown

SUFFIXES = {".wav": "wav", ".flac": "flac"}
STDIO = "-"

_SEED_LIMIT = 2**63
_OTHER_FORMATS = re.compile(
    r"\.(mp[234]|og[ga]|opus|m4[ab]|aac|aiff?|wma|wv|ape|w64|mka|webm)", re.IGNORECASE
)


class UsageError(Exception):
    """What was typed means nothing; the message says why."""


@dataclass(frozen=True)
class Job:
    """One input and where its restorations go.

    Attributes:
        typed: the input as it was typed: a file, or "-" for standard input.
        outputs: one file a seed; empty for standard output.
        folder: the folder that -o names, which may have to be made.
    """

    typed: str
    outputs: tuple[Path, ...]
    folder: Path | None = None

    @property
    def name(self) -> str:
        """The input in messages."""
        return "standard input" if self.typed == STDIO else shown(Path(self.typed))


def jobs(inputs: Sequence[str], output: str | None, suffix: str, seeds: Sequence[int]) -> list[Job]:
    """Where each input goes.

    Args:
        inputs: files, or "-".
        output: -o: a file for one input where it has an audio suffix, else a folder; "-" for standard output;
            None for beside the input.
        suffix: of the output's format, ".wav" or ".flac".
        seeds: with more than one, each has its own file.

    Raises:
        UsageError: the outputs collide with each other or with an input, or cannot be named.
    """
    if "" in (*inputs, output):
        raise UsageError("an empty name is no file")
    if len(inputs) > 1 and STDIO in inputs:
        raise UsageError("standard input (-) can only be the one input")
    if output == STDIO:
        if len(inputs) > 1:
            raise UsageError("-o - takes one input; give a folder for several")
        if len(seeds) > 1:
            raise UsageError("-o - takes one sample; give a folder for --samples")
        return [Job(inputs[0], ())]
    planned = [_job(each, output, suffix, seeds) for each in inputs]
    if output is not None and len(inputs) > 1 and planned[0].folder is None:
        raise UsageError(f"{shown(Path(output))}: one file for several inputs; give a folder with -o")
    taken: dict[str, str] = {}
    sources = {os.path.realpath(each) for each in inputs if each != STDIO}
    for job in planned:
        for path in job.outputs:
            real = os.path.realpath(path)
            if real in sources:
                raise UsageError(f"{shown(path)}: the output would overwrite an input; name another with -o")
            if real in taken:
                raise UsageError(f"{taken[real]} and {job.name} would both become {shown(path)}")
            taken[real] = job.name
    return planned


def _job(typed: str, output: str | None, suffix: str, seeds: Sequence[int]) -> Job:
    if typed == STDIO and output is None:
        raise UsageError("standard input has no name; say with -o where the result goes")
    stem = "stdin" if typed == STDIO else Path(typed).stem
    if output is None:
        return Job(typed, draw_paths(Path(typed).parent / f"{stem}.restored{suffix}", seeds))
    if names_file(output):
        return Job(typed, draw_paths(Path(output), seeds))
    folder = Path(output)
    return Job(typed, draw_paths(folder / f"{stem}{suffix}", seeds), folder)


def names_file(output: str) -> bool:
    """Whether -o names a file and not a folder.

    Raises:
        UsageError: it is neither, or a file of a format that is not written.
    """
    if output.endswith(("/", os.sep)) or os.path.isdir(output):
        return False
    suffix = Path(output).suffix
    if _OTHER_FORMATS.fullmatch(suffix):
        raise UsageError(f"{shown(Path(output))}: mp3fix writes .flac and .wav")
    if suffix.lower() in SUFFIXES:
        return True
    if os.path.exists(output):
        raise UsageError(f"{shown(Path(output))}: is neither a folder nor a .flac or .wav file")
    return False


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
