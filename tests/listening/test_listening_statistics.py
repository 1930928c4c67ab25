"""Against SciPy's distributions, and against cases worked out by hand."""

import math
from itertools import product

import numpy as np
import pytest
from scipy import stats

from mp3fix.listening import power, statistics


def test_interval_of_a_mean() -> None:
    # 1, 2, 3: mean 2, SD 1; t for two degrees of freedom is 4.3027, over the root of 3: 2.4841.
    three = statistics.summary([1, 2, 3])
    assert (three.n, three.mean, three.sd) == (3, 2, 1)
    assert (three.low, three.high) == (
        pytest.approx(2 - 2.4841, abs=1e-4),
        pytest.approx(2 + 2.4841, abs=1e-4),
    )
    values = np.random.default_rng(0).normal(3, 2, 12)
    test = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    many = statistics.summary(values)
    assert (many.low, many.high) == (pytest.approx(test.low), pytest.approx(test.high))


def test_nothing_and_one_have_no_interval() -> None:
    assert math.isnan(statistics.summary([]).mean)
    one = statistics.summary([4])
    assert one.mean == 4 and math.isnan(one.sd) and math.isnan(one.low)


def test_wilcoxon_by_hand() -> None:
    # Differences 1..5: all ranks are positive, W- = 0, one of 2**5 signs, two-sided 2/32.
    five = statistics.paired(np.arange(1.0, 6), np.zeros(5))
    assert five.p == pytest.approx(2 / 32) and five.effect == 1 and five.difference.mean == 3
    # -1, 2, 3, 4, 5: W- = 1; as low is W- = 0 or 1, 2 of 32 signs, two-sided 4/32. (14 - 1) / 15.
    mixed = statistics.paired(np.array([-1.0, 2, 3, 4, 5]), np.zeros(5))
    assert mixed.p == pytest.approx(4 / 32) and mixed.effect == pytest.approx(13 / 15)


def test_wilcoxon_is_scipys() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.normal(0.4, 1, 14), rng.normal(0, 1, 14)
    assert statistics.paired(a, b).p == pytest.approx(stats.wilcoxon(a, b).pvalue)
    assert statistics.paired(b, a).effect == pytest.approx(-statistics.paired(a, b).effect)


def test_listeners_without_a_difference_do_not_count() -> None:
    assert statistics.paired(np.ones(9), np.ones(9)).p == 1
    # 0.1 + 0.2 is not 0.3, but no difference either.
    rounded = statistics.paired(np.array([0.1 + 0.2, 2, 3, 4, 5, 6]), np.array([0.3, 1, 1, 1, 1, 1]))
    assert rounded.p == pytest.approx(2 / 32)


def test_friedman_by_hand() -> None:
    # Three listeners, three systems, one order: rank sums 3, 6, 9.
    # chi2 = 12 / (3*3*4) * (9 + 36 + 81) - 3*3*4 = 42 - 36 = 6; p = exp(-3); W = 6 / (3 * 2) = 1.
    one_order = statistics.friedman(np.array([[1, 2, 3], [10, 20, 30], [0, 50, 51.0]]))
    assert one_order.chi2 == pytest.approx(6) and one_order.df == 2
    assert one_order.p == pytest.approx(math.exp(-3)) and one_order.w == pytest.approx(1)
    assert statistics.friedman(np.full((5, 3), 2.0)).p == 1


def test_holm_by_hand() -> None:
    # Sorted .01, .03, .04: times 3, 2, 1 are .03, .06, .04, which may not fall: .06.
    assert statistics.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert statistics.holm([0.5, 0.6]) == [1, 1]
    assert statistics.holm([]) == []


def test_welch_by_hand() -> None:
    # 1 2 3 (mean 2, variance 1) and 4 6 8 (6, 4): t = -4 / sqrt(1/3 + 4/3); df = (5/3)^2 / ((1/9 + 16/9) / 2) = 50/17.
    test = statistics.welch([1, 2, 3], [4, 6, 8])
    assert test.t == pytest.approx(-4 / math.sqrt(5 / 3)) and test.df == pytest.approx(50 / 17)
    assert test.p == pytest.approx(2 * stats.t.cdf(test.t, 50 / 17))
    assert test.difference == -4 and test.d == pytest.approx(-4 / math.sqrt(2.5))
    rng = np.random.default_rng(8)
    a, b = rng.normal(0, 1, 20), rng.normal(0.5, 3, 12)
    theirs, ours = stats.ttest_ind(a, b, equal_var=False), statistics.welch(a, b)
    assert (ours.t, ours.df, ours.p) == pytest.approx((theirs.statistic, theirs.df, theirs.pvalue))
    assert statistics.welch([2, 2, 2], [3, 3, 4]).p > 0
    assert math.isnan(statistics.welch([2, 2], [3, 3]).p)
    assert math.isnan(statistics.welch([2], [3, 4]).p)


def test_right_answers_by_hand() -> None:
    # 9 or 10 heads of 10: (10 + 1) / 2**10.
    nine = statistics.share(9, 10, 1 / 2)
    assert nine.p == pytest.approx(11 / 1024) and nine.share == 0.9
    # Clopper and Pearson: bounds are beta quantiles; of 5 of 5 the lower is the fifth root of 0.025.
    assert nine.low == pytest.approx(stats.beta.ppf(0.025, 9, 2))
    assert nine.high == pytest.approx(stats.beta.ppf(0.975, 10, 1))
    five = statistics.share(5, 5, 1 / 2)
    assert (five.low, five.high) == (pytest.approx(0.025**0.2), 1)
    assert statistics.share(4, 4, 1 / 3).p == pytest.approx(1 / 81)
    assert math.isnan(statistics.share(0, 0, 1 / 2).share)


def test_guessed_labels_are_counted_exactly() -> None:
    # One trial: 0, 1, 1, 1, 0, 3 right in the six orders.
    assert [statistics.matched_by_chance(k, 1) for k in range(4)] == pytest.approx([1, 4 / 6, 1 / 6, 1 / 6])
    right = (0, 0, 1, 1, 1, 3)
    sums = [sum(each) for each in product(right, repeat=4)]
    for k in range(13):
        assert statistics.matched_by_chance(k, 4) == pytest.approx(np.mean([total >= k for total in sums]))


def test_enough_listeners_find_a_difference() -> None:
    rng = np.random.default_rng(5)
    listeners = power.listeners_needed(1.0)
    found = [statistics.paired(rng.normal(1, 1, listeners), np.zeros(listeners)).p < 0.05 for _ in range(400)]
    fewer = [statistics.paired(rng.normal(1, 1, 8), np.zeros(8)).p < 0.05 for _ in range(400)]
    assert np.mean(found) > 0.77 > np.mean(fewer)
    assert power.listeners_needed(9.0) == 6  # 2 / 2**5 is not below 0.05


def test_enough_trials_find_one_who_hears() -> None:
    trials, need = power.trials_needed(0.75)
    assert stats.binom.sf(need - 1, trials, 0.5) < 0.05 <= stats.binom.sf(need - 2, trials, 0.5)
    assert stats.binom.sf(need - 1, trials, 0.75) >= 0.8
    fewer = trials - 1
    assert stats.binom.sf(stats.binom.isf(0.05, fewer, 0.5), fewer, 0.75) < 0.8
    with pytest.raises(ValueError, match="more than 400"):
        power.trials_needed(0.51)
