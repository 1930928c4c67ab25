"""Timed lyrics: ID3's lists of (text, milliseconds) to and from LRC text.

LRC is one line of "[mm:ss.xx]text" a line of lyrics; its enhanced form puts "<mm:ss.xx>" before words.
"""

import re

_STAMP = r"(\d+):(\d{1,2})(?:[.:](\d{1,3}))?"
_LINE_STAMP = re.compile(rf"\[{_STAMP}\]\s*")
_LINE = re.compile(rf"\s*(?P<stamps>({_LINE_STAMP.pattern})+)(?P<words>.*)")
_WORD_STAMP = re.compile(rf"<{_STAMP}>")


def to_lrc(entries: list[tuple[str, int]]) -> str:
    """LRC text of (text, time in ms) entries.

    An entry that does not begin with a line end continues the line; where none has one, each is a line.
    """
    lines: list[str] = []
    by_line = not any("\n" in text or "\r" in text for text, _ in entries)
    line_ended = True
    for text, time in entries:
        words = text.replace("\r\n", "\n").replace("\r", "\n")
        if by_line or line_ended or words.startswith("\n") or not lines:
            lines.append(f"[{_stamp(time)}]" + words.strip("\n").replace("\n", " "))
        else:
            lines[-1] += f"<{_stamp(time)}>" + words.rstrip("\n").replace("\n", " ")
        line_ended = words.endswith("\n")
    return "\n".join(lines)


def from_lrc(text: str) -> list[tuple[str, int]]:
    """(text, time in ms) entries in the order of time; each line begins with a line end, as ID3 asks.

    Lines without a time stamp (such as "[ar:...]") are left out.
    """
    entries: list[tuple[str, int]] = []
    for line in text.splitlines():
        if not (match := _LINE.fullmatch(line)):
            continue
        words = _WORD_STAMP.split(match["words"])
        first, rest = words[0], words[1:]
        for stamp in _LINE_STAMP.findall(match["stamps"]):
            entries.append(("\n" + first, _milliseconds(*stamp)))
        for minutes, seconds, fraction, word in zip(*[iter(rest)] * 4, strict=True):
            entries.append((word, _milliseconds(minutes, seconds, fraction)))
    return sorted(entries, key=lambda entry: entry[1])


def _stamp(time: int) -> str:
    """mm:ss.xx, or mm:ss.xxx where the hundredths do not say it all."""
    minutes, rest = divmod(time, 60_000)
    seconds, milliseconds = divmod(rest, 1000)
    fraction = f"{milliseconds:03d}" if milliseconds % 10 else f"{milliseconds // 10:02d}"
    return f"{minutes:02d}:{seconds:02d}.{fraction}"


def _milliseconds(minutes: str, seconds: str, fraction: str | None) -> int:
    return int(minutes) * 60_000 + int(seconds) * 1000 + int((fraction or "0").ljust(3, "0"))
