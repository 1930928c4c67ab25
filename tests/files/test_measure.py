"""The measured end of a file's spectrum: one measure, whoever asks."""

from pathlib import Path

import mp3s
import numpy as np
import pytest
import soundfile

from mp3fix.batch.choose import choose
from mp3fix.cli.info import facts
from mp3fix.errors import DecodeError
from mp3fix.files.measure import measure

RATE = 44100


def noise(high: float, seconds: float) -> np.ndarray:
    """Noise up to a frequency in Hz."""
    frames = int(seconds * RATE)
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal((2, frames)))
    return 0.1 * np.fft.irfft(spectrum * (np.fft.rfftfreq(frames, 1 / RATE) < high), frames)


def test_only_the_beginning_is_measured(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    soundfile.write(path, np.concatenate([noise(11_000, 4), noise(19_000, 4)], axis=1).T, RATE)
    begin, whole = measure(path, 2), measure(path, 8)
    assert begin.channels == 2 and begin.cutoff == pytest.approx(11_000, abs=100)
    assert whole.cutoff == pytest.approx(19_000, abs=100)
    assert begin.step_db > 50


def test_info_and_below_say_the_same(tmp_path: Path) -> None:
    """What --info says of a song is what --below judges it by."""
    path = tmp_path / "x.mp3"
    path.write_bytes(mp3s.lame(noise(22_000, 3).astype(np.float32), RATE, 192))
    said = facts(path)["cutoff"]
    assert said == round(measure(path, 60).cutoff)
    assert f"its spectrum ends at {said / 1000:.1f} kHz" in choose(path, 192, 128).reason


def test_silence_ends_nowhere_and_has_no_step(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "x.wav", np.zeros((RATE, 1)), RATE)
    assert measure(tmp_path / "x.wav", 60) == (0, 0, 1)


def test_no_music(tmp_path: Path) -> None:
    with pytest.raises(DecodeError, match="gone"):
        measure(tmp_path / "gone.mp3", 60)
