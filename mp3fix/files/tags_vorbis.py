"""Vorbis comments (FLAC, Ogg) to and from neutral tags.

Chapters follow the chapter extension of wiki.xiph.org: CHAPTER001=hh:mm:ss.mmm, CHAPTER001NAME and
CHAPTER001URL.
"""

import base64
import binascii
import re
import unicodedata
from collections.abc import Iterable

from mutagen import MutagenError, flac

from mp3fix.files.tags_model import Chapter, Picture, Tags

_CHAPTER = re.compile(r"CHAPTER(\d{3,})(NAME|URL)?")
_TIME = re.compile(r"(\d+):(\d{1,2}):(\d{1,2}(?:\.\d+)?)")
_LANGUAGE = "_LANGUAGE"  # COMMENT_LANGUAGE=deu: one a value of COMMENT, in its order
_MAX_BLOCK = 2**24 - 1  # bytes in a FLAC metadata block


def from_vorbis(comments: Iterable[tuple[str, str]], pictures: Iterable[flac.Picture] = ()) -> Tags:
    """Neutral tags of (name, value) pairs and, in FLAC, of the picture blocks."""
    tags = Tags()
    chapters: dict[int, dict[str, str]] = {}
    languages: dict[str, list[str]] = {}
    for picture in pictures:
        tags.add_picture(Picture(picture.data, picture.mime, picture.type, picture.desc))
    for name, value in comments:
        key = name.upper()
        if match := _CHAPTER.fullmatch(key):
            chapters.setdefault(int(match[1]), {})[match[2] or ""] = value
        elif key == "METADATA_BLOCK_PICTURE":
            _add_encoded_picture(tags, value)
        elif key == "COVERART":  # an older habit: the bare image
            tags.add_picture(Picture(_decode(value)))
        elif key.endswith(_LANGUAGE):
            languages.setdefault(key, []).append(value)
        elif key != "COVERARTMIME":
            tags.add(key, value)
    for key, codes in languages.items():
        of = key.removesuffix(_LANGUAGE)
        if len(codes) == len(tags.values.get(of, [])):
            tags.languages[of] = ["" if code == "und" else code.lower() for code in codes]
        else:
            for code in codes:
                tags.add(key, code)
    for _, parts in sorted(chapters.items()):
        if match := _TIME.fullmatch(parts.get("", "").strip()):
            start = int(match[1]) * 3600 + int(match[2]) * 60 + float(match[3])
            tags.chapters.append(Chapter(start, parts.get("NAME", ""), url=parts.get("URL", "")))
    tags.chapters.sort(key=lambda chapter: chapter.start)
    return tags


def _add_encoded_picture(tags: Tags, value: str) -> None:
    try:
        picture = flac.Picture(_decode(value))
    except MutagenError as error:
        tags.warnings.append(f"a picture in the tags is broken: {error}")
        return
    tags.add_picture(Picture(picture.data, picture.mime, picture.type, picture.desc))


def _decode(value: str) -> bytes:
    try:
        return base64.b64decode(value)
    except (binascii.Error, ValueError):
        return b""


def to_vorbis(tags: Tags) -> list[tuple[str, str]]:
    """(name, value) pairs; a name that ASCII cannot spell becomes a comment "name: value"."""
    comments: list[tuple[str, str]] = []
    for key, values in tags.values.items():
        name = _ascii(key)
        for value in values:
            comments.append(
                (name, value) if name else ("COMMENT", f"{key.removeprefix('COMMENT:')}: {value}")
            )
        languages = tags.languages.get(key, [])
        # English is what taggers write when nobody chose a language: it says nothing
        if name and any(language not in ("", "eng") for language in languages):
            comments += [(name + _LANGUAGE, language or "und") for language in languages]
    for number, chapter in enumerate(tags.chapters, 1):
        hours, rest = divmod(round(chapter.start * 1000), 3_600_000)
        minutes, milliseconds = divmod(rest, 60_000)
        time = f"{hours:02d}:{minutes:02d}:{milliseconds / 1000:06.3f}"
        comments.append((f"CHAPTER{number:03d}", time))
        comments.append((f"CHAPTER{number:03d}NAME", chapter.title))
        if chapter.url:
            comments.append((f"CHAPTER{number:03d}URL", chapter.url))
    return comments


def _ascii(key: str) -> str:
    """The key without accents, "" if letters of another script remain."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", key) if not unicodedata.combining(c))
    return plain if all(" " <= c <= "}" for c in plain) else ""


def to_flac_pictures(pictures: list[Picture]) -> tuple[list[flac.Picture], list[str]]:
    """FLAC's picture blocks, and a warning for each picture beyond what a block can hold."""
    blocks, warnings = [], []
    for picture in pictures:
        block = flac.Picture()
        block.data, block.mime = picture.data, picture.mime
        block.type, block.desc = picture.type, picture.description
        if len(block.write()) > _MAX_BLOCK:
            size = len(picture.data) / 1e6
            warnings.append(
                f"a picture of {size:.0f} MB is not kept: FLAC holds at most 16 MB (WAV holds it)"
            )
        else:
            blocks.append(block)
    return blocks, warnings
