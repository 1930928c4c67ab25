"""The stimuli of a listening test: a SET is a folder with one folder an item, and in it one file a system.

    SET/song one/reference.flac  mp3.flac  music.flac ...
    SET/song two/reference.flac  mp3.flac  music.flac ...

`reference` is what was not coded. An item whose folder begins with "practice" is for practice only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mp3fix.errors import Mp3fixError
from mp3fix.files.decode import open_decoder
from mp3fix.files.names import AUDIO_SUFFIXES, shown
from mp3fix.listening.anchors import EDGES
from mp3fix.report.loudness import loudness
from mp3fix.signal.levels import from_db, peak
from mp3fix.signal.resample import RateStream

REFERENCE = "reference"
TARGET_LUFS = -18.0  # loud enough for a phone; less where a peak would pass:
PEAK_DBFS = -1.0  # room for what the browser's own resampling and decoding add
FADE_SECONDS = 0.01  # at both ends of an excerpt, so that neither it nor its loop clicks
_UNLIKE_SECONDS = 0.1  # lengths that differ by more are not of one recording
_HIGHEST_RATE = 48000  # Hz; browsers and phones play no more
_SHORTEST_SECONDS = 1.0


@dataclass(frozen=True)
class Item:
    """One excerpt by several systems.

    Attributes:
        name: of its folder.
        stimuli: system -> float32 (C, n), all of one shape.
        gains_db: system -> gain that made them equally loud; empty before that.
    """

    name: str
    stimuli: dict[str, np.ndarray]
    gains_db: dict[str, float]

    @property
    def practice(self) -> bool:
        """Whether it is for practice only."""
        return self.name.lower().startswith("practice")


def read_set(folder: Path, systems: Sequence[str], start: float, seconds: float) -> tuple[list[Item], int]:
    """Read a SET: excerpts of one length within an item, at one rate, not yet equally loud.

    Args:
        folder: the SET.
        systems: those wanted; empty: all that are there.
        start: of the excerpts in their files, seconds.
        seconds: the longest they may be.

    Returns:
        Items by name, and the rate in Hz: the highest of the files', up to 48000.

    Raises:
        Mp3fixError: the set is none, or files of an item do not fit each other.
        DecodeError: a file is not audio.
    """
    found = {item.name: _files(item) for item in _item_folders(folder)}
    _check_systems(folder, found)
    if systems:
        missing = sorted(set(systems) - set(next(iter(found.values()))))
        if missing:
            there = ", ".join(next(iter(found.values())))
            raise Mp3fixError(f"{shown(folder)}: no system {missing[0]!a}; there are: {there}")
        found = {
            name: {system: file for system, file in files.items() if system in systems}
            for name, files in found.items()
        }
    rate = min(max(_rate(file) for files in found.values() for file in files.values()), _HIGHEST_RATE)
    return [_item(folder / name, files, rate, start, seconds) for name, files in found.items()], rate


def _item_folders(folder: Path) -> list[Path]:
    try:
        folders = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError as error:
        raise Mp3fixError(
            f"{shown(folder)}: {error.strerror}; name a folder that holds one folder an item"
        ) from error
    if not folders:
        raise Mp3fixError(
            f"{shown(folder)}: holds no folders; each item is one, with reference.flac and a file a system\n"
            "mp3fix-lab listen set makes such a folder from music of yours."
        )
    return folders


def _files(item: Path) -> dict[str, Path]:
    """System -> file, by name."""
    files: dict[str, Path] = {}
    for path in sorted(item.iterdir()):
        if path.suffix.lower() not in AUDIO_SUFFIXES or path.name.startswith("."):
            continue
        if path.stem in EDGES:
            raise Mp3fixError(f"{shown(path)}: {path.stem} is the name of an anchor; give the file another")
        if path.stem in files:
            raise Mp3fixError(f"{shown(path)}: {files[path.stem].name} is of that system too; remove one")
        files[path.stem] = path
    return files


def _check_systems(folder: Path, found: dict[str, dict[str, Path]]) -> None:
    everywhere = sorted({system for files in found.values() for system in files})
    if not everywhere:
        raise Mp3fixError(
            f"{shown(folder)}: no audio files in its folders; each item needs one file a system"
        )
    for name, files in found.items():
        for system in everywhere:
            if system not in files:
                raise Mp3fixError(f"{shown(folder / name)}: has no {system}; all items need the same systems")


def _rate(path: Path) -> int:
    with open_decoder(path) as decoder:
        return decoder.rate


def _item(folder: Path, files: dict[str, Path], rate: int, start: float, seconds: float) -> Item:
    whole = {system: _read(path, rate) for system, path in files.items()}
    first, *others = whole
    for system in others:
        (channels, frames), (as_channels, as_frames) = whole[system].shape, whole[first].shape
        if channels != as_channels:
            raise Mp3fixError(
                f"{shown(files[system])}: has {channels} channels, {files[first].name} has {as_channels}; "
                "all stimuli of an item need the same"
            )
        if abs(frames - as_frames) > _UNLIKE_SECONDS * rate:
            raise Mp3fixError(
                f"{shown(files[system])}: is {frames / rate:.2f} s long, {files[first].name} {as_frames / rate:.2f} s; "
                f"more than {_UNLIKE_SECONDS} s apart they are not the same excerpt"
            )
    frames = min(samples.shape[1] for samples in whole.values())
    begin = round(start * rate)
    end = min(frames, begin + round(seconds * rate))
    if end - begin < _SHORTEST_SECONDS * rate:
        raise Mp3fixError(
            f"{shown(folder)}: is {frames / rate:.1f} s long; less than {_SHORTEST_SECONDS:g} s is left from --start"
        )
    return Item(
        folder.name, {system: _faded(samples[:, begin:end], rate) for system, samples in whole.items()}, {}
    )


def _read(path: Path, rate: int) -> np.ndarray:
    with open_decoder(path) as decoder:
        stream = RateStream(decoder.rate, rate, decoder.channels)
        blocks = [stream.push(block) for block in decoder.blocks()]
        if decoder.channels > 2:
            raise Mp3fixError(f"{shown(path)}: has {decoder.channels} channels; pages play one or two")
    return np.concatenate([*blocks, stream.flush()], axis=1)


def _faded(samples: np.ndarray, rate: int) -> np.ndarray:
    length = round(FADE_SECONDS * rate)
    ramp = (0.5 - 0.5 * np.cos(np.pi * (np.arange(length) + 0.5) / length)).astype(np.float32)
    faded = samples.copy()
    faded[:, :length] *= ramp
    faded[:, -length:] *= ramp[::-1]
    return faded


def level(items: Sequence[Item], rate: int) -> tuple[list[Item], float]:
    """Make all stimuli equally loud by BS.1770: at TARGET_LUFS, or as far below as the highest peak asks for.

    Returns:
        The items, and their loudness in LUFS.

    Raises:
        Mp3fixError: a stimulus is silent.
    """
    gains: list[dict[str, float]] = []
    highest = 0.0
    for item in items:
        loud = {system: loudness(samples, rate) for system, samples in item.stimuli.items()}
        for system, lufs in loud.items():
            if not np.isfinite(lufs):
                raise Mp3fixError(f"{item.name}: {system} is silent; choose another excerpt")
        gains.append({system: TARGET_LUFS - lufs for system, lufs in loud.items()})
        highest = max(highest, *(peak(x) * from_db(gains[-1][system]) for system, x in item.stimuli.items()))
    lower = min(0.0, PEAK_DBFS - 20 * float(np.log10(highest)))
    levelled = [
        Item(
            item.name,
            {system: x * np.float32(from_db(gain[system] + lower)) for system, x in item.stimuli.items()},
            {system: round(db + lower, 2) for system, db in gain.items()},
        )
        for item, gain in zip(items, gains, strict=True)
    ]
    return levelled, TARGET_LUFS + lower
