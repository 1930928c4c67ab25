"""The tags around (and between) MP3 frames: how many bytes each takes. Their contents are not read here."""

import re
from mmap import mmap

ID3V2_HEADER = 10
ID3V1 = 128
ID3V1_EXTENDED = 227
APE_FOOTER = 32
LYRICS3V1_MOST = 5100


def _synchsafe(four: bytes) -> int:
    """The number in four bytes of seven bits each (ID3v2.4, section 6.2)."""
    return (four[0] & 127) << 21 | (four[1] & 127) << 14 | (four[2] & 127) << 7 | four[3] & 127


def tag_length(data: bytes | mmap, pos: int) -> int:
    """Bytes of the tag that begins at `pos` (ID3v2, APEv2 with a header, ID3v1), 0 where none does.

    The tag may promise more bytes than the data have.
    """
    head = data[pos : pos + 32]
    if head[:3] == b"ID3" and len(head) >= ID3V2_HEADER and head[3] != 255 and head[4] != 255:
        footer = ID3V2_HEADER if head[5] & 0x10 else 0
        return ID3V2_HEADER + _synchsafe(head[6:10]) + footer
    if head[:8] == b"APETAGEX" and len(head) == 32 and head[23] & 0x20:
        return APE_FOOTER + int.from_bytes(head[12:16], "little")
    if head[:3] == b"TAG":
        return ID3V1
    return 0


def _trailing_length(data: bytes | mmap, end: int) -> int:
    """Bytes of the tag that ends at `end` (ID3v1, TAG+, APE, Lyrics3, ID3v2.4), 0 where none does."""
    if end >= ID3V1 and data[end - ID3V1 : end - ID3V1 + 3] == b"TAG":
        return ID3V1
    if end >= ID3V1_EXTENDED and data[end - ID3V1_EXTENDED : end - ID3V1_EXTENDED + 4] == b"TAG+":
        return ID3V1_EXTENDED
    foot = data[max(0, end - APE_FOOTER) : end]
    if len(foot) == APE_FOOTER and foot[:8] == b"APETAGEX":
        header = APE_FOOTER if foot[23] & 0x80 else 0
        return max(APE_FOOTER, int.from_bytes(foot[12:16], "little")) + header
    if foot[-9:] == b"LYRICS200" and re.fullmatch(rb"\d{6}", foot[-15:-9]):
        return int(foot[-15:-9]) + 15
    if foot[-9:] == b"LYRICSEND":
        begin = data.rfind(b"LYRICSBEGIN", max(0, end - LYRICS3V1_MOST), end)
        return end - begin if begin >= 0 else 0
    if len(foot) >= 10 and foot[-10:-7] == b"3DI":
        return 20 + _synchsafe(foot[-4:])
    return 0


def audio_span(data: bytes | mmap) -> tuple[int, int]:
    """Where the audio may begin and where it must end: after the tags at the start, before those behind."""
    begin, end = 0, len(data)
    # An ID3v1 tag cannot stand at the start; three letters "TAG" there are not skipped.
    while begin < end and data[begin : begin + 3] != b"TAG" and (length := tag_length(data, begin)):
        if begin + length > end:
            # The tag is cut short or its size is wrong: the audio may begin anywhere behind its header.
            begin = min(end, begin + ID3V2_HEADER)
            break
        begin += length
    while begin < end and (length := _trailing_length(data, end)):
        if end - length < begin:
            break
        end -= length
    return begin, end
