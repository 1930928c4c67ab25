"""The corpus: openly licensed music from Debian packages, rendered scores, and any folder of one's own.

A corpus is a folder: `debs/` (downloads), `raw/` (unpacked and rendered), `pcm/` (decoded, int16 at 44.1 kHz, one .npy
of shape (2, frames) a file), `index.json` (one entry a file) and `split.txt` (the same to read). The split into train,
validation and test is by piece, never by segment: the test pieces are written down (testset.py), the rest follows from
nothing but the piece's name.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from mp3fix.errors import Mp3fixError
from mp3fix.training.material import STEMS, Material, Report, materials, piece_of
from mp3fix.training.parallel import in_order
from mp3fix.training.recording import RATE, cutoff, read
from mp3fix.training.testset import TEST

TEST_SHARE, VALIDATION_SHARE = 0.14, 0.05
RENDERED_HZ = 21000.0  # of renders no more is trusted: above are the synthesiser's interpolation images
SAVE_EVERY = 20  # new files between two writes of the index


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


def split_of(piece: str) -> str:
    """Train, validation or test: fixed by a hash of the piece's name."""
    share = int.from_bytes(hashlib.sha256(f"mp3fix:{piece}".encode()).digest()[:4], "big") / 2**32
    if share < TEST_SHARE:
        return "test"
    return "validation" if share < TEST_SHARE + VALIDATION_SHARE else "train"


