"""Debian packages to folders of audio: downloaded, verified, unpacked; nothing is installed."""

import hashlib
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

from mp3fix.errors import Mp3fixError
from mp3fix.training.material import AUDIO_SUFFIXES
from mp3fix.training.sources import SOURCES, Source

KEPT_SUFFIXES = AUDIO_SUFFIXES | {".sf2"}


def download(root: Path, report: Callable[[str], None], sources: Iterable[Source] = SOURCES) -> None:
    """Fetch the packages with apt-get, verify them, and keep their audio and licences in root/raw/PACKAGE.

    What is there already is left alone, so an interrupted run goes on where it was.

    Raises:
        Mp3fixError: apt-get is missing or fails, or a download is not the pinned file.
    """
    debs = root / "debs"
    debs.mkdir(parents=True, exist_ok=True)
    for source in sources:
        target = root / "raw" / source.package
        if target.exists():
            continue
        deb = debs / f"{source.package}_{source.version.replace(':', '%3a')}_all.deb"
        if not deb.exists():
            report(f"{source.package} {source.version}: downloading")
            _run(["apt-get", "download", f"{source.package}={source.version}"], debs)
        with deb.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != source.sha256:
            deb.unlink()
            raise Mp3fixError(
                f"{deb.name}: not the file the corpus was pinned to (SHA-256 differs); try again"
            )
        unpack(deb, target, source.archive)
        deb.unlink()


def unpack(deb: Path, target: Path, archive: tuple[str, str] | None = None) -> None:
    """Extract the audio, sound fonts and copyright files of a .deb into a new folder, whole or not at all.

    Args:
        deb: the package.
        target: the folder to make.
        archive: path of a zip file inside the package and the folder inside it whose audio is wanted too.

    Raises:
        Mp3fixError: the package cannot be read.
    """
    part = target.with_name(target.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    wanted = {PurePosixPath(archive[0])} if archive else set()
    try:
        with (
            subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE) as process,
            tarfile.open(fileobj=process.stdout, mode="r|") as tar,
        ):
            for member in tar:
                path = PurePosixPath(member.name)
                keep = path.suffix.lower() in KEPT_SUFFIXES or path.name == "copyright" or path in wanted
                if member.isreg() and keep:
                    _write(tar, member, part)
            while process.stdout and process.stdout.read(1 << 20):
                pass  # padding after the archive: dpkg-deb fails if nobody takes it
    except (tarfile.TarError, FileNotFoundError) as error:
        raise Mp3fixError(f"{deb.name}: cannot be unpacked with dpkg-deb ({error})") from None
    if process.returncode:
        raise Mp3fixError(f"{deb.name}: cannot be unpacked (dpkg-deb ended with {process.returncode})")
    if archive:
        _unzip(part / archive[0], archive[1])
    part.rename(target)


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    """Write a regular file of an archive below a folder. TarFile.extract is safe from Python 3.11.4 on only."""
    path, content = PurePosixPath(member.name), tar.extractfile(member)
    if content is None or path.is_absolute() or ".." in path.parts:
        raise tarfile.TarError(f"{member.name} leads out of the package")
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    with (folder / path).open("wb") as file:
        shutil.copyfileobj(content, file)


def _unzip(path: Path, folder: str) -> None:
    """Put the audio below a folder of a zip file beside that file, which goes."""
    with zipfile.ZipFile(path) as zipped:
        for name in zipped.namelist():
            if name.startswith(folder) and PurePosixPath(name).suffix.lower() in KEPT_SUFFIXES:
                zipped.extract(name, path.parent)
    path.unlink()


def _run(command: list[str], cwd: Path) -> None:
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    except FileNotFoundError:
        raise Mp3fixError(
            f"{command[0]}: not found; without apt use --no-packages --add FOLDER with your own music"
        ) from None
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["failed"]
        raise Mp3fixError(
            f"{' '.join(command[:3])}: {last[0]}\n"
            "The packages are those of Debian bookworm; 'apt-get update' may be needed first."
        )
