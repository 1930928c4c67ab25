import math

import numpy as np
import pytest

from mp3fix.evaluation.statistics import bootstrap, mean


def test_the_interval_of_many_is_that_of_the_normal_distribution() -> None:
    values = np.random.default_rng(1).normal(3, 2, 400)
    interval = bootstrap(values)
    half = 1.96 * values.std() / 20
    assert interval.mean == pytest.approx(values.mean())
    assert interval.low == pytest.approx(values.mean() - half, abs=0.02)
    assert interval.high == pytest.approx(values.mean() + half, abs=0.02)
    assert bootstrap(values) == interval


def test_two_values() -> None:
    # Of the four resamples of (0, 1) one is all 0 and one all 1: 2.5 % and 97.5 % are at the ends.
    assert bootstrap([0.0, 1.0]) == bootstrap([0.0, 1.0, math.nan])
    assert (bootstrap([0.0, 1.0]).low, bootstrap([0.0, 1.0]).high) == (0, 1)
    assert bootstrap([0.5] * 7).low == bootstrap([0.5] * 7).high == 0.5


def test_nothing_has_no_mean() -> None:
    assert math.isnan(bootstrap([math.nan]).low)
    assert math.isnan(mean([]))
    assert mean([1.0, math.nan, 2.0]) == 1.5
