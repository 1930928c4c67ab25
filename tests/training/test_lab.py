"""The program mp3fix-lab, in miniature."""

import multiprocessing
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from mp3fix.cli import lab as cli_lab
from mp3fix.cli.lab import run as program
from mp3fix.errors import Mp3fixError
from mp3fix.generator.contract import read_contract
from mp3fix.training import checkpoint, corpus, loop, recording
from mp3fix.training.config import Config
from mp3fix.training.systems.folded import Dials, FoldedSystem

EXCERPT = Path(__file__).parents[1] / "data" / "excerpt.mp3"
NETWORK = "[network]\nbins = 1025\nwidth = 16\nhidden = 16\nblocks = 2\nfine = 4\nbands = 4\nz = 3\nfar = 1\n"
LAB = [sys.executable, "-c", "from mp3fix.cli.lab import run; run()"]


def lab(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*LAB, *arguments], capture_output=True, text=True, timeout=300)


def test_help_lists_the_programs() -> None:
    done = lab("--help")
    assert done.returncode == 0
    for name in ("corpus", "train", "export", "evaluate", "compare", "bench"):
        assert name in done.stdout


def test_help_of_export_tells_the_dials_of_the_bundled_generator() -> None:
    told = re.findall(r"Ours:\s+([\d.]+)\.", lab("export", "--help").stdout)
    ours = Dials()
    assert [float(each) for each in told] == [ours.texture, ours.reach, ours.air, ours.noisy_air]


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
def test_refusals_are_short_and_plain(
    arguments: list[str],
    code: int,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["mp3fix-lab", *arguments])
    with pytest.raises(SystemExit) as ended:  # and nothing else, which would be a traceback
        program()
    assert ended.value.code == code
    told = capsys.readouterr().err
    assert words in told and "Traceback" not in told
    assert len(told.strip().splitlines()) <= 3


