"""From inputs to what goes where. Nothing is written here, and what cannot end well is found before any work."""

import os
import string
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from mp3fix.batch.sources import STDIO, Found, Source
from mp3fix.errors import EncodeError, UsageError
from mp3fix.files.names import AUDIO_SUFFIXES, draw_paths, shown

SUFFIXES = {".wav": "wav", ".flac": "flac"}
FIELDS = {
    "stem": "the input's name without its suffix",
    "input_ext": "the input's suffix",
    "ext": "the output's suffix",
    "seed": "the seed",
    "model": "the generator's name",
}

_BESIDE, _BELOW = "{stem}.restored.{ext}", "{stem}.{ext}"  # templates of names without -o, and with it
_MOST_LISTED = 5  # collisions
_LONGEST = 255  # bytes of a file name on most systems


@dataclass(frozen=True)
class Job:
    """One input and where its restorations go.

    Attributes:
        typed: the input: a file, or "-" for standard input.
        outputs: one file a seed; empty for standard output.
        folder: where -o has them go, which may have to be made; None without -o.
        copy: where the input itself goes should it not be restored; None for nowhere.
        picture: where a picture of the restorations goes; None for nowhere.
    """

    typed: str
    outputs: tuple[Path, ...]
    folder: Path | None = None
    copy: Path | None = None
    picture: Path | None = None

    @property
    def name(self) -> str:
        """The input in messages."""
        return "standard input" if self.typed == STDIO else shown(Path(self.typed))

    @property
    def piped(self) -> bool:
        """Whether it comes from standard input, or goes to standard output."""
        return self.typed == STDIO or not self.outputs

    def check_lengths(self) -> None:
        """Raise EncodeError if the name of an output is too long: the system would say so only after all the work."""
        for output in (*self.outputs, *([self.picture] if self.picture else [])):
            length = len(output.name if os.name == "nt" else os.fsencode(output.name))
            if length > _LONGEST:
                reason = f"the name of its output would have {length} bytes, of at most {_LONGEST}"
                raise EncodeError(
                    f"{self.name}: {reason}: give a shorter one with --name, or rename the input"
                )


@dataclass(frozen=True)
class Naming:
    """How outputs are named.

    Attributes:
        suffix: of the output's format, ".wav" or ".flac".
        seeds: with more than one, each has its own file.
        model: the generator's name.
        template: of --name, with the fields in FIELDS; None: the usual name.
    """

    suffix: str
    seeds: Sequence[int | str]
    model: str = ""
    template: str | None = None

    def names(self, source: str, usual: str) -> list[str]:
        """The names of the outputs of an input, one a seed.

        Raises:
            UsageError: the template gives no name of a file of that format.
        """
        template = usual if self.template is None else self.template
        path = Path("stdin" if source == STDIO else source)
        values = {
            "stem": path.stem,
            "input_ext": path.suffix[1:],
            "ext": self.suffix[1:],
            "model": self.model,
        }
        names = [_filled(template, values | {"seed": str(seed)}) for seed in self.seeds]
        for name in names:
            if os.path.basename(name) != name or "\0" in name:
                raise UsageError(
                    f"--name {template}: {shown(Path(name))} is a path; only files are named by it"
                )
            if not name.lower().endswith(self.suffix) or name.lower() == self.suffix:
                raise UsageError(f"--name {template}: the name must end in .{{ext}}, here {self.suffix}")
        if "seed" in _fields(template):
            return names
        return [path.name for path in draw_paths(Path(names[0]), self.seeds)]

    def picture(self, source: str, usual: str) -> str:
        """The name of the picture of all outputs of an input: song.seed7-11.png for five of them.

        Raises:
            UsageError: as `names`.
        """
        seeds = (f"{self.seeds[0]}-{self.seeds[-1]}",) if len(self.seeds) > 1 else self.seeds
        stem = Path(replace(self, seeds=seeds).names(source, usual)[0]).stem
        if len(self.seeds) > 1 and "seed" not in _fields(usual if self.template is None else self.template):
            stem += f".seed{seeds[0]}"
        return stem + ".png"


def _filled(template: str, values: dict[str, str]) -> str:
    _fields(template)
    parts = ((literal, field) for literal, field, _, _ in string.Formatter().parse(template))
    return "".join(literal + (values[field] if field else "") for literal, field in parts)


@cache
def _fields(template: str) -> frozenset[str]:
    """The fields of a template.

    Raises:
        UsageError: it is not one.
    """
    try:
        parsed = list(string.Formatter().parse(template))
    except ValueError as error:
        raise UsageError(f"--name {template}: {error}; a brace itself is written twice") from error
    for _, field, form, conversion in parsed:
        if field is not None and (field not in FIELDS or form or conversion):
            known = ", ".join(f"{{{name}}}" for name in FIELDS)
            whole = field + (f"!{conversion}" if conversion else "") + (f":{form}" if form else "")
            raise UsageError(f"--name {template}: there is no {{{whole}}}, but {known}")
    return frozenset(field for _, field, _, _ in parsed if field)


