"""From what was typed to what goes where: inputs, outputs, formats. Nothing is read or written here."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mp3fix.files.names import draw_paths, shown

SUFFIXES = {".wav": "wav", ".flac": "flac"}
STDIO = "-"


class UsageError(Exception):
    """What was typed means nothing; the message says why."""


@dataclass(frozen=True)
class Job:
    """One input and where its restorations go.

    Attributes:
        source: input file, or None for standard input.
        outputs: one file a seed; empty for standard output.
    """

    source: Path | None
    outputs: tuple[Path, ...]


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
    if len(inputs) > 1 and STDIO in inputs:
        raise UsageError("standard input (-) can only be the one input")
    if output == STDIO:
        if len(inputs) > 1:
            raise UsageError("-o - takes one input; give a folder for several")
        if len(seeds) > 1:
            raise UsageError("-o - takes one sample; give a folder for --samples")
        return [Job(_source(inputs[0]), ())]
    planned = [Job(_source(each), _outputs(each, output, suffix, seeds, len(inputs))) for each in inputs]
    taken: dict[str, str] = {}
    sources = {os.path.realpath(each): each for each in inputs if each != STDIO}
    for each, job in zip(inputs, planned, strict=True):
        for path in job.outputs:
            real = os.path.realpath(path)
            if real in sources:
                raise UsageError(f"{shown(path)}: the output would overwrite an input; name another with -o")
            if real in taken:
                raise UsageError(
                    f"{shown(Path(taken[real]))} and {shown(Path(each))} would both become {shown(path)}"
                )
            taken[real] = each
    return planned


def output_suffix(output: str | None, form: str | None, bits: str | None) -> str:
    """Suffix of the outputs: that of -o, else by --format, else .flac (.wav for 32-bit float).

    Raises:
        UsageError: they contradict each other.
    """
    named = Path(output).suffix.lower() if output not in (None, STDIO) else ""
    if output == STDIO:
        if form not in (None, "wav"):
            raise UsageError("-o - writes WAV; leave --format out")
        return ".wav"
    if named in SUFFIXES:
        if form is not None and form != SUFFIXES[named]:
            raise UsageError(f"-o names a {named} file, --format says {form}")
        chosen = named
    else:
        chosen = f".{form}" if form else (".wav" if bits == "32f" else ".flac")
    if bits == "32f" and chosen != ".wav":
        raise UsageError("FLAC holds 16 or 24 bits; 32-bit float needs WAV (--format wav)")
    return chosen


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


def _source(text: str) -> Path | None:
    return None if text == STDIO else Path(text)


def _outputs(
    text: str, output: str | None, suffix: str, seeds: Sequence[int], inputs: int
) -> tuple[Path, ...]:
    if text == STDIO and output is None:
        raise UsageError("standard input has no name; say with -o where the result goes")
    name = "stdin" if text == STDIO else Path(text).name
    stem = Path(name).stem
    if output is None:
        target = Path(text).parent / f"{stem}.restored{suffix}"
    elif Path(output).suffix.lower() in SUFFIXES and not os.path.isdir(output):
        if inputs > 1:
            raise UsageError(f"{output}: one file for several inputs; give a folder with -o")
        target = Path(output)
    elif re.fullmatch(r"\.(mp3|ogg|opus|m4a|aac|aiff?|wma|mp4)", Path(output).suffix.lower()):
        raise UsageError(f"{output}: mp3fix writes .wav and .flac")
    else:
        target = Path(output) / f"{stem}{suffix}"
    return draw_paths(target, seeds)
