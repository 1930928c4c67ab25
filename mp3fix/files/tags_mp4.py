"""MP4 atoms (iTunes metadata) to neutral tags."""

from mutagen import mp4

from mp3fix.files.tags_model import Chapter, Picture, Tags

_NAMES = {
    **{
        "\xa9nam": "TITLE",
        "\xa9ART": "ARTIST",
        "aART": "ALBUMARTIST",
        "\xa9alb": "ALBUM",
        "\xa9gen": "GENRE",
    },
    **{
        "\xa9day": "DATE",
        "\xa9wrt": "COMPOSER",
        "\xa9cmt": "COMMENT",
        "\xa9grp": "GROUPING",
        "\xa9lyr": "LYRICS",
    },
    **{"\xa9wrk": "WORK", "\xa9mvn": "MOVEMENTNAME", "\xa9mvi": "MOVEMENT", "\xa9mvc": "MOVEMENTTOTAL"},
    **{"\xa9con": "CONDUCTOR", "\xa9pub": "PUBLISHER", "cprt": "COPYRIGHT", "desc": "DESCRIPTION"},
    **{"ldes": "LONGDESCRIPTION", "tmpo": "BPM", "cpil": "COMPILATION", "shwm": "SHOWMOVEMENT"},
    **{"sonm": "TITLESORT", "soar": "ARTISTSORT", "soaa": "ALBUMARTISTSORT", "soal": "ALBUMSORT"},
    **{"soco": "COMPOSERSORT", "catg": "PODCASTCATEGORY", "keyw": "PODCASTKEYWORDS", "purl": "PODCASTURL"},
    **{"egid": "PODCASTID", "pcst": "PODCAST", "rtng": "ITUNESADVISORY", "rate": "RATING"},
}
_PAIRS = {"trkn": ("TRACKNUMBER", "TRACKTOTAL"), "disk": ("DISCNUMBER", "DISCTOTAL")}


def from_mp4(atoms: mp4.MP4Tags | None, chapters: mp4.MP4Chapters | None) -> Tags:
    """Neutral tags. Atoms of the shop (account, catalogue numbers) and of the encoder are left out."""
    tags = Tags()
    for atom, values in (atoms or {}).items():
        if atom == "covr":
            for cover in values:
                tags.add_picture(Picture(bytes(cover)))
        elif atom in _PAIRS:
            for pair in values:
                for name, number in zip(_PAIRS[atom], pair, strict=True):
                    if number:
                        tags.add(name, str(number))
        elif atom.startswith("----:"):
            for value in values:
                _add_free_form(tags, atom.split(":", 2)[-1], value)
        elif atom in _NAMES:
            for value in values if isinstance(values, list) else [values]:
                if value:  # 0 and False say nothing
                    tags.add(_NAMES[atom], str(int(value)) if isinstance(value, bool) else str(value))
    tags.chapters = sorted(
        (Chapter(chapter.start, chapter.title) for chapter in chapters or ()),
        key=lambda chapter: chapter.start,
    )
    return tags


def _add_free_form(tags: Tags, name: str, value: bytes) -> None:
    """A free-form atom, if it is text."""
    try:
        text = bytes(value).decode("utf-8")
    except UnicodeDecodeError:
        return
    if "\0" not in text:
        tags.add(name, text)
