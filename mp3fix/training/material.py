"""What a corpus is made of: the files of packages, renders and added folders, grouped to pieces."""

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mp3fix.training.scores import ENSEMBLES
from mp3fix.training.sources import SOURCES

# MP3 is in neither: whoever learns from MP3s learns to leave their damage alone.
LOSSLESS_SUFFIXES = {".flac", ".wav", ".aiff", ".aif"}
AUDIO_SUFFIXES = LOSSLESS_SUFFIXES | {".ogg", ".opus", ".oga"}
EFFECTS = {"sfx", "sounds"}  # folders of packages that hold no music
STEMS = ("song.ogg", "guitar.ogg", "rhythm.ogg", "drums.ogg")  # of one song of Frets on Fire

Report = Callable[[str], None]


@dataclass(frozen=True)
class Material:
    """What one entry of the corpus is made of.

    Attributes:
        name: path relative to `raw/`, or the absolute path of an added file; of a song in stems, its folder.
        paths: its files; several are stems, to be mixed.
        piece: what is split on.
        source: package, "renders" or the added folder's name.
        licence: licences of the source.
        kind: "music", "samples" or, undecided until its length is known, "added".
        category: kind of music, as in the corpus's entries.
    """

    name: str
    paths: tuple[Path, ...]
    piece: str
    source: str
    licence: str
    kind: str
    category: str

    @property
    def lossless(self) -> bool:
        """Whether all of its files are losslessly coded."""
        return all(path.suffix.lower() in LOSSLESS_SUFFIXES for path in self.paths)

    @property
    def key(self) -> str:
        """What it is called in the test list."""
        return f"{self.source}/{Path(self.name).name}"


def piece_of(path: Path) -> str:
    """Name of the piece a file belongs to: its own, without what tells versions or renders of a piece apart."""
    return re.sub(r"(_(fast|f|enhanced)|--[^/]*)$", "", path.stem.lower())


def materials(root: Path, added: Sequence[Path]) -> Iterator[Material]:
    """Everything of a corpus below root/raw, and the audio files of added folders."""
    raw = root / "raw"
    for source in SOURCES:
        for path in _audio(raw / source.package):
            relative = path.relative_to(raw)
            if EFFECTS & set(relative.parts) or path.name in source.left_out:
                continue
            paths: tuple[Path, ...] = (path,)
            name = str(relative)
            if path.name in STEMS and (path.parent / STEMS[0]).exists():
                if path.name != STEMS[0]:
                    continue
                paths = tuple(each for stem in STEMS if (each := path.with_name(stem)).exists())
                name = str(relative.parent)
            yield Material(
                name,
                paths,
                piece_of(Path(name)),
                source.package,
                source.licence,
                source.kind,
                source.category,
            )
    fonts = {source.package: source.licence for source in SOURCES if source.kind == "sound font"}
    for path in _audio(raw / "renders"):
        ensemble = ENSEMBLES.get(path.stem.partition("--")[2])
        if ensemble is None:
            continue
        licence = f"scores in the public domain, {fonts[ensemble.font]} (sound font)"
        name = str(path.relative_to(raw))
        yield Material(name, (path,), piece_of(path), "renders", licence, "music", ensemble.category)
    for folder in added:
        licences, source_name = _licences(folder), folder.resolve().name
        for path in _audio(folder):
            licence = licences.get(path.relative_to(folder).as_posix(), "not stated")
            name = str(path.absolute())
            yield Material(name, (path,), piece_of(path), source_name, licence, "added", "added")


def _audio(folder: Path) -> list[Path]:
    """The audio files below a folder, by name; none where there is no folder."""
    return sorted(
        path for path in folder.rglob("*") if path.suffix.lower() in AUDIO_SUFFIXES and path.is_file()
    )


def _licences(folder: Path) -> dict[str, str]:
    """Licences of an added folder's files, from the columns `file` and `licence` of its SOURCES.csv, if any."""
    try:
        with (folder / "SOURCES.csv").open(newline="", encoding="utf-8") as file:
            return {row["file"]: row["licence"] for row in csv.DictReader(file)}
    except (OSError, KeyError, UnicodeDecodeError):
        return {}
