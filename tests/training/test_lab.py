"""The program mp3fix-lab, in miniature."""

import json
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
    for name in ("corpus", "train", "export", "evaluate"):
        assert name in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["train", "music", "--corpus", "/nowhere"], 1, "no corpus there"),
        (["train", "no-such-thing"], 1, "no such configuration"),
        (["export", "/nowhere"], 1, "no such checkpoint"),
        (["evaluate", "--texture", "loud"], 2, "--texture"),
    ],
)
def test_refusals_are_short_and_plain(arguments: list[str], code: int, words: str) -> None:
    done = lab(*arguments)
    assert done.returncode == code
    assert words in done.stderr and "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 3


@pytest.mark.slow
def test_evaluate_scores_the_mp3_and_the_generator(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    name = next(f"piece{k}" for k in range(200) if corpus.split_of(f"piece{k}") == "test")
    rng = np.random.default_rng(0)
    hiss = rng.standard_normal((31 * 44100, 2)) * (0.5 + 0.5 * np.sin(np.arange(31 * 44100) / 9000))[:, None]
    soundfile.write(own / f"{name}.flac", 0.1 * hiss, 44100)
    made = lab("corpus", str(tmp_path / "corpus"), "--add", str(own), "--no-packages")
    assert made.returncode == 0 and "test" in made.stdout
    done = lab("evaluate", "music", "--corpus", str(tmp_path / "corpus"), "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    scores = [json.loads(line) for line in (tmp_path / "out" / "music.jsonl").read_text().splitlines()]
    assert {score["system"] for score in scores} == {"MP3", "texture 0", "texture 0.5"}
    sdr = {(score["setting"], score["system"]): score["si_sdr"] for score in scores}
    assert sdr["128k mono", "MP3"] > sdr["64k mono", "MP3"] > sdr["16k mono", "MP3"]
    assert sdr["identity", "MP3"] == 120
    assert "| 16k mono |" in (tmp_path / "out" / "music.md").read_text()
