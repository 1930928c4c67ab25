"""Tags, pictures and chapters: from any file that mutagen knows into FLAC or WAV.

They are read into neutral `Tags` and written as Vorbis comments (FLAC) or ID3v2.4 (WAV). What speaks of the
old file's coding, level or length (encoder, gapless numbers, ReplayGain ...) is left out. Nothing here
stops a restoration: what cannot be read or written is a warning.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import mutagen
import soundfile
from mutagen import MutagenError
from mutagen._vorbis import VComment
from mutagen.aiff import AIFF
from mutagen.apev2 import APENoHeaderError, APEv2
from mutagen.asf import ASF
from mutagen.flac import FLAC
from mutagen.id3 import ID3, ID3NoHeaderError
from mutagen.mp3 import HeaderNotFoundError
from mutagen.mp4 import MP4
from mutagen.ogg import OggFileType
from mutagen.wave import WAVE

from mp3fix.files import wav
from mp3fix.files.tags_ape import from_ape
from mp3fix.files.tags_asf import from_asf
from mp3fix.files.tags_id3 import from_id3
from mp3fix.files.tags_id3_write import render_id3
from mp3fix.files.tags_model import Chapter, Picture, Tags
from mp3fix.files.tags_mp4 import from_mp4
from mp3fix.files.tags_vorbis import from_vorbis, to_flac_pictures, to_vorbis

__all__ = ["Chapter", "Picture", "Tags", "read", "write"]

# What mutagen says of broken bytes ("error", "'' is not a valid key") tells nobody anything.
_DAMAGED = "its tags are damaged: not all of them can be read"
_OWN = "MP3FIX_"  # names that describe one restoration


def read(path: Path) -> Tags:
    """Tags of a file; what is broken is named in their warnings. Never raises."""
    try:
        return _read(path)
    except Exception:  # a parser may raise anything on hostile bytes
        return Tags(warnings=[_DAMAGED])


def _read(path: Path) -> Tags:
    tags, file, broken = Tags(), None, None
    try:
        file = mutagen.File(path)
    except HeaderNotFoundError:
        pass  # an MP3 that mutagen cannot parse may still have tags at its ends
    except MutagenError as error:
        broken = error
    if isinstance(file, MP4):
        return from_mp4(file.tags, file.chapters)
    if isinstance(file, ASF):
        return from_asf(file.tags) if file.tags is not None else tags
    if file is not None and isinstance(file.tags, VComment):
        tags = from_vorbis(list.__iter__(file.tags), getattr(file, "pictures", []))
    elif file is not None and isinstance(file.tags, ID3):
        info = file.info
        frame = 1152 if getattr(info, "version", 1) == 1 else 576  # samples in an MPEG frame
        frames = _load_id3(path, type(file.tags))
        tags = from_id3(frames, frame / info.sample_rate if getattr(info, "sample_rate", 0) else 0.0)
    elif file is not None and isinstance(file.tags, APEv2):
        tags = from_ape(file.tags)
    if isinstance(file, WAVE | AIFF):
        tags.fill(_info_chunk(path))
    elif not isinstance(file, OggFileType):
        broken = _fill_from_ends(tags, path) or broken
    if broken is not None:
        tags.warnings.append(_DAMAGED)
    return tags


def _fill_from_ends(tags: Tags, path: Path) -> MutagenError | None:
    """Add what an ID3 or APEv2 tag before or behind the audio says and the file's own tag does not."""
    broken = None
    try:
        tags.fill(from_id3(_load_id3(path)))
    except ID3NoHeaderError:
        pass
    except MutagenError as error:
        broken = error
    try:
        tags.fill(from_ape(APEv2(path)))
    except APENoHeaderError:
        pass
    except MutagenError as error:
        broken = error
    return broken


def _load_id3(path: Path, kind: type[ID3] = ID3) -> ID3:
    """The ID3 tag as ID3v2.4. mutagen's translation loses pictures of ID3v2.2 that share a description."""
    frames = kind(path, translate=False)
    for picture in frames.getall("APIC"):
        picture.mime = {"PNG": "image/png", "JPG": "image/jpeg"}.get(picture.mime, picture.mime)
    frames.update_to_v24()
    return frames


def _info_chunk(path: Path) -> Tags:
    """Title, artist and the like from the INFO list of a WAV or the text chunks of an AIFF."""
    tags = Tags()
    try:
        with soundfile.SoundFile(path) as file:
            for name, text in file.copy_metadata().items():
                tags.add(name, text)
    except soundfile.SoundFileError:
        pass  # the decoder says what is wrong with the file
    return tags


def write(path: Path, tags: Tags, extra: dict[str, str]) -> list[str]:
    """Write tags and `extra` (name -> value, said of this restoration) into a fresh FLAC or WAV file.

    Returns:
        A warning for each thing that could not be written.

    Raises:
        OSError: when the disk refuses; the file may then be broken.
    """
    values = {key: values for key, values in tags.values.items() if not key.startswith(_OWN)}
    tags = replace(tags, values=values | {key: [value] for key, value in extra.items()})
    if not tags:
        return []
    try:
        with open(path, "rb") as file:
            is_flac = file.read(4) == b"fLaC"
        return _write_flac(path, tags) if is_flac else _write_wav(path, tags)
    except OSError:
        raise
    except Exception as error:
        if isinstance(error.__context__, OSError):  # mutagen wraps it
            raise error.__context__ from error
        return [f"the tags are not kept: {_reason(error)}"]


def _write_flac(path: Path, tags: Tags) -> list[str]:
    file: Any = FLAC(path)
    if file.tags is None:
        file.add_tags()
    file.tags.extend(to_vorbis(tags))
    pictures, warnings = to_flac_pictures(tags.pictures)
    for picture in pictures:
        file.add_picture(picture)
    file.save()
    return warnings


def _write_wav(path: Path, tags: Tags) -> list[str]:
    # mutagen would write it too, but neither into RF64 nor without a risk to a file that has no room for it
    duration = soundfile.info(path).duration if tags.chapters else 0.0
    content, warnings = render_id3(tags, duration)
    wav.append_chunk(path, b"id3 ", content)
    return warnings


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
