from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
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


def test_of_solo_pieces_a_piano_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (some,) = excerpts(small_corpus(tmp_path / "corpus", "a", seconds=6.0))
    found = [
        replace(some, piece=piece, category=category)
        for piece, category in (
            ("bach-chorales", "solo"),
            ("piano-song", "vocals"),
            ("schumann-polonaise", "solo"),
            ("weber-with-piano", "solo"),
            ("yell", "vocals"),
        )
    ]
    titles: dict[str, str] = {}

    def picture(path: Path, title: str, rows: object) -> Path:
        titles[path.name] = title
        return path

    monkeypatch.setattr(spectrograms, "_picture", picture)
    monkeypatch.setattr(spectrograms, "SETTINGS", ())  # nothing is encoded and restored for titles
    (model,) = read_models([generator(tmp_path / "net.onnx")])
    spectrograms.draw(found, model, tmp_path)
    assert titles["net-solo.png"] == "solo: schumann-polonaise"
    assert titles["net-vocals.png"] == "vocals: piano-song"
    # Without a piano, any solo piece.
    spectrograms.draw(found[:1], model, tmp_path)
    assert titles["net-solo.png"] == "solo: bach-chorales"
