"""ODG and DI by a program of the user's: GstPEAQ's `peaq`, or any that is called and answers like it."""

import re
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile
import soxr

from mp3fix.errors import Mp3fixError

RATE = 48000  # what PEAQ (ITU-R BS.1387) is defined at
SECONDS = 600  # after which a program is taken to hang

_NUMBER = r"[:=]?\s*(-?(?:\d+\.?\d*|\.\d+|nan|inf))"


def measure(program: Path, reference: np.ndarray, estimate: np.ndarray, rate: int) -> tuple[float, float]:
    """Objective difference grade (0 to -4) and distortion index, by `PROGRAM ref.wav deg.wav`.

    Both go through 16-bit WAVs at 48 kHz, scaled together where one of them would clip.

    Shape:
        reference, estimate: float (C, n) at `rate` Hz.

    Raises:
        Mp3fixError: the program cannot be run, fails, or prints no grade.
    """
    pair = [soxr.resample(each.T.astype(np.float64), rate, RATE) for each in (reference, estimate)]
    scale = max(1.0, *(float(np.abs(each).max(initial=0.0)) for each in pair))
    with tempfile.TemporaryDirectory(prefix="mp3fix-peaq-") as folder:
        paths = [Path(folder) / name for name in ("reference.wav", "degraded.wav")]
        for path, samples in zip(paths, pair, strict=True):
            soundfile.write(path, samples / scale, RATE, subtype="PCM_16")
        try:
            done = subprocess.run(
                [program, *paths], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=SECONDS
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Mp3fixError(f"{program}: {error}") from None
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise Mp3fixError(f"{program}: exit status {done.returncode}: {last[0]}")
    return _number("Objective Difference Grade", done.stdout, program), _number(
        "Distortion Index", done.stdout, program
    )


def _number(name: str, text: str, program: Path) -> float:
    found = re.search(name + _NUMBER, text, re.IGNORECASE)
    if found is None:
        raise Mp3fixError(f"{program}: printed no {name!r}")
    return float(found[1])
