"""A run that is ended at any moment: each output is whole or absent, and only kill -9 leaves something to clear away.

MOMENTS of each kind of run, drawn once and for all, from the program's start to beyond its end.
"""

import os
import random
import re
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


def temporaries(out: Path, spool: Path) -> set[str]:
    return {name for name in [*files_in(out), *files_in(spool)] if is_temporary(name)}


def clear_probes(spool: Path) -> None:
    """Clear away what Python itself leaves when it is killed while it tries out where temporary files may lie."""
    for path in spool.iterdir():
        if re.fullmatch(r"[a-z0-9_]{8}", path.name) and path.read_bytes() in (b"", b"blat"):
            path.unlink()


def until_writing(process: "subprocess.Popen[bytes]", out: Path, before: set[str]) -> None:
    """Wait for the first temporary file, or the program's end."""
    while process.poll() is None and not {name for name in files_in(out) if is_temporary(name)} - before:
        time.sleep(0.005)


def end_at_moments(
    arguments: list[object], expected: dict[str, bytes], out: Path, spool: Path, count: int, kind: str
) -> None:
    """End runs of these arguments, which write `expected` to `out`, at `count` moments.

    Half of them lie anywhere in the run, half after the first temporary file.
    """
    draw = random.Random(kind)
    began = time.monotonic()
    process = begin(*arguments, "-o", out)
    until_writing(process, out, set())
    writing = -time.monotonic()
    assert end(process).code == 0
    writing, whole = writing + time.monotonic(), time.monotonic() - began
    counts: Counter[str] = Counter()
    for moment in range(count):
        for name in files_in(out):
            if not is_temporary(name):
                (out / name).unlink()
        before = temporaries(out, spool)
        number = SIGNALS[moment % len(SIGNALS)]
        part = (moment + draw.random()) / count
        process = begin(*arguments, "-o", out)
        if moment % 2:
            until_writing(process, out, before)
        with suppress(subprocess.TimeoutExpired):
            process.wait(part * 1.05 * (writing if moment % 2 else whole))
        heard = hears(process.pid)
        process.send_signal(number)
        ended = end(process, heard)
        assert gone(spool), "a process is left"
        if ended.code == 0:
            outcome = "done before"
            assert {name for name in files_in(out) if not is_temporary(name)} == expected.keys()
        elif number == signal.SIGKILL:
            outcome = "killed"
            assert ended.code == -number
        elif not heard and ended.code != 130:
            outcome = "not yet started"
            assert not [name for name in files_in(out) if not is_temporary(name)]
        else:
            outcome = "interrupted"
            assert (ended.code, ended.err) == (130, "mp3fix: interrupted\n")
        counts[f"{number.name}: {outcome}"] += 1
        whole_ones = [name for name in files_in(out) if not is_temporary(name)]
        for name in whole_ones:
            assert (out / name).read_bytes() == expected[name], (moment, name)
        if number == signal.SIGKILL:
            clear_probes(spool)
        left = temporaries(out, spool) - before
        assert number == signal.SIGKILL or not left, (moment, left)
        counts["with an output"] += bool(whole_ones)
        counts["with a temporary file"] += bool(left)
    assert run(*arguments, "-o", out).code == 0
    assert {name: (out / name).read_bytes() for name in files_in(out)} == expected
    assert files_in(spool) == []
    print(f"{kind}, {count} moments of {whole:.1f} s:", dict(sorted(counts.items())))


def made_by(arguments: list[object], out: Path) -> dict[str, bytes]:
    """What an undisturbed run makes, which is removed again."""
    assert run(*arguments, "-o", out).code == 0
    made = {name: (out / name).read_bytes() for name in files_in(out)}
    for name in made:
        (out / name).unlink()
    return made


def test_one_file(tmp_path: Path, model: Path, out: Path, spool: Path) -> None:
    """A damaged MP3, which ffmpeg reads from a repaired copy, to three draws."""
    song = tmp_path / "song.mp3"
    data = mp3s.lame(mp3s.music(44100 * 8, 44100), 44100)
    song.write_bytes(data[:60_000] + bytes(3000) + data[63_000:])
    arguments: list[object] = [song, "--model", model, "--samples", 3, "--format", "wav", "-q", "--force"]
    expected = made_by(arguments, out)
    assert len(expected) == 3
    end_at_moments(arguments, expected, out, spool, 60, "one file")


def test_a_folder_by_two_processes(song: Path, model: Path, out: Path, spool: Path) -> None:
    for number in range(5):
        folder = song.parent / str(number)
        folder.mkdir()
        (folder / "song.mp3").write_bytes(song.read_bytes())
    arguments: list[object] = [song.parent, "--model", model, "-j", 2, "-q"]
    expected = made_by(arguments, out)
    assert len(expected) == 6
    end_at_moments(arguments, expected, out, spool, 40, "a folder")
