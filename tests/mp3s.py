"""Music and MP3s made on the spot, for tests that need a file and not a recording."""

from pathlib import Path

import lameenc
import numpy as np
import soundfile


def music(frames: int, rate: int, channels: int = 2, seed: int = 0) -> np.ndarray:
    """Pulsing chords over a little noise, below full scale: float32 (channels, frames)."""
    random = np.random.default_rng(seed)
    time = np.arange(frames) / rate
    samples = 0.02 * random.standard_normal((channels, frames))
    for number, pitch in enumerate((110, 220, 331, 447, 883, 2000)):
        phases = random.uniform(0, 6, (channels, 1))
        pulse = 1 + 0.5 * np.sin(2 * np.pi * (number + 1) / 2 * time)
        samples += 0.12 / (1 + number / 2) * pulse * np.sin(2 * np.pi * pitch * time + phases)
    return samples.astype(np.float32)


def lame(samples: np.ndarray, rate: int, kbps: int = 128, vbr_quality: int | None = None) -> bytes:
    """An MP3 without any tag: constant bitrate, or variable at a quality of 0 to 9."""
    encoder = lameenc.Encoder()
    encoder.silence()
    encoder.set_quality(7)
    encoder.set_channels(samples.shape[0])
    encoder.set_in_sample_rate(rate)
    encoder.set_out_sample_rate(rate)
    if vbr_quality is None:
        encoder.set_bit_rate(kbps)
    else:
        encoder.set_vbr(4)
        encoder.set_vbr_quality(vbr_quality)
    pcm = (np.clip(samples.T, -1, 1) * 32767).astype("<i2").tobytes()
    return bytes(encoder.encode(pcm)) + bytes(encoder.flush())


def tagged(samples: np.ndarray, rate: int, folder: Path) -> bytes:
    """A VBR MP3 with a gapless tag, as libsndfile writes it."""
    path = folder / "tagged-by-libsndfile.mp3"
    soundfile.write(path, samples.T, rate, format="MP3")
    return path.read_bytes()


def free_format(samples: np.ndarray) -> bytes:
    """A free-format MP3 at 48 kHz: 128 kbit/s, every frame of 384 bytes, with the bitrate struck out."""
    data = bytearray(lame(samples, 48000, 128))
    assert len(data) % 384 == 0
    data[2::384] = bytes(byte & 0x0F for byte in data[2::384])
    return bytes(data)


def id3v2(size: int = 1000) -> bytes:
    """An ID3v2.4 tag with one comment of `size` bytes, full of what looks like frame headers."""
    body = b"TXXX" + bytes((0, 0, size >> 7, size & 127, 0, 0)) + (b"\xff\xfb\x90\x64" * size)[:size]
    total = len(body)
    return b"ID3\x04\0\0" + bytes((0, 0, total >> 7, total & 127)) + body


def id3v1() -> bytes:
    """An ID3v1 tag."""
    return b"TAG" + b"title".ljust(125, b"\0")


def ape(size: int = 300) -> bytes:
    """An APEv2 tag with header and footer around `size` bytes of items."""
    common = (2000).to_bytes(4, "little") + (size + 32).to_bytes(4, "little") + (1).to_bytes(4, "little")
    flags = 0x80000000
    header = b"APETAGEX" + common + (flags | 0x20000000).to_bytes(4, "little") + bytes(8)
    footer = b"APETAGEX" + common + flags.to_bytes(4, "little") + bytes(8)
    return header + (b"\xff\xfb\x90\x64" * size)[:size] + footer


def lyrics3() -> bytes:
    """A Lyrics3v2 tag."""
    body = b"LYRICSBEGIN" + b"IND00002" + b"00" + b"LYR00012" + b"[00:01]Hello"
    return body + b"%06d" % len(body) + b"LYRICS200"


def info_tag(data: bytes) -> int:
    """Where the words Info or Xing stand in a tagged MP3."""
    return max(data.find(b"Info", 0, 200), data.find(b"Xing", 0, 200))
