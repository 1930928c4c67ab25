"""Packages: verified, unpacked whole or not at all, audio and licences kept."""

import hashlib
import io
import os
import shutil
import subprocess
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from mp3fix.errors import Mp3fixError
from mp3fix.training import packages
from mp3fix.training.sources import SOURCES, Source

needs_dpkg = pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="no dpkg-deb")
TOY = Source("toy-music", "1:1.0-1", "", "CC0", "music", "solo")


def deb(folder: Path) -> Path:
    """A package with a song, a picture, a copyright file and a zip with another song."""
    tree = folder / "tree"
    for name in ("DEBIAN", "usr/share/doc/toy-music", "usr/share/toy"):
        (tree / name).mkdir(parents=True)
    (tree / "DEBIAN/control").write_text(
        "Package: toy-music\nVersion: 1:1.0-1\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: toy\n"
    )
    (tree / "usr/share/doc/toy-music/copyright").write_text("CC0")
    (tree / "usr/share/toy/song.ogg").write_bytes(b"song")
    (tree / "usr/share/toy/picture.png").write_bytes(b"picture")
    with zipfile.ZipFile(tree / "usr/share/toy/public.zip", "w") as zipped:
        zipped.writestr("audio/music/inside.ogg", b"inside")
        zipped.writestr("audio/voice/word.ogg", b"word")
        zipped.writestr("audio/music/notes.txt", b"notes")
    out = folder / "toy-music_1%3a1.0-1_all.deb"
    subprocess.run(["dpkg-deb", "--build", "-Znone", str(tree), str(out)], check=True, capture_output=True)
    return out


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@needs_dpkg
def test_audio_and_licences_are_kept(tmp_path: Path) -> None:
    archive = ("usr/share/toy/public.zip", "audio/music/")
    packages.unpack(deb(tmp_path), tmp_path / "out", archive)
    assert files(tmp_path / "out") == {
        "usr/share/doc/toy-music/copyright",
        "usr/share/toy/song.ogg",
        "usr/share/toy/audio/music/inside.ogg",
    }
    assert not (tmp_path / "out.part").exists()


@pytest.mark.parametrize("name", ["../out.ogg", "/tmp/../out.ogg", "usr/../../out.ogg"])
def test_nothing_is_written_outside(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tarfile.open(tmp_path / "evil.tar", "w") as tar:
        member = tarfile.TarInfo(name)
        member.size = 4
        tar.addfile(member, io.BytesIO(b"song"))
    program = tmp_path / "bin" / "dpkg-deb"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\nexec cat '{tmp_path}/evil.tar'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    with pytest.raises(Mp3fixError, match="leads out of the package"):
        packages.unpack(tmp_path / "evil.deb", tmp_path / "raw" / "evil")
    assert not list(tmp_path.rglob("*.ogg")) and not (tmp_path / "raw" / "evil").exists()


@needs_dpkg
def test_a_damaged_package_leaves_no_folder(tmp_path: Path) -> None:
    whole = deb(tmp_path)
    whole.write_bytes(whole.read_bytes()[:2000])
    with pytest.raises(Mp3fixError, match="cannot be unpacked"):
        packages.unpack(whole, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@needs_dpkg
def test_a_download_is_verified_and_then_needed_no_more(tmp_path: Path) -> None:
    """The download itself is not tried: the file lies there, as after an interrupted run."""
    (tmp_path / "debs").mkdir()
    made = Path(shutil.move(deb(tmp_path), tmp_path / "debs"))
    right = replace(TOY, sha256=hashlib.sha256(made.read_bytes()).hexdigest())
    copy = tmp_path / "copy.deb"
    shutil.copy(made, copy)
    lines: list[str] = []
    packages.download(tmp_path, lines.append, [right])
    assert "usr/share/toy/song.ogg" in files(tmp_path / "raw" / "toy-music")
    assert not made.exists()
    packages.download(tmp_path, lines.append, [right])  # unpacked already: nothing to do
    assert lines == []
    shutil.rmtree(tmp_path / "raw")
    shutil.copy(copy, made)
    with pytest.raises(Mp3fixError, match="SHA-256"):
        packages.download(tmp_path, lines.append, [replace(TOY, sha256="0" * 64)])
    assert not made.exists() and not (tmp_path / "raw").exists()


def test_without_apt_the_way_on_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Mp3fixError, match=r"apt-get: not found.*--no-packages --add"):
        packages.download(tmp_path, lambda line: None, [TOY])


def test_every_source_is_pinned_and_licensed() -> None:
    names = [source.package for source in SOURCES]
    assert len(set(names)) == len(names)
    for source in SOURCES:
        assert len(source.sha256) == 64 and source.version and source.licence and source.category
