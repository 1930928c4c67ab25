"""What a mean over a few pieces is worth."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

RESAMPLES = 10_000


@dataclass(frozen=True)
class Interval:
    """A mean and its 95 % interval."""

    mean: float
    low: float
    high: float


def bootstrap(differences: Iterable[float]) -> Interval:
    """Mean of paired differences, one a piece, with its percentile bootstrap interval (Efron 1979).

    The seed is fixed: the same differences give the same interval. nan counts as missing.
    """
    known = np.array(list(differences), np.float64)
    known = known[np.isfinite(known)]
    if not len(known):
        return Interval(*[float("nan")] * 3)
    drawn = np.random.default_rng(0).integers(len(known), size=(RESAMPLES, len(known)))
    low, high = np.percentile(known[drawn].mean(1), [2.5, 97.5])
    return Interval(float(known.mean()), float(low), float(high))


def mean(values: Iterable[float]) -> float:
    """Mean of what is known; nan for nothing."""
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else float("nan")
