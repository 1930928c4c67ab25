"""mp3fix-lab evaluate, from a corpus to a report, with its worker processes."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest
from lab import generator, small_corpus
from test_peaq import program

LAB = [sys.executable, "-c", "from mp3fix.cli.lab import run; run()"]
PEAQ = '#!/bin/sh\necho "Objective Difference Grade: -1.5"\necho "Distortion Index: 0.25"\n'


def evaluate(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*LAB, "evaluate", *arguments], capture_output=True, text=True, timeout=300)


@pytest.mark.slow
def test_a_report_and_a_second_run_that_computes_nothing(tmp_path: Path) -> None:
    corpus = small_corpus(tmp_path / "corpus", "a", "b", seconds=1.5)
    out = tmp_path / "out"
    call = (generator(tmp_path / "net.onnx"), "--quick", "--corpus", corpus, "--out", out, "--pieces", "1")
    done = evaluate(*call, "--peaq", program(tmp_path, PEAQ))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{out / 'quick.md'}: ") and "gates hold" in done.stdout
    assert "6/6" in done.stderr
    with (out / "quick.csv").open(newline="") as file:
        lines = {(line["setting"], line["system"]): line for line in csv.DictReader(file)}
    assert len(lines) == 6 * 3 and {line["piece"] for line in lines.values()} == {"a"}
    si_sdr = [float(lines[setting, "MP3"]["si_sdr"]) for setting in ("16k mono", "64k mono", "identity")]
    assert si_sdr == sorted(si_sdr) and si_sdr[-1] == 120
    assert all((line["odg"], line["di"]) == ("-1.5", "0.25") for line in lines.values())

    kept = {path: path.stat().st_mtime_ns for path in (out / "cache").iterdir()}
    again = evaluate(*call, "--peaq", tmp_path / "peaq")
    assert again.stdout == done.stdout and again.stderr.strip() == "6/6"
    assert {path: path.stat().st_mtime_ns for path in (out / "cache").iterdir()} == kept


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["music", "--corpus", "/nowhere"], "no corpus there"),
        (["no-such-model"], "no generator"),
    ],
)
def test_refusals_are_short_and_plain(arguments: list[str], words: str, tmp_path: Path) -> None:
    done = evaluate(*arguments, "--out", tmp_path / "out")
    assert done.returncode == 1
    assert words in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_program_that_fails_ends_the_run_plainly(tmp_path: Path) -> None:
    corpus = small_corpus(tmp_path / "corpus", "a", seconds=1.5)
    bad = program(tmp_path, "#!/bin/sh\necho no plugin >&2\nexit 1\n")
    done = evaluate(
        generator(tmp_path / "net.onnx"),
        *("--quick", "--corpus", corpus, "--out", tmp_path / "out", "--peaq", bad),
    )
    assert done.returncode == 1
    assert "exit status 1: no plugin" in done.stderr and "Traceback" not in done.stderr
