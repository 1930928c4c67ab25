"""The program mp3fix-lab, in miniature."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mp3fix.training import corpus

LAB = [sys.executable, "-c", "from mp3fix.cli.lab import run; run()"]


def lab(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*LAB, *arguments], capture_output=True, text=True, timeout=300)


def test_help_lists_the_programs() -> None:
    done = lab("--help")
    assert done.returncode == 0
    for name in ("corpus", "train", "export", "evaluate", "bench"):
        assert name in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["train", "music", "--corpus", "/nowhere"], 1, "no corpus there"),
        (["train", "no-such-thing"], 1, "no such configuration"),
        (["export", "/nowhere"], 1, "no such checkpoint"),
        (["bench", "--device", "gpu"], 1, "there are auto, cpu, cuda"),
        (["evaluate", "--pieces", "none"], 2, "--pieces"),
    ],
)
def test_refusals_are_short_and_plain(arguments: list[str], code: int, words: str) -> None:
    done = lab(*arguments)
    assert done.returncode == code
    assert words in done.stderr and "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 3


def test_corpus_takes_a_folder_of_ones_own(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    rng = np.random.default_rng(0)
    soundfile.write(own / "a song.flac", 0.1 * rng.standard_normal((31 * 44100, 2)), 44100)
    made = lab("corpus", str(tmp_path / "corpus"), "--add", str(own), "--no-packages")
    assert made.returncode == 0
    assert [entry.piece for entry in corpus.load(tmp_path / "corpus")] == ["a song"]
