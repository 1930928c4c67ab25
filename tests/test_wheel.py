"""What users get: the wheel, installed into an empty environment, away from the checkout."""

import email.parser
import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path
from typing import Any

import pytest
import soundfile

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip(sys.executable, "wheel", "--no-deps", "--wheel-dir", folder, ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an environment's programs."""
    environment = tmp_path_factory.mktemp("installed")
    venv.create(environment, with_pip=True)
    programs = environment / ("Scripts" if os.name == "nt" else "bin")
    pip(programs / "python", "install", wheel)
    return programs


def pip(python: Path | str, *arguments: object) -> None:
    quiet = ["--quiet", "--disable-pip-version-check"]
    command = [str(python), "-m", "pip", str(arguments[0]), *quiet, *map(str, arguments[1:])]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def run(*command: object, folder: Path, **environment: str) -> Any:
    """Run a program of the environment, with nothing that leads to the checkout."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL"))}
    return subprocess.run(
        [str(each) for each in command],
        cwd=folder,
        env=kept | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_the_wheel_holds_models_and_licences(wheel: Path) -> None:
    files = set(zipfile.ZipFile(wheel).namelist())
    for model in (path for path in (ROOT / "models").rglob("*") if path.is_file()):
        assert f"mp3fix/models/{model.relative_to(ROOT / 'models').as_posix()}" in files
    assert {name.partition("/")[2] for name in files if ".dist-info/licenses/" in name} == {
        "licenses/LICENSE",
        "licenses/models/LICENSE",
    }
    for source in (ROOT / "mp3fix").rglob("*"):
        if source.suffix in (".py", ".toml", ".js", ".css", ".html", ".j2"):
            assert source.relative_to(ROOT).as_posix() in files
    assert all(name.startswith(("mp3fix/", "mp3fix-")) for name in files)


def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (name,) = (each for each in archive.namelist() if each.endswith("METADATA"))
    metadata = email.parser.HeaderParser().parsestr(archive.read(name).decode())
    assert metadata["Name"] == "mp3fix" and metadata["License-Expression"]
    assert sorted(metadata.get_all("License-File") or []) == ["LICENSE", "models/LICENSE"]


def test_restoring_away_from_the_checkout(installed: Path, tmp_path: Path) -> None:
    song = tmp_path / "song.mp3"
    song.write_bytes((ROOT / "tests" / "data" / "excerpt.mp3").read_bytes())
    program = installed / "mp3fix"
    done = run(program, "song.mp3", "--json", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["outputs"] == ["song.restored.flac"]
    facts = soundfile.info(tmp_path / "song.restored.flac")
    assert (facts.frames, facts.samplerate, facts.channels, facts.subtype) == (1323000, 44100, 2, "PCM_24")
    listed = run(program, "--list-models", "--json", folder=tmp_path).stdout.splitlines()
    for model in map(json.loads, listed):
        assert installed.parent in Path(model["path"]).parents
    assert json.loads(listed[0])["name"] == "music"


def test_the_installed_programs(installed: Path, tmp_path: Path) -> None:
    program = installed / "mp3fix"
    version = run(program, "--version", folder=tmp_path)
    assert (version.returncode, version.stderr) == (0, "") and version.stdout.startswith("mp3fix ")
    helped = run(program, "--help", folder=tmp_path)
    assert helped.returncode == 0 and helped.stdout.startswith("Usage: mp3fix ")
    wrong = run(program, "--nonsense", folder=tmp_path)
    assert (wrong.returncode, wrong.stdout) == (2, "") and "--nonsense" in wrong.stderr
    script = run(program, folder=tmp_path, _MP3FIX_COMPLETE="source_bash")
    assert script.returncode == 0 and "complete" in script.stdout
    assert run(installed / "mp3fix-lab", "--help", folder=tmp_path).returncode == 0


def test_the_installed_package(installed: Path, tmp_path: Path) -> None:
    script = "import mp3fix; print(mp3fix.__file__); [getattr(mp3fix, name) for name in mp3fix.__all__]"
    done = run(installed / "python", "-c", script, folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert installed.parent in Path(done.stdout.strip()).parents
