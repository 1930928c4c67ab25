"""Tags that belong to no container: names in the spelling of Vorbis comments, pictures, chapters."""

import re
from dataclasses import dataclass, field

# Names, without " ", "_" and "-", that speak of the old file's coding, level or length: wrong after a
# restoration. "ENCOD" covers ENCODER, ENCODED BY, ENCODING SETTINGS and their like.
_STALE_PREFIXES = (
    *("ENCOD", "REPLAYGAIN", "R128", "MP3GAIN", "RGRADIO", "RGAUDIOPHILE", "RGPEAK", "WMFSDK"),
    *("ITUNSMPB", "ITUNNORM", "ITUNPGAP", "ACCURATERIP", "ACCURIP", "CTDB"),
)
_STALE_NAMES = {
    *("TLEN", "LENGTH", "DURATION", "TSIZ", "SIZE", "FILESIZE", "BITRATE", "TSSE", "TENC", "TOOL", "CDEC"),
    *("MAJORBRAND", "MINORVERSION", "COMPATIBLEBRANDS", "WAVEFORMATEXTENSIBLECHANNELMASK", "SOFTWARE"),
    *("TDEN", "TDTG", "TDLY", "TFLT", "AUDIOMD5", "MD5", "PEAKVALUE", "AVERAGELEVEL", "PGAP", "ISVBR"),
    "DEVICECONFORMANCETEMPLATE",
}

# Other spellings of the same thing. The MusicBrainz names are what its taggers write in ID3, MP4 and ASF.
_ALIASES = {
    "ALBUM ARTIST": "ALBUMARTIST",
    "ALBUM_ARTIST": "ALBUMARTIST",
    "YEAR": "DATE",
    "TRACK": "TRACKNUMBER",
    "TOTALTRACKS": "TRACKTOTAL",
    "DISC": "DISCNUMBER",
    "DISK": "DISCNUMBER",
    "TOTALDISCS": "DISCTOTAL",
    "MIXARTIST": "REMIXER",
    "UNSYNCEDLYRICS": "LYRICS",
    "UNSYNCED LYRICS": "LYRICS",
    "SYNCED LYRICS": "SYNCEDLYRICS",
    "ACOUSTID ID": "ACOUSTID_ID",
    "ACOUSTID FINGERPRINT": "ACOUSTID_FINGERPRINT",
    "MUSICBRAINZ ALBUM TYPE": "RELEASETYPE",
    "MUSICBRAINZ ALBUM STATUS": "RELEASESTATUS",
    "MUSICBRAINZ ALBUM RELEASE COUNTRY": "RELEASECOUNTRY",
} | {
    f"MUSICBRAINZ {thing} ID".upper(): f"MUSICBRAINZ_{thing.replace(' ', '')}ID".upper()
    for thing in (
        *(
            "Album",
            "Artist",
            "Album Artist",
            "Release Group",
            "Release Track",
            "Track",
            "Work",
            "Disc",
            "TRM",
        ),
        *("Original Album", "Original Artist"),
    )
}

_TOTALS = {"TRACKNUMBER": "TRACKTOTAL", "DISCNUMBER": "DISCTOTAL", "MOVEMENT": "MOVEMENTTOTAL"}
# Of one name, and of pictures: nobody reads more, and comparing each with all others takes its time.
_MOST = 1000
_NUMBER_OF = re.compile(r"\s*(\d+)\s*/\s*(\d*)\s*")
_MAGIC = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG": "image/png", b"GIF8": "image/gif", b"BM": "image/bmp"}


@dataclass(frozen=True)
class Picture:
    """An attached picture.

    Attributes:
        data: the image file's bytes (or an address, where mime is "-->").
        mime: its type.
        type: what it shows, by the numbers of ID3's APIC frame that FLAC shares; 3 is the front cover.
        description: free text.
    """

    data: bytes
    mime: str = ""
    type: int = 3
    description: str = ""

    def __post_init__(self) -> None:
        if self.mime != "-->":
            object.__setattr__(self, "mime", _mime(self.data, self.mime))


