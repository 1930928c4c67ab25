"""From what was named to files: folders are walked, patterns that the shell left alone are expanded, lists read."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from glob import glob, has_magic
from pathlib import Path

from mp3fix.errors import UsageError
from mp3fix.files.names import AUDIO_SUFFIXES, shown
from mp3fix.files.tags_own import read_own

STDIO = "-"

_OWN_SUFFIXES = (".flac", ".wav")


@dataclass(frozen=True)
class Source:
    """An input.

    Attributes:
        typed: its path, beginning with what was typed; "-" for standard input.
        relative: where it stands in a tree of outputs: its path below the folder that was named.
    """

    typed: str
    relative: Path


@dataclass
class Found:
    """The inputs.

    Attributes:
        sources: in the order in which they were named, the contents of a folder by name.
        failures: what was named and the reason why there is nothing of it: an empty folder, for instance.
        library: whether a folder, a pattern or a list was named, and not only files.
    """

    sources: list[Source] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)
    library: bool = False


def may_be_several(inputs: Sequence[str], input_list: str | None = None) -> bool:
    """Whether `find` may find several songs, or a library of one, as far as names tell: it looks into nothing.

    Args:
        inputs, input_list: as for `find`.
    """
    several = len(inputs) > 1 or input_list is not None
    return several or any(os.path.isdir(each) or _is_pattern(each) for each in inputs)


def _is_pattern(typed: str) -> bool:
    return has_magic(typed) and not os.path.lexists(typed)


def find(
    inputs: Sequence[str], input_list: str | None = None, output: str | None = None, own: bool = False
) -> Found:
    """The inputs that were named. A file that is named itself is taken, whatever it is and even if it is not there.

    One folder gives its contents; of several inputs each folder keeps its name, so that `music/*` and `music/`
    end in the same tree. What is named twice is taken once.

    Args:
        inputs: files, folders, patterns, or "-" for standard input.
        input_list: a file of names, or "-" for standard input. It may be empty: then there is no song in it.
        output: a folder that is not walked, should it be inside one that is, or be one of several inputs.
        own: whether folders also give what mp3fix itself has written.

    Raises:
        UsageError: a name is empty, standard input is named twice, the list cannot be read, or all inputs are the
            folder of outputs.
    """
    if "" in (*inputs, input_list, output):
        raise UsageError("an empty name is no file")
    listed = [] if input_list is None else _read_list(input_list)
    alone = len(inputs) == 1 and input_list is None
    if STDIO in inputs and not alone:
        raise UsageError("standard input (-) can only be the one input")
    found = Found(library=input_list is not None)
    walk = _Walk(found, output, own)
    for typed in inputs:
        if os.path.isdir(typed):
            if not alone and walk.is_output(typed):
                continue
            walk.folder(typed, Path() if alone else Path(os.path.basename(os.path.abspath(typed))))
        elif _is_pattern(typed):
            walk.pattern(typed)
        else:
            found.sources.append(Source(typed, Path(os.path.basename(typed))))
    for typed in listed:
        if os.path.isdir(typed):
            walk.folder(typed, _kept(typed))
        else:
            found.sources.append(Source(typed, _kept(typed)))
    if not (found.library or found.sources):
        raise UsageError(
            f"{shown(Path(inputs[0]))}: is the folder of -o, and passed over among several inputs; "
            "name it once to restore what is in it"
        )
    once = {(str(Path(source.typed)), source.relative): source for source in reversed(found.sources)}
    found.sources = list(once.values())[::-1]
    return found


def _read_list(name: str) -> list[str]:
    """The names in a list: a line each, or ended by NUL bytes where there is one, as `find -print0` writes them."""
    shown_name = "standard input" if name == STDIO else shown(Path(name))
    try:
        if name != STDIO:
            data = Path(name).read_bytes()
        elif sys.stdin is None:
            raise UsageError("--input-list: standard input is closed")
        else:
            data = sys.stdin.buffer.read()
    except OSError as error:
        raise UsageError(f"--input-list: {shown_name}: {error.strerror or error}") from error
    if b"\0" in data:
        names = data.split(b"\0")
    else:
        names = [line.removesuffix(b"\r") for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n")]
    return [os.path.join(".", STDIO) if each == b"-" else os.fsdecode(each) for each in names if each]


def _kept(typed: str) -> Path:
    """The place in a tree of outputs of a name in a list: its path as it is written there."""
    parts = Path(os.path.normpath(os.path.splitdrive(typed)[1])).parts
    return Path(*(part for part in parts if part not in ("..", os.sep, "//")))


def _is_in(path: str, folder: str) -> bool:
    """Whether a real path is that of a folder, or of something in it."""
    return os.path.join(path, "").startswith(os.path.join(folder, ""))


class _Walk:
    """Adds the music in folders to what was found.

    Links are followed. A folder is walked once: a link to one in the same tree is left alone, and so is a loop, a link
    to a folder that the link itself is in.
    """

    def __init__(self, found: Found, output: str | None, own: bool) -> None:
        self._found, self._own = found, own
        self._output = None if output in (None, STDIO) else os.path.realpath(output or "")
        self._own_seen = False

    def is_output(self, typed: str) -> bool:
        """Whether this is the folder of outputs."""
        return self._output == os.path.realpath(typed)

    def folder(self, typed: str, place: Path) -> None:
        """Take the music below a folder; `place` is the folder's in a tree of outputs."""
        self._found.library = True
        top = os.path.realpath(typed)
        before = len(self._found.sources) + len(self._found.failures)
        self._own_seen = False
        walked: set[str] = set()
        ahead = [(typed, place, top)]  # a stack, since folders may be nested deeper than Python's calls
        while ahead:
            path, place, real = ahead.pop()
            if real not in walked:
                walked.add(real)
                ahead += self._in_folder(path, place, real, top)
        if before == len(self._found.sources) + len(self._found.failures):
            made = "nothing in this folder but what mp3fix made"
            self._fail(typed, made if self._own_seen else "no music in this folder")

    def _in_folder(self, path: str, place: Path, real: str, top: str) -> list[tuple[str, Path, str]]:
        """Take the music in a folder, by name; returns the folders in it, the last one first."""
        try:
            with os.scandir(path) as listed:
                entries = sorted(listed, key=lambda entry: entry.name)
        except OSError as error:
            self._fail(path, f"this folder cannot be read: {error.strerror or error}")
            return []
        folders = []
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if os.path.isdir(entry.path):
                linked = entry.is_symlink()
                there = os.path.realpath(entry.path) if linked else os.path.join(real, entry.name)
                known = linked and (_is_in(there, top) or _is_in(real, there))
                if there != self._output and not known:
                    folders.append((entry.path, place / entry.name, there))
            elif self._is_taken(entry.path):
                self._found.sources.append(Source(entry.path, place / entry.name))
        return folders[::-1]

    def pattern(self, typed: str) -> None:
        """Take what a pattern matches, each in its place below the last folder that is named without one."""
        self._found.library = True
        parts = Path(typed).parts
        fixed = Path(*parts[: next(number for number, part in enumerate(parts) if has_magic(part))])
        before = len(self._found.sources)
        matched = sorted(set(glob(typed, recursive=True)))
        output, top = self._output, os.path.realpath(fixed)
        if output is not None and output != top and _is_in(output, top):
            matched = [path for path in matched if not _is_in(os.path.realpath(path), output)]
        for path in matched:
            place = Path(os.path.relpath(path, fixed))
            if not os.path.isdir(path):
                if self._is_taken(path):
                    self._found.sources.append(Source(path, place))
            elif "**" not in typed:  # which matches what is in the folders too
                self.folder(path, place)
        if not matched:
            self._fail(typed, "no such file, and as a pattern it matches nothing")
        elif before == len(self._found.sources):
            self._fail(typed, "no music matches this pattern")

    def _is_taken(self, path: str) -> bool:
        """Whether a file is music that mp3fix did not make."""
        suffix = os.path.splitext(path)[1].lower()
        if suffix not in AUDIO_SUFFIXES or not os.path.isfile(path):
            return False
        if self._own or suffix not in _OWN_SUFFIXES or not read_own(Path(path)):
            return True
        self._own_seen = True
        return False

    def _fail(self, typed: str, reason: str) -> None:
        self._found.failures.append((typed, f"{shown(Path(typed))}: {reason}"))