def jobs(
    found: Found, output: str | None, naming: Naming, copies: bool = False, picture: str | None = None
) -> list[Job]:
    """Where each input goes.

    Args:
        found: the inputs.
        output: -o: a file for one input where it has an audio suffix, else a folder that mirrors the inputs'
            tree; "-" for standard output; None for beside the input.
        naming: how outputs are named. With -o FILE or -o - they have their name.
        copies: whether inputs that are not restored are copied into that folder.
        picture: "" for a picture beside each output, or a file for that of one input; None for none.

    Raises:
        UsageError: the outputs collide with each other or with an input, or cannot be named.
    """
    sources = found.sources
    if not sources:
        return []  # whoever asked is told of found.failures
    several = len(sources) > 1 or found.library
    if output == STDIO:
        if several:
            raise UsageError("-o - takes one input; give a folder for several")
        if len(naming.seeds) > 1:
            raise UsageError("-o - takes one sample; give a folder for --samples")
        if picture is not None:
            raise UsageError("--plot draws what was written to a file; -o - leaves none behind")
        return [Job(source.typed, ()) for source in sources]
    if picture and several:
        raise UsageError(f"--plot {shown(Path(picture))}: one picture for several inputs; give no name to it")
    to_file = output is not None and names_file(output)
    if several and to_file:
        raise UsageError(f"{shown(Path(output or ''))}: one file for several inputs; give a folder with -o")
    if copies and (output is None or to_file):
        raise UsageError("--others copy needs a folder to copy to; give one with -o")
    planned = [_job(source, output, to_file, naming, copies) for source in sources]
    if picture is not None:
        planned = [_with_picture(job, output, to_file, naming, picture) for job in planned]
    _check_collisions(planned)
    return planned


def _job(source: Source, output: str | None, to_file: bool, naming: Naming, copies: bool) -> Job:
    typed = source.typed
    if output is None:
        if typed == STDIO:
            raise UsageError("standard input has no name; say with -o where the result goes")
        folder = Path(typed).parent
        return Job(typed, tuple(folder / name for name in naming.names(typed, _BESIDE)))
    if to_file:
        return Job(typed, draw_paths(Path(output), naming.seeds), Path(output).parent)
    folder = Path(output) / source.relative.parent
    copy = folder / source.relative.name if copies and typed != STDIO else None
    return Job(typed, tuple(folder / name for name in naming.names(typed, _BELOW)), folder, copy)


def _with_picture(job: Job, output: str | None, to_file: bool, naming: Naming, picture: str) -> Job:
    if picture:
        return replace(job, picture=Path(picture))
    if to_file:  # whatever the template says: the output has its name too
        name = replace(naming, template=None).picture(output or "", _BELOW)
    else:
        name = naming.picture(job.typed, _BESIDE if output is None else _BELOW)
    return replace(job, picture=job.outputs[0].with_name(name))


def names_file(output: str) -> bool:
    """Whether -o names a file and not a folder.

    Raises:
        UsageError: it is neither, or a file of a format that is not written.
    """
    if output.endswith(("/", os.sep)) or os.path.isdir(output):
        return False
    suffix = Path(output).suffix.lower()
    if suffix in SUFFIXES:
        return True
    if suffix in AUDIO_SUFFIXES or suffix == ".mp4":
        raise UsageError(f"{shown(Path(output))}: mp3fix writes .flac and .wav")
    if os.path.exists(output):
        raise UsageError(f"{shown(Path(output))}: is neither a folder nor a .flac or .wav file")
    return False


def _check_collisions(planned: Sequence[Job]) -> None:
    """Raise UsageError if two inputs would become one file, or an output would overwrite an input."""
    collisions = list(_collisions(planned, _Real()))
    if not collisions:
        return
    lines = collisions[:_MOST_LISTED]
    if len(collisions) > _MOST_LISTED:
        lines.append(f"and {len(collisions) - _MOST_LISTED} more like these")
    advice = (
        "Nothing was done. Name another folder with -o, or other names: --name '{stem}.{input_ext}.{ext}'"
    )
    raise UsageError("\n".join([*lines, advice]))


def _collisions(planned: Sequence[Job], real: Callable[[Path], str]) -> Iterator[str]:
    """A line each."""
    inputs = {real(Path(job.typed)) for job in planned if job.typed != STDIO}
    taken: dict[str, Job] = {}
    for job in planned:
        paths = [*job.outputs, *(path for path in (job.copy, job.picture) if path)]
        for key, path in {real(path): path for path in paths}.items():
            if key in inputs:
                yield f"{shown(path)}: the output would overwrite an input"
            elif key in taken:
                yield f"{taken[key].name} and {job.name} would both become {shown(path)}"
            else:
                taken[key] = job


class _Real:
    """The one name of a file, whether it is there or not, so that equal files have equal names."""

    def __init__(self) -> None:
        self._folders: dict[str, tuple[str, bool]] = {}

    def __call__(self, path: Path) -> str:
        if os.path.islink(path):
            path = Path(os.path.realpath(path))
        folder = os.path.dirname(path) or "."
        if folder not in self._folders:
            real = os.path.realpath(folder)
            self._folders[folder] = real, _ignores_case(real)
        real, folded = self._folders[folder]
        name = os.path.join(real, path.name)
        return name.casefold() if folded else name


def _ignores_case(folder: str) -> bool:
    """Whether a file system takes a.flac and A.flac for one: by the name of the folder, or of one above it."""
    while folder != (above := os.path.dirname(folder)):
        name = os.path.basename(folder)
        if name != name.swapcase() and os.path.exists(folder):
            other = os.path.join(above, name.swapcase())
            return os.path.exists(other) and os.path.samefile(folder, other)
        folder = above
    return False
