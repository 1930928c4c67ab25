"""The corpus: openly licensed music from Debian packages, rendered scores, and any folder of one's own.

A corpus is a folder: `debs/` (downloads), `raw/` (unpacked and rendered), `pcm/` (decoded, int16 at 44.1 kHz, one .npy
of shape (2, frames) a file), `index.json` (one entry a file) and `split.txt` (the same to read). The split into train,
validation and test is by piece, never by segment: the test pieces are written down (testset.py), the rest follows from
nothing but the piece's name.
"""

import csv
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import soundfile
import soxr

from mp3fix.errors import Mp3fixError
from mp3fix.signal.cutoff import CutoffMeter
from mp3fix.signal.stft import StftSpec, stft
from mp3fix.training.scores import ENSEMBLES
from mp3fix.training.sources import SOURCES
from mp3fix.training.testset import TEST

RATE = 44100
# MP3 is not among them: whoever learns from MP3s learns to leave their damage alone.
AUDIO_SUFFIXES = {".ogg", ".opus", ".oga", ".flac", ".wav", ".aiff", ".aif"}
LOSSLESS_SUFFIXES = {".flac", ".wav", ".aiff", ".aif"}
PIECE_SECONDS = 30.0  # shorter music files are jingles and effects: left out
LIMIT_SECONDS = 60.0  # longer "samples" are left out
LONGEST_SECONDS = 1800.0  # of a longer file, the beginning is taken
TEST_SHARE, VALIDATION_SHARE = 0.14, 0.05
EFFECTS = {"sfx", "sounds"}  # folders of packages that hold no music
STEMS = ("song.ogg", "guitar.ogg", "rhythm.ogg", "drums.ogg")  # of one song of Frets on Fire
LEAST_CUTOFF = 2000.0  # Hz; nothing recorded for listening ends below: see `cutoff`
SAVE_EVERY = 20  # new files between two writes of the index

Report = Callable[[str], None]


@dataclass(frozen=True)
class Entry:
    """One file of the corpus.

    Attributes:
        file: path relative to `raw/` (or the absolute path of an added file); of a song in stems, its folder.
        piece: what is split on; versions and stems of one song share it.
        source: package, "renders" or added folder.
        licence: licences of the source.
        kind: "music" or "samples".
        lossless: whether the file itself is losslessly coded.
        frames: samples per channel at 44.1 kHz.
        cutoff: measured cut-off in Hz; a target is trusted only up to here.
        split: "train", "validation" or "test".
        pcm: file name in `pcm/`.
        category: kind of music ("vocals", "drums", "solo", "pop or rock", "orchestral", ...): exact for test pieces
            and renders, what most of the source is for the rest.
    """

    file: str
    piece: str
    source: str
    licence: str
    kind: str
    lossless: bool
    frames: int
    cutoff: float
    split: str
    pcm: str
    category: str = ""


@dataclass(frozen=True)
class _Material:
    """What one entry is made of: files, mixed if there are several."""

    name: str
    paths: tuple[Path, ...]
    piece: str
    source: str
    licence: str
    kind: str  # of an added file: "added"
    category: str

    @property
    def key(self) -> str:
        return f"{self.source}/{Path(self.name).name}"


def piece_of(path: Path) -> str:
    """Name of the piece a file belongs to: its own, without what tells versions or renders of a piece apart."""
    return re.sub(r"(_(fast|f|enhanced)|--[^/]*)$", "", path.stem.lower())


def split_of(piece: str) -> str:
    """Train, validation or test: fixed by a hash of the piece's name."""
    share = int.from_bytes(hashlib.sha256(f"mp3fix:{piece}".encode()).digest()[:4], "big") / 2**32
    if share < TEST_SHARE:
        return "test"
    return "validation" if share < TEST_SHARE + VALIDATION_SHARE else "train"


