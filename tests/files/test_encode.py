"""Samples to files that are whole or absent."""

import os
import resource
import shutil
import signal
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mutagen
import numpy as np
import pytest
import soundfile

from mp3fix.errors import EncodeError, OutputExistsError
from mp3fix.files import tags, temporary, wav
from mp3fix.files.encode import Encoder, gain_for_peak
from mp3fix.files.flacfile import FlacFile
from mp3fix.files.tags_own import read_own

RATE = 44100
FORMATS = [("wav", "16"), ("wav", "24"), ("wav", "32f"), ("flac", "16"), ("flac", "24")]


def music(frames: int = 100_000, channels: int = 2, peak: float = 0.9) -> np.ndarray:
    noise = np.random.default_rng(3).uniform(-1, 1, (channels, frames)).astype(np.float32)
    return noise * np.float32(peak / np.abs(noise).max()) if frames else noise


def encode(
    path: Path, samples: np.ndarray, format: str = "flac", bits: str = "24", block: int = 4096, **options
):
    with Encoder(path, options.pop("rate", RATE), len(samples), format, bits, **options) as encoder:
        for start in range(0, samples.shape[1], block):
            encoder.write(samples[:, start : start + block])
        return encoder.commit()


def read(path: Path) -> np.ndarray:
    return soundfile.read(path, dtype="float32", always_2d=True)[0].T


@pytest.mark.parametrize(("format", "bits"), FORMATS)
def test_what_goes_in_comes_out(tmp_path: Path, format: str, bits: str) -> None:
    path = tmp_path / f"out.{format}"
    samples = music()
    result = encode(path, samples, format, bits)
    info = soundfile.info(path)
    subtype = {"16": "PCM_16", "24": "PCM_24", "32f": "FLOAT"}[bits]
    assert (info.format, info.subtype) == (format.upper(), subtype)
    assert (info.samplerate, info.channels, info.frames) == (RATE, 2, 100_000)
    tolerance = {"16": 1.5 * 2**-15, "24": 2**-23, "32f": 0}[bits]  # rounding, and one unit of dither
    assert np.abs(read(path) - samples).max() <= tolerance
    assert result.frames == 100_000 and result.gain_db == 0 and result.warnings == []
    assert result.peak_dbfs == pytest.approx(20 * np.log10(0.9), abs=1e-4)
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize(("format", "bits"), FORMATS)
def test_the_same_bytes_for_every_block_size(tmp_path: Path, format: str, bits: str) -> None:
    samples = music(70_000, peak=1.7)
    files = []
    for block in (70_000, 4096, 999):
        encode(tmp_path / "out", samples, format, bits, block, overwrite=True)
        files.append((tmp_path / "out").read_bytes())
    assert files[0] == files[1] == files[2]


