"""What is told while it runs: to people on standard error, bars only on a terminal; to programs as JSON lines."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mp3fix.batch.summary import Summary, clock, length
from mp3fix.errors import Mp3fixError
from mp3fix.files.names import shown

Progress = Callable[[float, float | None], None]
Record = dict[str, Any]

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
        self._bar: Any = None  # over which lines must be printed

    def warn(self, text: str) -> None:
        """Print a warning."""
        self.note(f"warning: {text}")

    def note(self, text: str) -> None:
        """Print what is good to know."""
        if not self._quiet:
            self._print(f"mp3fix: {text}")

    def error(self, text: str) -> None:
        """Print what went wrong."""
        self._print(f"mp3fix: {text}")

    def _print(self, text: str) -> None:
        if self._bar is None:
            print(text, file=sys.stderr)
        else:
            self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)

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

    def ended(self, name: str, record: Record, closing: bool = True) -> None:
        """Tell what became of a song: that it failed, or its warnings and a closing line.

        Args:
            name: the input's.
            record: as printed by --json.
            closing: whether there is a closing line without --verbose, too.
        """
        if record["status"] == "failed":
            self.error(record["error"])
        for warning in record.get("warnings", ()):
            self.warn(f"{name}: {warning}")
        for what in ("picture", "page"):
            if f"{what}_error" in record:
                self.error(f"{name} is restored, but has no {what}: {record[f'{what}_error']}")
        if record["status"] == "failed" or self._quiet or not (self._verbose or (self._terminal and closing)):
            return
        written = [*record["outputs"], record.get("picture")]
        if record["status"] == "drawn":
            written = written[-1:]
        where = ", ".join(shown(Path(path)) for path in written if path) or "standard output"
        if record["status"] == "restored":
            self._print(f"{where}: {summary(record)}")
            if self._verbose and self._terminal and closing:
                from rich.console import Console as Rich

                from mp3fix.report.terminal import spectrum

                rich = Rich(stderr=True, highlight=False)
                rich.print(spectrum(record, rich.encoding), no_wrap=True, overflow="crop")
            if self._verbose:
                self._print(f"    decoded by {record['decoder']}, run on {record['device']}")
        else:
            self._print(f"{where}: {OTHERWISE[record['status']]}")

    @contextmanager
    def overall(self, files: int, as_json: bool) -> Iterator["Overall"]:
        """A bar for many songs, and a summary at the end, unless all failed before the first song did anything.

        Args:
            files: how many there are.
            as_json: whether lines of JSON are printed meanwhile; on a terminal they would tear the bar apart.
        """
        overall, failed_at_once = Overall(self, files), False
        try:
            if (
                self._quiet
                or not self._terminal
                or (as_json and sys.stdout is not None and sys.stdout.isatty())
            ):
                yield overall
            else:
                from rich.console import Console as Rich
                from rich.progress import BarColumn, Progress, TextColumn

                columns = (BarColumn(bar_width=18), TextColumn("{task.fields[text]}"))
                stderr = Rich(stderr=True)
                with Progress(*columns, console=stderr, transient=True, redirect_stdout=False) as self._bar:
                    overall.draw(self._bar)
                    yield overall
        except Mp3fixError:
            failed_at_once = not overall.summary.ended
            raise
        finally:
            self._bar = None
            if not failed_at_once:
                self.note(overall.summary.text())


class Overall:
    """How far many songs are.

    Args:
        console: that shows it.
        files: how many there are.
    """

    def __init__(self, console: Console, files: int) -> None:
        self.summary = Summary()
        self._console, self._files = console, files
        self._running: dict[str, tuple[float, float]] = {}  # seconds done, and as a fraction
        self._bar: Any = None

    def moved(self, name: str, done: float, total: float | None) -> None:
        """Part of a song is done."""
        self._running[name] = done, min(1.0, done / total) if total else 0.0
        self._show()

    def ended(self, name: str, record: Record, silent: bool = False) -> None:
        """A song has ended in one way or another, which is told unless `silent`."""
        self._running.pop(name, None)
        self.summary.add(record)
        if not silent:
            self._console.ended(name, record, closing=False)
        self._show()

    def draw(self, bar: Any) -> None:
        """Draw on a bar from now on."""
        self._bar = bar
        bar.add_task("", total=self._files, text="")
        self._show()

    def _show(self) -> None:
        if self._bar is None:
            return
        partly = sum(fraction for _, fraction in self._running.values())
        text = self._text(partly)
        self._bar.update(self._bar.task_ids[0], completed=self.summary.ended + partly, text=text)

    def _text(self, partly: float) -> str:
        """ "12/340 files, 0.8 h of audio, 34x real time, 2:03:59 left"."""
        elapsed, worked = self.summary.elapsed, self.summary.worked + partly
        audio = self.summary.seconds + sum(seconds for seconds, _ in self._running.values())
        parts = [f"{self.summary.ended}/{self._files} files"]
        if self.summary.failed:
            parts.append(f"{self.summary.failed} failed")
        if audio:
            parts += [f"{length(audio)} of audio", f"{audio / max(elapsed, 1e-9):.0f}x real time"]
        if worked > 0.05:
            left = self._files - self.summary.ended - partly
            parts.append(f"{clock(elapsed / worked * left)} left")
        return ", ".join(parts)


OTHERWISE = {
    "skipped": "is done",
    "drawn": "drawn; all else was done",
    "copied": "copied",
    "left": "left as it is",
}


def print_record(record: Record) -> None:
    """Print what became of a song as a line of JSON."""
    print(json.dumps(record), flush=True)


def summary(record: Record) -> str:
    """A line on a restored song: length, speed, bitrate, cut-off before and after, gain."""
    seconds, elapsed = record["seconds"], record["elapsed"]
    parts = [f"{seconds:.1f} s of audio in {elapsed:.1f} s"]
    parts.append(f"{seconds / max(elapsed, 1e-9):.0f}x real time")
    if record["bitrate_kbps"]:
        parts.append(f"{record['bitrate_kbps']} kbit/s")
    before, after = record["cutoff_before"] / 1000, record["cutoff_after"] / 1000
    parts.append(f"cut-off {before:.1f} -> {after:.1f} kHz" if before or after else "no cut-off: silence")
    if record["gain_db"]:
        parts.append(f"gain {record['gain_db']:+.1f} dB")
    return ", ".join(parts)
