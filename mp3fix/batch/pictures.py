"""Pictures of restorations: which are there already, and drawing one from the files."""

import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mp3fix.batch.done import older
from mp3fix.batch.folders import Folders
from mp3fix.errors import DecodeError
from mp3fix.files.names import shown
from mp3fix.files.probe import probe
from mp3fix.files.tags_own import read_own
from mp3fix.report import marks
from mp3fix.report.picture import Shown, View, draw
from mp3fix.report.scales import ScaleName
from mp3fix.report.spectra import Channels

State = Literal["absent", "done", "stale", "other", "foreign"]


@dataclass(frozen=True)
class Sketch:
    """A picture that is to be drawn, in values that JSON holds.

    Attributes:
        path: where it goes.
        scale, channels: see report.picture.View.
        generator: its name and version.
        seeded: whether a seed changes anything.
        mark: see `mark`.
        overwrite: whether a picture that is there is replaced.
    """

    path: str
    scale: ScaleName
    channels: Channels
    generator: str
    seeded: bool
    mark: str = ""
    overwrite: bool = False


def mark(fingerprints: Sequence[str], scale: str, channels: str) -> str:
    """What is kept in a picture: of which restorations it is (see batch.done), and how it looks."""
    return f"{','.join(fingerprints)}:{scale}:{channels}"


def state(picture: Path, outputs: Sequence[Path], wanted: str) -> State:
    """What is there of a picture.

    Args:
        picture: its place.
        outputs: the restorations that it shows.
        wanted: the mark that it should have.

    Returns:
        "absent": nothing is there. "done": it is as it would be drawn, and none of the outputs is younger. "stale":
        it is of these restorations, but older, or drawn in another way. "other": mp3fix drew it of something else.
        "foreign": mp3fix did not draw it.
    """
    try:
        there = os.stat(picture)
    except FileNotFoundError:
        return "foreign" if os.path.islink(picture) else "absent"
    except OSError:
        return "absent"  # whoever writes there hears of it
    found = marks.read(picture) if stat.S_ISREG(there.st_mode) else None
    if found is None:
        return "foreign"
    if found.partition(":")[0] != wanted.partition(":")[0] or wanted.startswith(":"):
        return "other"
    return "done" if found == wanted and not any(older(there, output) for output in outputs) else "stale"


def draw_sketch(
    sketch: Sketch,
    source: Path,
    outputs: Sequence[Path],
    seeds: Sequence[int],
    start: float,
    duration: float | None,
    gain_db: float | None = None,
    name: str | None = None,
    tick: Callable[[float], None] | None = None,
) -> None:
    """Draw a picture of an input and its restorations. Its folder is made where it is not there.

    Args:
        sketch: the picture.
        source, outputs: the files; one output a seed.
        seeds: of the outputs.
        start, duration: the part of the input that was restored, seconds.
        gain_db: by which the outputs are louder than they would be; None to look into their tags.
        name: of the input in the picture; None for that of its file.
        tick: called every second or so.

    Raises:
        Mp3fixError: it cannot be drawn.
    """
    picture = Path(sketch.path)
    gain = _gain(outputs[0]) if gain_db is None else f"{gain_db:+.1f} dB" if gain_db else ""
    after = []
    for seed, output in zip(seeds, outputs, strict=True):
        parts = [
            sketch.generator,
            *([f"seed {seed}"] if sketch.seeded else []),
            *([f"gain {gain}"] if gain else []),
        ]
        after.append(
            Shown(output, f"after: {', '.join(parts)}", f"seed {seed}" if len(seeds) > 1 else "after")
        )
    heading = ", ".join([name or shown(Path(source.name)), *_facts(source)])
    view = View(sketch.scale, sketch.channels)
    with Folders() as folders:
        folders.make(picture.parent)
        draw(
            picture,
            heading,
            Shown(source, "before", "before"),
            after,
            view,
            start=start,
            duration=duration,
            mark=sketch.mark,
            overwrite=sketch.overwrite,
            tick=tick,
        )


def _gain(output: Path) -> str:
    return read_own(output).get("MP3FIX_GAIN", "")


def _facts(source: Path) -> list[str]:
    """What a file says of itself: ["MP3", "64 kbit/s"]."""
    try:
        info = probe(source)
    except DecodeError:
        return []
    return [info.codec, *([f"{info.bitrate_kbps} kbit/s"] if info.bitrate_kbps else [])]
