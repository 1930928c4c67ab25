"""The files of a page: one, or for much sound one and a folder beside it. Whole or absent, and never over another's."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mp3fix.errors import EncodeError
from mp3fix.files import temporary
from mp3fix.files.names import shown

LARGEST = 20_000_000  # characters of sound in one file: browsers become slow to open more

_TEMPLATES = Path(__file__).parent / "templates"
_SCRIPTS = (
    *("fft.js", "store.js", "player.js", "spectrogram.js"),  # classes
    *("page.js", "timeline.js", "gestures.js", "controls.js"),  # the page
)
_OURS = b'<meta name="generator" content="mp3fix '  # in the first bytes of each page
_PIECE = re.compile(r"[0-9a-f]{16}-\d+-\d+\.js")


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes:
        page: the file to open.
        folder: what belongs beside it; None for a page in one file.
        size: bytes of both.
    """

    page: Path
    folder: Path | None
    size: int


def check_place(page: Path, overwrite: bool) -> None:
    """Refuse a place for a page before any work.

    Raises:
        OutputExistsError: there is a file that mp3fix did not make, and it is not to be overwritten.
        EncodeError: it is a folder, or something else that is no file.
    """
    if page.is_dir():
        raise EncodeError(f"{shown(page)} is a folder; name a file in it, as in --page out.html")
    if page.exists() and not page.is_file():
        raise EncodeError(f"{shown(page)} is no regular file; a page cannot be written there")
    if os.path.lexists(page) and not overwrite and not _is_ours(page):
        raise temporary.exists(page)


def _is_ours(page: Path) -> bool:
    try:
        with open(page, "rb") as file:
            return _OURS in file.read(2048)
    except OSError:
        return False


def write_files(
    page: Path, values: Mapping[str, Any], sound: Sequence[Sequence[str]], overwrite: bool
) -> Written:
    """Write a page, and where its sound is too much for one file, the folder NAME_files beside it.

    Args:
        page: the .html file.
        values: for the template. "identity" tells this page's files from those of an earlier one.
        sound: of each source, its pieces, base64.
        overwrite: whether a file that mp3fix did not make is replaced.

    Raises:
        EncodeError: it cannot be written, for the system's reason, or something is in the folder's place.
    """
    check_place(page, overwrite)
    folder = page.with_name(f"{page.stem}_files")
    named = {
        f"{source}-{piece}": text for source, texts in enumerate(sound) for piece, text in enumerate(texts)
    }
    length = sum(map(len, named.values()))
    apart = length > LARGEST
    if apart and os.path.lexists(folder) and not folder.is_dir():
        raise EncodeError(
            f"{shown(folder)} is in the way: so much sound needs a folder of that name; move it, or choose another "
            "name or fewer --page-seconds for the page"
        )
    identity = values["identity"]
    files = {
        folder / f"{identity}-{name}.js": f'mp3fixPiece("{name}", "{text}");\n'
        for name, text in named.items()
    }
    beside = {"folder": folder.name if apart else None}
    settings = dict(values) | beside | {"facts": values["facts"] | beside | {"identity": identity}}
    rendered = _render(settings, {} if apart else named, length)
    with _errors(page):
        # Files that are there are those of the same page, made before: it plays on if this one fails.
        new = [path for path in files if apart and not path.exists()]
        try:
            if apart:
                folder.mkdir(exist_ok=True)
                for path, text in files.items():
                    _write(path, text, True)
            _write(page, rendered, True if overwrite else _is_ours(page))
        except BaseException:
            for path in new:
                path.unlink(missing_ok=True)
            with suppress(OSError):
                folder.rmdir()
            raise
    _remove_others(folder, {path.name for path in files if apart})
    return Written(page, folder if apart else None, len(rendered.encode()) + (length if apart else 0))


def _render(values: Mapping[str, Any], pieces: Mapping[str, str], length: int) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(_TEMPLATES)
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    style, dark = ((_TEMPLATES / f"{name}.css").read_text(encoding="utf-8") for name in ("page", "dark"))
    script = "\n".join((_TEMPLATES / name).read_text(encoding="utf-8") for name in _SCRIPTS)
    total = (length + len(style) + len(dark) + len(script)) / 1e6
    return environment.get_template("page.html.j2").render(
        values, style=style, dark=dark, script=script, pieces=pieces, megabytes=f"{total:.1f} MB"
    )


def _write(path: Path, text: str, overwrite: bool) -> None:
    written = temporary.create(path)
    try:
        written.write_text(text, encoding="utf-8", newline="\n")
        temporary.sync(written)
        temporary.publish(written, path, overwrite)
    finally:
        temporary.remove(written)


def _remove_others(folder: Path, kept: set[str]) -> None:
    """Remove what an earlier page left in the folder, and the folder once it is empty."""
    with suppress(OSError):
        for name in os.listdir(folder):
            if _PIECE.fullmatch(name) and name not in kept:
                (folder / name).unlink()
        if not kept:
            folder.rmdir()


@contextmanager
def _errors(page: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EncodeError(f"{shown(page)} cannot be written: {error.strerror or error}") from error
