"""Simulated listeners through the whole analysis: a difference that is there is found, one that is not is not."""

import csv
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from listeners import compared, key_of, labelled, rated, written

from mp3fix.errors import Mp3fixError
from mp3fix.listening import analysis
from mp3fix.listening.report import write_report
from mp3fix.listening.results import Trial, read_key, read_results

MUSHRA = {"reference": 99, "ours": 72, "twin": 72, "mp3": 55, "anchor70": 45, "anchor35": 20}
MOS = {"reference": 88, "ours": 65, "mp3": 40}


def pair(rated: analysis.Ratings, *names: str) -> analysis.Comparison:
    return next(each for each in rated.comparisons if {each.first, each.second} == set(names))


def test_mushra_finds_what_is_there() -> None:
    key = key_of("mushra", tuple(MUSHRA))
    found = analysis.ratings(rated(key, MUSHRA, 12, seed=1), key)
    assert found.excluded == {} and found.systems[0] == "reference" and found.systems[-1] == "anchor35"
    better = pair(found, "ours", "mp3")
    assert better.first == "ours" and better.p_holm < 0.01 and better.paired.effect > 0.9
    assert better.paired.difference.low < 17 < better.paired.difference.high
    assert found.overall["ours"].low < 72 < found.overall["ours"].high
    assert pair(found, "ours", "twin").paired.p > 0.05
    assert found.omnibus is not None and found.omnibus.p < 0.001
    tested = {name for each in found.comparisons for name in (each.first, each.second)}
    assert tested == {"reference", "ours", "twin", "mp3"}  # anchors are for the scale


def test_no_difference_is_found_as_seldom_as_it_should() -> None:
    ratings = key_of("mos", ("a", "b"), 3)
    compare = key_of("abx", ("a", "b"), 2, repeats=8)
    label = key_of("which", ("reference", "mp3", "ours"), 5)
    paired, abx, which = [], [], []
    for seed in range(60):
        equal = analysis.ratings(rated(ratings, {"a": 60, "b": 60}, 10, seed), ratings)
        paired.append(pair(equal, "a", "b").paired.p)
        abx.append(analysis.abx(compared(compare, 0.0, 2, seed), compare).pooled.p)
        which.append(analysis.which(labelled(label, 0.0, 2, seed), label).p)
    for p in (paired, abx, which):
        assert np.mean(np.array(p) < 0.05) < 0.1
        assert 0.4 < np.mean(p) < 0.7  # of whole numbers, p is 0.5 or a little more in the mean


def test_means_by_hand() -> None:
    """Two listeners, two items: P0 gives 3, 1 to ours, P1 4, 2; their means are 2 and 3, of all ratings 2.5."""
    key = key_of("mos", ("mp3", "ours"), 2)
    given = {"P00": {"mp3": (1, 1), "ours": (3, 1)}, "P01": {"mp3": (0, 2), "ours": (4, 2)}}
    results = []
    for result in rated(key, {"mp3": 50, "ours": 50}, 2, 0):
        trials = [
            Trial(
                t.item,
                {s: given[result.participant][key.stimuli[t.item][s]][int(t.item[1])] for s in t.answers},
                "",
            )
            for t in result.trials
        ]
        results.append(replace(result, trials=trials))
    found = analysis.ratings(results, key)
    assert found.overall["ours"].mean == 2.5 and found.overall["ours"].sd == pytest.approx(0.5**0.5)
    assert found.spread["ours"].n == 4 and found.spread["ours"].sd == pytest.approx((5 / 3) ** 0.5)
    assert found.per_item["song 0", "ours"].mean == 3.5 and found.per_item["song 1", "mp3"].mean == 1.5
    assert pair(found, "ours", "mp3").paired.difference.mean == 1.5
    assert found.omnibus is None  # two systems need no omnibus test


@pytest.mark.parametrize(
    ("items", "low", "high", "stays"),
    [
        (10, 1, 0, True),
        (10, 2, 0, False),
        (20, 3, 0, True),
        (20, 4, 0, False),
        (10, 0, 1, True),
        (10, 0, 2, False),
    ],
)
def test_post_screening(items: int, low: int, high: int, stays: bool) -> None:
    """More than 15 % of items: of 20, 3 are 15 % and not more."""
    systems = ["reference", "mp3", "anchor35", "anchor70"]
    scores = np.tile([100.0, 50, 20, 40], (items, 1))
    scores[:low, 0] = 89
    scores[:high, 3] = 91
    scores[-1, [0, 3]] = 90  # neither below nor above
    why = analysis.screened(scores, systems)
    assert (why == "") is stays
    assert stays or f"{max(low, high)} of {items} items" in why


