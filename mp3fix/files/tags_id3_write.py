"""Neutral tags to an ID3v2.4 tag: its frames, and the bytes of the whole."""

import io
import re
from collections.abc import Iterator

from mutagen import MutagenError, id3

from mp3fix.files.lrc import from_lrc
from mp3fix.files.tags_id3 import (
    NAMES,
    NUMBERED,
    PERCENT_STARS,
    POPM_STARS,
    RECORDING,
    ROLES,
    convert_rating,
)
from mp3fix.files.tags_model import Chapter, Tags

_FRAMES = {name: frame for frame, name in NAMES.items()}
_NUMBERS = {number: frame for frame, (number, _) in NUMBERED.items()}
_TOTALS = {total for _, total in NUMBERED.values()}
# Descriptions of TXXX frames as MusicBrainz taggers spell them: some players compare case.
_DESCRIPTIONS = {
    "ACOUSTID_ID": "Acoustid Id",
    "ACOUSTID_FINGERPRINT": "Acoustid Fingerprint",
    "MUSICBRAINZ_ALBUMID": "MusicBrainz Album Id",
    "MUSICBRAINZ_ARTISTID": "MusicBrainz Artist Id",
    "MUSICBRAINZ_ALBUMARTISTID": "MusicBrainz Album Artist Id",
    "MUSICBRAINZ_RELEASEGROUPID": "MusicBrainz Release Group Id",
    "MUSICBRAINZ_RELEASETRACKID": "MusicBrainz Release Track Id",
    "MUSICBRAINZ_WORKID": "MusicBrainz Work Id",
    "MUSICBRAINZ_DISCID": "MusicBrainz Disc Id",
    "RELEASETYPE": "MusicBrainz Album Type",
    "RELEASESTATUS": "MusicBrainz Album Status",
    "RELEASECOUNTRY": "MusicBrainz Album Release Country",
}
_UTF8 = 3


def render_id3(tags: Tags, duration: float) -> tuple[bytes, list[str]]:
    """An ID3v2.4 tag in UTF-8 without padding, and a warning for each frame that cannot be written.

    duration is the song's, in seconds: the last chapter ends there.
    """
    rendered, warnings = [], []
    for frame in _frames(tags, duration):
        try:
            # a tag a frame: mutagen sorts frames by size, but players show chapters in the order of the file
            one, buffer = id3.ID3(), io.BytesIO()
            one.add(frame)
            one.save(buffer, v1=0, padding=lambda info: 0)
            rendered.append(buffer.getvalue()[10:])
        except (MutagenError, ValueError, TypeError) as error:
            warnings.append(f"tag {frame.FrameID} is not kept: {error}")
    size = sum(map(len, rendered))
    header = b"ID3\x04\x00\x00" + bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"".join([header, *rendered]), warnings


def _frames(tags: Tags, duration: float) -> Iterator[id3.Frame]:
    for key, values in tags.values.items():
        languages = tags.languages.get(key, [""] * len(values))
        if key in ("COMMENT", "LYRICS", "SYNCEDLYRICS") or key.startswith("COMMENT:"):
            yield from _texts_with_language(key, list(zip(values, languages, strict=True)))
        elif key in _NUMBERS:
            totals = tags.values.get(NUMBERED[_NUMBERS[key]][1], [])
            texts = [f"{n}/{totals[i]}" if i < len(totals) else n for i, n in enumerate(values)]
            yield getattr(id3, _NUMBERS[key])(encoding=_UTF8, text=texts)
        elif key not in _TOTALS and key not in ROLES and key not in ("RATING", "PLAYCOUNT", "PERFORMER"):
            yield from _plain(key, values)
    for key, total in NUMBERED.values():
        if total in tags.values and key not in tags.values:
            yield from _plain(total, tags.values[total])
    yield from _ratings(tags)
    yield from _people(tags)
    yield from _chapters(tags.chapters, duration)
    for picture in tags.pictures:
        content = {"type": picture.type, "desc": picture.description, "data": picture.data}
        yield id3.APIC(encoding=_UTF8, mime=picture.mime, **content)


