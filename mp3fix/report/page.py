"""A page that plays a song before and after, from any disk, without a network: sound, spectrograms, player.

What is on it comes from the files themselves, the input and the restorations, which are decoded again.
"""

import base64
import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from mp3fix import __version__
from mp3fix.errors import DecodeError, EncodeError, UsageError
from mp3fix.files import tags
from mp3fix.files.encode import gain_for_peak
from mp3fix.files.flacfile import can_hold_rate
from mp3fix.files.names import shown
from mp3fix.files.probe import probe
from mp3fix.report import excerpt
from mp3fix.report.excerpt import FULL_SCALE, Measured, Span
from mp3fix.report.pagefile import Written, write_files
from mp3fix.signal.levels import from_db, peak, to_db

PIECE_SECONDS = 15  # of sound in one piece: the browser decodes piece by piece, and starts with the first
MOST_CHANNELS = 2


@dataclass(frozen=True)
class Restoration:
    """One restored file.

    Attributes:
        path: the file.
        name: of its row on the page.
        gain_db: that the file got, so as not to clip; the difference to the original leaves it out.
    """

    path: Path
    name: str
    gain_db: float = 0.0


@dataclass(frozen=True)
class Subject:
    """What a page is about.

    Attributes:
        input: the original file.
        name: that of the input, as people read it.
        restorations: made of it.
        generator: who made them: name and version.
        begin: second of the input at which the restorations begin.
    """

    input: Path
    name: str
    restorations: Sequence[Restoration]
    generator: str
    begin: float = 0.0


def check_channels(path: Path, name: str) -> None:
    """Refuse what browsers would play as they like: more than two channels.

    Raises:
        UsageError: there are more.
    """
    try:
        channels = probe(path).channels
    except DecodeError:
        return  # whoever restores it says better what is wrong
    if channels > MOST_CHANNELS:
        raise UsageError(_too_many(name, channels))


def _too_many(name: str, channels: int) -> str:
    return f"{name}: a page plays one or two channels, not {channels}: leave --page out"


def write_page(page: Path, subject: Subject, seconds: float, overwrite: bool = False) -> Written:
    """Write a page.

    Args:
        page: the .html file. Where it would be too large, the sound goes into a folder beside it (see `pagefile`).
        subject: what it is about.
        seconds: of the song on it: from where the restorations begin, if that was chosen, else from the middle.
        overwrite: whether a file that mp3fix did not make is replaced.

    Raises:
        DecodeError: a file cannot be decoded.
        EncodeError: the page cannot be written; nothing of it is left behind.
    """
    span = _span(subject, seconds)
    before = Span(span.rate, round(subject.begin * span.rate) + span.start, span.frames)
    files = [(subject.input, before), *((each.path, span) for each in subject.restorations)]
    # What an MP3 decodes to may pass full scale. All are lowered alike then.
    scale = from_db(gain_for_peak(max(peak(excerpt.read(path, part)) for path, part in files)))
    gains = [1.0, *(from_db(each.gain_db) for each in subject.restorations)]
    original = np.zeros((0, 0), np.int16)
    measured, differences, sound = [], [], []
    for number, ((path, part), gain) in enumerate(zip(files, gains, strict=True)):
        samples = excerpt.as_16_bits(excerpt.read(path, part), scale)
        measured.append(excerpt.measure(samples.astype(np.float32) / FULL_SCALE, span.rate))
        if number == 0:
            original = samples
        else:
            differences.append(excerpt.measure(excerpt.minus(samples, gain, original), span.rate))
        cut = excerpt.pieces(samples, span.rate, PIECE_SECONDS * span.rate)
        sound.append([base64.b64encode(piece).decode("ascii") for piece in cut])
    facts = _facts(subject, span, before, measured, differences)
    return write_files(page, _about(subject, before, measured, scale) | {"facts": facts}, sound, overwrite)


