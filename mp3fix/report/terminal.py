"""A small spectrum before and after, for a terminal."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.text import Text

_RANGE_DB = 100.0
_WIDTH = 44  # characters of a bar; with the marks beside it a line has fewer than 80
_BLOCKS = {"before": "▒", "added": "█", "removed": "·", "mark": "◂"}
_ASCII = {"before": "-", "added": "#", "removed": ".", "mark": "<"}
_STYLES = {"before": "dim", "added": "bold bright_green", "removed": "dim"}


def spectrum(record: dict[str, Any], encoding: str) -> "Text":
    """The long-term spectrum as bars, the treble at the top: what was there, and what came to it.

    Args:
        record: of a restored song, with "spectrum", "cutoff_before" and "cutoff_after".
        encoding: of the terminal; one that cannot show blocks gets plain ASCII.
    """
    from rich.text import Text

    signs = _BLOCKS if _shows_blocks(encoding) else _ASCII
    bands = record["spectrum"]
    width = bands["band_hz"]
    text = Text("    kHz  ")
    for name, style in _STYLES.items():
        text.append(signs[name] * 2, style).append(f" {name}   ")
    text.append(f"(long-term, {-_RANGE_DB:.0f} to 0 dB)")
    levels = list(zip(bands["before_db"], bands["after_db"], strict=True))
    for number, (before, after) in reversed(list(enumerate(levels))):
        text.append(f"\n{number * width / 1000:7.1f}  ")
        was, now = _length(before), _length(after)
        bar = {"before": min(was, now), "added": max(0, now - was), "removed": max(0, was - now)}
        for name, length in bar.items():
            text.append(signs[name] * length, _STYLES[name])
        marks = [
            f"{record[key] / 1000:.1f} {name}"
            for key, name in (("cutoff_before", "before"), ("cutoff_after", "after"))
            if record[key] and min(int(record[key] // width), len(levels) - 1) == number
        ]
        if marks:
            text.append(" " * (_WIDTH - max(was, now)) + f" {signs['mark']} {', '.join(marks)}")
    return text


def _shows_blocks(encoding: str) -> bool:
    try:
        "".join(_BLOCKS.values()).encode(encoding)
    except (LookupError, UnicodeEncodeError):
        return False
    return True


def _length(level: float) -> int:
    """Characters of a bar."""
    return max(0, round((level / _RANGE_DB + 1) * _WIDTH))
