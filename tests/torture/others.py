"""Files of other kinds that are named .mp3, sound ones and such with broken headers."""

import struct
import subprocess
import tempfile
import zlib
from pathlib import Path

import numpy as np
from kinds import FRAMES, RATE, Case, Outcome, Part, Refused, Whole, case, kind, patched, song, written

from mp3fix.files import ffmpeg

SOUND = Whole(FRAMES)
NO_AUDIO = Refused("no audio|no sample|can be restored")


def renamed(form: str, subtype: str | None) -> Case:
    return Case(written(form, subtype), SOUND)


case("WAV", renamed, "WAV", "PCM_16")
case("FLAC", renamed, "FLAC", "PCM_16")
case("Ogg Vorbis", renamed, "OGG", "VORBIS")
case("AIFF", renamed, "AIFF", "PCM_24")


def m4a() -> Case:
    """By ffmpeg, which alone reads it."""
    program = ffmpeg.find()
    assert program is not None
    with tempfile.TemporaryDirectory() as folder:
        source, made = Path(folder, "song.wav"), Path(folder, "song.m4a")
        source.write_bytes(written("WAV"))
        subprocess.run([program, "-v", "error", "-i", source, made], stdin=subprocess.DEVNULL, check=True)
        data = made.read_bytes()
    return Case(data, Whole(FRAMES, slack=2048), embedded=Refused("install ffmpeg"))


try:
    if ffmpeg.find():
        case("M4A", m4a)
except Exception:  # a wrong $MP3FIX_FFMPEG is the program's to tell
    pass


def chunk(name: bytes, content: bytes) -> bytes:
    """A chunk of a PNG."""
    body = name + content
    return len(content).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")


@kind
def png() -> Case:
    """An image that claims to be 2^31-1 pixels wide and high."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 2**31 - 1, 2**31 - 1, 8, 2, 0, 0, 0))
    data = b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    return Case(data, Refused("is a PNG image"))


@kind
def text() -> Case:
    return Case(b"Not music, but words.\n" * 500, Refused("is a text file"))


@kind
def m3u() -> Case:
    return Case(b"#EXTM3U\n#EXTINF:2,A song\nWAV.mp3\n", Refused("is a playlist"))


@kind
def hls() -> Case:
    head = b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:2,\n"
    return Case(head + b"WAV.mp3\n#EXT-X-ENDLIST\n", Refused("is a playlist"))


@kind
def ffconcat() -> Case:
    return Case(b"ffconcat version 1.0\nfile WAV.mp3\n", Refused("is a playlist"))


@kind
def ffconcat_behind_a_control_character() -> Case:
    return Case(b"ffconcat version 1.0\nfile WAV.mp3\n#\0\x01", Refused("is a playlist"))


# WAV


def wav(
    code: int = 1,
    channels: int = 2,
    rate: int = RATE,
    align: int = 4,
    bits: int = 16,
    size: int | None = None,
) -> bytes:
    """A WAV of the song at 16 bits, whatever its header says."""
    samples = (np.clip(song().T, -1, 1) * 32767).astype("<i2").tobytes()
    form = struct.pack("<HHIIHH", code, channels, rate, rate * align & 0xFFFFFFFF, align, bits)
    body = b"WAVEfmt \x10\0\0\0" + form + b"data"
    body += (len(samples) if size is None else size).to_bytes(4, "little") + samples
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def wav_case(outcome: Outcome, embedded: Outcome | None = None, **header: int) -> Case:
    return Case(wav(**header), outcome, embedded)


case("WAV of no channels", lambda: wav_case(NO_AUDIO, channels=0))
case("WAV of 65535 channels", lambda: wav_case(NO_AUDIO, channels=65535, align=65535 * 2 & 0xFFFF))
case("WAV of no rate", lambda: wav_case(NO_AUDIO, rate=0))
case("WAV of 4 GHz", lambda: wav_case(NO_AUDIO, rate=2**32 - 1))
case("WAV of 4 GB", lambda: wav_case(SOUND, size=2**32 - 1))
case("WAV of 1 GB", lambda: wav_case(Part(FRAMES, FRAMES, 2**28), size=2**30))
case("WAV of no bits", lambda: wav_case(NO_AUDIO, bits=0))
case("WAV of a codec that nobody knows", lambda: wav_case(NO_AUDIO, code=0x7ABC))


@kind
def wav_whose_first_chunk_is_4_gb() -> Case:
    return Case(patched(wav(), 16, b"\xff" * 4), NO_AUDIO)


@kind
def wav_of_three_hundred_thousand_chunks() -> Case:
    data = wav()
    return Case(data[:36] + b"junk\0\0\0\0" * 300_000 + data[36:], SOUND, embedded=NO_AUDIO)


@kind
def rf64_of_2_63_bytes() -> Case:
    data = wav(size=2**32 - 1)
    size = struct.pack("<QQQI", 2**63 - 1, 2**63 - 1, 2**63 - 1, 0)
    data = b"RF64\xff\xff\xff\xffWAVEds64" + len(size).to_bytes(4, "little") + size + data[12:]
    return Case(data, SOUND)


@kind
def wav_cut_in_its_header() -> Case:
    return Case(wav()[:30], NO_AUDIO)


@kind
def wav_of_one_sample() -> Case:
    return Case(written("WAV", "PCM_16", song()[:, :1]), Whole(1))


@kind
def wav_of_silence_at_8_khz() -> Case:
    return Case(written("WAV", "PCM_16", np.zeros((1, 8000), np.float32), 8000), Whole(8000, 8000))


# FLAC


def flac(at: int, value: bytes, outcome: Outcome) -> Case:
    """Other bytes in STREAMINFO, which begins at 8: block sizes, frame sizes, rate, channels, bits, samples."""
    return Case(patched(written("FLAC", "PCM_16"), at, value), outcome)


def long_flac() -> Case:
    data = written("FLAC", "PCM_16")
    return Case(patched(data, 21, bytes((data[21] | 15,)) + b"\xff" * 4), Part(FRAMES, FRAMES, 2**36 - 1))


case("FLAC of no rate", lambda: flac(18, b"\0\0\x02", NO_AUDIO))
case("FLAC of 2^36-1 samples", lambda: long_flac())
case("FLAC of blocks of one sample", lambda: flac(8, b"\0\1\0\1", SOUND))


@kind
def flac_whose_comments_claim_4_gb() -> Case:
    data = written("FLAC", "PCM_16")
    block = b"\x04\0\0\x08" + b"\xff" * 8
    return Case(data[:42] + block + data[42:], SOUND, embedded=NO_AUDIO)


@kind
def aiff_of_a_rate_that_is_no_number() -> Case:
    data = written("AIFF", "PCM_16")
    return Case(patched(data, data.index(b"COMM") + 16, b"\x7f\xff" + b"\xff" * 8), NO_AUDIO)


@kind
def ogg_of_255_channels() -> Case:
    data = written("OGG", "VORBIS")
    return Case(patched(data, data.index(b"\x01vorbis") + 11, b"\xff"), NO_AUDIO)


@kind
def ogg_cut_in_half() -> Case:
    data = written("OGG", "VORBIS")
    return Case(data[: len(data) // 2], Part(FRAMES // 4, FRAMES * 3 // 4, silently=True))
