"""MP3s that were cut, overwritten or hit by wrong bits."""

import numpy as np
from kinds import FRAMES, SLACK, Case, Part, Refused, Whole, case, kind, plain, tagged

PARTS = 50


def truncated(part: int) -> Case:
    data = tagged()
    at = len(data) * part // PARTS
    # Each frame's main data may lie up to a frame later than its header, and one is cut.
    about = FRAMES * part // PARTS
    if at < 1044:  # the Info frame is 522 bytes, and so is the first one of music
        return Case(data[:at], Refused("no audio|no sample"))
    if about < 3 * 1152:
        return Case(data[:at], Part(1, about + 1152, FRAMES), None)
    return Case(data[:at], Part(about - 3 * 1152, about + 1152, FRAMES))


def truncated_without_tag(part: int) -> Case:
    data = plain()
    about = FRAMES * part // PARTS
    return Case(
        data[: len(data) * part // PARTS], Part(max(1, about - 2 * 1152), about + SLACK), says="cut short"
    )


for _part in range(1, PARTS):
    case(f"{_part} of {PARTS} parts", truncated, _part)
    case(f"{_part} of {PARTS} parts without tag", truncated_without_tag, _part)


def with_inside(data: bytes, stranger: bytes, total: int | None) -> Case:
    middle = len(data) // 2
    return Case(data[:middle] + stranger + data[middle:], Part(FRAMES - 1152, FRAMES + SLACK, total))


def overwritten(data: bytes, stranger: bytes, total: int | None) -> Case:
    middle = len(data) // 2
    lost = FRAMES * len(stranger) // len(data) + 3 * 1152
    return Case(
        data[:middle] + stranger + data[middle + len(stranger) :], Part(FRAMES - lost, FRAMES + SLACK, total)
    )


GARBAGE = np.random.default_rng(11).bytes(4096)
case("4 KiB of garbage in the middle", lambda: with_inside(tagged(), GARBAGE, None))
case("4 KiB of garbage in the middle without tag", lambda: with_inside(plain(), GARBAGE, None))
case("4 KiB of garbage over the middle", lambda: overwritten(tagged(), GARBAGE, None))
case("4 KiB of garbage over the middle without tag", lambda: overwritten(plain(), GARBAGE, None))
case("200 kB of zeros in the middle", lambda: with_inside(tagged(), bytes(200_000), None))
case("200 kB of zeros in the middle without tag", lambda: with_inside(plain(), bytes(200_000), None))


@kind
def only_the_start_was_written() -> Case:
    data = plain()
    kept = len(data) // 3
    return Case(
        data[:kept] + bytes(len(data) - kept), Part(FRAMES // 3 - 1152, FRAMES // 3 + SLACK), says="about"
    )


@kind
def zeros_behind_the_tag() -> Case:
    return Case(tagged()[:417] + bytes(50_000), Refused("no audio|no sample"))


def flipped(seed: int, with_info: bool) -> Case:
    data = bytearray(tagged() if with_info else plain())
    for bit in np.random.default_rng(seed).integers(0, 8 * len(data), 200):
        data[bit // 8] ^= 1 << bit % 8
    return Case(bytes(data), Part(FRAMES * 2 // 3, FRAMES + 2 * SLACK, silently=True))


for _seed in range(5):
    case(f"200 wrong bits, seed {_seed}", flipped, _seed, True)
    case(f"200 wrong bits without tag, seed {_seed}", flipped, _seed, False)


# Bytes that look like an MP3 until one looks closer


@kind
def nothing() -> Case:
    return Case(b"", Refused("is empty"))


@kind
def three_bytes() -> Case:
    return Case(b"\xff\xfb\x90", Refused("no audio"))


@kind
def a_megabyte_of_ones() -> Case:
    return Case(b"\xff" * 1_000_000, Refused("no audio"))


@kind
def nothing_but_free_format_headers() -> Case:
    """Frames of 48 bytes, as it were: valid, and none of them can be decoded."""
    return Case(b"\xff\xfb\x00\x64" * 25_000, Part(1, 100_000 // 48 * 1152, silently=True))


@kind
def ten_megabytes_of_headers_that_lead_nowhere() -> Case:
    return Case((b"\xff\xfb\xe2\x64" + bytes(20)) * 400_000, Refused("no audio|no sample"))


@kind
def headers_without_content() -> Case:
    """Frames of silence: zeros are valid side information."""
    return Case((b"\xff\xfb\x90\x64" + bytes(413)) * 57, Whole(57 * 1152))


@kind
def frames_full_of_ones() -> Case:
    """Every number in them at its largest."""
    return Case((b"\xff\xfb\x90\x64" + b"\xff" * 413) * 57, Part(1, 57 * 1152, silently=True))
