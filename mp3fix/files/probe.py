"""What a file says of itself, without decoding it."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import mutagen

from ..errors import DecodeError
from . import ffmpeg, sniff
from .names import shown
from .sndfile import SndfileSource

_MUTAGEN_CODECS = {
    "ASF": "WMA",
    "MonkeysAudio": "Monkey's Audio",
    "OggVorbis": "Vorbis",
    "OggOpus": "Opus",
    "OggSpeex": "Speex",
    "OggFLAC": "FLAC",
    "TrueAudio": "TTA",
    "WavPack": "WavPack",
    "Musepack": "Musepack",
    "OptimFROG": "OptimFROG",
    "TAK": "TAK",
    "AAC": "AAC",
    "AC3": "AC-3",
}
_STREAM = re.compile(r"^\s*Stream #0:\d+.*?: Audio: ([^\s,]+)(?:.*, (\d+) kb/s)?", re.MULTILINE)
_DURATION = re.compile(r"^\s*Duration: (\d+):(\d\d):(\d\d\.\d+)", re.MULTILINE)


@dataclass(frozen=True)
class Info:
    """What a file says of itself; None where it does not.

    Attributes:
        codec: "MP3", "AAC", "FLAC", "PCM 16-bit" ...
        bitrate_kbps: mean.
        bitrate_mode: "CBR", "ABR" or "VBR" (MP3 only).
        rate: Hz.
        channels: number of channels.
        mode: "stereo", "joint stereo", "dual channel" or "mono" (MP3 only).
        encoder: who made it, as written in the file.
        duration: seconds that are there, after gapless trimming.
        frames: samples per channel in that time.
        lowpass: the encoder's lowpass in Hz, as written in the file (MP3 only).
    """

    codec: str
    bitrate_kbps: int | None
    bitrate_mode: str | None
    rate: int
    channels: int
    mode: str | None
    encoder: str | None
    duration: float | None
    frames: int | None
    lowpass: int | None


def probe(path: Path) -> Info:
    """Reads the headers of a file.

    Raises:
        DecodeError: the file is missing, is not audio, or nobody here knows its format.
    """
    frames = sniff.look(path)
    if frames is not None:
        return Info(
            codec="MP3",
            bitrate_kbps=frames.bitrate_kbps,
            bitrate_mode=frames.bitrate_mode,
            rate=frames.rate,
            channels=frames.channels,
            mode=frames.mode,
            encoder=frames.encoder,
            duration=frames.duration,
            frames=round(frames.duration * frames.rate),
            lowpass=frames.lowpass_hz,
        )
    return _by_mutagen(path) or _by_libsndfile(path) or _by_ffmpeg(path)


def _info(
    path: Path,
    codec: str,
    rate: int,
    channels: int,
    seconds: float | None,
    kbps: int = 0,
    encoder: str | None = None,
) -> Info:
    """The facts of a file that is no MP3; the bitrate from the size where the file does not say it."""
    if not kbps and seconds:
        kbps = round(path.stat().st_size * 8 / seconds / 1000)
    frames = round(seconds * rate) if seconds is not None else None
    return Info(codec, kbps or None, None, rate, channels, None, encoder, seconds, frames, None)


def _by_mutagen(path: Path) -> Info | None:
    """Lossy and other formats that mutagen knows and libsndfile does not, or not as well."""
    try:
        tagged = mutagen.File(path)
        facts = tagged.info
        name = type(tagged).__name__
        codec = str(facts.codec_description).split()[0] if name == "MP4" else _MUTAGEN_CODECS.get(name)
        if codec:
            rate = 48000 if name == "OggOpus" else facts.sample_rate
            kbps = round(getattr(facts, "bitrate", 0) / 1000)
            return _info(path, codec, rate, facts.channels, facts.length or None, kbps, _encoder(tagged.tags))
    # Of a hostile file mutagen may raise anything; the others are asked then.
    except Exception:
        return None
    return None


def _encoder(tags: object) -> str | None:
    """The encoder in mutagen's tags: Vorbis comments' vendor, or MP4's tool."""
    tool = tags.get("\xa9too") if isinstance(tags, dict) else None
    vendor = getattr(tags, "vendor", None)
    return str(tool[0]) if tool else vendor or None


def _by_libsndfile(path: Path) -> Info | None:
    """WAV, AIFF, FLAC and the other formats of libsndfile."""
    try:
        source = SndfileSource(path)
    except DecodeError:
        return None
    try:
        return _info(path, source.codec, source.rate, source.channels, source.frames / source.rate)
    finally:
        source.close()


def _by_ffmpeg(path: Path) -> Info:
    """Everything else, from what ffmpeg prints of it."""
    program = ffmpeg.find()
    if program is None:
        raise DecodeError(
            f"{shown(path)}: no audio found in it\nIf it is music, install ffmpeg: it reads more formats."
        )
    source = ffmpeg.FfmpegSource(program, path)
    source.close()
    try:
        said = subprocess.run(
            ffmpeg.input_arguments(program, path), stdin=subprocess.DEVNULL, capture_output=True, timeout=60
        ).stderr.decode("utf-8", "replace")
    except (OSError, subprocess.SubprocessError) as error:
        raise DecodeError(f"{shown(path)}: ffmpeg cannot be asked about it ({error})") from error
    stream, duration = _STREAM.search(said), _DURATION.search(said)
    seconds = None
    if duration:
        hours, minutes, rest = duration.groups()
        seconds = int(hours) * 3600 + int(minutes) * 60 + float(rest)
    codec = stream.group(1).upper() if stream else "unknown"
    kbps = int(stream.group(2) or 0) if stream else 0
    return _info(path, codec, source.rate, source.channels, seconds, kbps)
