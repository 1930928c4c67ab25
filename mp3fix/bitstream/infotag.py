"""The Xing, Info and VBRI headers: what an encoder says of the whole stream in its first, silent frame.

Sources: the Xing VBR header of 1999, Gabriel Bouvigne's "Mp3 Info Tag revision 1" (the LAME extension), and
Fraunhofer's VBRI header.
"""

from dataclasses import dataclass

from .headers import SIDE_BYTES

_ABR_METHODS = (2, 9)
_CBR_METHODS = (1, 8)
_VBR_METHODS = (3, 4, 5, 6, 7)
# Three weeks of music at 44.1 kHz: who says more has written nonsense there.
_MOST_FRAMES = 2**26


@dataclass(frozen=True)
class InfoTag:
    """What the first frame says.

    Attributes:
        frames: frames of audio that follow; None where it is not said, or cannot be true.
        bitrate_mode: "CBR", "ABR" or "VBR".
        encoder: the encoder's name and version as written (at most nine letters), None where it is not said.
        lowpass_hz: the encoder's lowpass in Hz, None where it is not said.
        delay: samples the encoder put before the music, None without the LAME extension.
        padding: samples the encoder put after the music, None without the LAME extension.
    """

    frames: int | None
    bitrate_mode: str
    encoder: str | None = None
    lowpass_hz: int | None = None
    delay: int | None = None
    padding: int | None = None


def parse(frame: bytes, mpeg1: bool, mono: bool) -> InfoTag | None:
    """Reads the header in a stream's first frame (with its four header bytes); None where there is none."""
    # Encoders disagree on whether the two bytes of a CRC move the header: look in both places.
    side = 4 + SIDE_BYTES[mpeg1, mono]
    for offset in (side, side + 2):
        if frame[offset : offset + 4] in (b"Xing", b"Info"):
            return _xing(frame[offset:])
    if frame[36:40] == b"VBRI":
        return InfoTag(_count(frame[50:54]), "VBR", encoder="FhG")
    return None


def _count(four: bytes) -> int | None:
    """A number of frames that can be believed, or None."""
    frames = int.from_bytes(four, "big") if len(four) == 4 else 0
    return frames if 0 < frames <= _MOST_FRAMES else None


def _xing(tag: bytes) -> InfoTag:
    """Reads from the letters Xing or Info on; fields beyond the end of the frame count as not said."""
    flags = int.from_bytes(tag[4:8], "big")
    pos = 8
    frames = None
    if flags & 1:
        frames = _count(tag[pos : pos + 4])
        pos += 4
    pos += (4 if flags & 2 else 0) + (100 if flags & 4 else 0) + (4 if flags & 8 else 0)
    mode = "CBR" if tag[:4] == b"Info" else "VBR"
    lame = tag[pos : pos + 24]
    if len(lame) < 24 or not lame[:1].isalpha():
        return InfoTag(frames, mode)
    method = lame[9] & 15
    if method in _ABR_METHODS:
        mode = "ABR"
    elif method in _CBR_METHODS:
        mode = "CBR"
    elif method in _VBR_METHODS:
        mode = "VBR"
    name = "".join(chr(c) for c in lame[:9] if 32 <= c < 127).strip()
    return InfoTag(
        frames,
        mode,
        encoder=name or None,
        lowpass_hz=lame[10] * 100 or None,
        delay=lame[21] << 4 | lame[22] >> 4,
        padding=(lame[22] & 15) << 8 | lame[23],
    )
