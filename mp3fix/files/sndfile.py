"""Decoding with libsndfile, which the soundfile wheel brings along.

MP3s are handed to it as bare frames: mpg123 inside it gives up at a kilobyte of garbage, and it trims by the
gapless tag as it thinks fit, not quite as ffmpeg does. `decode` trims for both.
"""

import io
from pathlib import Path

import numpy as np
import soundfile

from ..bitstream.frames import FrameScan
from ..errors import DecodeError
from .lengths import wav_mask
from .mp3stream import FrameFile
from .names import shown
from .source import lfe_channels

# Vorbis and Opus order their channels otherwise than WAV (Vorbis I specification, section 4.3.9); libsndfile
# leaves them so, ffmpeg does not.
_OGG_ORDER = {
    3: (0, 2, 1),
    5: (0, 2, 1, 3, 4),
    6: (0, 2, 1, 5, 3, 4),
    7: (0, 2, 1, 6, 5, 3, 4),
    8: (0, 2, 1, 7, 5, 6, 3, 4),
}
_CODECS = {
    "PCM_16": "PCM 16-bit",
    "PCM_24": "PCM 24-bit",
    "PCM_32": "PCM 32-bit",
    "PCM_S8": "PCM 8-bit",
    "PCM_U8": "PCM 8-bit",
    "FLOAT": "PCM float",
    "DOUBLE": "PCM double",
    "ULAW": "u-law",
    "ALAW": "A-law",
    "VORBIS": "Vorbis",
    "OPUS": "Opus",
    "MPEG_LAYER_I": "MP1",
    "MPEG_LAYER_II": "MP2",
}


class _Sequential(soundfile.SoundFile):
    """A file read from start to end.

    soundfile seeks after every block it reads from a seekable file. In MP3s of variable bitrate mpg123 then
    finds too little of the bit reservoir again, and the next samples are wrong (seen with blocks of 5000).
    """

    def seekable(self) -> bool:
        """False, so that nobody seeks."""
        return False


class _Raw(io.BufferedReader):
    """An open file that takes it when a hostile header makes libsndfile seek to nowhere."""

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Moves the position, or leaves it; the errors of this are printed by cffi and then ignored."""
        try:
            return super().seek(offset, whence)
        except (OSError, ValueError, OverflowError):
            return self.tell()


class SndfileSource:
    """A file decoded by libsndfile. A `Source`."""

    def __init__(self, path: Path, frames: FrameScan | None = None) -> None:
        """Opens a file.

        Args:
            path: the file.
            frames: the frames of an MP3; None for other formats.

        Raises:
            DecodeError: libsndfile does not read this file.
        """
        self._complaint: str | None = None
        try:
            # An open file, not its name: that may be no UTF-8, and its ending must not decide what is in it.
            self._raw = _Raw(io.FileIO(path), 1 << 16)
        except OSError as error:
            raise DecodeError(f"{shown(path)}: cannot be read ({error.strerror})") from error
        try:
            self._file = _Sequential(FrameFile(self._raw, frames, claim_more=True) if frames else self._raw)
        # A TypeError is soundfile's answer to a file without a header (.raw).
        except (soundfile.SoundFileError, TypeError, OSError) as error:
            self._raw.close()
            raise DecodeError(f"{shown(path)}: libsndfile finds no audio in it") from error
        if not self._file.frames:
            self.close()
            raise DecodeError(f"{shown(path)}: libsndfile finds no audio in it")
        self.rate, self.channels = self._file.samplerate, self._file.channels
        self.frames = 0 if frames else self._file.frames
        subtype = str(self._file.subtype)
        self.codec = "FLAC" if self._file.format == "FLAC" else _CODECS.get(subtype, subtype)
        self._order = _OGG_ORDER.get(self.channels) if self._file.format == "OGG" else None
        self.lfe = lfe_channels(wav_mask(path), self.channels)

    def read(self, frames: int) -> np.ndarray:
        """See `Source.read`."""
        if self._complaint:
            return np.zeros((0, self.channels), np.float32)
        block = np.full((frames, self.channels), np.nan, np.float32)
        try:
            block = self._file.read(frames, dtype="float32", always_2d=True, out=block)
        except (soundfile.SoundFileError, OSError) as error:
            self._complaint = f"libsndfile gave up: {error}"
            # soundfile does not say how much it read before the error: whatever has been written to.
            written = np.flatnonzero(~np.isnan(block).all(axis=1))
            block = block[: written[-1] + 1 if written.size else 0]
        return block if self._order is None else block[:, self._order]

    def finish(self) -> str | None:
        """See `Source.finish`."""
        return self._complaint

    def close(self) -> None:
        """See `Source.close`."""
        self._file.close()
        self._raw.close()
