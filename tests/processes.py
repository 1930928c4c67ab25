"""What tests do to the processes that restore songs. A temporary file beside an output says who writes it."""

import os
import re
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PATIENCE = 60  # seconds; nothing here takes more than a few, unless it hangs
_TEMPORARY = re.compile(r"\.(?P<name>.*)\.mp3fix-(?P<process>\d+)-[0-9a-f]{24}\.tmp")


def temporaries(folder: Path) -> dict[str, int]:
    """The temporary files in a folder: output -> the process that writes it."""
    matches = map(_TEMPORARY.fullmatch, os.listdir(folder) if folder.is_dir() else ())
    return {match["name"]: int(match["process"]) for match in matches if match}


def wait_for(found: Callable[[], Any]) -> Any:
    """What is found, as soon as it is."""
    until = time.monotonic() + PATIENCE
    while not (result := found()):
        assert time.monotonic() < until
        time.sleep(0.005)
    return result


def parent(process: int) -> int:
    """The process that started it."""
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


def runs(process: int) -> bool:
    """Whether it is there, and more than a zombie."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def workers(process: int) -> list[int]:
    """The processes that it has started for songs."""
    found = []
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            if b"mp3fix.batch.child" in Path(f"/proc/{child}/cmdline").read_bytes():
                found.append(child)
    return found


class Killer(threading.Thread):
    """Kills whoever writes an output, in the midst of it, so many times.

    Args:
        folder: of the output.
        name: of the output.
        times: how often.
        whom: from the process that writes it to the one that is killed.
    """

    def __init__(
        self, folder: Path, name: str, times: int, whom: Callable[[int], int] = lambda process: process
    ) -> None:
        super().__init__(daemon=True)
        self._folder, self._name, self._times, self._whom = folder.absolute(), name, times, whom
        self.killed: set[int] = set()
        self.start()

    def run(self) -> None:
        until = time.monotonic() + PATIENCE
        while len(self.killed) < self._times and time.monotonic() < until:
            process = temporaries(self._folder).get(self._name)
            if process is not None and process not in self.killed:
                os.kill(self._whom(process), signal.SIGKILL)
                self.killed.add(process)
            time.sleep(0.005)
