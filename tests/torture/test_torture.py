"""The torture set through the real program: whole, or what is there and how much is missing, or a clear error.

One process restores the whole set, with and without ffmpeg: so what one file leaves behind would harm the others.
"""

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import damage  # noqa: F401
import networks
import numpy as np
import others  # noqa: F401
import pytest
import soundfile
import streams  # noqa: F401
import tags_around
from kinds import KINDS, Refused, Whole
from memory import MEASURED
from mutagen.flac import FLAC

from mp3fix.files import ffmpeg

ROOT = Path(__file__).parents[2]
MOST_SECONDS = 25.0
MOST_BYTES = 10**9
SLACK_S = 0.25  # of the tolerance for what is missing
PROGRAM = "import sys; sys.modules['imageio_ffmpeg'] = None; from mp3fix.cli.main import run; run()"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "wait4"), reason="memory is measured by wait4"),
]


@dataclass
class Run:
    """What the program made of the set.

    Attributes:
        folder: where the outputs are.
        records: its line of JSON on each, by name.
        seconds: until that line, from the one before.
        most_bytes: of memory, the program's or a child's.
        left: files in its folder for temporary files afterwards.
        errors: its standard error.
    """

    folder: Path
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    most_bytes: int = 0
    left: list[str] = field(default_factory=list)
    errors: str = ""


def run(folder: Path, decoder: str) -> Run:
    songs, out, spool, empty = (folder / name for name in ("songs", "out", "spool", "empty"))
    for each in (songs, spool, empty):
        each.mkdir()
    for name, make in KINDS.items():
        (songs / f"{name}.mp3").write_bytes(make().data)
    model = networks.save(folder / "tiny.onnx", 0.2, noise=("spectrogram",), texture=True)
    environment = {key: value for key, value in os.environ.items() if key != "MP3FIX_FFMPEG"}
    environment |= {"TMPDIR": str(spool), "PYTHONPATH": str(ROOT)}
    if decoder == "libsndfile":
        environment["PATH"] = str(empty)
    done = Run(out)
    largest = folder / "largest"
    command = [sys.executable, "-c", MEASURED, str(largest)]
    command += [sys.executable, "-c", PROGRAM, *(str(songs / f"{name}.mp3") for name in KINDS)]
    command += ["-o", f"{out}/", "--json", "--jobs", "1", "--model", str(model)]
    with (folder / "errors").open("wb") as errors:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=errors)
        assert process.stdout is not None
        before = time.monotonic()
        for line in process.stdout:
            record = json.loads(line)
            name = Path(record["input"]).stem
            done.records[name], done.seconds[name] = record, time.monotonic() - before
            before = time.monotonic()
        process.wait()
    done.most_bytes = int(largest.read_text())
    done.left = os.listdir(spool)
    done.errors = (folder / "errors").read_text()
    return done


@pytest.fixture(scope="module", params=[pytest.param("ffmpeg", marks=pytest.mark.ffmpeg), "libsndfile"])
def decoder(request: pytest.FixtureRequest) -> str:
    if request.param == "ffmpeg" and ffmpeg.find() is None:
        pytest.skip("no ffmpeg")
    return request.param


@pytest.fixture(scope="module")
def done(decoder: str, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(tmp_path_factory.mktemp("torture"), decoder)


@pytest.mark.parametrize("name", KINDS)
def test_outcome(name: str, done: Run, decoder: str) -> None:
    record, case = done.records[name], KINDS[name]()
    expected, output = case.expected(decoder), done.folder / f"{name}.flac"
    assert done.seconds[name] < MOST_SECONDS
    if isinstance(expected, Refused):
        assert record["status"] == "failed"
        assert re.search(expected.reason, record["error"])
        assert record["error"].count("\n") < 3 and f"{name}.mp3: " in record["error"]
        assert not output.exists()
        return
    assert record["status"] == "restored", record
    samples, rate = soundfile.read(output, always_2d=True)
    assert np.isfinite(samples).all() and np.abs(samples).max() <= 1
    frames = len(samples) * expected.rate / rate
    missing = [text for text in record["warnings"] if "missing" in text or "cut short" in text]
    if isinstance(expected, Whole):
        assert expected.frames - 1 <= frames <= expected.frames + expected.slack + 1
        assert not missing
        return
    assert expected.least - 1 <= frames <= expected.most + 1
    assert missing or expected.silently
    if expected.total is not None:
        said = re.search(r"([\d.]+) s of music are missing", missing[0])
        assert said
        lost = (expected.total - frames) / expected.rate
        # What is there may begin with a frame that could not be decoded, and counts as missing too.
        assert lost - 0.05 <= float(said[1]) <= lost + SLACK_S
    if case.says:
        assert any(re.search(case.says, text) for text in record["warnings"])


def test_nothing_else_happens(done: Run) -> None:
    assert list(done.records) == list(KINDS)
    assert done.most_bytes < MOST_BYTES
    assert done.left == []
    restored = {f"{name}.flac" for name, record in done.records.items() if record["status"] == "restored"}
    assert set(os.listdir(done.folder)) == restored
    assert all(line.startswith(("mp3fix: ", "If it is music")) for line in done.errors.splitlines())


@pytest.mark.parametrize("version", [2, 3, 4])
def test_big_pictures_are_kept(version: int, done: Run) -> None:
    file = FLAC(done.folder / f"ID3v2.{version} with 6 MB of art.flac")
    assert file["title"] == ["A title"]
    assert [picture.data for picture in file.pictures] == [tags_around.ART]
