"""--below: which songs are worth restoring, and what becomes of the others."""

import filecmp
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mp3fix.errors import DecodeError, EncodeError
from mp3fix.files import temporary
from mp3fix.files.measure import Measured, measure
from mp3fix.files.names import shown
from mp3fix.files.probe import probe
from mp3fix.files.snapshot import Snapshot

# Where spectra of LAME's MP3s end, as CutoffMeter sees it, and 0.2 kHz more: kbit/s -> Hz. A bitrate may have several
# ends: the highest counts. There is nothing for higher bitrates: so much treble is also where good recordings end.
_STEREO = {
    **{32: 5800, 40: 7100, 48: 7900, 56: 10500, 64: 11400, 80: 13300},
    **{96: 15600, 128: 16900, 160: 17700, 192: 18900},
}
_MONO = {16: 5500, 24: 5800, 32: 8400, 40: 10800, 48: 11200, 56: 14800, 64: 16900}

# An encoder's low-pass is a step down to the noise of 16 bits: 50 to 90 dB. What fades by itself falls by less.
STEP_DB = 30.0
_MEASURED_SECONDS = 60
_BLOCK = 2**20  # bytes of a file that is copied


@dataclass(frozen=True)
class Choice:
    """Whether a song is restored, and why."""

    restore: bool
    reason: str


def bitrate(path: Path) -> int | None:
    """What the file says of its bitrate, kbit/s.

    Raises:
        DecodeError: the file is missing, or is no music.
    """
    return probe(path).bitrate_kbps


def choose(path: Path, kbps: int | None, below: int) -> Choice:
    """Whether a song is restored: one of a low bitrate, or whose spectrum ends as if it once had one.

    Args:
        path: the file; decoded (its first minute) only where its bitrate is above.
        kbps: its bitrate.
        below: the highest bitrate that is restored, kbit/s.

    Raises:
        DecodeError: nothing of it can be decoded.
    """
    rate = "a bitrate that nobody knows" if kbps is None else f"{kbps} kbit/s"
    if kbps is not None and kbps <= below:
        return Choice(True, rate)
    measured = measure(path, _MEASURED_SECONDS)
    ends = (
        f"{rate}, its spectrum ends at {measured.cutoff / 1000:.1f} kHz"
        if measured.cutoff
        else f"{rate}, silence"
    )
    if ends_like_mp3(measured, below):
        return Choice(True, f"{ends} like that of an MP3 of at most {below} kbit/s")
    return Choice(False, ends)


def ends_like_mp3(measured: Measured, below: int) -> bool:
    """Whether a spectrum ends like that of an MP3 of at most this bitrate, kbit/s."""
    return 0 < measured.cutoff <= _lowpass(below, measured.channels) and measured.step_db >= STEP_DB


def _lowpass(below: int, channels: int) -> int:
    """The highest frequency at which the spectrum of an MP3 of at most this bitrate ends, Hz."""
    table = _MONO if channels == 1 else _STEREO
    return max((hz for kbps, hz in table.items() if kbps <= below), default=0)


def is_copied(source: Path, target: Path) -> bool:
    """Whether a copy of the source is there: of the same size, and of the same time or the same bytes."""
    try:
        one, other = os.stat(source), os.stat(target)
    except OSError:
        return False
    if one.st_size != other.st_size:
        return False
    if abs(one.st_mtime_ns - other.st_mtime_ns) <= 2_000_000_000:  # to which memory cards keep times
        return True
    try:
        return stat.S_ISREG(other.st_mode) and filecmp.cmp(source, target, shallow=False)
    except OSError:
        return False


def copy(source: Path, target: Path, overwrite: bool) -> None:
    """Copy a file with its time, whole or not at all. The folder must be there.

    Raises:
        DecodeError: the source cannot be read, or changes meanwhile.
        OutputExistsError: the target exists and is not to be overwritten.
        EncodeError: it cannot be written.
    """
    before = Snapshot(source)
    try:
        made = temporary.create(target)
        try:
            with open(made, "wb") as file:
                file.writelines(_blocks(source))
            if changed := before.changed():
                raise DecodeError(changed)
            os.utime(made, ns=(before.status.st_atime_ns, before.status.st_mtime_ns))
            temporary.sync(made)
            temporary.publish(made, target, overwrite)
        finally:
            temporary.remove(made)
    except OSError as error:
        raise EncodeError(f"{shown(target)} cannot be written: {error.strerror or error}") from error


def _blocks(source: Path) -> Iterator[bytes]:
    """What is in a file. Raises DecodeError, so that its faults are not taken for those of whatever is written."""
    try:
        with open(source, "rb") as file:
            while block := file.read(_BLOCK):
                yield block
    except OSError as error:
        raise DecodeError(f"{shown(source)}: cannot be read ({error.strerror or error})") from error
