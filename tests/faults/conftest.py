"""A song, a tiny generator, and disks that are small or read-only."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import mp3s
import mutagen.id3
import networks
import pytest
from running import SECONDS

from mp3fix.restore import Restorer


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "tiny.onnx"
    return networks.save(path, 0.2, noise=("spectrogram", "vector"), z_size=4, texture=True)


@pytest.fixture(scope="session")
def restorer(model: Path) -> Restorer:
    return Restorer(model, "cpu")


@pytest.fixture(scope="session")
def made_song(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("songs")
    path = folder / "song.mp3"
    path.write_bytes(mp3s.tagged(mp3s.music(44100 * SECONDS, 44100), 44100, folder))
    tags = mutagen.id3.ID3()
    tags.add(mutagen.id3.TIT2(encoding=3, text="A title"))
    tags.save(path)
    return path.read_bytes()


@pytest.fixture
def song(made_song: bytes, tmp_path: Path) -> Path:
    (tmp_path / "music").mkdir()
    path = tmp_path / "music" / "song.mp3"
    path.write_bytes(made_song)
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


@pytest.fixture(autouse=True)
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files, of the programs that are started and of this process."""
    (tmp_path / "spool").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "spool"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "spool"))
    return tmp_path / "spool"


@pytest.fixture
def mount() -> Iterator[Callable[..., Path]]:
    """Mounts something on a new folder, until the test ends: mount(folder, "-t", "tmpfs" ...)."""
    mounted: list[Path] = []

    def do(folder: Path, *arguments: object) -> Path:
        if os.geteuid():
            pytest.skip("only root can mount a disk")
        if not folder.exists():
            folder.mkdir(parents=True)
        command = ["mount", *map(str, arguments), str(folder)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"this machine lets nobody mount a disk: {done.stderr.strip()}")
        if folder not in mounted:  # and not only mounted anew with other options
            mounted.append(folder)
        return folder

    yield do
    for folder in reversed(mounted):
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def disk(mount: Callable[..., Path]) -> Callable[[Path, int], Path]:
    """A new, empty disk of so many kB: disk(folder, 100)."""
    return lambda folder, size: mount(folder, "-t", "tmpfs", "-o", f"size={size}k", "tmpfs")