def test_corpus_takes_a_folder_of_ones_own(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    rng = np.random.default_rng(0)
    soundfile.write(own / "a song.flac", 0.1 * rng.standard_normal((31 * 44100, 2)), 44100)
    made = lab("corpus", str(tmp_path / "corpus"), "--add", str(own), "--no-packages")
    assert made.returncode == 0
    assert [entry.piece for entry in corpus.load(tmp_path / "corpus")] == ["a song"]


def lab_done(*arguments: str | Path) -> str:
    """What the program prints when all is well."""
    done = lab(*map(str, arguments))
    assert done.returncode == 0, f"{arguments[0]}: {done.stderr}"
    return done.stdout


def configured(path: Path, minutes: float, validate_every: int) -> Path:
    head = f"batch = 2\nframes = 40\nwarmup = 2\nminutes = {minutes}\nvalidate_every = {validate_every}\n"
    path.write_text(head + NETWORK)
    return path


def own_music(folder: Path, seconds: float = 30.5) -> Path:
    """A piece for each split, just long enough to be one, and a one-shot."""
    folder.mkdir()
    names = {corpus.split_of(f"piece{k}"): f"piece{k}" for k in range(200)}
    t = np.arange(round(seconds * 44100)) / 44100
    for number, (split, suffix) in enumerate((("train", "flac"), ("validation", "wav"), ("test", "flac"))):
        tone = sum(np.sin(2 * np.pi * (200 + 30 * number) * k * t) / k for k in range(1, 60))
        hiss = np.random.default_rng(number).standard_normal((2, len(t))) * (t % 0.5 < 0.1)
        soundfile.write(folder / f"{names[split]}.{suffix}", 0.15 * (tone + 0.2 * hiss).T, 44100)
    soundfile.write(folder / "hit.wav", 0.5 * np.exp(-20 * t[:20000]) * np.sin(2000 * t[:20000]), 44100)
    return folder


def test_sigterm_ends_it_as_ctrl_c_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else what clears away, the processes of an evaluation first, would be passed by."""
    cleared = []

    def terminated(standalone_mode: bool) -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
        finally:
            cleared.append(True)

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(cli_lab, "app", terminated)
    try:
        with pytest.raises(SystemExit) as ended:
            program()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert ended.value.code == 130 and cleared


def test_a_checkpoint_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    path = tmp_path / "gone" / "checkpoint.pt"
    with pytest.raises(Mp3fixError, match=r"checkpoint\.pt: cannot be written"):
        checkpoint.write(path, {"step": 1})


def test_ctrl_c_ends_the_step_and_saves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root, run = tmp_path / "corpus", tmp_path / "run"
    monkeypatch.setattr(recording, "PIECE_SECONDS", 5.0)
    corpus.build(root, [own_music(tmp_path / "own", 6.0)], lambda line: None)
    config = configured(tmp_path / "tiny.toml", 20, 1000)  # nothing but Ctrl-C saves
    losses, calls, handler = FoldedSystem.losses, [], signal.getsignal(signal.SIGINT)

    def interrupted(*arguments: Any) -> Any:
        calls.append(1)
        if len(calls) == 3:  # in the middle of a step; a terminal tells the workers too
            for process in [os.getpid(), *(each.pid for each in multiprocessing.active_children())]:
                os.kill(process, signal.SIGINT)
        return losses(*arguments)

    monkeypatch.setattr(FoldedSystem, "losses", interrupted)
    monkeypatch.setattr(Config, "checked", Config.build)
    monkeypatch.setattr(loop, "_validation", lambda *arguments: [])
    arguments = ["train", str(config), "--corpus", str(root), "--run", str(run)]
    monkeypatch.setattr(sys, "argv", ["mp3fix-lab", *arguments])
    with pytest.raises(SystemExit) as ended:
        program()
    assert ended.value.code == 130
    assert checkpoint.read(run / "checkpoint.pt")["step"] == len(calls) == 3
    told = capsys.readouterr()
    assert told.out.splitlines() == [
        f"stopped at step 3; {run / 'checkpoint.pt'} is saved, run again to go on"
    ]
    assert told.err == "" and signal.getsignal(signal.SIGINT) is handler


@pytest.mark.slow
def test_the_whole_lab_in_miniature(tmp_path: Path) -> None:
    """From a folder of music to a restored file, by the programs alone."""
    root, run, models = (tmp_path / name for name in ("corpus", "run", "models"))
    made = lab_done("corpus", root, "--add", own_music(tmp_path / "own"), "--no-packages")
    assert {"train", "validation", "test"} <= {line.split()[0] for line in made.splitlines() if line.strip()}

    config = configured(tmp_path / "tiny.toml", 0.01, 1000)
    lab_done("train", config, "--corpus", root, "--run", run)
    state = checkpoint.read(run / "checkpoint.pt")
    steps = state["step"]
    configured(config, state["minutes"] + 0.01, 1000)  # a busy machine took longer than it was given
    assert f"continuing at step {steps}" in lab_done("train", config, "--corpus", root, "--run", run)
    state = checkpoint.read(run / "checkpoint.pt")
    assert state["step"] > steps > 0

    lab_done("export", run, "--models", models, "--variants", "--corpus", root)
    names = {"tiny", "tiny-det", "tiny-fp16", "tiny-int8"}
    assert {path.name for path in models.iterdir()} == {f"{name}.onnx" for name in names}
    trained_on = read_contract(models / "tiny.onnx").trained_on
    assert trained_on.startswith(f"{state['step']} steps") and trained_on.endswith("; own 0.5 min")

    tiny = models / "tiny.onnx"
    out = tmp_path / "evaluation"
    scored = lab_done("evaluate", tiny, "--corpus", root, "--out", out, "--quick", "--pieces", "1")
    assert "gates hold" in scored and "tiny" in (out / "quick.md").read_text()
    assert len((out / "quick.csv").read_text().splitlines()) > 6
    assert "Whole process" in lab_done("bench", tiny, "--minutes", "0.05", "--device", "cpu")

    restored = tmp_path / "restored.flac"
    mp3fix = [sys.executable, "-c", "from mp3fix.cli.main import run; run()"]
    command = [*mp3fix, str(EXCERPT), "-o", str(restored), "--model", str(tiny), "-q"]
    subprocess.run(command, check=True, timeout=60)
    samples, rate = soundfile.read(restored)
    before, _ = soundfile.read(EXCERPT)
    assert rate == 44100 and abs(len(samples) - len(before)) < 3000
    assert np.abs(samples).max() > 0.01