def build(root: Path, added: Sequence[Path], report: Report) -> list[Entry]:
    """Decode and measure every file below root/raw and the added folders; write and return the index.

    Several files at a time (parallel.py). Files already decoded are taken from the existing index, so an
    interrupted run goes on where it was. A file that cannot be read, or holds nothing, is reported in one line and left
    out.

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
    stored: dict[str, Entry] = {}  # before its turn comes, so that no interruption costs what is done
    new = 0

    def decoded(material: Material) -> Entry | None:
        entry = known.get(material.name)
        if entry is None or not _is_fresh(root / "pcm" / entry.pcm, material.paths):
            entry = _store(root, material, report)
            if entry is not None:
                stored[material.name] = entry
        return entry

    try:
        placed = _placed(materials(root, added), report)
        with closing(in_order(decoded, [material for material, _, _ in placed])) as found:
            for (material, split, category), entry in zip(placed, found, strict=True):
                if entry is None:
                    continue
                if material.name in stored:
                    report(f"{entry.cutoff:6.0f} Hz {entry.frames / RATE:6.1f} s  {material.name}")
                    new += 1
                if entry.kind == "samples":  # material, not pieces to be tested on: all of it trains
                    if material.key in TEST:  # a part cut out of a test piece
                        continue
                    split = "train"
                # Lists, licences and rules may have changed since a file was decoded.
                entries[material.name] = replace(
                    entry,
                    piece=material.piece,
                    licence=material.licence,
                    cutoff=min(entry.cutoff, RENDERED_HZ) if _is_render(material) else entry.cutoff,
                    split=split,
                    category=category,
                )
                if new == SAVE_EVERY:
                    _save(root, {**known, **stored, **entries})
                    new = 0
        known, stored = {}, {}  # what is no longer there goes
        _save(root, entries)
        lines = [f"{e.split}\t{e.category}\t{e.piece}\t{e.file}" for e in entries.values()]
        _write(root / "split.txt", "\n".join(["split\tcategory\tpiece\tfile", *sorted(lines)]) + "\n")
        return list(entries.values())
    except OSError as error:
        # NumPy's own errors ("3 requested and 1 written") have no strerror.
        raise Mp3fixError(f"{root}: {error.strerror or error}") from None
    finally:  # after Ctrl-C too: what is done stays done
        with suppress(OSError):
            _save(root, {**known, **stored, **entries})


def _placed(found: Iterable[Material], report: Report) -> list[tuple[Material, str, str]]:
    """What belongs to the corpus, with its split and category."""
    placed = {}  # by name: folders that were added may lie in each other
    for material in found:
        split, category = _place(material)
        if split is not None:
            placed[material.name] = material, split, category
        elif material.kind == "added":
            report(f"left out: {material.name}: has the name of a test piece")
    return list(placed.values())


def load(root: Path) -> list[Entry]:
    """Read the index of a corpus.

    Raises:
        Mp3fixError: there is none, or its index is not one that this version reads.
    """
    path = root / "index.json"
    try:
        return [Entry(**fields) for fields in json.loads(path.read_text(encoding="utf-8"))]
    except FileNotFoundError:
        raise Mp3fixError(f"{root}: no corpus there; make one with 'mp3fix-lab corpus {root}'") from None
    except (TypeError, ValueError) as error:  # unknown or missing fields; no JSON
        why = str(error).removeprefix("Entry.__init__() ")
        raise Mp3fixError(
            f"{path}: no index of this version of mp3fix ({why}); remove it and make the corpus again"
        ) from None


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


def _minutes(entries: Iterable[Entry]) -> float:
    return sum(entry.frames for entry in entries) / RATE / 60


def _place(material: Material) -> tuple[str | None, str]:
    """Split and category; no split for another version or a copy of a test piece."""
    if material.key in TEST:
        return "test", TEST[material.key]
    # Before anything else: whoever adds a copy of a test piece must not train on it.
    if material.piece in _TEST_PIECES or _is_stem_of_test(material):
        return None, ""
    split = split_of(material.piece)
    if material.kind == "added":
        return split, material.category
    # The test set of packages and renders is the list: what the hash would add to it trains.
    return "train" if split == "test" else split, material.category


def _is_stem_of_test(material: Material) -> bool:
    """Whether it is one stem of a test piece, whose name is that of its folder: added stems are not mixed."""
    path = material.paths[0]
    return material.kind == "added" and path.name in STEMS and piece_of(path.parent) in _TEST_PIECES


def _is_render(material: Material) -> bool:
    return material.source == "renders" and material.kind != "added"


_TEST_PIECES = {piece_of(Path(key)) for key in TEST}


def _is_fresh(decoded: Path, paths: Iterable[Path]) -> bool:
    """Whether a decoded file is there and no older than what it was made of."""
    try:
        return all(decoded.stat().st_mtime >= path.stat().st_mtime for path in paths)
    except OSError:
        return False


def _store(root: Path, material: Material, report: Report) -> Entry | None:
    """Decode, measure and store; None for what is no material."""
    recording = read(material, report)
    if recording is None:
        return None
    samples, kind = recording
    # Peaks beyond full scale (lossy decoders and mixed stems give them) are scaled, never clipped.
    peak = max(float(np.abs(samples).max()), 1.0)
    stored = np.round(samples * (32767 / peak)).astype(np.int16)
    file_name = hashlib.sha256(material.name.encode()).hexdigest()[:16] + ".npy"
    part = root / "pcm" / f"part-{file_name}"
    try:
        np.save(part, stored)
        os.replace(part, root / "pcm" / file_name)
    finally:  # on a full disk, half a file would only fill it more
        part.unlink(missing_ok=True)
    return Entry(
        file=material.name,
        piece=material.piece,
        source=material.source,
        licence=material.licence,
        kind=kind,
        lossless=material.lossless,
        frames=stored.shape[1],
        cutoff=cutoff(samples),
        split="",
        pcm=file_name,
    )


def _save(root: Path, entries: dict[str, Entry]) -> None:
    index = json.dumps([asdict(entry) for entry in entries.values()], indent=1)
    _write(root / "index.json", index + "\n")


def _write(path: Path, text: str) -> None:
    """A text file, whole or not at all."""
    part = path.with_name(path.name + ".part")
    try:
        part.write_text(text, encoding="utf-8")
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