def test_only_temporary_files_before_the_commit(tmp_path: Path) -> None:
    with Encoder(tmp_path / "song.flac", RATE, 1) as encoder:
        encoder.write(music(1000, 1))
        names = os.listdir(tmp_path)
        assert names and all(name.startswith(f".song.flac.mp3fix-{os.getpid()}-") for name in names)
        assert all(name.endswith(".tmp") for name in names)
        encoder.commit()
    assert os.listdir(tmp_path) == ["song.flac"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize(("format", "bits"), [("flac", "24"), ("wav", "32f")])
def test_nothing_stays_behind(tmp_path: Path, error: type[BaseException], format: str, bits: str) -> None:
    path = tmp_path / "out"
    path.write_text("what was there")
    with pytest.raises(error), Encoder(path, RATE, 2, format, bits, overwrite=True) as encoder:
        encoder.write(music())
        raise error
    assert os.listdir(tmp_path) == ["out"] and path.read_text() == "what was there"


@pytest.mark.parametrize("format", ["flac", "wav"])
def test_an_interrupt_while_the_file_is_encoded(
    tmp_path: Path, format: str, capfd: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt), Encoder(tmp_path / "out", RATE, 8, format, "16") as encoder:
            block = music(RATE, 8)
            for _ in range(20):
                encoder.write(block)
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            encoder.commit()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert os.listdir(tmp_path) == []
    assert capfd.readouterr().err == ""


def test_an_interrupt_while_the_thread_of_the_encoder_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It must not end with two threads at one file, which crash in libsndfile."""
    begun = threading.Thread.start

    def start(thread: threading.Thread) -> None:
        begun(thread)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), Encoder(tmp_path / "out", RATE, 8, "flac", "16") as encoder:
        encoder.write(music(20 * RATE, 8))
        monkeypatch.setattr(threading.Thread, "start", start)
        writes: list[str] = []
        written = soundfile.SoundFile.write
        monkeypatch.setattr(soundfile.SoundFile, "write", lambda *a: (writes.append(""), written(*a)))
        encoder.commit()
    assert writes == [] and os.listdir(tmp_path) == []


@pytest.mark.parametrize(("format", "bits"), [("flac", "16"), ("flac", "24"), ("wav", "16")])
def test_one_gain_for_a_song_beyond_full_scale(tmp_path: Path, format: str, bits: str) -> None:
    samples = music()
    samples[0, 50_000:51_000] = 2.2
    result = encode(tmp_path / "out", samples, format, bits)
    assert result.peak_dbfs == pytest.approx(6.848, abs=1e-3)
    assert result.gain_db == pytest.approx(-6.849, abs=1e-3)
    assert result.warnings == []
    found = read(tmp_path / "out")
    # no clipping even where dither adds to the peak: it would pull the mean down
    assert found[0, 50_000:51_000].mean() == pytest.approx(1 - 2**-14, abs=3e-6)
    assert np.abs(found - samples * 10 ** (result.gain_db / 20)).max() < 2 * 2**-15


def test_full_scale_itself_needs_no_gain(tmp_path: Path) -> None:
    result = encode(tmp_path / "out", music(peak=1.0), "wav", "16")
    assert result.gain_db == 0 and result.warnings == []


def test_floats_pass_full_scale_untouched(tmp_path: Path) -> None:
    samples = music(peak=2.2)
    result = encode(tmp_path / "out", samples, "wav", "32f")
    assert result.gain_db == 0 and np.array_equal(read(tmp_path / "out"), samples)


def test_several_files_share_a_gain(tmp_path: Path) -> None:
    loud, louder = music(peak=1.5), music(peak=2.0)
    with Encoder(tmp_path / "1", RATE, 2) as one, Encoder(tmp_path / "2", RATE, 2) as two:
        one.write(loud)
        two.write(louder)
        gain = gain_for_peak(max(one.peak, two.peak))
        results = [one.commit(gain_db=gain), two.commit(gain_db=gain)]
    assert [result.gain_db for result in results] == [gain, gain]
    assert np.abs(read(tmp_path / "1")).max() == pytest.approx(0.75, abs=1e-3)
    assert np.abs(read(tmp_path / "2")).max() == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize(("format", "bits"), FORMATS)
def test_a_fixed_gain(tmp_path: Path, format: str, bits: str) -> None:
    samples = music(peak=1.5)
    result = encode(tmp_path / "out", samples, format, bits, gain_db=-6.0)
    assert result.gain_db == -6.0 and result.warnings == []
    assert np.abs(read(tmp_path / "out") - samples * 10**-0.3).max() < 2 * 2**-15


def test_a_fixed_gain_that_clips_says_so(tmp_path: Path) -> None:
    samples = music(peak=0.5)
    samples[:, 100:103] = [[1.5, -1.5, 1.2], [0, 0, 0]]
    result = encode(tmp_path / "out", samples, "wav", "16", gain_db=3.0)
    assert result.warnings == ["samples clipped at a gain of +3.0 dB: 3 (-3.6 dB would fit)"]
    found = read(tmp_path / "out")[0]
    assert found[100] == 32767 / 32768 and found[101] == -1 and found[102] == 32767 / 32768


def test_dither_keeps_what_is_below_the_last_bit(tmp_path: Path) -> None:
    quiet = np.full((1, 200_000), 0.3 * 2**-15, np.float32)
    encode(tmp_path / "16", quiet, "flac", "16")
    assert read(tmp_path / "16").mean() * 2**15 == pytest.approx(0.3, abs=0.01)


def test_digital_silence_stays_so(tmp_path: Path) -> None:
    samples = music()
    samples[:, 30_000:60_000] = 0
    encode(tmp_path / "out", samples, "flac", "16")
    assert not read(tmp_path / "out")[:, 30_000:60_000].any()


@pytest.mark.parametrize(("format", "bits"), FORMATS)
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_a_file_without_samples(tmp_path: Path, format: str, bits: str, channels: int) -> None:
    path = tmp_path / f"out.{format}"
    with Encoder(path, RATE, channels, format, bits) as encoder:
        result = encoder.commit(tags.Tags(values={"TITLE": ["Nothing"]}), {"MP3FIX_JOB": "0" * 16})
    assert result.frames == 0 and result.peak_dbfs == -np.inf
    assert tags.read(path).values["TITLE"] == ["Nothing"] and result.warnings == []
    assert read_own(path) == {"MP3FIX_JOB": "0" * 16}  # by which the next run knows that it is done
    info = mutagen.File(path).info
    assert (info.length, info.sample_rate, info.channels) == (0, RATE, channels)
    assert info.bits_per_sample == int(bits[:2])
    if format == "wav":  # libsndfile takes a FLAC's 0 for a length that is not known
        assert soundfile.info(path).frames == 0
    if shutil.which("ffmpeg"):
        command = ["ffmpeg", "-v", "error", "-i", path, "-f", "f32le", "-"]
        assert subprocess.run(command, check=True, capture_output=True).stdout == b""


def test_samples_that_look_like_the_end_of_a_file_without_any(tmp_path: Path) -> None:
    path = tmp_path / "out.wav"
    samples = np.frombuffer(b"data" + bytes(4), "<i2")[None] / np.float32(2**15)
    soundfile.write(path, samples.T, RATE, "PCM_16")
    before = path.read_bytes()
    assert before.endswith(b"data" + bytes(4))
    wav.append_chunk(path, b"id3 ", b"tags")
    assert path.read_bytes()[8:] == before[8:] + b"id3 \4\0\0\0tags"


@pytest.mark.parametrize(
    ("channels", "bits", "rate", "word"),
    [
        (9, "24", RATE, "8 channels"),
        (2, "32f", RATE, "floats"),
        (2, "24", 192001, "192001 Hz"),
        (2, "16", 655360, "655360 Hz"),
    ],
)
def test_what_flac_cannot_hold_goes_to_wav(
    tmp_path: Path, channels: int, bits: str, rate: int, word: str
) -> None:
    with pytest.raises(EncodeError, match=f"{word}.*write WAV"):
        Encoder(tmp_path / "out.flac", rate, channels, "flac", bits)
    encode(tmp_path / "out.wav", music(100, channels), "wav", bits, rate=rate)
    info = soundfile.info(tmp_path / "out.wav")
    assert (info.channels, info.samplerate, info.frames) == (channels, rate, 100)


@pytest.mark.parametrize("rate", [8000, 65535, 96000, 655350])
def test_rates_that_flac_holds(tmp_path: Path, rate: int) -> None:
    encode(tmp_path / "out.flac", music(100, 8), rate=rate)
    assert soundfile.info(tmp_path / "out.flac").samplerate == rate


def test_tags_go_along(tmp_path: Path) -> None:
    with Encoder(tmp_path / "out.flac", RATE, 2) as encoder:
        encoder.write(music())
        result = encoder.commit(
            tags.Tags(values={"TITLE": ["A title"]}, pictures=[tags.Picture(b"\xff\xd8\xff" + bytes(2**24))]),
            {"MP3FIX_SEED": "7"},
        )
    assert len(result.warnings) == 1 and "picture" in result.warnings[0]
    assert tags.read(tmp_path / "out.flac").values == {"TITLE": ["A title"], "MP3FIX_SEED": ["7"]}


def test_an_existing_file_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "out.flac"
    path.write_text("precious")
    with pytest.raises(OutputExistsError, match=r"out\.flac.*--force"):
        Encoder(path, RATE, 2)
    assert path.read_text() == "precious"
    encode(path, music(), overwrite=True)
    assert soundfile.info(path).frames == 100_000


@pytest.mark.parametrize("hard_links", [True, False])
def test_a_file_that_comes_into_being_meanwhile_is_kept(
    tmp_path: Path, hard_links: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(1, "no hard links here")

    if not hard_links:
        monkeypatch.setattr(os, "link", refuse)
    encode(tmp_path / "first.flac", music())  # as ever
    path = tmp_path / "out.flac"
    with pytest.raises(OutputExistsError), Encoder(path, RATE, 2) as encoder:
        encoder.write(music())
        path.write_text("precious")
        encoder.commit()
    assert path.read_text() == "precious" and sorted(os.listdir(tmp_path)) == ["first.flac", "out.flac"]


def test_targets_that_are_no_place_for_a_file(tmp_path: Path) -> None:
    with pytest.raises(EncodeError, match="is a folder"):
        Encoder(tmp_path, RATE, 2, overwrite=True)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(EncodeError, match="no regular file"):
        Encoder(tmp_path / "pipe", RATE, 2, overwrite=True)
    (tmp_path / "file").write_text("")
    for path, reason in (("missing/out.wav", "No such file"), ("file/out.wav", "Not a directory")):
        with pytest.raises(EncodeError, match=f"out.wav cannot be written: {reason}") as caught:
            encode(tmp_path / path, music())
        assert "\n" not in str(caught.value)


def test_a_folder_that_is_not_to_be_written_to(tmp_path: Path) -> None:
    samples = music()
    tmp_path.chmod(0o500)
    user = os.geteuid()
    if user == 0:  # root may write anywhere
        os.seteuid(65534)
    try:
        with pytest.raises(EncodeError, match="cannot be written: Permission denied"):
            encode(tmp_path / "out.flac", samples)
    finally:
        os.seteuid(user)
        tmp_path.chmod(0o700)


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(("format", "bits"), FORMATS)
def test_a_full_disk_while_spooling(tmp_path: Path, format: str, bits: str) -> None:
    with (
        files_no_larger_than(300_000),
        pytest.raises(EncodeError, match=r"out\.x cannot be written: .*File too large"),
    ):
        encode(tmp_path / "out.x", music(400_000), format, bits)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("format", ["flac", "wav"])
@pytest.mark.parametrize("frames", [10, 400_000])
def test_a_full_disk_while_encoding(
    tmp_path: Path, format: str, frames: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Encoder(tmp_path / "out.x", RATE, 2, format, "16") as encoder:
        encoder.write(music(frames))

        def full(target: Path) -> Path:
            path = target.with_name("full")
            path.symlink_to("/dev/full")
            return path

        monkeypatch.setattr(temporary, "create", full)
        with pytest.raises(
            EncodeError, match=r"out\.x cannot be written: the disk is full \(No space left on device\)"
        ):
            encoder.commit()
    assert os.listdir(tmp_path) == []


def test_a_full_disk_at_the_end_of_a_flac(tmp_path: Path) -> None:
    """The last frames are written when the file is closed."""
    path = tmp_path / "out.flac"
    path.touch()
    with (
        files_no_larger_than(10_000),
        pytest.raises(OSError, match="File too large"),
        FlacFile(path, RATE, 2, 16) as file,
    ):
        file.write((music(4000) * 30000).astype(np.int32))


def test_permissions_follow_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        for format, bits in FORMATS:
            encode(tmp_path / f"{bits}.{format}", music(100), format, bits)
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o640}


def test_the_longest_names(tmp_path: Path) -> None:
    path = tmp_path / ("é" * 125 + ".flac")
    encode(path, music(100))
    assert os.listdir(tmp_path) == [path.name]


def test_samples_that_are_no_numbers(tmp_path: Path) -> None:
    for value in (np.nan, np.inf):
        samples = music()
        samples[1, 5000] = value
        with pytest.raises(EncodeError, match="finite"):
            encode(tmp_path / "out.flac", samples)
    assert os.listdir(tmp_path) == []


def test_leftovers_of_dead_processes_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "elsewhere"))
    child = subprocess.Popen(["true"])
    child.wait()
    mine = temporary.create(tmp_path / "song.flac")
    own = f"-{os.getpid()}-"
    dead = mine.with_name(mine.name.replace(own, f"-{child.pid}-"))
    elsewhere = mine.with_name(dead.name.replace(temporary._HOST, f"{int(temporary._HOST, 16) ^ 1:08x}"))
    other = tmp_path / ".song.flac.tmp"
    copied = tmp_path / "elsewhere" / dead.name
    for path in (dead, elsewhere, other, copied):
        path.touch()
    temporary.remove_stale.cache_clear()
    encode(tmp_path / "another.flac", music(100))
    assert not dead.exists() and not copied.exists()
    assert mine.exists() and elsewhere.exists() and other.exists()


@pytest.mark.parametrize("title", [["A title"], []])
@pytest.mark.parametrize("bits", ["16", "24", "32f"])
def test_rf64_where_sizes_do_not_fit(
    tmp_path: Path, bits: str, title: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wav, "LARGEST", 100_000)
    samples = music(20_001, 3)
    with Encoder(tmp_path / "out.wav", RATE, 3, "wav", bits) as encoder:
        encoder.write(samples)
        encoder.commit(tags.Tags(values={"TITLE": title} if title else {}))
    content = (tmp_path / "out.wav").read_bytes()
    assert content[:4] == b"RF64" and struct.unpack_from("<Q", content, 20)[0] == len(content) - 8
    assert soundfile.info(tmp_path / "out.wav").format == "RF64"
    assert np.abs(read(tmp_path / "out.wav") - samples).max() < 2**-14


@pytest.mark.parametrize("bits", ["16", "24", "32f"])
@pytest.mark.parametrize("channels", [1, 2, 3, 6, 9])
def test_wav_headers(tmp_path: Path, bits: str, channels: int) -> None:
    """Sizes are exact, also where an odd number of bytes is padded."""
    samples = music(101, channels)
    encode(tmp_path / "out.wav", samples, "wav", bits)
    content = (tmp_path / "out.wav").read_bytes()
    assert struct.unpack_from("<I", content, 4)[0] == len(content) - 8 and len(content) % 2 == 0
    place = content.index(b"fmt ")
    tag = struct.unpack_from("<H", content, place + 8)[0]
    assert tag == (0xFFFE if channels > 2 else 3 if bits == "32f" else 1)
    if channels > 2:
        mask = struct.unpack_from("<I", content, place + 28)[0]
        assert mask == {3: 0x7, 6: 0x3F, 9: 0}[channels]
    place = content.index(b"data")
    assert struct.unpack_from("<I", content, place + 4)[0] == 101 * channels * wav.BYTES[bits]
    assert soundfile.info(tmp_path / "out.wav").frames == 101
    if bits != "32f" and channels <= 2:
        assert place == 36  # the header that every program knows
