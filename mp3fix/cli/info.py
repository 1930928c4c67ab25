"""mp3fix --info: what a file is, without restoring it."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from mp3fix.files.measure import measure
from mp3fix.files.probe import probe

MEASURED_SECONDS = 300  # of the song's beginning, for the cut-off


def facts(path: Path) -> dict[str, Any]:
    """What the file says of itself, and the cut-off measured in it (Hz; 0 for silence).

    Raises:
        DecodeError: nothing can be said of the file.
    """
    said = asdict(probe(path))
    return {**said, "cutoff": round(measure(path, MEASURED_SECONDS).cutoff)}


def as_text(name: str, found: dict[str, Any]) -> str:
    """The facts for people: a line each."""
    mode, lowpass, cutoff = found["mode"], found["lowpass"], found["cutoff"]
    lines = {
        "codec": found["codec"],
        "bitrate": _bitrate(found["bitrate_kbps"], found["bitrate_mode"]),
        "rate": f"{found['rate']} Hz",
        "channels": f"{found['channels']}" + (f" ({mode})" if mode else ""),
        "encoder": found["encoder"] or "not said",
        "duration": _clock(found["duration"]),
        "low-pass": f"{lowpass} Hz (as tagged)" if lowpass else None,
        "cut-off": f"{cutoff / 1000:.1f} kHz (measured)" if cutoff else "none: silence",
    }
    return "\n".join([name, *(f"  {key:9} {value}" for key, value in lines.items() if value)])


def _bitrate(kbps: int | None, mode: str | None) -> str | None:
    if not kbps:
        return None
    return f"{kbps} kbit/s" + (f" ({mode})" if mode else "")


def _clock(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02}:{rest:05.2f}" if hours else f"{minutes}:{rest:05.2f}"
