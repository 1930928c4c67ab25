"""Sound MP3s with tags that are huge, lie, or unpack to more than a machine holds."""

import zlib
from io import BytesIO

import mp3s
import mutagen.id3
import numpy as np
from kinds import FRAMES, SLACK, Case, Whole, case, kind, song, tagged

ART = b"\xff\xd8\xff\xe0" + np.random.default_rng(6).bytes(6_000_000)
SOUND = Whole(FRAMES)


def synchsafe(value: int) -> bytes:
    """Four bytes of seven bits."""
    return bytes(value >> shift & 127 for shift in (21, 14, 7, 0))


def id3(version: int, body: bytes, size: int | None = None, flags: int = 0) -> bytes:
    """A tag of ID3v2.`version` around frames."""
    return b"ID3" + bytes((version, 0, flags)) + synchsafe(len(body) if size is None else size) + body


def frame(version: int, name: bytes, content: bytes, flags: int = 0) -> bytes:
    """A frame."""
    if version == 2:
        return name + len(content).to_bytes(3, "big") + content
    size = synchsafe(len(content)) if version == 4 else len(content).to_bytes(4, "big")
    return name + size + flags.to_bytes(2, "big") + content


def art(version: int) -> Case:
    if version == 2:
        pictures = frame(2, b"PIC", b"\0JPG\x03\0" + ART)
    else:
        pictures = frame(version, b"APIC", b"\0image/jpeg\0\x03\0" + ART)
    title = frame(version, b"TT2" if version == 2 else b"TIT2", b"\0A title")
    return Case(id3(version, title + pictures) + tagged(), SOUND)


for _version in (2, 3, 4):
    case(f"ID3v2.{_version} with 6 MB of art", art, _version)


@kind
def id3_that_claims_256_mb() -> Case:
    return Case(id3(4, frame(4, b"TIT2", b"\0A title"), 2**28 - 1) + tagged(), SOUND)


@kind
def id3_frame_that_claims_256_mb() -> Case:
    return Case(id3(4, b"TIT2" + synchsafe(2**28 - 1) + b"\0\0\0A title") + tagged(), SOUND)


def bomb(version: int) -> Case:
    """A gigabyte of zeros in a megabyte."""
    packer, zeros = zlib.compressobj(9, zlib.DEFLATED, -15), bytes(10**7)
    part = packer.compress(zeros) + packer.flush(zlib.Z_FULL_FLUSH)
    check = (10**9 % 65521) << 16 | 1
    packed = b"\x78\xda" + part * 100 + packer.flush() + check.to_bytes(4, "big")
    size = synchsafe(10**9 & 0xFFFFFFF) if version == 4 else (10**9).to_bytes(4, "big")
    flags = 0x0009 if version == 4 else 0x0080
    return Case(id3(version, frame(version, b"TXXX", size + packed, flags)) + tagged(), SOUND)


case("ID3v2.3 with a zlib bomb", bomb, 3)
case("ID3v2.4 with a zlib bomb", bomb, 4)


@kind
def a_zlib_bomb_in_a_chapter() -> Case:
    inner = bomb(3).data[10 : 10 + 1_100_000]
    inner = inner[: 10 + int.from_bytes(inner[4:8], "big")]
    chapter = frame(3, b"CHAP", b"one\0" + bytes(16) + inner)
    return Case(id3(3, chapter) + tagged(), SOUND)


@kind
def a_compressed_frame_that_is_none() -> Case:
    return Case(id3(3, frame(3, b"TIT2", b"\0\0\0\7" + b"\x78\x9cno zlib", 0x0080)) + tagged(), SOUND)


@kind
def chapters_in_chapters() -> Case:
    inner = b""
    for _ in range(3000):
        inner = frame(3, b"CHAP", b"c\0" + bytes(16) + inner)
    return Case(id3(3, inner) + tagged(), SOUND)


@kind
def two_hundred_thousand_comments() -> Case:
    values = b"\0".join(b"%d" % number for number in range(200_000))
    return Case(id3(4, frame(4, b"TXXX", b"\0many\0" + values)) + tagged(), SOUND)


@kind
def two_hundred_thousand_frames() -> Case:
    frames = (frame(3, b"TXXX", b"\0%d\0x" % number) for number in range(200_000))
    return Case(id3(3, b"".join(frames)) + tagged(), SOUND)


@kind
def a_million_empty_frames() -> Case:
    return Case(id3(3, b"AAAA\0\0\0\0\0\0" * 1_000_000) + tagged(), SOUND)


@kind
def a_hundred_id3_tags() -> Case:
    return Case(mp3s.id3v2() * 100 + tagged(), SOUND)


@kind
def ten_thousand_tags_between() -> Case:
    data = mp3s.lame(song(rate=48000), 48000, 128)
    middle = len(data) // 2 // 384 * 384  # bytes of a frame
    return Case(data[:middle] + mp3s.id3v1() * 10_000 + data[middle:], Whole(FRAMES, rate=48000, slack=SLACK))


@kind
def every_tag_at_once() -> Case:
    file = BytesIO()
    tags = mutagen.id3.ID3()
    tags.add(mutagen.id3.TIT2(encoding=3, text="A title"))
    tags.save(file)
    behind = mp3s.ape() + mp3s.lyrics3() + mp3s.id3v1()
    return Case(file.getvalue() + mp3s.ape() + tagged() + behind, SOUND)


def lying_ape(size: int, count: int, item: int) -> Case:
    items = item.to_bytes(4, "little") + bytes(4) + b"Title\0A title"
    common = (2000).to_bytes(4, "little") + size.to_bytes(4, "little") + count.to_bytes(4, "little")
    foot = b"APETAGEX" + common + (0x80000000).to_bytes(4, "little") + bytes(8)
    head = b"APETAGEX" + common + (0xA0000000).to_bytes(4, "little") + bytes(8)
    return Case(tagged() + head + items + foot, SOUND)


case("APE tag of 4 GB", lying_ape, 2**32 - 1, 1, 7)
case("APE tag of no size", lying_ape, 0, 1, 7)
case("APE tag of 4 billion items", lying_ape, 32 + 21, 2**32 - 1, 7)
case("APE item of 4 GB", lying_ape, 32 + 21, 1, 2**32 - 1)


@kind
def ape_of_4_gb_before_the_music() -> Case:
    common = (2000).to_bytes(4, "little") + b"\xff" * 4 + (1).to_bytes(4, "little")
    return Case(b"APETAGEX" + common + (0xA0000000).to_bytes(4, "little") + bytes(8) + tagged(), SOUND)


@kind
def lyrics_of_a_megabyte_that_are_not_there() -> Case:
    return Case(tagged() + b"999999LYRICS200" + mp3s.id3v1(), SOUND)
