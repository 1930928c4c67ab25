"""A run that is ended at any moment: each output is whole or absent, and only kill -9 leaves something to clear away.

MOMENTS of each kind of run, drawn once and for all, from the program's start to beyond its end.
"""

import os
import random
import signal
import subprocess
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import mp3s
import pytest
from running import begin, end, files_in, run

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="needs /proc"),
]


def relatives(folder: Path) -> list[int]:
    """Processes whose command line names something in the folder, as the program's and its children's do."""
    found = []
    for each in Path("/proc").iterdir():
        if each.name.isdigit() and int(each.name) != os.getpid():
            try:
                command = (each / "cmdline").read_bytes()
                environment = (each / "environ").read_bytes()
            except OSError:
                continue
            if os.fsencode(folder) in command + environment:
                found.append(int(each.name))
    return found


def hears(process: int) -> bool:
    """Whether the program has come so far that it hears signals itself; Python's start does not."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False
    caught = int(next(line for line in status.splitlines() if line.startswith("SigCgt:")).split()[1], 16)
    return bool(caught >> (signal.SIGTERM - 1) & 1)


def gone(folder: Path) -> bool:
    """Whether no such process is left, a moment after the program's own end."""
    until = time.monotonic() + 20
    while relatives(folder):
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def is_temporary(name: str) -> bool:
    return ".mp3fix-" in name and name.endswith(".tmp")


def end_at_moments(
    arguments: list[object], expected: dict[str, bytes], out: Path, spool: Path, count: int, kind: str
) -> None:
    """End runs of these arguments, which write `expected` to `out`, at `count` moments."""
    draw = random.Random(kind)
    began = time.monotonic()
    assert run(*arguments, "-o", out).code == 0
    whole = time.monotonic() - began
    counts: Counter[str] = Counter()
    for moment in range(count):
        for name in files_in(out):
            if not is_temporary(name):
                (out / name).unlink()
        number = SIGNALS[moment % len(SIGNALS)]
        after = whole * 1.05 * (moment + draw.random()) / count
        began = time.monotonic()
        process = begin(*arguments, "-o", out)
        with suppress(subprocess.TimeoutExpired):
            process.wait(after)
            whole = time.monotonic() - began  # it is quicker than thought
        heard = hears(process.pid)
        process.send_signal(number)
        ended = end(process)
        killed = number == signal.SIGKILL
        if ended.code == 0:
            outcome = "done before"
            assert {name for name in files_in(out) if not is_temporary(name)} == expected.keys()
        elif killed:
            outcome = "killed"
            assert ended.code == -signal.SIGKILL
        elif ended.code == -number:
            outcome = "not yet started"
            assert not heard and not [name for name in files_in(out) if not is_temporary(name)]
        else:
            outcome = "interrupted"
            assert (ended.code, ended.err) == (130, "mp3fix: interrupted\n")
        counts[f"{number.name}: {outcome}"] += 1
        assert gone(spool), "a process is left"
        left = files_in(out)
        for name in left:
            assert is_temporary(name) or (out / name).read_bytes() == expected[name], (moment, name)
        remains = [name for name in [*left, *files_in(spool)] if name not in expected]
        counts["with outputs"] += bool(expected.keys() & set(left))
        counts["with temporary files"] += bool(remains)
        if killed:
            assert all(map(is_temporary, remains)), (moment, remains)
        else:
            # What an earlier kill -9 has left is gone too, once a run gets as far as writing.
            assert not [name for name in remains if f".mp3fix-{process.pid}-" in name], (moment, remains)
    assert run(*arguments, "--force", "-o", out).code == 0
    assert set(files_in(out)) == expected.keys() and files_in(spool) == []
    print(f"{kind}, {count} moments of {whole:.1f} s:", dict(sorted(counts.items())))


def test_one_file(tmp_path: Path, model: Path, out: Path, spool: Path) -> None:
    """A damaged MP3, which ffmpeg reads from a repaired copy, to three draws."""
    song = tmp_path / "song.mp3"
    data = mp3s.lame(mp3s.music(44100 * 15, 44100), 44100)
    song.write_bytes(data[:100_000] + bytes(3000) + data[103_000:])
    arguments: list[object] = [song, "--model", model, "--samples", 3, "--format", "wav", "-q"]
    assert run(*arguments, "-o", out).code == 0
    expected = {name: (out / name).read_bytes() for name in files_in(out)}
    assert len(expected) == 3
    for name in expected:
        (out / name).unlink()
    end_at_moments([*arguments, "--force"], expected, out, spool, 60, "one file")
