"""Sound MP3s of every kind, and such whose headers lie."""

import mp3s
import numpy as np
import remux
from kinds import FRAMES, RATE, SLACK, Case, Part, Whole, case, kind, patched, plain, song, tagged

UNTAGGED = Whole(FRAMES, slack=SLACK)


@kind
def constant_bitrate() -> Case:
    return Case(plain(), UNTAGGED)


@kind
def crc() -> Case:
    return Case(remux.rewritten(plain(), crc=True), UNTAGGED)


@kind
def wrong_crc() -> Case:
    return Case(remux.rewritten(plain(), crc=True, wrong=1), UNTAGGED)


@kind
def free_format() -> Case:
    return Case(remux.rewritten(plain(), size=1000, bitrate=0), UNTAGGED)


@kind
def free_format_with_crc() -> Case:
    return Case(remux.rewritten(plain(), size=999, bitrate=0, crc=True), UNTAGGED)


@kind
def dual_channel() -> Case:
    return Case(remux.rewritten(plain(), mode=0b1000), UNTAGGED)


def joint(extension: int) -> Case:
    return Case(remux.rewritten(plain(), mode=0b0100 | extension), UNTAGGED)


case("no joint coding in joint stereo", joint, 0)
case("intensity stereo", joint, 1)
case("middle and side", joint, 2)
case("intensity stereo of middle and side", joint, 3)


@kind
def mono() -> Case:
    return Case(plain(1, kbps=64), UNTAGGED)


@kind
def equal_channels() -> Case:
    return Case(mp3s.lame(np.repeat(song(1), 2, axis=0), RATE), UNTAGGED)


@kind
def variable_bitrate_without_tag() -> Case:
    return Case(mp3s.lame(song(), RATE, vbr_quality=2), UNTAGGED)


def with_tag(mode: str, word: bytes) -> Case:
    data = tagged(mode)
    assert word in data[:200]
    return Case(data, Whole(FRAMES))


case("constant bitrate with Info", with_tag, "CONSTANT", b"Info")
case("average bitrate with Xing", with_tag, "AVERAGE", b"Xing")
case("variable bitrate with Xing", with_tag, "VARIABLE", b"Xing")


@kind
def vbri() -> Case:
    data = mp3s.lame(song(), RATE, vbr_quality=2)
    count = sum(1 for _ in remux.frames(data))
    head = plain()[:2] + b"\x90" + plain()[3:4] + bytes(32) + b"VBRI" + bytes(10) + count.to_bytes(4, "big")
    return Case(head.ljust(417, b"\0") + data, UNTAGGED)


@kind
def vbri_that_promises_more() -> Case:
    head = plain()[:2] + b"\x90" + plain()[3:4] + bytes(32) + b"VBRI" + bytes(10) + b"\xff" * 4
    return Case(head.ljust(417, b"\0") + plain(), UNTAGGED)


def low(rate: int, channels: int, with_info: bool) -> Case:
    if with_info:
        return Case(tagged("CONSTANT", channels, rate), Whole(FRAMES, rate))
    return Case(plain(channels, rate, 32 * channels), Whole(FRAMES, rate, SLACK))


for _rate in (8000, 11025, 12000, 16000, 22050, 24000):
    for _channels, _name in ((1, "mono"), (2, "stereo")):
        for _info, _how in ((True, "tagged"), (False, "plain")):
            case(f"{_rate} Hz {_name} {_how}", low, _rate, _channels, _info)


# Headers that lie


def frame_count(mode: str, count: int, outcome: Whole | Part) -> Case:
    data = tagged(mode)
    return Case(patched(data, mp3s.info_tag(data) + 8, count.to_bytes(4, "big")), outcome)


case("Info of 2^32-1 frames", frame_count, "CONSTANT", 2**32 - 1, Whole(FRAMES, slack=SLACK))
case("Xing of 2^32-1 frames", frame_count, "VARIABLE", 2**32 - 1, Whole(FRAMES, slack=SLACK))
case("Info of 2^31 frames", frame_count, "CONSTANT", 2**31, Whole(FRAMES, slack=SLACK))
case("Info of no frames", frame_count, "CONSTANT", 0, Whole(FRAMES, slack=SLACK))
case("Info of one frame", frame_count, "CONSTANT", 1, Whole(FRAMES, slack=SLACK))
case(
    "Info of ten thousand frames",
    *(
        frame_count,
        "CONSTANT",
        10_000,
        Part(FRAMES, FRAMES + SLACK, 10_000 * 1152 - 1105 - (-FRAMES - 1105) % 1152),
    ),
)


@kind
def info_of_too_many_bytes() -> Case:
    data = tagged()
    return Case(patched(data, mp3s.info_tag(data) + 12, b"\xff" * 4), Whole(FRAMES))


def gapless(delay: int, padding: int, outcome: Whole) -> Case:
    data = tagged()
    return Case(patched(data, mp3s.info_tag(data) + 141, (delay << 12 | padding).to_bytes(3, "big")), outcome)


def _padding() -> int:
    data = tagged()
    at = mp3s.info_tag(data) + 141
    return int.from_bytes(data[at : at + 3], "big") & 0xFFF


case("encoder delay of 4095", lambda: gapless(4095, _padding(), Whole(FRAMES - (4095 - 576))))
case("encoder padding of 4095", lambda: gapless(576, 4095, Whole(FRAMES - (4095 - _padding()))))


@kind
def one_frame_with_a_delay_of_4095() -> Case:
    """More is to be cut off than there is: the numbers cannot be true, and are left alone."""
    data = tagged()
    at = mp3s.info_tag(data)
    first = data.find(data[:2], 400)
    second = data.find(data[:2], first + 400)
    data = patched(patched(data, at + 8, (1).to_bytes(4, "big")), at + 141, b"\xff" * 3)
    return Case(data[:second], Whole(1152))


@kind
def one_frame() -> Case:
    return Case(plain()[: plain().find(plain()[:2], 400)], Whole(1152))


# Streams that change on the way


@kind
def a_stream_twice() -> Case:
    return Case(plain() * 2, Whole(2 * FRAMES, slack=2 * SLACK))


@kind
def the_rate_changes() -> Case:
    half = plain(2, 22050, 64)
    most = FRAMES + SLACK + 2 * (FRAMES + SLACK)
    return Case(plain() + half, Whole(3 * FRAMES, slack=3 * SLACK), embedded=Part(FRAMES - 1152, most // 2))


@kind
def the_rate_changes_to_the_highest() -> Case:
    both = FRAMES + FRAMES // 6
    return Case(
        plain(1, 8000, 16) + plain(2, 48000),
        *(Whole(both, 8000, 2 * SLACK), Part(FRAMES - 1152, FRAMES + 2 * SLACK, rate=8000)),
    )


@kind
def mono_becomes_stereo() -> Case:
    both = Whole(2 * FRAMES, slack=2 * SLACK)
    return Case(plain(1, kbps=64) + plain(), both, embedded=Part(FRAMES, FRAMES + SLACK))


@kind
def stereo_becomes_mono() -> Case:
    both = Whole(2 * FRAMES, slack=2 * SLACK)
    return Case(plain() + plain(1, kbps=64), both, embedded=Part(FRAMES, FRAMES + SLACK))
