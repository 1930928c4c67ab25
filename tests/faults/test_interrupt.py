"""Interrupts at moments at which Python itself would lose them, or hang."""

import subprocess
import sys
from pathlib import Path

from running import ROOT

START = """
import signal, sys, time
from mp3fix.cli import interrupt
interrupt.Interrupt().install()
def wait(answer):
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        sys.exit(answer() if callable(answer) else answer)
"""


def exit_code(script: str, folder: Path) -> int:
    command = [sys.executable, "-c", START + script]
    done = subprocess.run(
        command, env={"PYTHONPATH": f"{ROOT}:{folder}"}, timeout=50, stderr=subprocess.PIPE, text=True
    )
    assert done.stderr == ""
    return done.returncode


def test_one_that_comes_while_an_object_is_cleared_away(tmp_path: Path) -> None:
    script = """
class Cleared:
    def __del__(self):
        signal.raise_signal(signal.SIGTERM)
cleared = Cleared()
del cleared
wait(7)
"""
    assert exit_code(script, tmp_path) == 7


def test_one_that_comes_within_an_import_waits_for_its_end(tmp_path: Path) -> None:
    """Else other modules, or the lock of this one, stay as they are at that moment."""
    (tmp_path / "half.py").write_text(
        "import signal, time\nsignal.raise_signal(signal.SIGINT)\ntime.sleep(0.1)\nwhole = 7\n"
    )
    assert exit_code("import half\nwait(lambda: half.whole)", tmp_path) == 7


def test_the_program_ends_though_something_hangs(tmp_path: Path) -> None:
    script = """
interrupt.PATIENCE_S = 0.2
from pathlib import Path
from mp3fix.files import temporary
temporary.create(Path(sys.path[1]) / "song.flac")
try:
    signal.raise_signal(signal.SIGINT)
except KeyboardInterrupt:
    time.sleep(60)
"""
    (tmp_path / "folder").mkdir()
    assert exit_code(script.replace("sys.path[1]", repr(str(tmp_path / "folder"))), tmp_path) == 130
    assert list((tmp_path / "folder").iterdir()) == []
