"""The corpus: openly licensed music from Debian packages, and any folder of one's own.

A corpus is a folder: `debs/` (downloads), `raw/` (unpacked), `pcm/` (decoded, int16 at 44.1 kHz, one .npy of
shape (2, frames) a file) and `index.json` (one entry a file). The split into train, validation and test is by
piece, never by segment, and depends on nothing but the piece's name.
"""

import hashlib
import json
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from mp3fix.errors import DecodeError, Mp3fixError
from mp3fix.signal.cutoff import CutoffMeter
from mp3fix.signal.stft import StftSpec, stft
from mp3fix.training.sources import SOURCES, Source

RATE = 44100
AUDIO_SUFFIXES = {".ogg", ".opus", ".oga", ".flac", ".wav", ".aiff", ".aif"}
LOSSLESS_SUFFIXES = {".flac", ".wav", ".aiff", ".aif"}
PIECE_SECONDS = 30.0  # shorter music files are jingles and effects: left out
LIMIT_SECONDS = 60.0  # longer "samples" are left out
TEST_SHARE, VALIDATION_SHARE = 0.14, 0.05

Report = Callable[[str], None]


@dataclass(frozen=True)
class Entry:
    """One file of the corpus.

    Attributes:
        file: path relative to `raw/` (or the absolute path of an added file).
        piece: what is split on; versions and stems of one song share it.
        source: package or added folder.
        licence: licences of the source.
        kind: "music" or "samples".
        lossless: whether the file itself is losslessly coded.
        frames: samples per channel at 44.1 kHz.
        cutoff: measured cut-off in Hz; a target is trusted only up to here.
        split: "train", "validation" or "test".
        pcm: file name in `pcm/`.
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


def piece_of(path: Path) -> str:
    """Name of the piece a file belongs to: stems of one song and its fast version are one piece."""
    stem = path.stem if path.stem.lower() not in {"song", "guitar", "rhythm", "drums"} else path.parent.name
    return re.sub(r"_(fast|f)$", "", stem.lower())


def split_of(piece: str) -> str:
    """Train, validation or test: fixed by a hash of the piece's name."""
    share = int.from_bytes(hashlib.sha256(f"mp3fix:{piece}".encode()).digest()[:4], "big") / 2**32
    if share < TEST_SHARE:
        return "test"
    return "validation" if share < TEST_SHARE + VALIDATION_SHARE else "train"


def download(root: Path, report: Report, sources: Iterable[Source] = SOURCES) -> None:
    """Fetch the packages with apt-get (nothing is installed), verify them and unpack them into root/raw.

    Raises:
        Mp3fixError: apt-get is missing or fails, or a download is not the pinned file.
    """
    (root / "debs").mkdir(parents=True, exist_ok=True)
    for source in sources:
        target = root / "raw" / source.package
        if target.exists():
            continue
        report(f"{source.package} {source.version}: downloading")
        name = f"{source.package}_{source.version.replace(':', '%3a')}_all.deb"
        deb = root / "debs" / name
        if not deb.exists():
            _run(["apt-get", "download", f"{source.package}={source.version}"], root / "debs")
        if hashlib.sha256(deb.read_bytes()).hexdigest() != source.sha256:
            deb.unlink()
            raise Mp3fixError(f"{name}: not the file the corpus was pinned to (SHA-256 differs); try again")
        _run(["dpkg-deb", "--extract", str(deb), str(target)], root)


def _run(command: list[str], cwd: Path) -> None:
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    except FileNotFoundError:
        raise Mp3fixError(
            f"{command[0]}: not found; without apt use --add FOLDER with your own music"
        ) from None
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["failed"]
        raise Mp3fixError(
            f"{' '.join(command[:3])}: {last[0]}\n"
            "The packages are those of Debian bookworm; 'apt-get update' may be needed first."
        )


