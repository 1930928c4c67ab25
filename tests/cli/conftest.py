"""Short inputs, a tiny generator, and two ways to run the program: in this process, and as one of its own."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mp3s
import mutagen.id3
import networks
import pytest
from programs import PROGRAM, Ended

from mp3fix.cli.main import main


@pytest.fixture(autouse=True)
def no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Options of whoever runs the tests do not count."""
    for name in [name for name in os.environ if name.startswith("MP3FIX_") and name != "MP3FIX_FFMPEG"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Runs the program in this process."""

    def run(*arguments: object) -> Ended:
        capfd.readouterr()
        code = main([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        return Ended(code, out, err)

    return run


@pytest.fixture
def start(tmp_path: Path) -> Any:
    """Starts the program in a process of its own, with a folder of its own for temporary files."""
    spool = tmp_path / "spool"
    spool.mkdir()
    root = Path(__file__).parents[2]
    ours = {"TMPDIR": str(spool), "PYTHONPATH": str(root)}
    started: list[subprocess.Popen[bytes]] = []

    def run(*arguments: object, **settings: Any) -> subprocess.Popen[bytes]:
        pipe, environment = subprocess.PIPE, os.environ | ours
        environment.pop("PYTHONUNBUFFERED", None)  # it would hide what happens to buffers
        settings = {"stdin": subprocess.DEVNULL, "stdout": pipe, "stderr": pipe, "cwd": tmp_path} | settings
        command = [*PROGRAM, *(os.fsencode(str(each)) for each in arguments)]
        # A test run in the background of a shell ignores interrupts, and would pass that on.
        process = subprocess.Popen(command, env=environment, preexec_fn=_hear_interrupts, **settings)
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def _hear_interrupts() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stochastic generator with texture and z, which does not pass full scale."""
    path = tmp_path_factory.mktemp("models") / "tiny.onnx"
    return networks.save(path, 0.2, noise=("spectrogram", "vector"), z_size=4, texture=True)


@pytest.fixture(scope="session")
def deterministic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return networks.save(tmp_path_factory.mktemp("models") / "fixed.onnx")


@pytest.fixture(scope="session")
def made_song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of MP3 with a title and a gapless tag."""
    folder = tmp_path_factory.mktemp("songs")
    path = folder / "song.mp3"
    path.write_bytes(mp3s.tagged(mp3s.music(88200, 44100), 44100, folder))
    tags = mutagen.id3.ID3()
    tags.add(mutagen.id3.TIT2(encoding=3, text="A title"))
    tags.save(path)
    return path


@pytest.fixture
def song(made_song: Path, tmp_path: Path) -> Path:
    """That song in a folder of its own."""
    path = tmp_path / "music" / "song.mp3"
    path.parent.mkdir()
    path.write_bytes(made_song.read_bytes())
    return path
