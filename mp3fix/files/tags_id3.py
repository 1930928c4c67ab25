"""ID3v2 frames to neutral tags, and the names that both directions share (ID3v2.4.0, native frames).

mutagen makes its frames' attributes at run time, so that to a type checker they are of type Any.
"""

from collections.abc import Callable
from typing import Any

from mutagen import id3

from mp3fix.files import tags_limits  # noqa: F401
from mp3fix.files.lrc import to_lrc
from mp3fix.files.tags_model import Chapter, Picture, Tags

# Text frames and web addresses that are one name each, both ways.
NAMES = {
    **{"TIT2": "TITLE", "TIT3": "SUBTITLE", "TIT1": "GROUPING", "TALB": "ALBUM", "TSST": "DISCSUBTITLE"},
    **{"TPE1": "ARTIST", "TPE2": "ALBUMARTIST", "TPE3": "CONDUCTOR", "TPE4": "REMIXER", "TCOM": "COMPOSER"},
    **{"TEXT": "LYRICIST", "TPUB": "LABEL", "TCOP": "COPYRIGHT", "TPRO": "PRODUCEDNOTICE", "TCON": "GENRE"},
    **{
        "TSRC": "ISRC",
        "TBPM": "BPM",
        "TKEY": "INITIALKEY",
        "TLAN": "LANGUAGE",
        "TMOO": "MOOD",
        "TMED": "MEDIA",
    },
    **{"TDRC": "DATE", "TDOR": "ORIGINALDATE", "TDRL": "RELEASEDATE", "TOFN": "ORIGINALFILENAME"},
    **{"TOAL": "ORIGINALALBUM", "TOPE": "ORIGINALARTIST", "TOLY": "ORIGINALLYRICIST", "TOWN": "FILEOWNER"},
    **{"TRSN": "RADIOSTATION", "TRSO": "RADIOSTATIONOWNER", "TCMP": "COMPILATION", "MVNM": "MOVEMENTNAME"},
    **{"TSOA": "ALBUMSORT", "TSOP": "ARTISTSORT", "TSOT": "TITLESORT", "TSO2": "ALBUMARTISTSORT"},
    **{"TSOC": "COMPOSERSORT", "TCAT": "PODCASTCATEGORY", "TDES": "PODCASTDESCRIPTION", "TGID": "PODCASTID"},
    **{"TKWD": "PODCASTKEYWORDS", "WFED": "PODCASTURL", "WOAR": "WEBSITE", "WCOP": "LICENSE"},
    **{"WOAF": "WWWAUDIOFILE", "WOAS": "WWWAUDIOSOURCE", "WORS": "WWWRADIOPAGE", "WCOM": "WWWCOMMERCIALINFO"},
    **{"WPAY": "WWWPAYMENT", "WPUB": "WWWPUBLISHER"},
}
# Frames that hold "number/total".
NUMBERED = {
    "TRCK": ("TRACKNUMBER", "TRACKTOTAL"),
    "TPOS": ("DISCNUMBER", "DISCTOTAL"),
    "MVIN": ("MOVEMENT", "MOVEMENTTOTAL"),
}
ROLES = {
    "ARRANGER": "arranger",
    "ENGINEER": "engineer",
    "PRODUCER": "producer",
    "DJMIXER": "DJ-mix",
    "MIXER": "mix",
}
RECORDING = "http://musicbrainz.org"  # owner of the UFID frame that holds a MusicBrainz recording
# One to five stars as Windows and most players write them in a POPM byte, and on the scale of 0 to 100.
POPM_STARS, PERCENT_STARS = (0, 1, 64, 128, 196, 255), (0, 20, 40, 60, 80, 100)

_ROLE_NAMES = {role.lower(): name for name, role in ROLES.items()}
_ID3V1_COMMENT = "ID3v1 Comment"  # mutagen's description of a comment from an ID3v1 tag


def from_id3(frames: id3.ID3, seconds_per_frame: float = 0.0) -> Tags:
    """Neutral tags of a loaded ID3 tag.

    seconds_per_frame is the length of an MPEG frame, for lyrics that are timed in such frames (0: unknown).

    Binary frames of single programs (PRIV, GEOB, MCDI) have no place in Vorbis comments and are left out.
    """
    tags = Tags()
    for frame in frames.values():
        if frame.FrameID == "SYLT":
            _add_timed_lyrics(tags, frame, seconds_per_frame)
        elif frame.FrameID == "CHAP":
            tags.chapters.append(_chapter(frame))
        elif frame.FrameID in _PARTICULAR:
            _PARTICULAR[frame.FrameID](tags, frame)
        else:
            _add_plain(tags, frame)
    for frame in frames.getall(f"COMM:{_ID3V1_COMMENT}"):
        # ID3v1 cuts comments off after 28 letters: leave out what is only the beginning of another
        if not any(text.startswith(str(frame).strip()) for text in tags.values.get("COMMENT", [])):
            tags.add("COMMENT", str(frame))
    tags.chapters.sort(key=lambda chapter: chapter.start)
    return tags


