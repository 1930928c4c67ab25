"""mp3fix restores heavily compressed music.

>>> import mp3fix                                          # doctest: +SKIP
>>> mp3fix.restore_file("song.mp3", "song.flac")           # doctest: +SKIP
>>> restorer = mp3fix.Restorer(device="cpu")               # doctest: +SKIP
>>> restored = restorer.restore(samples, 44100)            # doctest: +SKIP
>>> mp3fix.restore_segment(pydub_segment, restorer)        # doctest: +SKIP

Importing the package loads neither ONNX Runtime nor NumPy; the first use does.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mp3fix.errors import (
    DecodeError,
    DeviceError,
    EncodeError,
    ModelError,
    Mp3fixError,
    OutputExistsError,
    UsageError,
)

if TYPE_CHECKING:
    from mp3fix.audio import Audio
    from mp3fix.restore import Options, Restorer
    from mp3fix.segment import restore_segment
    from mp3fix.song import Result, Target, restore_file

__version__ = "0.1.0"

_HOMES = {
    "Audio": "mp3fix.audio",
    "Options": "mp3fix.restore",
    "Restorer": "mp3fix.restore",
    "Result": "mp3fix.song",
    "Target": "mp3fix.song",
    "restore_file": "mp3fix.song",
    "restore_segment": "mp3fix.segment",
}

__all__ = [
    "Audio",
    "DecodeError",
    "DeviceError",
    "EncodeError",
    "ModelError",
    "Mp3fixError",
    "Options",
    "OutputExistsError",
    "Restorer",
    "Result",
    "Target",
    "UsageError",
    "restore_file",
    "restore_segment",
]


def __getattr__(name: str) -> Any:
    """Load what is used when it is used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'mp3fix' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
