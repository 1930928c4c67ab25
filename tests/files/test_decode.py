"""Decoding: the same samples whichever decoder runs, no silent loss, clear errors, nothing left behind."""

import io
import os
import sys
import tracemalloc
import warnings
from collections.abc import Callable
from pathlib import Path

import mp3s
import numpy as np
import pytest
import soundfile

from mp3fix.bitstream.frames import scan
from mp3fix.errors import DecodeError
from mp3fix.files import ffmpeg
from mp3fix.files.decode import Decoder, open_decoder, spool_stdin

RATE = 44100
BOTH = pytest.mark.parametrize("decoder", [pytest.param("ffmpeg", marks=pytest.mark.ffmpeg), "libsndfile"])


@pytest.fixture(scope="module")
def song() -> np.ndarray:
    return mp3s.music(2 * RATE + 17, RATE)


@pytest.fixture(scope="module")
def plain(song: np.ndarray) -> bytes:
    return mp3s.lame(song, RATE)


@pytest.fixture(scope="module")
def tagged(song: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return mp3s.tagged(song, RATE, tmp_path_factory.mktemp("decode"))


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Chooses the decoder."""

    def choose(decoder: str) -> None:
        if decoder == "libsndfile":
            monkeypatch.setattr(ffmpeg, "find", lambda: None)

    return choose


def decode(path: Path, block_frames: int = 65536) -> tuple[np.ndarray, Decoder]:
    with open_decoder(path) as decoder:
        samples = np.concatenate(list(decoder.blocks(block_frames)), axis=1)
    return samples, decoder


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


# What is decoded


@BOTH
def test_wav_is_read_exactly(
    decoder: str, use: Callable[[str], None], song: np.ndarray, tmp_path: Path
) -> None:
    use(decoder)
    path = tmp_path / "song.wav"
    loud = song * 8  # beyond full scale
    soundfile.write(path, loud.T, RATE, subtype="FLOAT")
    samples, opened = decode(path, 1000)
    assert np.array_equal(samples, loud)
    assert samples.dtype == np.float32 and samples.flags.c_contiguous and samples.flags.writeable
    assert (opened.rate, opened.channels, opened.decoder) == (RATE, 2, decoder)
    assert (opened.expected, opened.warnings, opened.lfe) == (song.shape[1], [], ())


@BOTH
@pytest.mark.parametrize("name", ["song.flac", "song.aiff", "song.au", "song.ogg", "song.caf", "song.w64"])
def test_other_formats(
    name: str, decoder: str, use: Callable[[str], None], song: np.ndarray, tmp_path: Path
) -> None:
    use(decoder)
    path = tmp_path / name
    soundfile.write(path, song.T, RATE)
    samples, opened = decode(path)
    assert samples.shape == song.shape
    assert np.abs(samples - song).max() < (0.2 if name == "song.ogg" else 1e-4)
    assert opened.warnings == []


@BOTH
@pytest.mark.parametrize("rate", [48000, 44100, 22050, 8000])
@pytest.mark.parametrize("channels", [1, 2])
def test_gapless_mp3_is_as_long_as_what_was_encoded_and_not_shifted(
    rate: int, channels: int, decoder: str, use: Callable[[str], None], tmp_path: Path
) -> None:
    use(decoder)
    original = mp3s.music(rate + 391, rate, channels)
    path = write(tmp_path / "song.mp3", mp3s.id3v2() + mp3s.tagged(original, rate, tmp_path) + mp3s.id3v1())
    samples, opened = decode(path, 5000)
    assert opened.decoder == decoder
    assert samples.shape == original.shape
    assert opened.expected == original.shape[1] and opened.warnings == []
    kept = slice(2000, -2000)
    shifts = [np.vdot(original[0, kept], np.roll(samples[0], shift)[kept]) for shift in range(-3, 4)]
    assert int(np.argmax(shifts)) == 3


@pytest.mark.ffmpeg
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda tagged, plain: tagged, id="tagged"),
        pytest.param(lambda tagged, plain: plain, id="plain"),
        pytest.param(lambda tagged, plain: tagged.replace(b"LAME3.100", b"GOGO3.121", 1), id="other encoder"),
        pytest.param(lambda tagged, plain: tagged.replace(b"LAME3.100", bytes(9), 1), id="no encoder"),
        pytest.param(lambda tagged, plain: bytes(5000) + tagged, id="zeros before"),
        pytest.param(lambda tagged, plain: b"\x12\x34" * 40000 + tagged, id="garbage before"),
        pytest.param(lambda tagged, plain: tagged + mp3s.ape() + mp3s.id3v1(), id="tags behind"),
        pytest.param(lambda tagged, plain: tagged + tagged, id="end to end"),
        pytest.param(lambda tagged, plain: tagged[:-10], id="last frame cut"),
        pytest.param(lambda tagged, plain: tagged[: len(tagged) // 2], id="half"),
        pytest.param(lambda tagged, plain: plain[: len(plain) // 2], id="half of plain"),
        pytest.param(lambda tagged, plain: plain[5000:], id="without its start"),
        pytest.param(lambda tagged, plain: plain[:9000] + bytes(4000) + plain[13000:], id="zeros inside"),
        pytest.param(lambda tagged, plain: tagged[:9000] + tagged[12000:], id="hole"),
        pytest.param(
            lambda tagged, plain: tagged[:9000] + b"Rubbish?" * 9000 + tagged[9000:], id="garbage inside"
        ),
    ],
)
def test_both_decoders_agree(
    make: Callable[[bytes, bytes], bytes],
    tagged: bytes,
    plain: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = write(tmp_path / "song.mp3", make(tagged, plain))
    by_ffmpeg, one = decode(path)
    monkeypatch.setattr(ffmpeg, "find", lambda: None)
    by_libsndfile, other = decode(path)
    assert (one.decoder, other.decoder) == ("ffmpeg", "libsndfile")
    assert by_ffmpeg.shape == by_libsndfile.shape
    assert np.abs(by_ffmpeg - by_libsndfile).max() < 1e-5
    # Damage is silent, not a burst: the song peaks at about 0.6.
    assert np.abs(by_ffmpeg).max() < 0.9
    assert one.warnings == other.warnings
    assert one.expected == other.expected


def test_variable_bitrate_without_a_tag_is_read_to_the_end(
    song: np.ndarray, tmp_path: Path, no_ffmpeg: None
) -> None:
    # libsndfile alone takes the first frame's bitrate for all of them and stops after half a second.
    loud_first = song.copy()
    loud_first[:, RATE // 2 :] = 0
    path = write(tmp_path / "song.mp3", mp3s.lame(loud_first, RATE, vbr_quality=2))
    samples, opened = decode(path)
    assert samples.shape[1] == opened.expected
    assert samples.shape[1] >= song.shape[1] + 1105
    assert opened.warnings == []


@BOTH
def test_blocks_of_any_size_are_the_same(
    decoder: str, use: Callable[[str], None], song: np.ndarray, tmp_path: Path
) -> None:
    use(decoder)
    quiet_first = song.copy()
    quiet_first[:, :RATE] = 0
    path = write(tmp_path / "song.mp3", mp3s.lame(quiet_first, RATE, vbr_quality=2))
    whole, _ = decode(path, 1 << 20)
    for size in (577, 5000):
        with open_decoder(path) as opened:
            blocks = list(opened.blocks(size))
        assert {block.shape[1] for block in blocks[:-1]} == {size}
        assert np.array_equal(np.concatenate(blocks, axis=1), whole)


def test_free_format(tmp_path: Path) -> None:
    # ffmpeg, where there is one, cannot.
    original = mp3s.music(96000, 48000)
    path = write(tmp_path / "free.mp3", mp3s.free_format(original))
    samples, opened = decode(path)
    reference, _ = decode(write(tmp_path / "fixed.mp3", mp3s.lame(original, 48000, 128)))
    assert opened.decoder == "libsndfile"
    assert np.abs(samples - reference).max() < 1e-5
    assert opened.warnings == []


@BOTH
@pytest.mark.parametrize("name", ["song.wav", "song.flac", "song.ogg"])
def test_channels_are_in_the_order_of_wav_and_the_lfe_is_known(
    name: str, decoder: str, use: Callable[[str], None], tmp_path: Path
) -> None:
    use(decoder)
    levels = 0.05 * np.arange(1, 7)
    if name == "song.ogg":  # Vorbis: left, centre, right, back left, back right, LFE
        levels = levels[[0, 2, 1, 4, 5, 3]]
    time = np.arange(48000) / 48000
    samples = levels[:, None] * np.sin(2 * np.pi * 60 * time)
    path = tmp_path / name
    soundfile.write(path, samples.T, 48000, **({"format": "WAVEX"} if name == "song.wav" else {}))
    decoded, opened = decode(path)
    assert opened.lfe == (3,)
    found = np.sqrt(2 * np.mean(decoded.astype(np.float64) ** 2, axis=1))
    # Vorbis is not exact in the LFE.
    assert np.allclose(found, 0.05 * np.arange(1, 7), atol=0.04)
    assert np.all(np.diff(found) > 0)


@BOTH
def test_samples_that_are_not_finite_become_zero(
    decoder: str, use: Callable[[str], None], tmp_path: Path
) -> None:
    use(decoder)
    samples = np.full((1000, 2), 0.25, np.float32)
    samples[10, 0], samples[20, 1], samples[999] = np.nan, np.inf, -3e38
    path = tmp_path / "nan.wav"
    soundfile.write(path, samples, RATE, subtype="FLOAT")
    decoded, opened = decode(path, 300)
    assert np.count_nonzero(decoded == 0) == 4 and np.count_nonzero(decoded == 0.25) == 1996
    assert opened.warnings == ["4 samples were NaN, infinite or absurdly large and are now 0"]


@BOTH
@pytest.mark.parametrize(
    "name",
    [
        "-y.mp3",
        "100%d.mp3",
        "%03d.wav",
        "a\nb.mp3",
        "a: b.mp3",
        "http://x.mp3",
        "'\"$(ls)`;&|.mp3",
        "noextension",
    ],
)
def test_odd_names(
    name: str,
    decoder: str,
    use: Callable[[str], None],
    tagged: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use(decoder)
    monkeypatch.chdir(tmp_path)
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    samples, opened = decode(write(path, tagged))
    assert samples.shape[1] == opened.expected and opened.decoder == decoder


@BOTH
@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux only")
@pytest.mark.parametrize("suffix", [b".mp3", b".wav"])
def test_name_that_is_not_utf8(
    suffix: bytes, decoder: str, use: Callable[[str], None], song: np.ndarray, tmp_path: Path
) -> None:
    use(decoder)
    path = tmp_path / os.fsdecode(b"caf\xe9" + suffix)
    with open(path, "wb") as file:
        soundfile.write(file, song.T, RATE, format=suffix[1:].decode().upper())
    samples, _ = decode(path)
    assert samples.shape == song.shape
    with pytest.raises(DecodeError) as caught:
        open_decoder(tmp_path / os.fsdecode(b"missing caf\xe9\n" + suffix))
    assert "caf\\xe9\\n" in str(caught.value)
    str(caught.value).encode("utf-8")


# What is missing


@BOTH
def test_truncated_mp3_says_how_much_is_missing(
    decoder: str, use: Callable[[str], None], tagged: bytes, song: np.ndarray, tmp_path: Path
) -> None:
    use(decoder)
    path = write(tmp_path / "song.mp3", tagged[: len(tagged) * 3 // 4])
    samples, opened = decode(path)
    lost = song.shape[1] - samples.shape[1]
    assert 0.15 < lost / song.shape[1] < 0.35
    assert opened.expected == song.shape[1]
    assert len(opened.warnings) == 1
    assert f"{lost / RATE:.2f} s" in opened.warnings[0]
    assert f"({100 * lost / song.shape[1]:.1f} %)" in opened.warnings[0]


@BOTH
def test_an_info_frame_that_counts_itself_is_no_damage(
    decoder: str, use: Callable[[str], None], tagged: bytes, tmp_path: Path
) -> None:
    use(decoder)
    data = bytearray(tagged)
    at = mp3s.info_tag(tagged) + 8
    data[at : at + 4] = (scan(tagged).frames + 1).to_bytes(4, "big")
    assert decode(write(tmp_path / "song.mp3", bytes(data)))[1].warnings == []


@BOTH
def test_wrong_bits_are_no_burst(
    decoder: str, use: Callable[[str], None], plain: bytes, tmp_path: Path
) -> None:
    use(decoder)
    # The global gain of one granule, at its largest: thousands of times full scale.
    data = bytearray(plain)
    at = 0
    while at < len(plain) // 2:
        at = plain.find(plain[:2], at + 400)
    bits = int.from_bytes(data[at + 4 : at + 36], "big")
    gain = 256 - (9 + 3 + 8 + 12 + 9 + 8)  # main_data_begin, private bits, scfsi, part2_3_length, big_values
    data[at + 4 : at + 36] = (bits | 0xFF << gain).to_bytes(32, "big")
    path = write(tmp_path / "song.mp3", bytes(data))
    samples, opened = decode(path)
    whole, _ = decode(write(tmp_path / "whole.mp3", plain))
    assert samples.shape == whole.shape
    assert np.abs(samples).max() < 4
    wrong = np.flatnonzero(np.abs(samples - whole).max(axis=0) > 1e-5)
    assert 576 <= wrong[-1] - wrong[0] < 4 * 1152
    assert "missing" in opened.warnings[0]
    small = decode(path, 777)[0]
    assert np.array_equal(small, samples)


@BOTH
def test_truncated_mp3_without_a_tag_says_so(
    decoder: str, use: Callable[[str], None], plain: bytes, tmp_path: Path
) -> None:
    use(decoder)
    _, opened = decode(write(tmp_path / "song.mp3", plain[: len(plain) // 2 + 100]))
    assert len(opened.warnings) == 1 and "cut short" in opened.warnings[0]


@BOTH
def test_overwritten_mp3_says_about_how_much_is_missing(
    decoder: str, use: Callable[[str], None], plain: bytes, tmp_path: Path
) -> None:
    use(decoder)
    data = bytearray(plain)
    data[8000:16000] = bytes(8000)  # 8000 bytes at 128 kbit/s: half a second
    samples, opened = decode(write(tmp_path / "song.mp3", bytes(data)))
    assert samples.shape[1] > 1.4 * RATE
    assert len(opened.warnings) == 1
    seconds = float(opened.warnings[0].removeprefix("about ").split()[0])
    assert 0.45 < seconds < 0.7


@BOTH
def test_damaged_mp3_with_a_tag_says_exactly_how_much_is_missing(
    decoder: str, use: Callable[[str], None], tagged: bytes, tmp_path: Path
) -> None:
    use(decoder)
    data = bytearray(tagged)
    data[12000:15000] = bytes(3000)
    found = scan(bytes(data))
    assert found.promised_frames and found.broken
    lost = (found.promised_frames - found.frames + len(found.broken)) * 1152 / RATE
    _, opened = decode(write(tmp_path / "song.mp3", bytes(data)))
    assert opened.warnings[0].startswith(f"{lost:.2f} s")


@BOTH
def test_nothing_left_after_trimming(
    decoder: str, use: Callable[[str], None], tagged: bytes, tmp_path: Path
) -> None:
    use(decoder)
    data = bytearray(tagged[:2500])
    at = mp3s.info_tag(tagged) + 141
    data[at : at + 3] = (4095 << 12).to_bytes(3, "big")  # a delay of more than the few frames that are left
    assert 1 < scan(bytes(data)).frames < 5
    with pytest.raises(DecodeError, match=r"song\.mp3: no sample"):
        decode(write(tmp_path / "song.mp3", bytes(data)))


@BOTH
def test_download_of_which_only_the_start_came(
    decoder: str, use: Callable[[str], None], plain: bytes, tmp_path: Path
) -> None:
    use(decoder)
    kept = len(plain) // 5
    samples, opened = decode(write(tmp_path / "song.mp3", plain[:kept] + bytes(len(plain) - kept)))
    assert samples.shape[1] > 0.3 * RATE
    assert "about" in opened.warnings[0] and "(8" in opened.warnings[0]


@BOTH
@pytest.mark.parametrize("name", ["song.wav", "song.aiff", "song.flac"])
def test_truncated_files_with_a_length_in_the_header(
    name: str, decoder: str, use: Callable[[str], None], song: np.ndarray, tmp_path: Path
) -> None:
    use(decoder)
    path = tmp_path / name
    soundfile.write(path, song.T, RATE)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    samples, opened = decode(path)
    lost = song.shape[1] - samples.shape[1]
    assert opened.expected == song.shape[1]
    assert 0.4 < lost / song.shape[1] < 0.7
    assert f"{lost / RATE:.2f} s" in opened.warnings[0]
    assert np.abs(samples - song[:, : samples.shape[1]]).max() < 1e-4


@BOTH
def test_damaged_flac_is_noticed(
    decoder: str, use: Callable[[str], None], song: np.ndarray, tmp_path: Path
) -> None:
    use(decoder)
    path = tmp_path / "song.flac"
    soundfile.write(path, song.T, RATE)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 20000] = np.random.default_rng(0).bytes(20000)
    samples, opened = decode(write(path, bytes(data)))
    assert samples.shape[1] > 0.3 * song.shape[1]
    assert opened.warnings


def test_wav_of_unknown_length_promises_nothing(song: np.ndarray, tmp_path: Path, no_ffmpeg: None) -> None:
    path = tmp_path / "song.wav"
    soundfile.write(path, song.T, RATE)
    data = bytearray(path.read_bytes())
    at = data.find(b"data") + 4
    data[at : at + 4] = data[4:8] = b"\xff\xff\xff\xff"  # as ffmpeg writes it into a pipe
    samples, opened = decode(write(path, bytes(data)))
    assert samples.shape == song.shape
    assert opened.warnings == []


@pytest.mark.ffmpeg
def test_libsndfile_that_stops_early_is_noticed(
    plain: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A change of the rate stops libsndfile; ffmpeg goes on.
    other = mp3s.lame(mp3s.music(22050, 22050), 22050, 64)
    path = write(tmp_path / "song.mp3", plain + other)
    samples, opened = decode(path)
    assert opened.expected and abs(samples.shape[1] - opened.expected) < 2000 and opened.warnings == []
    monkeypatch.setattr(ffmpeg, "find", lambda: None)
    samples, opened = decode(path)
    assert samples.shape[1] < (opened.expected or 0)
    assert "missing" in opened.warnings[0]


# What is no music


NO_MUSIC = {
    "empty.mp3": (b"", "is empty"),
    "words.mp3": (b"These are words.\n" * 100, "is a text file"),
    "latin.mp3": (b"caf\xe9\n" * 2000, "is a text file"),
    "page.mp3": (b"<!DOCTYPE html><html><body>404 Not Found</body></html>", "is a text file"),
    "list.m3u": (b"song.mp3\n", "is a playlist"),
    "list.mp3": (b"#EXTM3U\n#EXTINF:1,Song\nsong.mp3\n", "is a playlist"),
    "concat.mp3": (b"ffconcat version 1.0\nfile 'song.mp3'\n", "is a playlist"),
    "tagged-concat.mp3": (mp3s.id3v2() + b"ffconcat version 1.0\nfile 'song.mp3'\n", "is a playlist"),
    "list.pls": (b"[playlist]\nFile1=song.mp3\n", "is a playlist"),
    "dash.mp3": (b'<?xml version="1.0"?><MPD><Period>song.mp3</Period></MPD>', "is a playlist"),
    "cover.mp3": (b"\xff\xd8\xff\xe0" + np.random.default_rng(0).bytes(50000), "is a JPEG image"),
    "cover.png": (b"\x89PNG\r\n\x1a\n" + np.random.default_rng(0).bytes(50000), "is a PNG image"),
    "tag.mp3": (mp3s.id3v2(), "no audio"),
    "tags.mp3": (mp3s.id3v2() + mp3s.ape() + mp3s.id3v1(), "no audio"),
    "padded-tag.mp3": (mp3s.id3v2() + bytes(3000), "no audio"),
    "zeros.mp3": (bytes(200000), "no audio"),
    "noise.mp3": (np.random.default_rng(1).bytes(200000), "no audio"),
    "noise": (np.random.default_rng(2).bytes(200000), "no audio"),
    "headerless.raw": (np.random.default_rng(3).bytes(20000), "no audio"),
}


@BOTH
@pytest.mark.parametrize("name", NO_MUSIC)
def test_no_music(name: str, decoder: str, use: Callable[[str], None], tagged: bytes, tmp_path: Path) -> None:
    use(decoder)
    data, reason = NO_MUSIC[name]
    write(tmp_path / "song.mp3", tagged)  # what a playlist may not open
    with pytest.raises(DecodeError) as caught:
        decode(write(tmp_path / name, data))
    message = str(caught.value)
    assert reason in message and name in message
    assert len(message.splitlines()) <= 3


@BOTH
def test_no_file(decoder: str, use: Callable[[str], None], tmp_path: Path) -> None:
    use(decoder)
    for path, reason in (
        (tmp_path / "missing.mp3", "no such file"),
        (tmp_path, "is a folder"),
        (tmp_path / "a\0b.mp3", "cannot be read"),
    ):
        with pytest.raises(DecodeError, match=reason):
            open_decoder(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp3")
    with pytest.raises(DecodeError, match="not a regular file"):
        open_decoder(tmp_path / "pipe.mp3")


@BOTH
@pytest.mark.parametrize(
    ("rate", "channels", "reason"),
    [(7999, 1, "7999 Hz"), (192001, 1, "192001 Hz"), (48000, 17, "17 channels")],
)
def test_out_of_range(
    rate: int, channels: int, reason: str, decoder: str, use: Callable[[str], None], tmp_path: Path
) -> None:
    use(decoder)
    path = tmp_path / "song.wav"
    soundfile.write(path, np.zeros((1000, channels)), rate)
    with pytest.raises(DecodeError, match=reason):
        open_decoder(path)


@BOTH
@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (192000, 16)])
def test_ends_of_the_range(
    rate: int, channels: int, decoder: str, use: Callable[[str], None], tmp_path: Path
) -> None:
    use(decoder)
    path = tmp_path / "song.wav"
    soundfile.write(path, np.zeros((1000, channels)), rate)
    samples, _ = decode(path)
    assert samples.shape == (channels, 1000)


@BOTH
def test_wav_without_samples(decoder: str, use: Callable[[str], None], tmp_path: Path) -> None:
    use(decoder)
    path = tmp_path / "none.wav"
    soundfile.write(path, np.zeros((0, 2)), RATE)
    with pytest.raises(DecodeError, match="no audio"):
        decode(path)


def test_hint_where_there_is_no_ffmpeg(tmp_path: Path, no_ffmpeg: None) -> None:
    with pytest.raises(DecodeError, match="install ffmpeg"):
        open_decoder(write(tmp_path / "song.m4a", b"\0\0\0\x20ftypM4A " + bytes(1000)))


# What is left behind


def test_memory_does_not_grow_with_the_file(song: np.ndarray, tmp_path: Path, no_ffmpeg: None) -> None:
    path = write(tmp_path / "long.mp3", mp3s.lame(song, RATE, 64) * 60)  # two minutes: 42 MB of samples
    frames = 0
    tracemalloc.start()
    with open_decoder(path) as opened:
        for block in opened.blocks():
            frames += block.shape[1]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert frames == opened.expected and frames > 120 * RATE
    assert peak < 8e6


def test_files_are_closed(tagged: bytes, tmp_path: Path, no_ffmpeg: None) -> None:
    path = write(tmp_path / "song.mp3", tagged)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        opened = open_decoder(path)
        next(opened.blocks(100))
        opened.close()
        opened.close()
        path.unlink()


def test_spool(tagged: bytes) -> None:
    path = spool_stdin(io.BytesIO(tagged))
    try:
        assert path.read_bytes() == tagged
        samples, opened = decode(path)
        assert samples.shape[1] == opened.expected
    finally:
        path.unlink()


def test_spool_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError("unplugged")

    class Terminal(io.BytesIO):
        def isatty(self) -> bool:
            return True

    for stream, reason in ((io.BytesIO(), "empty"), (Broken(), "unplugged"), (Terminal(), "terminal")):
        with pytest.raises(DecodeError, match=reason):
            spool_stdin(stream)
    assert list(tmp_path.iterdir()) == []
