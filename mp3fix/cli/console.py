"""What a person sees while it runs: on standard error, and only on a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mp3fix.files.names import shown

if TYPE_CHECKING:
    from mp3fix.song import Result

Progress = Callable[[float, float | None], None]

NAME_WIDTH = 26  # characters of a song's name, so that a bar fits beside it in 80 columns


class Console:
    """Progress, warnings and a closing line for each song.

    Args:
        quiet: errors only.
        verbose: closing lines even where standard error is no terminal, with more in them.
    """

    def __init__(self, quiet: bool, verbose: bool) -> None:
        self._quiet, self._verbose = quiet, verbose
        self._terminal = sys.stderr.isatty()

    def warn(self, text: str) -> None:
        """Print a warning."""
        if not self._quiet:
            print(f"mp3fix: warning: {text}", file=sys.stderr)

    @contextmanager
    def progress(self, name: str) -> Iterator[Progress | None]:
        """A bar with percent, times real time and the time left; gives the callback that moves it.

        Args:
            name: of the song, in one line.
        """
        if self._quiet or not self._terminal:
            yield None
            return
        from rich.console import Console as Rich
        from rich.markup import escape
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        short = name if len(name) <= NAME_WIDTH else f"{name[: NAME_WIDTH - 1]}…"
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=18),
            TaskProgressColumn(),
            TextColumn("{task.fields[speed]}"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=Rich(stderr=True), transient=True) as bar:
            task = bar.add_task(escape(short), total=None, speed="")

            def move(done: float, total: float | None) -> None:
                elapsed = bar.tasks[0].elapsed or 0.0
                speed = f"{done / elapsed:.0f}x real time" if elapsed > 0.2 else ""
                bar.update(task, completed=done, total=total, speed=speed)

            yield move

    def done(self, result: "Result", device: str) -> None:
        """Print the closing line of a song."""
        if self._quiet or not (self._terminal or self._verbose):
            return
        where = ", ".join(shown(Path(path.name)) for path in result.outputs) or "standard output"
        print(f"{where}: {summary(result)}", file=sys.stderr)
        if self._verbose:
            print(f"    decoded by {result.decoder}, run on {device}", file=sys.stderr)


def summary(result: "Result") -> str:
    """A line on a result: length, speed, bitrate, cut-off before and after, gain."""
    parts = [f"{result.seconds:.1f} s of audio in {result.elapsed:.1f} s"]
    parts.append(f"{result.seconds / max(result.elapsed, 1e-9):.0f}x real time")
    if result.info is not None and result.info.bitrate_kbps:
        parts.append(f"{result.info.bitrate_kbps} kbit/s")
    parts.append(f"cut-off {result.cutoff_before / 1000:.1f} -> {result.cutoff_after / 1000:.1f} kHz")
    if result.gain_db:
        parts.append(f"gain {result.gain_db:+.1f} dB")
    return ", ".join(parts)
