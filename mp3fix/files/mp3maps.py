"""The maps of an MP3's bitstream, from its file."""

from pathlib import Path
from types import TracebackType

from ..bitstream.maps import BitstreamMaps, readable
from ..errors import DecodeError
from ..signal.stft import StftSpec
from .decode import Decoder
from .names import shown

_AHEAD = 1 << 20  # bytes that are read at once


class FileBytes:
    """An open file's bytes by slices; use it in a `with`.

    They are neither held nor mapped: mapped, a file that is cut short ends the process. The file stays open, so that
    one that is removed meanwhile can still be read.

    Raises:
        DecodeError: it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held, self._at = b"", 0
        try:
            self._file = open(path, "rb")  # noqa: SIM115
        except OSError as error:
            raise DecodeError(f"{shown(path)}: cannot be read ({error.strerror or error})") from error

    def __getitem__(self, part: slice) -> bytes:
        """Bytes from part.start to part.stop; fewer where the file became shorter.

        Raises:
            DecodeError: they cannot be read.
        """
        start, stop = part.start - self._at, part.stop - self._at
        if start < 0 or stop > len(self._held):
            try:
                self._file.seek(part.start)
                self._held, self._at = self._file.read(max(_AHEAD, part.stop - part.start)), part.start
            except OSError as error:
                raise DecodeError(
                    f"{shown(self._path)}: cannot be read ({error.strerror or error})"
                ) from error
            start, stop = 0, part.stop - part.start
        return self._held[start:stop]

    def __enter__(self) -> "FileBytes":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def bitstream_maps(decoder: Decoder, data: FileBytes, spec: StftSpec) -> BitstreamMaps | None:
    """The maps of a file for the STFT of what its decoder gives, resampled; None where there are none to tell.

    Args:
        decoder: of the file.
        data: the file's bytes.
        spec: of the STFT.

    Raises:
        DecodeError: the file cannot be read.
    """
    frames = decoder.frames
    if frames is None or not readable(frames):
        return None
    # The first frame may be another than the rest.
    if (frames.channels, frames.rate) != (decoder.channels, decoder.rate):
        return None
    return BitstreamMaps(data, frames, frames.trim[0], spec.rate, spec.n_fft, spec.analysis_window())
