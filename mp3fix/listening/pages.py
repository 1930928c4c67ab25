"""A listening test as a page: index.html, which is the whole program, and one script an item that holds its sound.

Browsers let a page from a disk fetch nothing, but run scripts beside it: so sound travels as base64 in scripts.
Nothing in the page names a system: stimuli have opaque names, and what they stand for is in a file of its own, the key.
All stimuli of an item are in one file, as lengths of files would tell what is low-passed.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from mp3fix import __version__
from mp3fix.errors import Mp3fixError, OutputExistsError
from mp3fix.files.names import shown
from mp3fix.listening.anchors import EDGES, anchor
from mp3fix.listening.pagefolder import errors, publish
from mp3fix.listening.stimuli import REFERENCE, Item, level
from mp3fix.listening.writing import flac, write

Method = Literal["mos", "mushra", "abx", "which"]
MOST_STIMULI = 12  # on a page of MUSHRA: BS.1534-3, 5.3
_BITS = 16


@dataclass(frozen=True)
class Made:
    """What was written.

    Attributes:
        page: the page's index.html.
        key: the key's file.
        lufs: loudness of all stimuli.
        trials: a listener's, without practice.
        megabytes: of the page, all told.
        warnings: one line each.
    """

    page: Path
    key: Path
    lufs: float
    trials: int
    megabytes: float
    warnings: list[str]


def key_path(out: Path) -> Path:
    """Where the key of a page goes: beside its folder, which is sent to listeners."""
    return out.with_name(f"{out.name}.key.json")


def make(
    items: Sequence[Item],
    rate: int,
    method: Method,
    out: Path,
    title: str,
    repeats: int = 1,
    one_file: bool = False,
) -> Made:
    """Write a test as a folder, and its key beside it.

    Args:
        items: as `read_set` gives them.
        rate: Hz.
        method: of the test.
        out: folder, which must not exist.
        title: of the page.
        repeats: ABX: how often each item is asked.
        one_file: index.html holds the sound too.

    Raises:
        OutputExistsError: the folder or the key exists.
        Mp3fixError: the method cannot be done with these systems.
    """
    for path in (out, key_path(out)):
        if path.exists():
            raise OutputExistsError(
                f"{shown(path)} exists; name another folder, as listeners' results need their key"
            )
    check(items, method)
    levelled, lufs = level(items, rate)
    if method == "mushra":
        levelled = [_anchored(item, rate) for item in levelled]
    salt = secrets.token_hex(16)
    names = {item.name: _opaque(salt, item.name) for item in levelled}
    stimuli = {
        item.name: {_opaque(salt, item.name, system): system for system in item.stimuli} for item in levelled
    }
    test = {
        "id": _opaque(salt),
        "method": method,
        "title": title,
        "rate": rate,
        "repeats": repeats,
        "items": [
            _described(item, names[item.name], stimuli[item.name], method)
            for item in _scrambled(levelled, names)
        ],
    }
    key = {
        "mp3fix-listening-key": 1,
        "test": test["id"],
        "method": method,
        "title": title,
        "repeats": repeats,
        "mp3fix": __version__,
        "lufs": round(lufs, 2),
        "items": {
            names[item.name]: {
                "name": item.name,
                "practice": item.practice,
                "stimuli": dict(sorted(stimuli[item.name].items())),
                "gains_db": item.gains_db,
            }
            for item in levelled
        },
    }
    sounds = {
        names[item.name]: _script(item, names[item.name], stimuli[item.name], rate) for item in levelled
    }
    with errors(out):
        out.parent.mkdir(parents=True, exist_ok=True)
    write(key_path(out), json.dumps(key, indent=1) + "\n")  # first: a page without its key is worth nothing
    try:
        size = publish(out, test, sounds, one_file)
    except BaseException:
        key_path(out).unlink(missing_ok=True)
        raise
    tested = [item for item in levelled if not item.practice]
    each = {"mos": len(tested[0].stimuli), "abx": repeats}.get(method, 1)
    return Made(out / "index.html", key_path(out), lufs, len(tested) * each, size / 1e6, _warnings(levelled))


def check(items: Sequence[Item], method: Method) -> None:
    """Refuse systems that a method cannot compare.

    Raises:
        Mp3fixError: it says which are needed.
    """
    tested = [item for item in items if not item.practice]
    if not tested:
        raise Mp3fixError("all items are for practice; a test needs others")
    systems = list(tested[0].stimuli)
    there = f"there are: {', '.join(systems)}"
    if method == "mushra":
        if REFERENCE not in systems or len(systems) < 2:
            raise Mp3fixError(f"MUSHRA needs {REFERENCE} and a system to be rated; {there}")
        if len(systems) + len(EDGES) > MOST_STIMULI:
            raise Mp3fixError(
                f"MUSHRA with {len(systems)} systems and two anchors is more than {MOST_STIMULI} stimuli on a page "
                "(ITU-R BS.1534-3); choose some with --system"
            )
    if method == "abx" and len(systems) != 2:
        raise Mp3fixError(f"ABX compares two systems; choose them with --system A --system B; {there}")
    if method == "which" and (len(systems) != 3 or not {REFERENCE, "mp3"} <= set(systems)):
        raise Mp3fixError(
            f"this test needs {REFERENCE}, mp3 and one restoration; choose them with --system, three times; {there}"
        )


def _opaque(salt: str, *parts: str) -> str:
    return hashlib.sha256(json.dumps([salt, *parts]).encode()).hexdigest()[:12]


def _scrambled(items: Sequence[Item], names: dict[str, str]) -> list[Item]:
    """In the order of their opaque names: that of the folders would tell which they are."""
    return sorted(items, key=lambda item: names[item.name])


def _anchored(item: Item, rate: int) -> Item:
    """With both anchors, made of the reference as it is played."""
    reference = item.stimuli[REFERENCE]
    made = {name: anchor(reference, rate, edge) for name, edge in EDGES.items()}
    return replace(item, stimuli=item.stimuli | made)


def _described(item: Item, name: str, stimuli: dict[str, str], method: Method) -> dict[str, Any]:
    described: dict[str, Any] = {"id": name, "practice": item.practice, "stimuli": sorted(stimuli)}
    if method == "mushra":
        described["reference"] = next(id for id, system in stimuli.items() if system == REFERENCE)
    return described


def _script(item: Item, name: str, stimuli: dict[str, str], rate: int) -> str:
    """A script that hands the sound of an item to the page."""
    order = sorted(stimuli)
    sound = {id: base64.b64encode(flac(item.stimuli[stimuli[id]], rate, _BITS)).decode() for id in order}
    return f"takeSound({json.dumps(name)}, {json.dumps(sound)});\n"


def _warnings(items: Sequence[Item]) -> list[str]:
    """Gains that are so large that they say something: stimuli of an item are of nearly the same loudness."""
    lines = []
    for item in items:
        spread = max(item.gains_db.values()) - min(item.gains_db.values())
        if spread > 3:
            lines.append(
                f"{item.name}: stimuli differed by {spread:.1f} dB before they were levelled; "
                "are they of one recording?"
            )
    return lines
