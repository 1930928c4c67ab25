import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from listeners import compared, key_file, key_of, labelled, rated, result_file, written

from mp3fix.errors import Mp3fixError
from mp3fix.listening.results import Key, Result, read_key, read_result, read_results

SYSTEMS = ("reference", "mp3", "ours")
QUALITY = {"reference": 98, "mp3": 40, "ours": 70}


def one(method: str) -> tuple[Key, Result]:
    if method == "abx":
        key = key_of(method, ("reference", "mp3"), 3, repeats=2)
        return key, compared(key, 0.9, 1, 0)[0]
    key = key_of(method, SYSTEMS, 3)
    return key, (labelled(key, 0.9, 1, 0) if method == "which" else rated(key, QUALITY, 1, 0))[0]


@pytest.mark.parametrize("method", ["mos", "mushra", "abx", "which"])
def test_what_was_answered_is_read(method: str, tmp_path: Path) -> None:
    key, result = one(method)
    key_path, (path,) = written(tmp_path, key, [result])
    assert read_key(key_path) == key
    read = read_result(path, key)
    assert (read.participant, read.trials) == (result.participant, result.trials)


def test_practice_is_not_in_the_test(tmp_path: Path) -> None:
    key = key_of("mushra", SYSTEMS, 2)
    assert "p" in key_file(key)["items"]
    path, _ = written(tmp_path, key, [])
    assert "p" not in read_key(path).items


def deep(result: dict[str, Any]) -> str:
    return "[" * 200_000


HOSTILE: list[tuple[str, Callable[[dict[str, Any]], Any], str]] = [
    ("not JSON", lambda r: "{", "no result"),
    ("a list", lambda r: [r], "no result"),
    ("brackets without end", deep, "no result"),
    ("not text", lambda r: b"\xff\xfe\x00", "no result"),
    ("too large", lambda r: json.dumps(r) + " " * 5_000_000, "no result"),
    ("another format", lambda r: r | {"mp3fix-listening": 2}, "no result"),
    ("of another test", lambda r: r | {"test": "x"}, "another test"),
    ("a path as its code", lambda r: r | {"participant": "../../ETC"}, "code"),
    ("a tag in its code", lambda r: r | {"participant": "ANNA<B>"}, "code"),
    ("no code", lambda r: r | {"participant": None}, "code"),
    ("no trials", lambda r: r | {"trials": None}, "no list of trials"),
    ("a trial that is none", lambda r: r | {"trials": [7]}, "trial 1: is none"),
    ("a trial too few", lambda r: r | {"trials": r["trials"][1:]}, "song 0.* not answered"),
    ("a trial twice", lambda r: r | {"trials": [*r["trials"], r["trials"][0]]}, "more often"),
]
SCORES: list[tuple[str, Any, str]] = [
    ("too high", 101, "between 0 and 100"),
    ("below", -1, "between 0 and 100"),
    ("not a number", float("nan"), "between 0 and 100"),
    ("infinite", float("inf"), "between 0 and 100"),
    ("true", True, "between 0 and 100"),
    ("text", "100", "between 0 and 100"),
    ("a list", [100], "between 0 and 100"),
]


def refuse(path: Path, data: Any, key: Key) -> str:
    text = data if isinstance(data, str | bytes) else json.dumps(data)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(Mp3fixError) as caught:
        read_result(path, key)
    message = str(caught.value)
    assert message.startswith(str(path)) and "\n" not in message
    return message


@pytest.mark.parametrize(("change", "words"), [pytest.param(c, w, id=name) for name, c, w in HOSTILE])
def test_a_broken_file_is_named(change: Callable[..., Any], words: str, tmp_path: Path) -> None:
    import re

    key, result = one("mushra")
    message = refuse(tmp_path / "r.json", change(result_file(key, result)), key)
    assert re.search(words, message)


@pytest.mark.parametrize(("score", "words"), [pytest.param(s, w, id=name) for name, s, w in SCORES])
def test_a_score_that_is_none_is_refused(score: Any, words: str, tmp_path: Path) -> None:
    key, result = one("mushra")
    data = result_file(key, result)
    data["trials"][1]["answers"]["i1-s0"] = score
    assert words in refuse(tmp_path / "r.json", data, key)


@pytest.mark.parametrize(
    ("method", "change", "words"),
    [
        ("mushra", {"i1-s9": 50}, "not in the item"),
        ("mos", {"i0-s0": 2.5}, "between two levels"),
        ("mos", {"i0-s0": 5}, "between 0 and 4"),
        ("abx", {"answer": "i1-s0"}, "not in the item"),
        ("abx", {"b": "i0-s0", "a": "i0-s0"}, "not in the item"),
        ("abx", {"more": "i0-s0"}, "answers of ABX"),
        ("abx", {"x": ["i0-s0"]}, "answers of ABX"),
        ("which", {"i0-s0": "mp3", "i0-s1": "mp3"}, "each label once"),
        ("which", {"i0-s0": ["mp3"]}, "labels that are none"),
    ],
)
def test_answers_that_mean_nothing_are_refused(
    method: str, change: dict[str, Any], words: str, tmp_path: Path
) -> None:
    key, result = one(method)
    data = result_file(key, result)
    data["trials"][0]["answers"] |= change
    assert words in refuse(tmp_path / "r.json", data, key)


def test_one_listener_counts_once(tmp_path: Path) -> None:
    key = key_of("mushra", SYSTEMS, 3)
    first, second = rated(key, QUALITY, 2, 0)
    _, paths = written(tmp_path, key, [first, second])
    again = tmp_path / "P00 (1).json"
    again.write_bytes(paths[0].read_bytes())
    results, refused = read_results([*paths, again], key)
    assert [result.participant for result in results] == ["P00", "P01"] and refused == []
    changed = result_file(key, second) | {"participant": "P00"}
    again.write_text(json.dumps(changed))
    results, refused = read_results([*paths, again, tmp_path / "none.json"], key)
    assert results[0].trials == first.trials
    assert len(refused) == 2 and "P00 has another result" in refused[0] and "No such file" in refused[1]


@pytest.mark.parametrize(
    "change",
    [{"items": []}, {"items": {}}, {"mp3fix-listening-key": 2}, {"method": "x"}, {"items": {"a": 1}}],
)
def test_a_key_that_is_none_is_refused(change: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "k.json"
    path.write_text(json.dumps(key_file(key_of("mos", SYSTEMS)) | change))
    with pytest.raises(Mp3fixError, match="no key of a listening test"):
        read_key(path)
