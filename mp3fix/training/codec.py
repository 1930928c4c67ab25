"""Pairs of a recording and what an MP3 leaves of it, aligned to the sample."""

import io
from dataclasses import dataclass

import lameenc
import numpy as np
import soundfile
import soxr

from mp3fix.bitstream.frames import scan
from mp3fix.bitstream.maps import BitstreamMaps
from mp3fix.signal.stft import StftSpec

RATE = 44100
# Decoder and encoder delay of Layer III with LAME (529 + 576 samples at the codec's rate). lameenc writes no Info
# tag, so decoders leave it in.
DELAY = 1105
# What every setting keeps and where alignment is checked; a pair that correlates less there is none.
LOW_BAND_HZ = (200.0, 5000.0)
LEAST_CORRELATION = 0.5
# Below 64 kbit/s mono, and up to 96 stereo, LAME chooses a lower rate by itself (LAME 3.100); ffmpeg keeps 44.1 kHz.
OWN_RATES_MONO = {16: 16000, 24: 16000, 32: 22050, 48: 32000}
OWN_RATES_STEREO = {32: 16000, 48: 22050, 64: 24000, 96: 32000}


@dataclass(frozen=True)
class Setting:
    """One way to encode.

    Attributes:
        channels: 1 or 2 (joint stereo).
        kbps: constant bitrate, or None.
        vbr: LAME's V value, or None.
        rate: the codec's sampling rate in Hz.
    """

    channels: int
    kbps: int | None
    vbr: int | None
    rate: int

    @property
    def name(self) -> str:
        """A short name such as `64k mono` or `V2 stereo`; mono without a rate is at LAME's own, stereo at 44.1 kHz."""
        how = f"{self.kbps}k" if self.kbps else f"V{self.vbr}"
        usual = OWN_RATES_MONO.get(self.kbps or 0, RATE) if self.channels == 1 else RATE
        rate = "" if self.rate == usual else f" at {self.rate / 1000:g} kHz"
        return f"{how} {'mono' if self.channels == 1 else 'stereo'}{rate}"


def mono(kbps: int, own_rate: bool = True) -> Setting:
    """Constant bitrate, mono, at the rate LAME chooses by itself or kept at 44.1 kHz."""
    return Setting(1, kbps, None, OWN_RATES_MONO.get(kbps, RATE) if own_rate else RATE)


def stereo(kbps: int, own_rate: bool = False) -> Setting:
    """Constant bitrate, joint stereo, at 44.1 kHz or the rate LAME chooses by itself."""
    return Setting(2, kbps, None, OWN_RATES_STEREO.get(kbps, RATE) if own_rate else RATE)


def vbr(quality: int) -> Setting:
    """Variable bitrate V0..V9, joint stereo, at 44.1 kHz."""
    return Setting(2, None, quality, RATE)


def encode(samples: np.ndarray, setting: Setting, quality: int = 3) -> bytes:
    """Encode float32 (channels, frames) at 44.1 kHz with LAME; returns the MP3's bytes.

    Constant bitrates go through lameenc, which writes no Info tag; VBR through libsndfile's LAME, which does:
    without a tag libsndfile guesses the length of a VBR stream, wrongly.
    """
    if setting.vbr is not None:
        file = io.BytesIO()
        level = setting.vbr / 10
        options = {"format": "MP3", "bitrate_mode": "VARIABLE", "compression_level": level}
        soundfile.write(file, np.clip(samples, -1, 1).T, RATE, **options)
        return file.getvalue()
    encoder = lameenc.Encoder()
    encoder.silence()
    encoder.set_in_sample_rate(RATE)
    encoder.set_out_sample_rate(setting.rate)
    encoder.set_channels(setting.channels)
    encoder.set_quality(quality)
    encoder.set_bit_rate(setting.kbps)
    pcm = np.round(np.clip(samples, -1, 1) * 32767).astype("<i2")
    return bytes(encoder.encode(np.ascontiguousarray(pcm.T).tobytes()) + encoder.flush())