def _span(subject: Subject, seconds: float) -> Span:
    """The excerpt in the restorations."""
    first = subject.restorations[0].path
    try:
        info = soundfile.info(first)
    except soundfile.SoundFileError as error:
        raise DecodeError(f"{shown(first)}: cannot be read again for the page ({error})") from error
    if not can_hold_rate(info.samplerate):
        raise EncodeError(f"{shown(first)}: no page can play {info.samplerate} Hz; choose another --rate")
    if info.channels > MOST_CHANNELS:
        raise EncodeError(_too_many(subject.name, info.channels))
    frames = min(info.frames, round(seconds * info.samplerate))
    return Span(info.samplerate, 0 if subject.begin else (info.frames - frames) // 2, frames)


def _facts(
    subject: Subject, span: Span, before: Span, measured: Sequence[Measured], differences: Sequence[Measured]
) -> dict[str, Any]:
    """What the player must know, of sources in the order: original, restorations, differences."""
    names = _names(subject)
    loud = [each.lufs for each in measured if math.isfinite(each.lufs)]
    target = min(loud) if loud else -math.inf
    gains = [0.0, *(each.gain_db for each in subject.restorations)]
    sources = [
        _source(name, each, _difference(target, each.lufs)) | {"fileGain": gain}
        for name, each, gain in zip(names, measured, gains, strict=True)
    ]
    for number, each in enumerate(differences, 1):
        # Up to the others' loudness, where its peaks allow that.
        gain = min(_difference(target, each.lufs), -to_db(each.peak)) if each.peak else 0.0
        sources.append(_source(f"{names[number]} minus original", each, gain) | {"of": number})
    return {
        "rate": span.rate,
        "frames": span.frames,
        "pieceFrames": PIECE_SECONDS * span.rate,
        "start": before.start / span.rate,
        "target": _finite(target),
        "sources": sources,
    }


def _names(subject: Subject) -> list[str]:
    return ["Original", *(each.name for each in subject.restorations)]


def _source(name: str, measured: Measured, gain: float) -> dict[str, Any]:
    return {
        "name": name,
        "gain": round(gain, 2),
        "lufs": _finite(measured.lufs),
        "cutoff": round(measured.cutoff),
    }


def _difference(target: float, lufs: float) -> float:
    """Gain in dB from one loudness to another; 0 where there is none."""
    return target - lufs if math.isfinite(target) and math.isfinite(lufs) else 0.0


def _finite(value: float) -> float | None:
    return round(value, 2) if math.isfinite(value) else None


def clock(seconds: float) -> str:
    """A time as 1:02.5."""
    minutes, rest = divmod(round(10 * seconds), 600)
    return f"{minutes}:{rest / 10:04.1f}"


def _about(subject: Subject, before: Span, measured: Sequence[Measured], scale: float) -> dict[str, Any]:
    """What people read: the title, and facts in a line each."""
    carried = tags.read(subject.input).values
    title, artist = (" / ".join(carried.get(key, [])) for key in ("TITLE", "ARTIST"))
    try:
        info = probe(subject.input)
    except DecodeError:
        info = None
    codec = [info.codec] if info else []
    if info and info.bitrate_kbps:
        codec.append(f"{info.bitrate_kbps} kbit/s")
    before_khz, after_khz = (each.cutoff / 1000 for each in measured[:2])
    names = [*_names(subject), "Difference"]  # a row each; that of the difference shows one at a time
    seconds = before.frames / before.rate
    first = f" from {clock(before.start / before.rate)}" if before.start else ""
    identity = hashlib.sha256(repr((__version__, str(subject), before, measured)).encode("utf-8", "replace"))
    return {
        "identity": identity.hexdigest()[:16],
        "version": __version__,
        "title": title or subject.name,
        "artist": artist,
        "file": subject.name,
        "codec": ", ".join(codec),
        "cutoffs": f"{before_khz:.1f} → {after_khz:.1f} kHz" if before_khz or after_khz else "none: silence",
        "generator": subject.generator,
        "lowered": to_db(scale) if scale < 1 else 0.0,
        "excerpt": f"{seconds:.1f} s of the song{first}",
        "rows": [{"source": source, "name": name} for source, name in enumerate(names)],
    }