def build(root: Path, added: Sequence[Path], report: Report) -> list[Entry]:
    """Decode and measure every file below root/raw and the added folders; write and return the index.

    Files already decoded are taken from the existing index, so an interrupted run goes on where it was. A file that
    cannot be read, or holds nothing, is reported in one line and left out.

    Raises:
        Mp3fixError: an added folder does not exist, or root cannot be written to (a full disk, say).
    """
    for folder in added:
        if not folder.is_dir():
            raise Mp3fixError(f"{folder}: no such folder")
    try:
        (root / "pcm").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Mp3fixError(f"{root}: {error.strerror}") from None
    known = {entry.file: entry for entry in load(root)} if (root / "index.json").exists() else {}
    entries: dict[str, Entry] = {}
    new = 0
    try:
        for material in _materials(root, added):
            split, category = _place(material)
            if split is None:
                continue
            entry = known.get(material.name)
            if entry is None or not _is_fresh(root / "pcm" / entry.pcm, material.paths):
                entry = _decode(root, material, report)
                if entry is None:
                    continue
                report(f"{entry.cutoff:6.0f} Hz {entry.frames / RATE:6.1f} s  {material.name}")
                new += 1
            if entry.kind == "samples":  # material, not pieces to be tested on: all of it trains
                split = "train"
            # Lists, licences and rules may have changed since a file was decoded.
            entries[material.name] = replace(
                entry, piece=material.piece, licence=material.licence, split=split, category=category
            )
            if new == SAVE_EVERY:
                _save(root, {**known, **entries})
                new = 0
    except BaseException as error:  # Ctrl-C too: what is done stays done
        _save(root, {**known, **entries})
        if isinstance(error, OSError):
            raise Mp3fixError(f"{root}: {error.strerror}") from None
        raise
    _save(root, entries)
    lines = [f"{e.split}\t{e.category}\t{e.piece}\t{e.file}" for e in entries.values()]
    _write(root / "split.txt", "\n".join(["split\tcategory\tpiece\tfile", *sorted(lines)]) + "\n")
    return list(entries.values())


def load(root: Path) -> list[Entry]:
    """Read the index of a corpus.

    Raises:
        Mp3fixError: there is none.
    """
    try:
        return [Entry(**fields) for fields in json.loads((root / "index.json").read_text())]
    except FileNotFoundError:
        raise Mp3fixError(f"{root}: no corpus there; make one with 'mp3fix-lab corpus {root}'") from None


def pcm(root: Path, entry: Entry) -> np.ndarray:
    """The decoded file, memory-mapped: int16, shape (2, frames), 44.1 kHz."""
    return np.load(root / "pcm" / entry.pcm, mmap_mode="r")


def summary(entries: list[Entry]) -> str:
    """How much of what, under which licences, in which split and category; one line each."""
    lines = [f"{'source':28} files  minutes  above 16.5 kHz  lossless  licences"]
    for source in sorted({entry.source for entry in entries}):
        mine = [entry for entry in entries if entry.source == source]
        full = _minutes(entry for entry in mine if entry.cutoff > 16500)
        lossless = _minutes(entry for entry in mine if entry.lossless)
        licences = "; ".join(sorted({entry.licence for entry in mine}))
        lines.append(
            f"{source:28} {len(mine):5} {_minutes(mine):8.1f} {full:15.1f} {lossless:9.1f}  {licences}"
        )
    lines += ["", f"{'split':12}{'category':16} files    hours"]
    for split in ("train", "validation", "test"):
        whole = [entry for entry in entries if entry.split == split]
        lines.append(f"{split:28} {len(whole):5} {_minutes(whole) / 60:8.2f}")
        for category in sorted({entry.category for entry in whole}):
            mine = [entry for entry in whole if entry.category == category]
            lines.append(f"{'':12}{category:16} {len(mine):5} {_minutes(mine) / 60:8.2f}")
    return "\n".join(lines)


def cutoff(samples: np.ndarray) -> float:
    """Cut-off in Hz of float32 (2, frames) at 44.1 kHz; 0 for silence."""
    spec = StftSpec()
    meter, without_bass = CutoffMeter(spec), CutoffMeter(spec)
    for start in range(0, samples.shape[1], 1 << 19):
        block = np.ascontiguousarray(samples[:, start : start + (1 << 19)])
        if block.shape[1] < spec.n_fft:
            block = np.pad(block, ((0, 0), (0, spec.n_fft - block.shape[1])))
        frames = stft(block, spec)
        meter.push(frames)
        frames[..., : round(LEAST_CUTOFF * spec.n_fft / spec.rate)] = 0
        without_bass.push(frames)
    # Where a sub-bass rules, the meter takes the fall behind it for the end of the spectrum.
    return meter.hz if meter.hz == 0 or meter.hz > LEAST_CUTOFF else without_bass.hz


def _minutes(entries: Iterable[Entry]) -> float:
    return sum(entry.frames for entry in entries) / RATE / 60