def build(root: Path, added: Iterable[Path], report: Report) -> list[Entry]:
    """Decode and measure every file below root/raw and the added folders; write and return the index.

    Files already decoded are taken from the existing index, so an interrupted run goes on where it was.
    """
    (root / "pcm").mkdir(parents=True, exist_ok=True)
    known = {entry.file: entry for entry in load(root)} if (root / "index.json").exists() else {}
    entries: list[Entry] = []
    for source, licence, kind, path in _files(root, added):
        name = str(path.relative_to(root / "raw")) if path.is_relative_to(root / "raw") else str(path)
        if name in known:
            entries.append(known[name])
            continue
        entry = _index(root, name, path, source, licence, kind)
        if entry is not None:
            entries.append(entry)
            report(f"{entry.split:10} {entry.cutoff:6.0f} Hz {entry.frames / RATE:6.1f} s  {name}")
    index = json.dumps([asdict(entry) for entry in entries], indent=1)
    (root / "index.json").write_text(index + "\n")
    return entries


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
    """How many hours of what, under which licences, in which split."""
    lines = []
    for source in sorted({entry.source for entry in entries}):
        mine = [entry for entry in entries if entry.source == source]
        minutes = sum(entry.frames for entry in mine) / RATE / 60
        full = sum(entry.frames for entry in mine if entry.cutoff > 16500) / RATE / 60
        lines.append(
            f"{source:28} {len(mine):4} files {minutes:6.1f} min, {full:6.1f} min above 16.5 kHz  {mine[0].licence}"
        )
    for split in ("train", "validation", "test"):
        mine = [entry for entry in entries if entry.split == split]
        hours = sum(entry.frames for entry in mine) / RATE / 3600
        lines.append(f"{split:28} {len(mine):4} files {hours:6.2f} h")
    return "\n".join(lines)


def _files(root: Path, added: Iterable[Path]) -> Iterator[tuple[str, str, str, Path]]:
    for source in SOURCES:
        for path in sorted((root / "raw" / source.package).rglob("*")):
            effects = {"sfx", "sounds"} & set(path.relative_to(root / "raw").parts)
            if path.suffix.lower() in AUDIO_SUFFIXES and path.is_file() and not effects:
                yield source.package, source.licence, source.kind, path
    for folder in added:
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() in AUDIO_SUFFIXES and path.is_file():
                yield folder.name, "the user's own", "added", path


def _index(root: Path, name: str, path: Path, source: str, licence: str, kind: str) -> Entry | None:
    try:
        with soundfile.SoundFile(path) as file:
            seconds, rate = file.frames / file.samplerate, file.samplerate
            if kind == "added":
                kind = "music" if seconds > PIECE_SECONDS else "samples"
            wanted = seconds >= PIECE_SECONDS if kind == "music" else 0.05 < seconds < LIMIT_SECONDS
            if not wanted or rate < 44100:
                return None
            samples = file.read(dtype="float32", always_2d=True)
    except soundfile.SoundFileError as error:
        if kind == "added":
            raise DecodeError(f"{path}: {error}") from None
        return None
    if rate != RATE:
        samples = soxr.resample(samples, rate, RATE)
    samples = samples[:, :2].T if samples.shape[1] > 1 else np.repeat(samples.T, 2, axis=0)
    peak = float(np.abs(samples).max(initial=0.0))
    if peak < 1e-3:
        return None
    meter, spec = CutoffMeter(StftSpec()), StftSpec()
    for start in range(0, samples.shape[1], 1 << 19):
        block = np.ascontiguousarray(samples[:, start : start + (1 << 19)])
        if block.shape[1] < spec.n_fft:
            block = np.pad(block, ((0, 0), (0, spec.n_fft - block.shape[1])))
        meter.push(stft(block, spec))
    # Peaks beyond full scale (lossy decoders give them) are scaled, never clipped.
    stored = np.round(samples * (32767 / max(peak, 1.0))).astype(np.int16)
    file_name = hashlib.sha256(name.encode()).hexdigest()[:16] + ".npy"
    np.save(root / "pcm" / file_name, stored)
    piece = piece_of(path)
    # Samples are material, not pieces to be tested on: all of them train.
    split = split_of(piece) if kind == "music" else "train"
    lossless = path.suffix.lower() in LOSSLESS_SUFFIXES
    frames = stored.shape[1]
    return Entry(name, piece, source, licence, kind, lossless, frames, meter.hz, split, file_name)
