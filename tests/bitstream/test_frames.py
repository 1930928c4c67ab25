"""What a walk over MP3 frames must get right: counts, lengths, damage, and bytes that mean harm."""

import io
import mmap
from pathlib import Path

import mp3s
import numpy as np
import pytest
import soundfile

from mp3fix.bitstream.frames import FrameScan, scan

RATE = 44100


@pytest.fixture(scope="module")
def song() -> np.ndarray:
    return mp3s.music(2 * RATE + 17, RATE)


@pytest.fixture(scope="module")
def plain(song: np.ndarray) -> bytes:
    return mp3s.lame(song, RATE)


@pytest.fixture(scope="module")
def tagged(song: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return mp3s.tagged(song, RATE, tmp_path_factory.mktemp("frames"))


@pytest.mark.parametrize("rate", [48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000])
@pytest.mark.parametrize("channels", [1, 2])
def test_constant_bitrate(rate: int, channels: int) -> None:
    kbps = 64 if rate >= 16000 else 32
    data = mp3s.lame(mp3s.music(rate, rate, channels), rate, kbps)
    found = scan(data)
    decoded, decoded_rate = soundfile.read(io.BytesIO(data), always_2d=True)
    assert (found.samples, found.rate, found.channels) == (len(decoded), decoded_rate, decoded.shape[1])
    assert found.frames * found.samples_per_frame == len(decoded)
    assert (found.bitrate_kbps, found.bitrate_mode) == (kbps, "CBR")
    assert found.mode == ("mono" if channels == 1 else "joint stereo")
    assert found.runs == ((0, len(data)),)
    assert (found.garbage_bytes, found.truncated, found.broken, found.delay) == (0, False, (), None)
    assert found.expected_samples == found.samples
    assert found.duration == pytest.approx(len(decoded) / rate)


@pytest.mark.parametrize("frames", [RATE, RATE + 575, RATE + 576, RATE + 577, RATE + 1151])
@pytest.mark.parametrize("rate", [44100, 16000])
def test_gapless_length(frames: int, rate: int, tmp_path: Path) -> None:
    found = scan(mp3s.tagged(mp3s.music(frames, rate), rate, tmp_path))
    assert found.expected_samples == frames
    assert found.promised_frames == found.frames
    assert found.trim[0] == 1105
    assert found.encoder == "LAME3.100"
    assert found.bitrate_mode == "VBR"
    assert found.lowpass_hz is not None and 2000 < found.lowpass_hz <= 20000


def test_encoder_without_tag(plain: bytes) -> None:
    encoder = scan(plain).encoder
    assert encoder is not None and encoder.startswith("LAME")
    assert encoder.encode() in plain


def test_variable_bitrate_without_tag(song: np.ndarray) -> None:
    loud_then_quiet = song.copy()
    loud_then_quiet[:, RATE:] *= 0.001
    data = mp3s.lame(loud_then_quiet, RATE, vbr_quality=4)
    found = scan(data)
    assert found.bitrate_mode == "VBR"
    assert found.bitrate_kbps == pytest.approx(len(data) * 8 / found.duration / 1000, abs=1)


@pytest.mark.parametrize(("method", "mode"), [(1, "CBR"), (2, "ABR"), (4, "VBR"), (9, "ABR"), (0, "VBR")])
def test_bitrate_mode_in_tag(tagged: bytes, method: int, mode: str) -> None:
    data = bytearray(tagged)
    data[mp3s.info_tag(tagged) + 129] = method
    # The bitrates differ from frame to frame: no tag makes that constant.
    assert scan(bytes(data)).bitrate_mode == ("VBR" if mode == "CBR" else mode)


def test_info_without_lame_extension_does_not_trim(tagged: bytes) -> None:
    data = bytearray(tagged)
    at = mp3s.info_tag(tagged) + 120
    data[at : at + 36] = bytes(36)
    found = scan(bytes(data))
    assert (found.delay, found.padding) == (None, None)
    assert found.expected_samples == found.samples == 1152 * found.frames
    assert found.promised_frames == found.frames


def test_gapless_numbers_that_leave_nothing_are_ignored(tagged: bytes) -> None:
    data = bytearray(tagged[: 417 * 5])
    at = mp3s.info_tag(tagged)
    data[at + 8 : at + 12] = (1).to_bytes(4, "big")
    data[at + 141 : at + 144] = b"\xff\xff\xff"
    found = scan(bytes(data))
    assert found.frames >= 1
    assert 0 < found.expected_samples <= found.samples


def test_vbri_header(plain: bytes) -> None:
    frames = scan(plain).frames
    head = plain[:4] + bytes(32) + b"VBRI" + bytes(10) + frames.to_bytes(4, "big")
    found = scan(head.ljust(417, b"\0") + plain)
    assert (found.promised_frames, found.frames) == (frames, frames)
    assert (found.bitrate_mode, found.encoder, found.delay) == ("VBR", "FhG", None)


def test_free_format() -> None:
    song = mp3s.music(96000, 48000)
    found, reference = scan(mp3s.free_format(song)), scan(mp3s.lame(song, 48000, 128))
    assert found == reference
    assert found.bitrate_kbps == 128


def test_tags_around_the_audio_do_not_count(plain: bytes) -> None:
    front = mp3s.id3v2() + mp3s.id3v2(20)
    back = mp3s.lyrics3() + mp3s.ape() + mp3s.id3v1()
    found = scan(front + plain + back)
    assert found.runs == ((len(front), len(front) + len(plain)),)
    assert found.garbage_bytes == 0 and not found.truncated
    assert found.frames == scan(plain).frames


def test_a_tag_of_the_wrong_size_does_not_hide_the_audio(plain: bytes) -> None:
    tag = bytearray(mp3s.id3v2())
    tag[6:10] = b"\x7f\x7f\x7f\x7f"
    assert scan(bytes(tag) + plain).frames == scan(plain).frames


def test_tags_between_files_put_end_to_end_do_not_count(plain: bytes) -> None:
    found = scan(plain + mp3s.id3v1() + mp3s.id3v2() + plain)
    assert found.frames == 2 * scan(plain).frames
    assert (found.garbage_bytes, found.broken, len(found.runs)) == (0, (), 2)


def test_more_frames_than_the_tag_promises_are_kept(tagged: bytes) -> None:
    found, one = scan(tagged + tagged), scan(tagged)
    assert found.frames == 2 * one.frames + 1  # the second Info frame decodes to silence
    assert found.expected_samples == found.samples - found.trim[0]


def test_truncated_file_keeps_its_promise(tagged: bytes, song: np.ndarray) -> None:
    found = scan(tagged[: len(tagged) * 2 // 3])
    assert found.truncated
    assert found.frames < (found.promised_frames or 0)
    assert found.expected_samples == song.shape[1]
    assert found.duration == pytest.approx((found.samples - found.trim[0]) / RATE)


def test_garbage_is_stepped_over(plain: bytes) -> None:
    whole = scan(plain)
    noise = np.random.default_rng(1).bytes(5000)
    middle = plain.find(plain[:2], len(plain) // 2)
    inserted = scan(plain[:middle] + noise + plain[middle:])
    assert inserted.frames == whole.frames
    assert inserted.garbage_bytes == len(noise)
    assert len(inserted.runs) == 2

    overwritten = bytearray(plain)
    overwritten[middle : middle + len(noise)] = bytes(len(noise))
    found = scan(bytes(overwritten))
    lost = len(noise) / (len(plain) / whole.frames)
    assert whole.frames - lost - 2 <= found.frames <= whole.frames - lost + 1

    behind = scan(plain + noise)
    assert (behind.frames, behind.garbage_bytes) == (whole.frames, len(noise))
    before = scan(noise + plain)
    assert (before.frames, before.garbage_bytes) == (whole.frames, len(noise))
    assert scan(bytes(5000) + plain).garbage_bytes == 0


def test_one_damaged_header_costs_one_frame(plain: bytes) -> None:
    data = bytearray(plain)
    data[plain.find(plain[:2], len(plain) // 2)] = 0
    assert scan(bytes(data)).frames == scan(plain).frames - 1


def test_other_rate_behind_is_counted_in_samples_of_the_first(plain: bytes) -> None:
    other = mp3s.lame(mp3s.music(2 * 22050, 22050), 22050, 64)
    found = scan(plain + other)
    assert found.samples == scan(plain).samples + 2 * scan(other).samples
    assert found.garbage_bytes == 0


def test_a_start_in_the_middle_has_broken_frames(plain: bytes) -> None:
    assert scan(plain).broken == ()
    cut = plain[5000:]
    found = scan(cut)
    # main_data_begin reaches back at most 511 bytes: two frames of 417.
    assert 1 <= len(found.broken) <= 2
    for start, side in found.broken:
        assert found.runs[0][0] < start < found.runs[0][0] + 2 * 418
        assert len(side) == 32 and side[2:] == bytes(30)


def test_a_map_of_a_file_is_as_good_as_bytes(tagged: bytes, tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    path.write_bytes(tagged)
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        found = scan(data)
    assert found == scan(tagged)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"\xff\xfb\x90",
        b"\xff\xfb\x90\x64",
        b"ID3",
        b"ID3\x04\0\0\x7f\x7f\x7f\x7f",
        mp3s.id3v2(),
        mp3s.ape(),
        mp3s.id3v1(),
        b"LYRICSEND" * 300,
        b"APETAGEX" * 500,
        b"\xff" * 20000,
        b"\xff\xfb\x90\x64" * 5000,
        b"\xff\xfb\x00\x64" * 5000,
        b"\xff\xe3\x18\xc4" * 5000,
        b"no music, only words" * 1000,
        bytes(100000),
        np.random.default_rng(0).bytes(1_000_000),
    ],
)
def test_no_music(data: bytes) -> None:
    found = scan(data)
    assert found.frames <= len(data) // 24
    if found.frames == 0:
        assert found == FrameScan()
        assert (found.expected_samples, found.duration) == (0, 0.0)


def test_random_bytes_are_no_frames() -> None:
    for seed in range(5):
        assert scan(np.random.default_rng(seed).bytes(500_000)).frames == 0


def test_nothing_in_the_bytes_raises(tagged: bytes, plain: bytes) -> None:
    free = mp3s.free_format(mp3s.music(24000, 48000))
    low = mp3s.lame(mp3s.music(8000, 8000, 1), 8000, 8)
    random = np.random.default_rng(7)
    for data in (
        tagged[:20000],
        plain[:20000],
        free[:20000],
        low,
        mp3s.id3v2(50) + tagged[:3000] + mp3s.ape(40),
    ):
        for length in random.integers(0, len(data), 60):
            assert scan(data[:length]).frames * 24 <= length
        for _ in range(150):
            harmed = bytearray(data)
            for at in random.integers(0, len(data), random.integers(1, 200)):
                harmed[at] = random.integers(256)
            found = scan(bytes(harmed))
            covered = sum(stop - start for start, stop in found.runs)
            assert covered + found.garbage_bytes <= len(data)
            assert found.expected_samples >= 0 and found.duration >= 0
            assert all(a[1] <= b[0] for a, b in zip(found.runs, found.runs[1:], strict=False))
            assert all(a[0] < b[0] for a, b in zip(found.broken, found.broken[1:], strict=False))