def decode(mp3: bytes, setting: Setting, frames: int) -> np.ndarray:
    """Decode bytes from `encode` to float32 (channels, frames) at 44.1 kHz, with the codec's delay removed."""
    samples, rate = soundfile.read(io.BytesIO(mp3), dtype="float32", always_2d=True)
    if setting.vbr is None:
        samples = samples[DELAY:]
    if rate != RATE:
        # The delay is whole samples at the codec's own rate, so it is cut before resampling.
        samples = soxr.resample(samples, rate, RATE)
    out = np.zeros((samples.shape[1], frames), np.float32)
    length = min(frames, len(samples))
    out[:, :length] = samples[:length].T
    return out


def bitstream(mp3: bytes, setting: Setting, spec: StftSpec) -> BitstreamMaps:
    """The maps of bytes from `encode`, for an STFT of what `decode` gives."""
    found = scan(mp3)
    start = found.trim[0] if setting.vbr is not None else DELAY
    return BitstreamMaps(mp3, found, start, spec.rate, spec.n_fft, spec.analysis_window())


def degrade(samples: np.ndarray, setting: Setting) -> tuple[bytes, np.ndarray]:
    """The MP3 of float32 (channels, frames) at 44.1 kHz, and what it leaves of them; same shape, aligned."""
    mp3 = encode(samples, setting)
    return mp3, decode(mp3, setting, samples.shape[1])


def codec_gain(original: np.ndarray, decoded: np.ndarray) -> float:
    """Gain the encoder applied: least squares of decoded against original on 100-1500 Hz.

    LAME multiplies its input by 0.95 for CBR and ABR (0.97 at 192 kbit/s, 1 at 320 and for VBR). A target must
    carry the same factor, or a network spends itself on learning it. Returns 1 for silence.
    """
    n = original.shape[-1]
    hz = np.fft.rfftfreq(n, 1 / RATE)
    band = (hz > 100) & (hz < 1500)
    x, y = np.fft.rfft(original)[..., band], np.fft.rfft(decoded)[..., band]
    energy = float(np.sum(np.abs(x) ** 2))
    return float(np.sum((x.conj() * y).real) / energy) if energy > 0 else 1.0


def lag(original: np.ndarray, decoded: np.ndarray) -> int:
    """Samples by which `decoded` (frames,) comes late, by cross-correlation within +-2048 samples."""
    n = 1 << (len(original) + 4096).bit_length()
    cross = np.fft.irfft(np.fft.rfft(decoded, n) * np.fft.rfft(original, n).conj(), n)
    around = np.concatenate([cross[-2048:], cross[:2049]])
    return int(np.argmax(around)) - 2048


def misfit(original: np.ndarray, decoded: np.ndarray) -> str:
    """Why a pair cannot be used, or "" where it can: both float32 (channels, frames) at 44.1 kHz.

    Of the louder channel, 200 to 5000 Hz are compared, which all settings keep: a pair fits if it is aligned to a
    sample and correlates by 0.5 at least. Three transforms of the excerpt's length: some milliseconds for 2 s. Silence
    fits silence.
    """
    loudest = int(np.argmax(np.einsum("cn,cn->c", original, original)))
    n = original.shape[1]
    hz = np.fft.rfftfreq(n, 1 / RATE)
    outside = (hz < LOW_BAND_HZ[0]) | (hz > LOW_BAND_HZ[1])
    x, y = np.fft.rfft(original[loudest]), np.fft.rfft(decoded[loudest])
    x[outside], y[outside] = 0, 0
    energies = [float(np.sum(np.abs(each) ** 2)) / n for each in (x, y)]
    if max(energies) < 1e-6:
        return ""
    cross = y * x.conj()
    late = int(np.argmax(np.abs(np.fft.irfft(cross, n))))
    late -= n if late > n // 2 else 0
    if abs(late) > 1:
        return f"late by {late} samples"
    correlation = float(cross.real.sum()) / n / max(np.sqrt(energies[0] * energies[1]), 1e-20)
    return "" if correlation >= LEAST_CORRELATION else f"unlike its original (correlation {correlation:.2f})"
