"""MPEG-1 Layer III frames taken apart and written anew, for kinds that no encoder here makes.

Each frame gets its own main data (no bit reservoir) in a frame of a fixed size, so that headers can be changed
and a CRC put in. Source: ISO/IEC 11172-3, sections 2.4.1 and 2.4.3.1.
"""

from collections.abc import Iterator

SIDE = 32  # bytes of side information of two channels
_KBPS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_RATES = (44100, 48000, 32000)


def frames(data: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Header, side information and main data of each frame of an untagged stereo stream without CRC."""
    main, at = b"", 0
    while at + 4 + SIDE <= len(data):
        head = data[at : at + 4]
        length = 144000 * _KBPS[head[2] >> 4] // _RATES[head[2] >> 2 & 3] + (head[2] >> 1 & 1)
        side = data[at + 4 : at + 4 + SIDE]
        bits = int.from_bytes(side, "big")
        begin = len(main) - (bits >> 247)
        main += data[at + 4 + SIDE : at + length]
        # part2_3_length, the first 12 of 59 bits for each granule and channel, behind 20 bits for the frame.
        used = sum(bits >> (256 - 20 - 59 * part - 12) & 0xFFF for part in range(4))
        yield head, side, main[begin : begin + -(-used // 8)]
        at += length


def rewritten(
    data: bytes,
    size: int = 1044,
    bitrate: int = 14,
    crc: bool = False,
    mode: int | None = None,
    wrong: int = 0,
) -> bytes:
    """The stream in frames of `size` bytes.

    Args:
        data: MPEG-1, two channels, no tag, no CRC.
        size: bytes of each frame; 1044 are 320 kbit/s at 44.1 kHz.
        bitrate: its index in the header; 0 is free format.
        crc: whether each frame has one.
        mode: the header's fourth byte's upper half: mode and mode extension; None keeps it.
        wrong: is added to each CRC.
    """
    parts = []
    for head, side, main in frames(data):
        head = bytearray(head)
        head[1] = head[1] & 0xFE | (0 if crc else 1)
        head[2] = bitrate << 4 | head[2] & 0x0C
        if mode is not None:
            head[3] = mode << 4 | head[3] & 0x0F
        own = (int.from_bytes(side, "big") & (1 << 247) - 1).to_bytes(SIDE, "big")  # main_data_begin 0
        check = (crc16(bytes(head[2:]) + own) + wrong & 0xFFFF).to_bytes(2, "big") if crc else b""
        frame = bytes(head) + check + own + main
        assert len(frame) <= size
        parts.append(frame.ljust(size, b"\0"))
    return b"".join(parts)


def crc16(data: bytes) -> int:
    """The CRC of a frame."""
    value = 0xFFFF
    for byte in data:
        value ^= byte << 8
        for _ in range(8):
            value = (value << 1 ^ (0x8005 if value & 0x8000 else 0)) & 0xFFFF
    return value
