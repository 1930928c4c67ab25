from pathlib import Path

import numpy as np
import pytest
import soundfile

from mp3fix.errors import Mp3fixError
from mp3fix.signal.cutoff import CutoffMeter
from mp3fix.signal.stft import StftSpec, stft
from mp3fix.training import corpus


def low_passed(cutoff: float, seconds: float, rate: int = 44100) -> np.ndarray:
    """Noise up to a cut-off, float32 (n,)."""
    n = round(rate * seconds)
    spectrum = np.fft.rfft(np.random.default_rng(1).standard_normal(n))
    spectrum[round(cutoff * n / rate) :] = 0
    samples = np.fft.irfft(spectrum, n)
    return (0.5 * samples / np.abs(samples).max()).astype(np.float32)


@pytest.mark.parametrize("cutoff", [5500, 11250, 16000, 20000])
def test_the_cutoff_is_measured(cutoff: float) -> None:
    meter = CutoffMeter(StftSpec())
    meter.push(stft(low_passed(cutoff, 3.0)[np.newaxis], StftSpec()))
    assert meter.hz == pytest.approx(cutoff, abs=150)


def test_silence_has_no_cutoff() -> None:
    meter = CutoffMeter(StftSpec())
    meter.push(np.zeros((2, 5, 1025), np.complex64))
    assert meter.hz == 0.0


def test_a_folder_of_ones_own_music_becomes_a_corpus(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    soundfile.write(own / "song.flac", np.stack([low_passed(16000, 31.0)] * 2, 1), 44100)
    soundfile.write(own / "hit.wav", low_passed(20000, 0.5), 44100)
    soundfile.write(own / "old.wav", low_passed(4000, 31.0, 22050), 22050)  # no target at 44.1 kHz
    entries = corpus.build(tmp_path / "corpus", [own], lambda line: None)
    assert [(Path(entry.file).name, entry.kind) for entry in entries] == [
        ("hit.wav", "samples"),
        ("song.flac", "music"),
    ]
    song = entries[1]
    assert song.cutoff == pytest.approx(16000, abs=150)
    assert corpus.pcm(tmp_path / "corpus", song).shape == (2, song.frames) == (2, 31 * 44100)
    assert corpus.load(tmp_path / "corpus") == entries
    assert "own" in corpus.summary(entries)


def test_versions_and_stems_of_a_song_share_a_piece_and_so_a_split() -> None:
    assert corpus.piece_of(Path("a/farm_f.ogg")) == corpus.piece_of(Path("b/farm.ogg"))
    assert (
        corpus.piece_of(Path("feelings/song.ogg"))
        == corpus.piece_of(Path("feelings/guitar.ogg"))
        == "feelings"
    )
    splits = [corpus.split_of(f"piece {k}") for k in range(2000)]
    assert 0.11 < splits.count("test") / 2000 < 0.17
    assert splits == [corpus.split_of(f"piece {k}") for k in range(2000)]


def test_no_corpus_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(Mp3fixError, match="mp3fix-lab corpus"):
        corpus.load(tmp_path)
