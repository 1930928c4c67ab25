import json
from pathlib import Path

import pytest
from lab import small_corpus

from mp3fix.evaluation import testpieces
from mp3fix.evaluation.excerpts import excerpts
from mp3fix.training.testset import TEST

LISTED = ("0ad-data/Taiko_1.ogg", "renders/bach-chorales-a--organ.flac")


def corpus_of(root: Path, *keys: str) -> Path:
    """A corpus of these pieces, `source/file name`."""
    small_corpus(root, *(Path(key).stem for key in keys), seconds=0.1)
    entries = json.loads((root / "index.json").read_text())
    for entry, key in zip(entries, keys, strict=True):
        entry["source"], name = key.split("/")
        entry["file"] = f"{entry['source']}/somewhere/{name}"
    (root / "index.json").write_text(json.dumps(entries))
    return root


def test_only_the_list_is_evaluated_where_there_is_some_of_it(tmp_path: Path) -> None:
    root = corpus_of(tmp_path, LISTED[0], "my music/song.flac", LISTED[1])
    assert [each.piece for each in excerpts(root)] == ["Taiko_1", "bach-chorales-a--organ"]
    said = testpieces.about(root)
    assert f"{len(TEST) - 2} of the {len(TEST)}" in said
    assert [key for key in TEST if key in said] == [key for key in TEST if key not in LISTED]


def test_of_ones_own_music_alone_all_test_pieces_are(tmp_path: Path) -> None:
    root = corpus_of(tmp_path, "my music/song.flac", "my music/other.flac")
    assert [each.piece for each in excerpts(root)] == ["other", "song"]
    assert "nothing of the written test set" in testpieces.about(root)


def test_a_whole_list_misses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(testpieces, "TEST", {key: TEST[key] for key in LISTED})
    assert "the whole written test set, 2 pieces" in testpieces.about(corpus_of(tmp_path, *LISTED))