def test_a_screened_listener_does_not_count(tmp_path: Path) -> None:
    key = key_of("mushra", tuple(MUSHRA))
    results = rated(key, MUSHRA, 8, seed=2)
    deaf = {system: 50.0 for system in MUSHRA}
    wrong = replace(rated(key, deaf, 1, 3)[0], participant="DEAF")
    alone, with_deaf = analysis.ratings(results, key), analysis.ratings([*results, wrong], key)
    assert list(with_deaf.excluded) == ["DEAF"] and "DEAF" not in with_deaf.listeners
    assert with_deaf.overall == alone.overall
    with pytest.raises(Mp3fixError, match="leaves no listener: DEAF rated"):
        write_report([wrong], [], key, tmp_path)


def test_mos_pairs_and_does_not_pair() -> None:
    key = key_of("mos", tuple(MOS), 6)
    found = analysis.ratings(rated(key, MOS, 10, seed=4), key)
    better = pair(found, "ours", "mp3")
    assert better.p_holm < 0.05 and better.unpaired is not None and better.unpaired.p < 0.05
    assert better.unpaired.difference == pytest.approx(better.paired.difference.mean)
    assert found.scores.min() >= 0 and found.scores.max() <= 4


def test_abx() -> None:
    key = key_of("abx", ("reference", "mp3"), 8, repeats=2)
    heard = analysis.abx(compared(key, 0.6, 10, 5), key)
    assert heard.pooled.n == 160 and heard.pooled.p < 1e-6 and heard.pooled.low < 0.8 < heard.pooled.high
    assert sum(each.right for each, _ in heard.listeners.values()) == heard.pooled.right
    assert sum(each.right for each in heard.items.values()) == heard.pooled.right


def test_which() -> None:
    key = key_of("which", ("reference", "mp3", "ours"))
    told = analysis.which(labelled(key, 0.5, 10, 7), key)
    assert told.p < 1e-6 and told.found["mp3"].p < 1e-4
    assert told.confusion.sum() == 3 * 80 and told.confusion.sum(0).tolist() == [80] * 3
    assert told.mistaken.n == 80 - told.confusion[0, 0] and told.mistaken.right == told.confusion[2, 0]


@pytest.mark.parametrize("method", ["mos", "mushra", "abx", "which"])
def test_report(method: str, tmp_path: Path) -> None:
    if method == "abx":
        key = key_of(method, ("reference", "mp3"), 4)
        results = compared(key, 0.9, 7, 0)
    elif method == "which":
        key = key_of(method, ("reference", "mp3", "ours"), 4)
        results = labelled(key, 0.9, 7, 0)
    else:
        key = key_of(method, tuple(MUSHRA if method == "mushra" else MOS), 4)
        results = rated(key, MUSHRA, 7, 0)
    results[0] = replace(results[0], comment="<script>alert(1)</script> | [x](http://y) `=1`")
    key_path, paths = written(tmp_path, key, results)
    (tmp_path / "bad.json").write_text("no")
    found, refused = read_results([*paths, tmp_path / "bad.json"], read_key(key_path))
    report = write_report(found, refused, key, tmp_path / "out")
    text = report.read_text()
    assert "7 listeners, 4 items" in text and "bad.json: no result" in text
    assert "<script>" not in text and "[x](" not in text and "alert(1)" in text
    assert (tmp_path / "out" / "results.png").read_bytes()[:4] == b"\x89PNG"
    rows = list(csv.DictReader((tmp_path / "out" / "answers.csv").open()))
    assert len(rows) == 7 * 4 * {"abx": 1, "which": 3}.get(method, len(key.systems))
    assert {row["listener"] for row in rows} == {result.participant for result in results}
    assert not re.search(r"\bnan\b", text)


def test_few_listeners_are_told_so(tmp_path: Path) -> None:
    key = key_of("mos", ("mp3", "ours"), 3)
    text = write_report(rated(key, MOS, 4, 0), [], key, tmp_path).read_text()
    assert "With 4 listeners, p cannot be below 0.12" in text
    alone = write_report(rated(key, MOS, 1, 0), [], key, tmp_path).read_text()
    assert "1 listener, 3 items" in alone and "nan" not in alone
