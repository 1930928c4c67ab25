"""From listeners' answers to what they say about systems.

Listeners are the sample: a listener's ratings of a system are averaged over items first, tests are within listeners,
and intervals are of the mean over listeners. Intervals for an item are over listeners, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from mp3fix.listening import statistics
from mp3fix.listening.anchors import EDGES, MID
from mp3fix.listening.results import LABELS, Key, Result
from mp3fix.listening.statistics import Omnibus, Paired, Share, Summary, Unpaired
from mp3fix.listening.stimuli import REFERENCE

# Post-screening, ITU-R BS.1534-3, 4.1.2.
SCORE_OF_REFERENCE = (
    90.0  # a hidden reference below was not heard to be one, a mid anchor above not to be none
)
SHARE_OF_ITEMS = 0.15


@dataclass(frozen=True)
class Comparison:
    """Two systems: within listeners, corrected for all pairs; for MOS also as unpaired ratings."""

    first: str
    second: str
    paired: Paired
    p_holm: float
    unpaired: Unpaired | None


@dataclass(frozen=True)
class Ratings:
    """Analysis of MOS and MUSHRA.

    Attributes:
        excluded: listener -> why.
        listeners: whose ratings count.
        systems: the best first.
        scores: (listeners, items, systems).
        items: names.
        overall: system -> of the listeners' means.
        spread: system -> of all ratings, as papers give it.
        per_item: (item, system) -> over listeners.
        omnibus: of three systems or more; anchors are in no test.
        comparisons: of all pairs.
    """

    excluded: dict[str, str]
    listeners: list[str]
    systems: list[str]
    scores: np.ndarray
    items: list[str]
    overall: dict[str, Summary]
    spread: dict[str, Summary]
    per_item: dict[tuple[str, str], Summary]
    omnibus: Omnibus | None
    comparisons: list[Comparison]

    def of(self, system: str) -> np.ndarray:
        """Means of the listeners, (listeners,)."""
        return self.scores[:, :, self.systems.index(system)].mean(1)


@dataclass(frozen=True)
class Abx:
    """Analysis of ABX: all trials, and those of each listener with p corrected for their number."""

    systems: tuple[str, str]
    pooled: Share
    listeners: dict[str, tuple[Share, float]]
    items: dict[str, Share]


@dataclass(frozen=True)
class Which:
    """Analysis of the three-way test.

    Attributes:
        systems: as the labels of LABELS: what is lossless, the MP3, the restoration.
        confusion: how often a system (row) was given a label (column), int (3, 3).
        found: system -> right labels against 1 in 3.
        right: right labels, and p of as many by guessing.
        p: of `right`.
        mistaken: trials in which the restoration, not the MP3, was called lossless, of those in which one was.
        listeners: right labels, trials, p and p corrected.
    """

    systems: tuple[str, str, str]
    confusion: np.ndarray
    found: dict[str, Share]
    right: int
    p: float
    mistaken: Share
    listeners: dict[str, tuple[int, int, float, float]]


def ratings(results: Sequence[Result], key: Key) -> Ratings:
    """Analyse MOS or MUSHRA; of the second, listeners are post-screened."""
    systems, items = key.systems, sorted(key.items, key=lambda id: key.items[id])
    scores = np.full((len(results), len(items), len(systems)), np.nan)
    for row, result in enumerate(results):
        for trial in result.trials:
            for stimulus, score in trial.answers.items():
                system = key.stimuli[trial.item][stimulus]
                scores[row, items.index(trial.item), systems.index(system)] = score
    names = [result.participant for result in results]
    excluded = {}
    if key.method == "mushra":
        excluded = {
            name: why for name, row in zip(names, scores, strict=True) if (why := screened(row, systems))
        }
    kept = [row for row, name in enumerate(names) if name not in excluded]
    scores = scores[kept]
    ranked = sorted(
        systems, key=lambda system: -float(np.mean(scores[:, :, systems.index(system)] if kept else 0))
    )
    scores = scores[:, :, [systems.index(system) for system in ranked]]
    columns = dict(zip(ranked, np.moveaxis(scores, 2, 0), strict=True))
    tested = [system for system in ranked if system not in EDGES]
    means = {system: column.mean(1) for system, column in columns.items()}
    return Ratings(
        excluded,
        [names[row] for row in kept],
        ranked,
        scores,
        [key.items[id] for id in items],
        {system: statistics.summary(mean) for system, mean in means.items()},
        {system: statistics.summary(column.ravel()) for system, column in columns.items()},
        {
            (key.items[id], system): statistics.summary(column[:, place])
            for place, id in enumerate(items)
            for system, column in columns.items()
        },
        statistics.friedman(np.stack([means[system] for system in tested], 1)) if len(tested) > 2 else None,
        _comparisons(tested, columns, key.method == "mos"),
    )


def screened(scores: np.ndarray, systems: Sequence[str]) -> str:
    """Why a listener's MUSHRA ratings (items, systems) do not count, or ""."""
    low = int(np.sum(scores[:, systems.index(REFERENCE)] < SCORE_OF_REFERENCE))
    high = int(np.sum(scores[:, systems.index(MID)] > SCORE_OF_REFERENCE))
    items = len(scores)
    if low > SHARE_OF_ITEMS * items:
        return f"rated the hidden reference below {SCORE_OF_REFERENCE:.0f} on {low} of {items} items"
    if high > SHARE_OF_ITEMS * items:
        return f"rated the anchor of 7 kHz above {SCORE_OF_REFERENCE:.0f} on {high} of {items} items"
    return ""


