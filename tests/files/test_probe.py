"""What --info says of a file."""

import subprocess
from pathlib import Path

import mp3s
import pytest
import soundfile

from mp3fix.errors import DecodeError
from mp3fix.files import ffmpeg
from mp3fix.files.decode import open_decoder
from mp3fix.files.probe import probe

RATE = 44100


def test_mp3_with_a_tag(tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    path.write_bytes(mp3s.id3v2() + mp3s.tagged(mp3s.music(RATE + 5, RATE), RATE, tmp_path))
    info = probe(path)
    assert (info.codec, info.rate, info.channels, info.mode) == ("MP3", RATE, 2, "joint stereo")
    assert (info.bitrate_mode, info.encoder, info.frames) == ("VBR", "LAME3.100", RATE + 5)
    assert info.duration == pytest.approx((RATE + 5) / RATE)
    assert info.lowpass is not None and 10000 < info.lowpass <= 20000


def test_mp3_without_a_tag(tmp_path: Path) -> None:
    path = tmp_path / "song"  # what it is does not depend on its name
    path.write_bytes(mp3s.lame(mp3s.music(22050, 22050, 1), 22050, 32))
    info = probe(path)
    assert (info.codec, info.bitrate_kbps, info.bitrate_mode) == ("MP3", 32, "CBR")
    assert (info.rate, info.channels, info.mode, info.lowpass) == (22050, 1, "mono", None)


def test_truncated_mp3_is_as_long_as_what_is_there(tmp_path: Path) -> None:
    data = mp3s.tagged(mp3s.music(4 * RATE, RATE), RATE, tmp_path)
    path = tmp_path / "song.mp3"
    path.write_bytes(data[: len(data) // 2])
    with open_decoder(path) as opened:
        frames = sum(block.shape[1] for block in opened.blocks())
    assert probe(path).frames == frames


@pytest.mark.parametrize(
    ("name", "subtype", "codec"),
    [
        ("song.wav", "PCM_16", "PCM 16-bit"),
        ("song.wav", "FLOAT", "PCM float"),
        ("song.aiff", "PCM_24", "PCM 24-bit"),
        ("song.flac", "PCM_16", "FLAC"),
        ("song.ogg", "VORBIS", "Vorbis"),
        ("song.ogg", "OPUS", "Opus"),
    ],
)
def test_other_formats(name: str, subtype: str, codec: str, tmp_path: Path, no_ffmpeg: None) -> None:
    path = tmp_path / name
    soundfile.write(path, mp3s.music(96000, 48000).T, 48000, subtype=subtype)
    info = probe(path)
    assert (info.codec, info.rate, info.channels, info.frames) == (codec, 48000, 2, 96000)
    assert info.duration == pytest.approx(2)
    assert info.bitrate_kbps is not None
    if name != "song.ogg":
        assert info.bitrate_kbps == pytest.approx(path.stat().st_size * 8 / 2 / 1000, rel=0.01)
    else:
        assert info.encoder
    assert (info.mode, info.bitrate_mode, info.lowpass) == (None, None, None)


@pytest.mark.ffmpeg
@pytest.mark.parametrize(
    ("name", "options", "codec"),
    [
        ("song.m4a", ["-c:a", "aac", "-b:a", "96k"], "AAC"),
        ("song.wma", ["-c:a", "wmav2", "-b:a", "96k"], "WMA"),
        ("song.mka", ["-c:a", "ac3", "-b:a", "96k"], "AC3"),
        ("song.tta", ["-c:a", "tta"], "TTA"),
    ],
)
def test_formats_of_ffmpeg(name: str, options: list[str], codec: str, tmp_path: Path) -> None:
    path = tmp_path / name
    soundfile.write(tmp_path / "song.wav", mp3s.music(2 * RATE, RATE).T, RATE)
    command = [ffmpeg.find(), "-v", "error", "-i", tmp_path / "song.wav", *options, path]
    subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, check=True)
    info = probe(path)
    assert (info.codec, info.rate, info.channels) == (codec, RATE, 2)
    assert info.duration == pytest.approx(2, abs=0.1)
    if name == "song.mka":
        assert info.bitrate_kbps == 96


def test_no_music(tmp_path: Path) -> None:
    (tmp_path / "words.mp3").write_text("words " * 100)
    (tmp_path / "zeros.wav").write_bytes(bytes(1000))
    for name in ("words.mp3", "zeros.wav", "missing.mp3"):
        with pytest.raises(DecodeError, match=name):
            probe(tmp_path / name)
    with pytest.raises(DecodeError, match="folder"):
        probe(tmp_path)


def test_no_music_without_ffmpeg(tmp_path: Path, no_ffmpeg: None) -> None:
    (tmp_path / "zeros.wav").write_bytes(bytes(1000))
    with pytest.raises(DecodeError, match="install ffmpeg"):
        probe(tmp_path / "zeros.wav")
