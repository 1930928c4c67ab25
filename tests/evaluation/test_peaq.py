import sys
from pathlib import Path

import numpy as np
import pytest

from mp3fix.errors import Mp3fixError
from mp3fix.evaluation import peaq

# Grades by the level of the second file, so that a test sees what it was given.
FAKE = """#!{python}
import sys
import soundfile
reference, degraded = (soundfile.SoundFile(path) for path in sys.argv[1:])
assert (reference.samplerate, reference.subtype, reference.channels) == (48000, "PCM_16", 2)
assert reference.frames == degraded.frames == 48000
peak = abs(degraded.read()).max() / abs(reference.read()).max()
print(f"Objective Difference Grade: {{-peak:.3f}}\\nDistortion Index: {{peak:.3f}}")
"""


def program(folder: Path, text: str) -> Path:
    path = folder / "peaq"
    path.write_text(text.format(python=sys.executable))
    path.chmod(0o755)
    return path


def test_a_program_is_given_wavs_and_its_grades_are_read(tmp_path: Path) -> None:
    t = np.arange(44100) / 44100
    loud = np.stack([np.sin(2 * np.pi * 440 * t)] * 2) * 2  # beyond full scale: both are scaled
    odg, di = peaq.measure(program(tmp_path, FAKE), loud, loud / 4, 44100)
    assert (odg, di) == (pytest.approx(-0.25, abs=0.01), pytest.approx(0.25, abs=0.01))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("#!/bin/sh\necho no such element >&2\nexit 3\n", "exit status 3: no such element"),
        ("#!/bin/sh\necho hello\n", "Objective Difference Grade"),
        ("not a program\n", "peaq"),
    ],
)
def test_a_program_that_fails_is_named(tmp_path: Path, text: str, message: str) -> None:
    silence = np.zeros((1, 4410))
    with pytest.raises(Mp3fixError, match=message):
        peaq.measure(program(tmp_path, text), silence, silence, 44100)
