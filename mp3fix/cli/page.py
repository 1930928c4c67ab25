"""The option --page: what is refused before any work, and the page once the song is there."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mp3fix.errors import UsageError
from mp3fix.files.names import shown
from mp3fix.report.extras import need

if TYPE_CHECKING:
    from mp3fix.batch.plan import Job
    from mp3fix.batch.work import How
    from mp3fix.cli.request import Request

Record = dict[str, Any]  # what became of a song, for JSON

_SUFFIXES = (".html", ".htm")


@dataclass(frozen=True)
class Asked:
    """A page that was asked for.

    Attributes:
        path: the file.
        seconds: of the song on it.
        generator: name and version.
        drawn: whether seeds make a difference.
        overwrite: whether a file that mp3fix did not make is replaced.
    """

    path: Path
    seconds: float
    generator: str
    drawn: bool
    overwrite: bool


def check_page(request: "Request", planned: Sequence["Job"], many: bool) -> None:
    """Refuse a page that cannot be made.

    Args:
        request: the options, with a page.
        planned: what is to be restored.
        many: whether that may be several songs.

    Raises:
        UsageError: of several songs, of what goes to a pipe, of too many channels; or a library is missing.
        EncodeError: there is something in its place.
    """
    from mp3fix.report.page import check_channels
    from mp3fix.report.pagefile import check_place

    path = Path(request.page or "")
    if path.suffix.lower() not in _SUFFIXES:
        raise UsageError(f"--page {shown(path)}: a page ends in .html")
    if request.streams:
        raise UsageError("--page plays what was written to a file; -o - leaves none behind")
    if many:
        raise UsageError("--page shows one song on this machine; give one input, and no --scheduler")
    need("--page", "page", "jinja2", "pyloudnorm")
    source = Path(planned[0].typed)
    if path.exists() and source.exists() and path.samefile(source):
        raise UsageError(f"--page {shown(path)}: the page would overwrite the input")
    check_place(path, request.force)
    if not planned[0].piped:
        check_channels(source, planned[0].name)


def with_page(
    record: Record, asked: Asked | None, source: Path, job: "Job", how: "How", there: bool = False
) -> Record:
    """Make the page of a song that is restored, now or before; gives its record with what became of that.

    Args:
        record: the song's.
        asked: the page; None for none.
        source: the input as a file.
        job: the input, and where it goes.
        how: it was restored.
        there: whether it was restored before, so that only its picture may have failed.
    """
    from mp3fix.batch.work import DONE, why
    from mp3fix.report.page import Restoration, Subject, write_page

    if asked is None:
        return record
    if not there and record != DONE and record["status"] not in ("restored", "drawn"):
        return {**record, "page": None}
    seeds = how.options.seeds
    names = [f"Restored, seed {seed}" if len(seeds) > 1 else "Restored" for seed in seeds]
    made = [
        Restoration(output, name, _gain(record, output, how))
        for output, name in zip(job.outputs, names, strict=True)
    ]
    seed = f", seed {seeds[0]}" if asked.drawn and len(seeds) == 1 else ""
    subject = Subject(source, Path(job.name).name, made, asked.generator + seed, how.target.start)
    try:
        written = write_page(asked.path, subject, asked.seconds, asked.overwrite)
    except Exception as error:  # whatever it is, the song is there
        return {**record, "page": None, "page_error": why(error, shown(asked.path))}
    return {**record, "page": str(asked.path), "page_bytes": written.size} | (
        {"page_folder": str(written.folder)} if written.folder else {}
    )


def _gain(record: Record, output: Path, how: "How") -> float:
    """The gain that an output got, in dB."""
    from mp3fix.files.tags_own import read_own

    if "gain_db" in record:
        return float(record["gain_db"])
    said = read_own(output).get("MP3FIX_GAIN", "").removesuffix(" dB")
    try:
        return float(said)
    except ValueError:
        return how.target.gain_db or 0.0


def told(record: Record) -> str:
    """A line on the page that was made; "" for none."""
    if not record.get("page"):
        return ""
    text = f"{shown(Path(record['page']))}: a page of {record['page_bytes'] / 1e6:.1f} MB"
    if "page_folder" in record:
        text += f", most of it in the folder {shown(Path(record['page_folder']))}: keep them together"
    return text
