"""APEv2 items to neutral tags."""

from mutagen import apev2

from mp3fix.files.tags_model import Picture, Tags

_COVER = "cover art ("
_COVERS = {"front": 3, "back": 4, "leaflet": 5, "media": 6, "lead artist": 7, "artist": 8, "conductor": 9}
_COVERS |= {"band": 10, "composer": 11, "lyricist": 12, "recording location": 13, "icon": 1, "other icon": 2}


def from_ape(items: apev2.APEv2) -> Tags:
    """Neutral tags; of binary items only the pictures."""
    tags = Tags()
    for name, value in items.items():
        if name.lower().startswith(_COVER):
            if value.kind == apev2.BINARY:
                description, _, data = value.value.partition(b"\0")
                kind = _COVERS.get(name.lower()[len(_COVER) :].rstrip(")"), 0)
                tags.add_picture(Picture(data, type=kind, description=_description(description)))
        elif value.kind == apev2.TEXT:
            for text in value:
                tags.add(name, text)
        elif value.kind == apev2.EXTERNAL:
            tags.add(name, value.value)
    return tags


def _description(name: bytes) -> str:
    """The picture's description; most taggers write a mere file name such as "Cover Art (Front).jpg"."""
    text = name.decode("utf-8", "replace")
    return "" if text.lower().startswith(_COVER) else text