def _comparisons(tested: Sequence[str], columns: dict[str, np.ndarray], unpaired: bool) -> list[Comparison]:
    pairs = list(combinations(tested, 2))
    tests = [statistics.paired(columns[a].mean(1), columns[b].mean(1)) for a, b in pairs]
    corrected = statistics.holm([test.p for test in tests])
    return [
        Comparison(
            a, b, test, p, statistics.welch(columns[a].ravel(), columns[b].ravel()) if unpaired else None
        )
        for (a, b), test, p in zip(pairs, tests, corrected, strict=True)
    ]


def abx(results: Sequence[Result], key: Key) -> Abx:
    """Analyse ABX."""
    right: dict[str, list[bool]] = {result.participant: [] for result in results}
    items: dict[str, list[bool]] = {name: [] for name in sorted(key.items.values())}
    for result in results:
        for trial in result.trials:
            hit = trial.answers["answer"] == trial.answers["x"]
            right[result.participant].append(hit)
            items[key.items[trial.item]].append(hit)
    every = [hit for hits in right.values() for hit in hits]
    shares = {name: _of(hits, 1 / 2) for name, hits in right.items()}
    corrected = statistics.holm([each.p for each in shares.values()])
    first, second = key.systems
    return Abx(
        (first, second),
        _of(every, 1 / 2),
        {name: (each, p) for (name, each), p in zip(shares.items(), corrected, strict=True)},
        {name: _of(hits, 1 / 2) for name, hits in items.items()},
    )


def which(results: Sequence[Result], key: Key) -> Which:
    """Analyse the three-way test."""
    (restoration,) = set(key.systems) - {REFERENCE, "mp3"}
    systems = (REFERENCE, "mp3", restoration)
    confusion = np.zeros((3, 3), int)
    listeners: dict[str, tuple[int, int, float]] = {}
    for result in results:
        own = np.zeros((3, 3), int)
        for trial in result.trials:
            for stimulus, label in trial.answers.items():
                own[systems.index(key.stimuli[trial.item][stimulus]), LABELS.index(label)] += 1
        confusion += own
        right, trials = int(np.trace(own)), len(result.trials)
        listeners[result.participant] = right, trials, statistics.matched_by_chance(right, trials)
    corrected = statistics.holm([p for _, _, p in listeners.values()])
    right, trials = int(np.trace(confusion)), int(confusion[0].sum())
    return Which(
        systems,
        confusion,
        {system: statistics.share(int(confusion[k, k]), trials, 1 / 3) for k, system in enumerate(systems)},
        right,
        statistics.matched_by_chance(right, trials),
        statistics.share(int(confusion[2, 0]), int(confusion[1:, 0].sum()), 1 / 2),
        {name: (*each, p) for (name, each), p in zip(listeners.items(), corrected, strict=True)},
    )


def _of(hits: Sequence[bool], chance: float) -> Share:
    return statistics.share(sum(hits), len(hits), chance)
