from pathlib import Path

import numpy as np
from lab import generator, small_corpus

from mp3fix.evaluation import spectrograms
from mp3fix.evaluation.excerpts import excerpts
from mp3fix.evaluation.models import read_models


def test_a_faded_excerpt_falls_into_silence(tmp_path: Path) -> None:
    (excerpt,) = excerpts(small_corpus(tmp_path, "a", seconds=10.0))
    faded = spectrograms.faded(excerpt)
    levels = np.abs(faded.pcm).reshape(2, -1, 44100).max((0, 2)).astype(float)
    whole = np.abs(excerpt.pcm).reshape(2, -1, 44100).max((0, 2)).astype(float)
    np.testing.assert_array_equal(levels[:2], whole[:2])
    assert 0.05 < levels[3] / whole[3] < 0.5  # a second and a half into a fall of 20 dB a second
    assert levels[5] < 0.01 * whole[5]
    assert not faded.pcm[:, 7 * 44100 :].any()


def test_a_picture_of_each_category_and_of_a_fade(tmp_path: Path) -> None:
    found = excerpts(small_corpus(tmp_path / "corpus", "a", "b", seconds=6.0))
    (model,) = read_models([generator(tmp_path / "net.onnx")])
    pictures = spectrograms.draw(found, model, tmp_path)
    assert [path.name for path in pictures] == ["net-piece.png", "net-fade.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in pictures)
