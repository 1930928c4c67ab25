"""What became of many songs, in numbers."""

import time
from collections import Counter
from typing import Any

_OTHERS = {
    "skipped": "skipped as done",
    "drawn": "only drawn",
    "copied": "copied",
    "left": "left as they are",
}
_PLANNED = {
    "skipped": "done already",
    "drawn": "to draw only",
    "copied": "to copy",
    "left": "left as they are",
    "failed": "would fail",
}


class Summary:
    """Counts of a run. Nothing is kept of the single songs: there may be a million.

    Attributes:
        seconds: of audio restored.
        undrawn: songs that are restored, and whose picture failed.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self.undrawn = 0
        self._counts: Counter[str] = Counter()
        self._began = time.monotonic()

    def add(self, record: dict[str, Any]) -> None:
        """Count what became of a song."""
        self._counts[record["status"]] += 1
        self.undrawn += "picture_error" in record
        self.seconds += record.get("seconds", 0.0)

    @property
    def ended(self) -> int:
        """Songs that have ended in one way or another."""
        return self._counts.total()

    @property
    def worked(self) -> int:
        """Songs that took work: all but those that were found done."""
        return self.ended - self._counts["skipped"]

    @property
    def failed(self) -> int:
        """Songs that failed."""
        return self._counts["failed"]

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._began

    def plan(self) -> str:
        """One line on a run that was only planned: "12 to restore, 3 done already, 1 would fail"."""
        others = [f"{self._counts[key]} {word}" for key, word in _PLANNED.items() if self._counts[key]]
        return ", ".join([f"{self._counts['planned']} to restore", *others])

    def text(self) -> str:
        """One line: "12 restored, 3 skipped as done, 1 failed; 0.8 h of audio in 1:24, 34x real time"."""
        others = [f"{self._counts[key]} {word}" for key, word in _OTHERS.items() if self._counts[key]]
        if self.undrawn:
            others.append(f"{self.undrawn} without their picture")
        line = ", ".join([f"{self._counts['restored']} restored", *others, f"{self.failed} failed"])
        if not self.seconds:
            return line
        speed = self.seconds / max(self.elapsed, 1e-9)
        return f"{line}; {length(self.seconds)} of audio in {clock(self.elapsed)}, {speed:.0f}x real time"


def length(seconds: float) -> str:
    """An amount of audio: "2.4 min", "31.5 h"."""
    return f"{seconds / 60:.1f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"


def clock(seconds: float) -> str:
    """A time that something takes: "0:07", "2:03:59"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
