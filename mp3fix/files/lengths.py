"""How long a file says it is, by its header: what decoding is held against."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import mutagen

from . import tags_limits  # noqa: F401

_WAV_PCM = (1, 3, 6, 7)  # integers, floats, A-law, mu-law: as many bytes for every sample
_EXTENSIBLE = 0xFFFE
# Writers that do not know the length yet put 0 or something close to the largest number there.
_LEAST_PLACEHOLDER = 0x7FFFF000
_MOST_CHUNKS = 10_000  # before the samples; a hostile file has millions
_MOST_BYTES = 2**42  # four terabytes: a size beyond is nonsense
_AIFC_PCM = (
    b"NONE",
    b"sowt",
    b"twos",
    b"fl32",
    b"FL32",
    b"fl64",
    b"FL64",
    b"in24",
    b"in32",
    b"ulaw",
    b"alaw",
)
_WITH_LENGTH = {"MP4", "ASF", "MonkeysAudio", "WavPack", "Musepack", "TrueAudio", "OptimFROG", "TAK"}
_WITH_LENGTH |= {"OggVorbis", "OggOpus", "OggFLAC", "OggSpeex"}


@dataclass(frozen=True)
class Promise:
    """Length by the header.

    Attributes:
        samples: samples per channel, exactly.
        seconds: about as many; containers count the codec's delay, or round.
    """

    samples: int | None = None
    seconds: float | None = None

    def count(self, rate: int) -> int | None:
        """Samples per channel at the decoder's rate in Hz, None where the header does not say."""
        if self.samples is None and self.seconds is not None:
            return round(self.seconds * rate)
        return self.samples


def promised(path: Path) -> Promise:
    """The length in the header of a WAV, AIFF, FLAC or a container mutagen knows; empty where not said."""
    try:
        with open(path, "rb") as file:
            head = file.read(12)
            if head[:4] in (b"RIFF", b"RF64") and head[8:] == b"WAVE":
                return Promise(_wav_samples(file))
            if head[:4] == b"FORM" and head[8:] in (b"AIFF", b"AIFC"):
                return Promise(_aiff_samples(file))
            if head[:4] == b"fLaC":
                file.seek(8)
                info = file.read(34)
                return Promise(int.from_bytes(info[13:18], "big") & 0xFFFFFFFFF or None)
        tagged = mutagen.File(path)
    # Of a hostile file mutagen may raise anything; the length is only for a warning.
    except Exception:
        return Promise()
    length = getattr(getattr(tagged, "info", None), "length", 0)
    return Promise(seconds=length if type(tagged).__name__ in _WITH_LENGTH and length > 0 else None)


def wav_mask(path: Path) -> int:
    """The channel mask of a WAVE_FORMAT_EXTENSIBLE file, 0 where there is none."""
    with open(path, "rb") as file:
        head = file.read(12)
        if head[:4] not in (b"RIFF", b"RF64") or head[8:] != b"WAVE":
            return 0
        for name, _, body in _chunks(file, "<"):
            if name == b"fmt " and len(body) >= 40 and body[:2] == b"\xfe\xff":
                return int.from_bytes(body[20:24], "little")
    return 0


def _chunks(file: BinaryIO, order: str) -> Iterator[tuple[bytes, int, bytes]]:
    """Name, size and first bytes of each chunk of a RIFF ("<") or IFF (">") file, from its position on."""
    for _ in range(_MOST_CHUNKS):
        head = file.read(8)
        if len(head) < 8:
            return
        name, size = struct.unpack(order + "4sI", head)
        start = file.tell()
        yield name, size, file.read(min(size, 64))
        file.seek(start + size + size % 2)


def _wav_samples(file: BinaryIO) -> int | None:
    """Samples per channel of a WAV or RF64 with samples of one size; None where it does not say."""
    align = large = 0
    for name, size, body in _chunks(file, "<"):
        if name == b"ds64" and len(body) >= 16:
            large = int.from_bytes(body[8:16], "little")
            large = large if large <= _MOST_BYTES else 0
        elif name == b"fmt " and len(body) >= 16:
            code = struct.unpack_from("<H", body)[0]
            if code == _EXTENSIBLE and len(body) >= 26:
                code = struct.unpack_from("<H", body, 24)[0]
            align = struct.unpack_from("<H", body, 12)[0] if code in _WAV_PCM else 0
        elif name == b"data":
            if size == 0xFFFFFFFF and large:
                size = large
            elif size == 0 or size >= _LEAST_PLACEHOLDER:
                return None
            return size // align if align else None
    return None


def _aiff_samples(file: BinaryIO) -> int | None:
    """Samples per channel of an AIFF; None where it does not say, or where its count is one of packets."""
    for name, _, body in _chunks(file, ">"):
        if name == b"COMM" and len(body) >= 18:
            plain = len(body) < 22 or body[18:22] in _AIFC_PCM
            return struct.unpack_from(">I", body, 2)[0] or None if plain else None
    return None