def _mime(data: bytes, given: str) -> str:
    """What the bytes say, else what the tag says: old taggers write "JPG", "image/jpg", "PNG" or nothing."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    found = next((mime for magic, mime in _MAGIC.items() if data.startswith(magic)), "")
    return found or given.lower() or "image/"


@dataclass(frozen=True)
class Chapter:
    """A chapter.

    Attributes:
        start: where it begins, in seconds.
        title: its name.
        end: where it ends, in seconds; None: at the start of the next.
        url: an address that belongs to it.
    """

    start: float
    title: str
    end: float | None = None
    url: str = ""


@dataclass
class Tags:
    """What a file says about its music.

    Attributes:
        values: upper-case name -> values. LYRICS is plain text, SYNCEDLYRICS is LRC text, RATING is 0 to 100;
            a comment with a description is COMMENT:DESCRIPTION.
        languages: for names in values whose values have languages: one ISO 639-2 code a value, "" unknown.
        pictures: in the file's order.
        chapters: by start.
        warnings: one line for each thing that could not be read.
    """

    values: dict[str, list[str]] = field(default_factory=dict)
    languages: dict[str, list[str]] = field(default_factory=dict)
    pictures: list[Picture] = field(default_factory=list)
    chapters: list[Chapter] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def add(self, name: str, value: str, language: str = "") -> None:
        """Add a value under the name's usual spelling, unless it is stale, empty or there already."""
        key = _clean(name).strip().upper().replace("=", "_")
        key = _ALIASES.get(key, key)
        value = _clean(value).strip("\0\r\n ") if key != "SYNCEDLYRICS" else _clean(value)
        if not key or not value or is_stale(key):
            return
        if key in _TOTALS and (match := _NUMBER_OF.fullmatch(value)):
            self.add(_TOTALS[key], match[2])
            value = match[1]
        values = self.values.setdefault(key, [])
        if len(values) >= _MOST:
            self._warn_of_many(key)
            return
        if key == "DATE":  # a year is no second date beside the full one
            if any(old.startswith(value) for old in values):
                return
            values[:] = [old for old in values if not value.startswith(old)]
        languages = (
            self.languages.setdefault(key, [""] * len(values)) if language else self.languages.get(key)
        )
        if value in values and (
            languages is None or (value, language) in zip(values, languages, strict=True)
        ):
            return
        values.append(value)
        if languages is not None:
            languages.append(language)

    def add_picture(self, picture: Picture) -> None:
        """Add a picture unless it is empty or there already."""
        if len(self.pictures) >= _MOST:
            self._warn_of_many("pictures")
        elif picture.data and picture not in self.pictures:
            self.pictures.append(picture)

    def _warn_of_many(self, what: str) -> None:
        text = f"of more than {_MOST} {what[:40]} in its tags the others are not kept"
        if text not in self.warnings:
            self.warnings.append(text)

    def fill(self, other: "Tags") -> None:
        """Take from a second tag of the same file what this one lacks."""
        for key in other.values.keys() - self.values.keys():
            self.values[key] = other.values[key]
            if key in other.languages:
                self.languages[key] = other.languages[key]
        self.pictures = self.pictures or other.pictures
        self.chapters = self.chapters or other.chapters

    def __bool__(self) -> bool:
        return bool(self.values or self.pictures or self.chapters)


def is_stale(key: str) -> bool:
    """Whether a name (upper case) speaks of the old file's coding, level or length."""
    compact = re.sub("[ _-]", "", key)
    return compact.startswith(_STALE_PREFIXES) or compact in _STALE_NAMES


def _clean(text: str) -> str:
    """Text that every container can hold: no lone surrogates, no control characters but \\n, \\r and \\t."""
    text = text.encode("utf-8", "replace").decode("utf-8")
    return "".join(c for c in text if c >= " " or c in "\n\r\t")