def _plain(key: str, values: list[str]) -> Iterator[id3.Frame]:
    """The frame of a name without particulars, else a free text frame."""
    name = _FRAMES.get(key, "")
    if key == "MUSICBRAINZ_TRACKID":
        yield id3.UFID(owner=RECORDING, data=values[0].encode("ascii", "replace"))
    elif key == "PODCAST":
        yield id3.PCST(value=1)
    elif (key == "URL" or key.startswith("URL:")) and all(map(str.isascii, values)):
        yield from (id3.WXXX(encoding=_UTF8, desc=key[4:], url=url) for url in values)
    elif name.startswith("W") and all(map(str.isascii, values)):
        yield from (getattr(id3, name)(url=url) for url in values)
    elif name.startswith("TD") and name != "TDES" and not all(map(_is_date, values)):
        yield id3.TXXX(encoding=_UTF8, desc=key, text=values)
    elif name.startswith(("T", "M")):
        yield getattr(id3, name)(encoding=_UTF8, text=values)
    else:
        yield id3.TXXX(encoding=_UTF8, desc=_DESCRIPTIONS.get(key, key), text=values)


def _texts_with_language(key: str, texts: list[tuple[str, str]]) -> Iterator[id3.Frame]:
    for text, language in texts:
        head = {"encoding": _UTF8, "lang": language if re.fullmatch("[a-z]{3}", language) else "XXX"}
        if key == "LYRICS":
            yield id3.USLT(**head, desc="", text=text)
        elif key == "SYNCEDLYRICS":
            yield id3.SYLT(**head, desc="", format=2, type=1, text=from_lrc(text))
        else:
            yield id3.COMM(**head, desc=key[8:], text=[text])


def _is_date(text: str) -> bool:
    """Whether ID3's timestamp can say it: "c. 1970" cannot."""
    return re.match(r"\d{4}(-\d|$)", text) is not None


def _ratings(tags: Tags) -> Iterator[id3.Frame]:
    rating = tags.values.get("RATING", [""])[0]
    percent = _percent(rating)
    count = tags.values.get("PLAYCOUNT", [""])[0]
    plays = int(count) if count.isdecimal() and len(count) < 10 else 0
    if percent is not None:
        popm = convert_rating(percent, PERCENT_STARS, POPM_STARS)
        yield id3.POPM(email="no@email", rating=popm, count=plays)
    elif plays:
        yield id3.PCNT(count=plays)
    for name, text, said in (("RATING", rating, percent is not None), ("PLAYCOUNT", count, bool(plays))):
        if text and not said:
            yield id3.TXXX(encoding=_UTF8, desc=name, text=[text])


def _percent(text: str) -> float | None:
    """A RATING as players write it (0.0 to 1.0, stars 1 to 5, or 0 to 100) on the scale of 0 to 100."""
    if not re.fullmatch(r"\d{1,3}(\.\d*)?", text) or (value := float(text)) > 100:
        return None
    if "." in text and value <= 1:
        return value * 100
    return value * 20 if value <= 5 else value


def _people(tags: Tags) -> Iterator[id3.Frame]:
    producers = [[ROLES[key], person] for key in ROLES for person in tags.values.get(key, [])]
    if producers:
        yield id3.TIPL(encoding=_UTF8, people=producers)
    performers = []
    for text in tags.values.get("PERFORMER", []):
        match = re.fullmatch(r"(.*\S)\s*\(([^()]*)\)", text)  # person (instrument)
        performers.append([match[2], match[1]] if match else ["", text])
    if performers:
        yield id3.TMCL(encoding=_UTF8, people=performers)


def _chapters(chapters: list[Chapter], duration: float) -> Iterator[id3.Frame]:
    """The table of contents (which cannot count beyond 255), then a CHAP frame each, all with an end."""
    names = [f"chp{index}" for index in range(len(chapters))]
    if 0 < len(chapters) < 256:
        flags = id3.CTOCFlags.TOP_LEVEL | id3.CTOCFlags.ORDERED
        yield id3.CTOC(element_id="toc", flags=flags, child_element_ids=names, sub_frames=[])
    following = [*(chapter.start for chapter in chapters[1:]), duration]
    for name, chapter, after in zip(names, chapters, following, strict=False):
        end = after if chapter.end is None else chapter.end
        content: list[id3.Frame] = []
        if chapter.title:
            content.append(id3.TIT2(encoding=_UTF8, text=[chapter.title]))
        if chapter.url:
            content.append(id3.WXXX(encoding=_UTF8, desc="", url=chapter.url))
        times = {"start_time": _ms(chapter.start), "end_time": _ms(max(end, chapter.start))}
        yield id3.CHAP(element_id=name, **times, sub_frames=content)


def _ms(seconds: float) -> int:
    return min(round(seconds * 1000), 0xFFFFFFFE)
