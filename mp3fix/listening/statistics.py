"""Statistics of listening tests: SciPy's, where it has them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import sqrt

import numpy as np

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Summary:
    """Mean, standard deviation (n - 1) and the 95 % interval of the mean by Student's t; nan where n is too small."""

    n: int
    mean: float
    sd: float
    low: float
    high: float


@dataclass(frozen=True)
class Paired:
    """Two systems compared within listeners.

    Attributes:
        difference: of the listeners' means, first less second.
        p: Wilcoxon's signed-rank test, two-sided.
        effect: matched-pairs rank-biserial correlation (Kerby 2014), -1..1: 1 if every listener prefers the first.
    """

    difference: Summary
    p: float
    effect: float


@dataclass(frozen=True)
class Omnibus:
    """Friedman's test of several systems within listeners; `w` is Kendall's W, 0 (no agreement) to 1."""

    chi2: float
    df: int
    p: float
    w: float


@dataclass(frozen=True)
class Unpaired:
    """Welch's t test of two systems' ratings; `d` is Cohen's, with the root of the mean of both variances."""

    difference: float
    t: float
    df: float
    p: float
    d: float


@dataclass(frozen=True)
class Share:
    """Right answers: share, 95 % interval by Clopper and Pearson (1934), p of as many or more by guessing."""

    right: int
    n: int
    low: float
    high: float
    p: float

    @property
    def share(self) -> float:
        """Right answers of all."""
        return self.right / self.n if self.n else float("nan")


def summary(values: Sequence[float] | np.ndarray) -> Summary:
    """What is known of a mean."""
    x = np.asarray(values, np.float64)
    n, nan = len(x), float("nan")
    if not n:
        return Summary(0, nan, nan, nan, nan)
    mean = float(x.mean())
    if n == 1:
        return Summary(1, mean, nan, nan, nan)
    sd = float(x.std(ddof=1))
    half = _quantile(n - 1) * sd / sqrt(n)
    return Summary(n, mean, sd, mean - half, mean + half)


@cache
def _quantile(df: int) -> float:
    """Of Student's t, on one side of the interval."""
    from scipy.stats import t

    return float(t.ppf((1 + CONFIDENCE) / 2, df))


def paired(first: np.ndarray, second: np.ndarray) -> Paired:
    """Wilcoxon's signed-rank test of (n,) and (n,), one value a listener in each.

    Listeners without a difference are left out of the ranks (Wilcoxon's own way). p is exact up to 50 listeners without
    ties or zeros; with them it is by the normal approximation or, up to 13 listeners, by all permutations.
    """
    from scipy.stats import rankdata, wilcoxon

    differences = np.asarray(first, np.float64) - np.asarray(second, np.float64)
    # Means of equal ratings may differ in the last bit.
    differences = np.round(differences, 9)
    known = differences[differences != 0]
    if not len(known):
        return Paired(summary(differences), 1.0, 0.0)
    ranks = rankdata(np.abs(known))
    effect = float(np.sum(ranks * np.sign(known)) / ranks.sum())
    return Paired(summary(differences), float(wilcoxon(known).pvalue), effect)


def friedman(scores: np.ndarray) -> Omnibus:
    """Friedman's test of (listeners, systems), three systems or more."""
    from scipy.stats import friedmanchisquare

    listeners, systems = scores.shape
    rounded = np.round(scores, 9)
    if listeners < 2 or (rounded == rounded[:, :1]).all():
        return Omnibus(0.0, systems - 1, 1.0, 0.0)
    test = friedmanchisquare(*rounded.T)
    chi2 = float(test.statistic)
    return Omnibus(chi2, systems - 1, float(test.pvalue), chi2 / (listeners * (systems - 1)))


def holm(p: Sequence[float]) -> list[float]:
    """Holm's (1979) step-down correction: the smallest of m is multiplied by m, the next by m - 1, never falling."""
    corrected, worst = [1.0] * len(p), 0.0
    for place, index in enumerate(sorted(range(len(p)), key=lambda index: p[index])):
        worst = max(worst, min(1.0, (len(p) - place) * p[index]))
        corrected[index] = worst
    return corrected


def welch(first: Sequence[float] | np.ndarray, second: Sequence[float] | np.ndarray) -> Unpaired:
    """Welch's (1947) t test of ratings as if each were another listener's; nan where nothing is spread.

    SciPy's own warns of ratings that are all alike, which whole numbers often are; here it only gives p.
    """
    from scipy.stats import t as student

    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    difference, nan = float(a.mean() - b.mean()), float("nan")
    if min(len(a), len(b)) < 2 or (spread := sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2)) == 0:
        return Unpaired(difference, nan, nan, nan, nan)
    errors = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    t = difference / sqrt(sum(errors))
    df = float(sum(errors) ** 2 / (errors[0] ** 2 / (len(a) - 1) + errors[1] ** 2 / (len(b) - 1)))
    return Unpaired(difference, t, df, float(2 * student.sf(abs(t), df)), difference / spread)


def share(right: int, n: int, chance: float) -> Share:
    """Right answers of n against guessing, by the binomial distribution, one-sided."""
    from scipy.stats import binomtest

    if not n:
        return Share(0, 0, float("nan"), float("nan"), float("nan"))
    test = binomtest(right, n, chance, alternative="greater")
    both = binomtest(right, n, chance).proportion_ci(CONFIDENCE, "exact")
    return Share(right, n, float(both.low), float(both.high), float(test.pvalue))


def matched_by_chance(right: int, trials: int) -> float:
    """Probability of `right` or more right labels by guessing in `trials`, each of three labels given to three stimuli.

    Of the 6 ways to give them, 2 have none right, 3 have one and 1 has three. So the labels of a trial depend on each
    other, and the binomial distribution would be wrong; the sum over trials is counted exactly instead.
    """
    ways = [1]  # ways[k]: how many of 6**trials give k right
    for _ in range(trials):
        grown = [0] * (len(ways) + 3)
        for k, count in enumerate(ways):
            grown[k] += 2 * count
            grown[k + 1] += 3 * count
            grown[k + 3] += count
        ways = grown
    return sum(ways[right:]) / 6**trials
