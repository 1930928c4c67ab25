"""What listeners said, as CSV for other programs."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from mp3fix.listening.analysis import Ratings
from mp3fix.listening.results import Key, Result


def systems(rated: Ratings) -> str:
    """One row a system, over all items (item is empty) and for each; intervals are over listeners."""
    return _csv(_system_rows(rated))


def answers(results: Sequence[Result], key: Key) -> str:
    """One row a rating or label, in the order in which they were heard; of ABX one a trial."""
    return _csv(_answer_rows(results, key))


def _system_rows(rated: Ratings) -> Iterable[Sequence[Any]]:
    yield "system", "item", "n", "mean", "sd", "low", "high"
    for system in rated.systems:
        for item, each in [("", rated.overall[system])] + [
            (item, rated.per_item[item, system]) for item in rated.items
        ]:
            yield system, item, each.n, each.mean, each.sd, each.low, each.high


def _answer_rows(results: Sequence[Result], key: Key) -> Iterable[Sequence[Any]]:
    if key.method == "abx":
        yield "listener", "trial", "item", "x", "answer", "right"
    else:
        yield "listener", "trial", "item", "system", "label" if key.method == "which" else "score"
    for result in results:
        for place, trial in enumerate(result.trials, 1):
            stimuli, head = key.stimuli[trial.item], (result.participant, place, key.items[trial.item])
            if key.method == "abx":
                x, answer = (stimuli[trial.answers[name]] for name in ("x", "answer"))
                yield *head, x, answer, int(x == answer)
                continue
            for stimulus, answer in trial.answers.items():
                yield *head, stimuli[stimulus], answer


def _csv(rows: Iterable[Sequence[Any]]) -> str:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(rows)
    return file.getvalue()
