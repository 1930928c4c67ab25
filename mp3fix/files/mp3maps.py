"""The maps of an MP3's bitstream, from its file."""

from pathlib import Path

from ..bitstream.frames import FrameScan
from ..bitstream.maps import BitstreamMaps, readable
from ..errors import DecodeError
from ..signal.stft import StftSpec
from .names import shown

_AHEAD = 1 << 20  # bytes that are read at once


class FileBytes:
    """A file's bytes by slices, without holding or mapping it: mapped, a file that is cut short ends the process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held, self._at = b"", 0

    def __getitem__(self, part: slice) -> bytes:
        """Bytes from part.start to part.stop.

        Raises:
            DecodeError: they are not there any more.
        """
        start, stop = part.start - self._at, part.stop - self._at
        if start < 0 or stop > len(self._held):
            # Opened each time: no file stays open, whoever asks, and wherever that ends.
            try:
                with open(self._path, "rb") as file:
                    file.seek(part.start)
                    self._held, self._at = file.read(max(_AHEAD, part.stop - part.start)), part.start
            except OSError as error:
                raise DecodeError(
                    f"{shown(self._path)}: cannot be read ({error.strerror or error})"
                ) from error
            start, stop = 0, part.stop - part.start
        found = self._held[start:stop]
        if len(found) < part.stop - part.start:
            raise DecodeError(f"{shown(self._path)}: became shorter while it was read")
        return found


def bitstream_maps(path: Path, frames: FrameScan | None, spec: StftSpec) -> BitstreamMaps | None:
    """The maps of a file for the STFT of what files.decode gives of it, resampled; None where there are none to tell.

    Args:
        path: of the file.
        frames: of the file, None for one that is no MP3.
        spec: of the STFT.

    Raises:
        DecodeError: the file cannot be read, or changes while it is.
    """
    if frames is None or not readable(frames):
        return None
    return BitstreamMaps(
        FileBytes(path), frames, frames.trim[0], spec.rate, spec.n_fft, spec.analysis_window()
    )
