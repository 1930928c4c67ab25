"""ASF attributes (WMA) to neutral tags."""

import struct

from mutagen import asf

from mp3fix.files.tags_model import Picture, Tags

_NAMES = {
    **{
        "Author": "ARTIST",
        "Description": "COMMENT",
        "WM/AlbumTitle": "ALBUM",
        "WM/AlbumArtist": "ALBUMARTIST",
    },
    **{"WM/Year": "DATE", "WM/Genre": "GENRE", "WM/Composer": "COMPOSER", "WM/TrackNumber": "TRACKNUMBER"},
    **{"WM/PartOfSet": "DISCNUMBER", "WM/Publisher": "LABEL", "WM/Lyrics": "LYRICS", "WM/ISRC": "ISRC"},
    **{
        "WM/BeatsPerMinute": "BPM",
        "WM/InitialKey": "INITIALKEY",
        "WM/Mood": "MOOD",
        "WM/Conductor": "CONDUCTOR",
    },
    **{"WM/Writer": "LYRICIST", "WM/ContentGroupDescription": "GROUPING", "WM/SubTitle": "SUBTITLE"},
    **{"WM/SetSubTitle": "DISCSUBTITLE", "WM/ModifiedBy": "REMIXER", "WM/Producer": "PRODUCER"},
    **{
        "WM/Engineer": "ENGINEER",
        "WM/Mixer": "MIXER",
        "WM/DJMixer": "DJMIXER",
        "WM/IsCompilation": "COMPILATION",
    },
    **{
        "WM/AlbumSortOrder": "ALBUMSORT",
        "WM/ArtistSortOrder": "ARTISTSORT",
        "WM/TitleSortOrder": "TITLESORT",
    },
    **{"WM/AlbumArtistSortOrder": "ALBUMARTISTSORT", "WM/ComposerSortOrder": "COMPOSERSORT"},
    **{
        "WM/OriginalReleaseTime": "ORIGINALDATE",
        "WM/OriginalReleaseYear": "ORIGINALDATE",
        "WM/Media": "MEDIA",
    },
    **{
        "WM/OriginalAlbumTitle": "ORIGINALALBUM",
        "WM/OriginalArtist": "ORIGINALARTIST",
        "WM/Language": "LANGUAGE",
    },
    **{
        "WM/Barcode": "BARCODE",
        "WM/CatalogNo": "CATALOGNUMBER",
        "WM/AuthorURL": "WEBSITE",
        "WM/Work": "WORK",
    },
}
_STARS = (1, 25, 50, 75, 99)  # WM/SharedUserRating for one to five stars


def from_asf(attributes: asf.ASFTags) -> Tags:
    """Neutral tags; other names in WM/ speak of the file or its shop and are left out."""
    tags = Tags()
    for name, value in attributes:
        if name == "WM/Picture":
            _add_picture(tags, bytes(value.value))
        elif name == "WM/SharedUserRating":
            rating = int(value)
            if rating > 0:
                tags.add("RATING", str(20 * (1 + sum(rating >= point for point in _STARS[1:]))))
        elif name == "WM/IsCompilation":
            if str(value) in ("1", "True"):
                tags.add("COMPILATION", "1")
        elif isinstance(value.value, str | int) and (name in _NAMES or not name.startswith("WM/")):
            tags.add(_NAMES.get(name, name.replace("/", " ")), str(value.value))
    return tags


def _add_picture(tags: Tags, content: bytes) -> None:
    """A WM/Picture: type, length of the data, then type and description in UTF-16 that end in a zero."""
    try:
        kind, size = struct.unpack_from("<BI", content)
        text = content[5 : max(5, len(content) - size)]
        mime, description, *_ = text.decode("utf-16-le").split("\0")
    except (struct.error, ValueError):
        tags.warnings.append("a picture in the tags is broken")
        return
    tags.add_picture(Picture(content[len(content) - size :], mime, kind, description))
