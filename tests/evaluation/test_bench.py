"""mp3fix-lab bench. No figure is right or wrong here; that each is of what it says can be tested."""

import sys
from pathlib import Path

import networks
import pytest
import runtimes

from mp3fix.cli import lab
from mp3fix.errors import DeviceError, Mp3fixError
from mp3fix.evaluation import bench
from mp3fix.generator import catalog
from mp3fix.signal.stft import StftSpec

Patch = pytest.MonkeyPatch
DEVICES = ("cuda:0", "cuda:0, --fast", "cpu, threads: 1")


@pytest.fixture(autouse=True)
def quick(monkeypatch: Patch) -> None:
    for name, value in {"RUNS": 1, "LEAST_SECONDS": 0, "CHUNKS": 1, "SONGS": (2,), "WORKERS": (1, 2)}.items():
        monkeypatch.setattr(bench, name, value)


@pytest.fixture
def one_process(monkeypatch: Patch) -> list[list[str]]:
    """Commands of the whole process, not run: they would not know of the runtime that is played."""
    commands: list[list[str]] = []

    def process(command: list[str]) -> tuple[float, float, float]:
        commands.append(command)
        return 1.5, 2.5, 250.0

    monkeypatch.setattr(bench, "_process", process)
    return commands


@pytest.fixture
def model(tmp_path: Path) -> Path:
    both = ("spectrogram", "vector")
    return networks.save(
        tmp_path / "tiny.onnx", 0.2, stft=StftSpec(), noise=both, z_size=4, texture=True, multiple=4
    )


def rows(text: str) -> list[list[str]]:
    """Cells of all rows of all tables."""
    return [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line[:2] == "| "
    ]


@pytest.mark.slow
def test_a_cpu_and_two_generators(model: Path, tmp_path: Path) -> None:
    other = networks.save(tmp_path / "pair.onnx", stft=StftSpec(), channels=2)
    told: list[str] = []
    text, difference = bench.bench([str(model), str(other)], "cpu", 0.05, told.append)
    assert difference is None and told
    found = rows(text)
    for name in ("tiny", "pair"):
        network = [row for row in found if row[0] == name and row[2] == "cpu, threads: 1"]
        assert len(network) == 1 and all(float(rate) > 0 for rate in network[0][3:])
        ((_, _, _, seconds, rate, cpu, memory),) = [row for row in found if row[:3] == [name, "cpu", "FLAC"]]
        assert float(seconds) > 0.2 and float(cpu) > 0.2 and memory.endswith(" MB")
        assert float(rate) == pytest.approx(3 / float(seconds), abs=0.6)
    assert {row[2] for row in found} >= {"32-bit WAV", "FLAC, --phase griffinlim"}
    assert {row[0] for row in found} >= {"decode", "STFT", "noise spectrograms", "ISTFT"}
    assert str(tmp_path) not in text


def test_a_process_is_measured() -> None:
    script = "import time; time.sleep(0.1); x = b'.' * 50_000_000; sum(range(1_000_000))"
    seconds, cpu, memory = bench._process([sys.executable, "-c", script])
    assert 0.1 < seconds < 60 and 0.005 < cpu < seconds and 50 < memory < 500


def test_rates_count_the_stereo_that_is_kept(model: Path, tmp_path: Path, monkeypatch: Patch) -> None:
    monkeypatch.setattr(bench, "fastest", lambda stages: [0.01] * len(stages))
    other = networks.save(tmp_path / "pair.onnx", stft=StftSpec(), channels=2)
    found = rows(bench._network([str(model), str(other)], None))
    # Chunks of about 3 s; a row is one channel of the first generator, and both of the second.
    assert next(row[3:] for row in found if row[0] == "tiny") == ["151", "302"]
    assert next(row[3:] for row in found if row[0] == "pair") == ["300", "599"]


def test_a_gpu_is_measured_beside_the_cpu(
    model: Path, monkeypatch: Patch, one_process: list[list[str]]
) -> None:
    runtime = runtimes.install(monkeypatch, "works")
    text, difference = bench.bench([str(model)], "auto", 0.05, lambda line: None)
    assert difference == 0 and "as promised" in text
    found = rows(text)
    assert found[0][3:] == [f"batch {batch}" for batch in (1, 2, 4, 8)]
    exact, fast, cpu = (next(row for row in found if row[2:3] == [device]) for device in DEVICES)
    assert all(float(rate) > 0 for rate in (*exact[3:], *fast[3:])) and cpu[5:] == ["", ""]
    assert {tuple(row[:2]) for row in found if len(row) == 3} >= {("2", "1"), ("2", "2")}
    asked = [providers[0][1]["use_tf32"] for providers in runtime.asked if len(providers) == 2]
    assert asked.count(1) == 1 and asked.count(0) >= 3
    devices = [command[command.index("--device") + 1] for command in one_process]
    assert devices == 3 * ["cpu"] + 3 * ["cuda:0"]


def test_a_gpu_that_differs_ends_with_an_error(
    model: Path, tmp_path: Path, monkeypatch: Patch, one_process: list[list[str]]
) -> None:
    runtimes.install(monkeypatch, "differs")
    for tables in ("_network", "_many_songs", "_stages"):  # which the test above has
        monkeypatch.setattr(bench, tables, lambda *_: "")
    with pytest.raises(Mp3fixError, match=r"differs by .*, more than 0\.001"):
        lab.bench([str(model)], "cuda", 0.05, tmp_path / "new" / "bench.md")
    assert "more than promised" in (tmp_path / "new" / "bench.md").read_text()


def test_a_gpu_asked_for_must_be_there(model: Path, monkeypatch: Patch) -> None:
    runtimes.install(monkeypatch, "silent")
    with pytest.raises(DeviceError, match="cannot use the GPU"):
        bench.bench([str(model)], "cuda", 0.05, lambda line: None)


def test_what_does_not_fit_a_gpu_is_said_to_fail(model: Path, monkeypatch: Patch) -> None:
    runtimes.install(monkeypatch, "runs out")
    assert [row[2] for row in rows(bench._many_songs(str(model), "cuda"))[1:]] == ["failed", "failed"]


def test_the_default_generator_is_measured_beside_its_variants(tmp_path: Path, monkeypatch: Patch) -> None:
    for name in ("music-int8", "other", "music", "music-det"):
        networks.save(tmp_path / f"{name}.onnx")
    monkeypatch.setattr(catalog, "directory", lambda: tmp_path)
    assert bench._bundled() == ["music", "music-int8"]