def _materials(root: Path, added: Sequence[Path]) -> Iterator[_Material]:
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
            yield _Material(
                name,
                paths,
                piece_of(Path(name)),
                source.package,
                source.licence,
                source.kind,
                source.category,
            )
    for path in _audio(raw / "renders"):
        ensemble = ENSEMBLES.get(path.stem.partition("--")[2])
        if ensemble is None:
            continue
        licence = "scores in the public domain, MIT (sound font)"
        name = str(path.relative_to(raw))
        yield _Material(name, (path,), piece_of(path), "renders", licence, "music", ensemble.category)
    for folder in added:
        licences, source_name = _licences(folder), folder.resolve().name
        for path in _audio(folder):
            licence = licences.get(path.relative_to(folder).as_posix(), "not stated")
            name = str(path.absolute())
            yield _Material(name, (path,), piece_of(path), source_name, licence, "added", "added")


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


def _place(material: _Material) -> tuple[str | None, str]:
    """Split and category; no split for another version of a test piece."""
    if material.key in TEST:
        return "test", TEST[material.key]
    split = split_of(material.piece)
    if material.kind == "added":
        return split, material.category
    if material.piece in _TEST_PIECES:
        return None, ""
    # The test set of packages and renders is the list: what the hash would add to it trains.
    return "train" if split == "test" else split, material.category


_TEST_PIECES = {piece_of(Path(key)) for key in TEST}


def _is_fresh(decoded: Path, paths: Iterable[Path]) -> bool:
    """Whether a decoded file is there and no older than what it was made of."""
    try:
        return all(decoded.stat().st_mtime >= path.stat().st_mtime for path in paths)
    except OSError:
        return False


def _decode(root: Path, material: _Material, report: Report) -> Entry | None:
    """Decode, mix, measure and store; None (and a line, unless it is only too short) for what is no material."""
    kind = material.kind
    try:
        with soundfile.SoundFile(material.paths[0]) as file:
            seconds, rate = file.frames / file.samplerate, file.samplerate
        if kind == "added":
            kind = "music" if seconds > PIECE_SECONDS else "samples"
        if not (seconds >= PIECE_SECONDS if kind == "music" else 0.05 < seconds < LIMIT_SECONDS):
            return None
        if rate < RATE:
            report(f"left out: {material.name}: {rate} Hz")
            return None
        samples = _mixed([_read(path) for path in material.paths])
    except (soundfile.SoundFileError, OSError) as error:
        why = str(error).splitlines()[0].rpartition("': ")[2]  # soundfile names the path first
        report(f"left out: {material.name}: {why}")
        return None
    peak = float(np.abs(samples).max(initial=0.0))
    if not 1e-3 < peak < np.inf:
        report(f"left out: {material.name}: {'silence' if peak <= 1e-3 else 'not a number in it'}")
        return None
    # Peaks beyond full scale (lossy decoders and mixed stems give them) are scaled, never clipped.
    stored = np.round(samples * (32767 / max(peak, 1.0))).astype(np.int16)
    file_name = hashlib.sha256(material.name.encode()).hexdigest()[:16] + ".npy"
    part = root / "pcm" / f"part-{file_name}"
    np.save(part, stored)
    os.replace(part, root / "pcm" / file_name)
    lossless = all(path.suffix.lower() in LOSSLESS_SUFFIXES for path in material.paths)
    return Entry(
        file=material.name,
        piece=material.piece,
        source=material.source,
        licence=material.licence,
        kind=kind,
        lossless=lossless,
        frames=stored.shape[1],
        cutoff=cutoff(samples),
        split="",
        pcm=file_name,
    )


def _read(path: Path) -> np.ndarray:
    """The first half hour of a file, float32 (2, frames) at 44.1 kHz."""
    with soundfile.SoundFile(path) as file:
        rate = file.samplerate
        samples = file.read(round(min(file.frames, LONGEST_SECONDS * rate)), dtype="float32", always_2d=True)
    if rate != RATE:
        samples = soxr.resample(samples, rate, RATE)
    return samples[:, :2].T if samples.shape[1] > 1 else np.repeat(samples.T, 2, axis=0)


def _mixed(stems: list[np.ndarray]) -> np.ndarray:
    """The sum of stems, as long as the longest."""
    if len(stems) == 1:
        return stems[0]
    out = np.zeros((2, max(stem.shape[1] for stem in stems)), np.float32)
    for stem in stems:
        out[:, : stem.shape[1]] += stem
    return out


def _save(root: Path, entries: dict[str, Entry]) -> None:
    index = json.dumps([asdict(entry) for entry in entries.values()], indent=1)
    _write(root / "index.json", index + "\n")


def _write(path: Path, text: str) -> None:
    """A text file, whole or not at all."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)