def _add_plain(tags: Tags, frame: Any) -> None:
    """Any text or address frame; binary frames are left out."""
    name = frame.FrameID
    if name in NUMBERED:
        name = NUMBERED[name][0]
    name = NAMES.get(name, name)
    if hasattr(frame, "url"):
        tags.add(name, frame.url)
    elif isinstance(getattr(frame, "text", None), list):
        for text in frame.text:
            is_time = isinstance(text, id3.ID3TimeStamp)
            tags.add(name, text.text.replace(" ", "T") if is_time else text)


def _add_named_text(tags: Tags, frame: Any) -> None:
    for text in frame.text:
        tags.add(frame.desc or "TXXX", text)


def _add_comment(tags: Tags, frame: Any) -> None:
    if frame.desc == _ID3V1_COMMENT:
        return
    name = f"COMMENT:{frame.desc}" if frame.desc else "COMMENT"
    if frame.desc.startswith("iTun"):  # iTunNORM and the like: numbers, no comment
        name = frame.desc
    for text in frame.text:
        tags.add(name, text, _language(frame.lang))


def _add_lyrics(tags: Tags, frame: Any) -> None:
    tags.add("LYRICS", frame.text, _language(frame.lang))


def _add_timed_lyrics(tags: Tags, frame: Any, seconds_per_frame: float) -> None:
    unit = 1.0 if frame.format == 2 else seconds_per_frame * 1000  # format 2 is ms, 1 is MPEG frames
    # types 0, 1 and 2 are lyrics and transcripts; chords, events and the like are no text to sing
    if unit and frame.type in (0, 1, 2):
        entries = [(text, round(time * unit)) for text, time in frame.text]
        tags.add("SYNCEDLYRICS", to_lrc(entries), _language(frame.lang))


def _add_picture(tags: Tags, frame: Any) -> None:
    tags.add_picture(Picture(frame.data, frame.mime, int(frame.type), frame.desc))


def _add_rating(tags: Tags, frame: Any) -> None:
    if frame.rating:
        tags.add("RATING", str(convert_rating(frame.rating, POPM_STARS, PERCENT_STARS)))
    if getattr(frame, "count", 0):
        tags.add("PLAYCOUNT", str(frame.count))


def _add_play_count(tags: Tags, frame: Any) -> None:
    tags.add("PLAYCOUNT", str(frame.count))


def _add_recording(tags: Tags, frame: Any) -> None:
    if frame.owner == RECORDING:
        tags.add("MUSICBRAINZ_TRACKID", frame.data.decode("ascii", "replace"))


def _add_people(tags: Tags, frame: Any) -> None:
    for role, person in frame.people:
        if role.lower() in _ROLE_NAMES:
            tags.add(_ROLE_NAMES[role.lower()], person)
        else:
            tags.add("PERFORMER", f"{person} ({role})" if role else person)


def _add_named_address(tags: Tags, frame: Any) -> None:
    tags.add(f"URL:{frame.desc}" if frame.desc else "URL", frame.url)


def _add_grouping(tags: Tags, frame: Any) -> None:
    for text in frame.text:
        tags.add("GROUPING", text)


def _add_podcast(tags: Tags, frame: Any) -> None:
    tags.add("PODCAST", "1")


_PARTICULAR: dict[str, Callable[[Tags, Any], None]] = {
    "TXXX": _add_named_text,
    "COMM": _add_comment,
    "USLT": _add_lyrics,
    "APIC": _add_picture,
    "POPM": _add_rating,
    "PCNT": _add_play_count,
    "UFID": _add_recording,
    "TIPL": _add_people,
    "TMCL": _add_people,
    "WXXX": _add_named_address,
    "GRP1": _add_grouping,
    "PCST": _add_podcast,
}


def _language(code: str) -> str:
    """A language code in lower case, "" where it says nothing."""
    code = code.strip("\0 ").lower()
    return "" if code in ("", "xxx", "und") else code


def _chapter(frame: Any) -> Chapter:
    titles = frame.sub_frames.getall("TIT2")
    urls = [getattr(sub, "url", "") for sub in frame.sub_frames.values() if sub.FrameID[0] == "W"]
    end = frame.end_time / 1000 if frame.start_time < frame.end_time < 0xFFFFFFFF else None
    title = str(titles[0].text[0]) if titles and titles[0].text else ""
    return Chapter(frame.start_time / 1000, title, end, urls[0] if urls else "")


def convert_rating(value: float, scale: tuple[int, ...], other: tuple[int, ...]) -> int:
    """A value of one scale on another, straight between the stars that correspond."""
    star = max(1, next((i for i, point in enumerate(scale) if value <= point), len(scale) - 1))
    part = (value - scale[star - 1]) / (scale[star] - scale[star - 1])
    return round(other[star - 1] + part * (other[star] - other[star - 1]))
