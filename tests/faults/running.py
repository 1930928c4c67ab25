"""The program in a process of its own, and what it leaves."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import soundfile

ROOT = Path(__file__).parents[2]
PROGRAM = [sys.executable, "-c", "from mp3fix.cli.main import run; run()"]
PATIENCE = 120  # seconds; nothing here takes more than a few, unless it hangs
SECONDS = 2  # of the song


@dataclass
class Ended:
    """How a run ended."""

    code: int
    out: str
    err: str


def begin(*arguments: object, **settings: Any) -> "subprocess.Popen[bytes]":
    """Start the program. Its settings are Popen's."""
    defaults: dict[str, Any] = {
        "stdin": subprocess.DEVNULL,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "preexec_fn": hear_interrupts,
        "env": os.environ | {"PYTHONPATH": str(ROOT)},
    }
    return subprocess.Popen([*PROGRAM, *map(os.fspath, map(str, arguments))], **defaults | settings)


def end(process: "subprocess.Popen[bytes]", started: bool = True) -> Ended:
    """Wait for it. No fault may show a traceback, once Python itself has started."""
    try:
        out, err = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
        process.wait()
    assert b"Traceback" not in err or not started, err.decode()
    return Ended(process.returncode, out.decode(), err.decode())


def run(*arguments: object, **settings: Any) -> Ended:
    """Run the program to its end."""
    return end(begin(*arguments, **settings))


def hear_interrupts() -> None:
    """For a child: a test run in the background of a shell ignores interrupts, and would pass that on."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def limited_to(size: int) -> Callable[[], None]:
    """For a child: no file may become larger than so many bytes."""

    def limit() -> None:
        hear_interrupts()
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return limit


def is_whole(path: Path, seconds: float = SECONDS) -> bool:
    """Whether all of the song can be decoded from an output."""
    return len(soundfile.read(path)[0]) == round(seconds * 44100)


def files_in(folder: Path) -> list[str]:
    """All files below a folder, by their names relative to it, hidden ones too."""
    found = (Path(base) / name for base, _, names in os.walk(folder) for name in names)
    return sorted(str(path.relative_to(folder)) for path in found)
