"""Files that are whole or absent."""

import io
from pathlib import Path

import numpy as np
import soundfile

from mp3fix.errors import EncodeError
from mp3fix.files import temporary
from mp3fix.files.names import system_reason
from mp3fix.signal.levels import quantise


def write(path: Path, data: bytes | str) -> None:
    """Write a file in one step, in the place of one that is there.

    Raises:
        EncodeError: the disk refuses.
    """
    part = None
    try:
        part = temporary.create(path)
        part.write_bytes(data.encode() if isinstance(data, str) else data)
        temporary.sync(part)
        temporary.publish(part, path, overwrite=True)
    except OSError as error:
        raise EncodeError(system_reason(error, str(path))) from error
    finally:
        if part is not None:
            temporary.remove(part)


def flac(samples: np.ndarray, rate: int, bits: int) -> bytes:
    """A FLAC file of float32 (C, n); 16 bits are dithered."""
    file = io.BytesIO()
    whole = quantise(samples, bits, 0).T << (32 - bits)  # libsndfile takes the highest bits of 32
    soundfile.write(file, whole, rate, format="FLAC", subtype=f"PCM_{bits}")
    return file.getvalue()


def write_flac(path: Path, samples: np.ndarray, rate: int, bits: int) -> None:
    """Write float32 (C, n) as a FLAC file."""
    write(path, flac(samples, rate, bits))
