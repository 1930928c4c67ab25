import numpy as np
import pytest

from mp3fix.signal.levels import Limiter, from_db, peak, quantise, to_db

RATE = 44100


def limit(x: np.ndarray, size: int = 3000) -> tuple[np.ndarray, Limiter]:
    limiter = Limiter(RATE, x.shape[0])
    blocks = [limiter.push(x[:, i : i + size]) for i in range(0, x.shape[1], size)]
    return np.concatenate([*blocks, limiter.flush()], axis=1), limiter


def loud(frames: int = 40000) -> np.ndarray:
    """Noise at -9 dB that passes full scale in places, stereo."""
    x = 0.35 * np.random.default_rng(1).standard_normal((2, frames)).astype(np.float32)
    x = np.clip(x, -0.99, 0.99)
    x[0, 15000:15040] *= 2.2 / np.abs(x[0, 15000:15040]).max()
    x[1, 3] = -1.5
    x[1, -1] = 1.2
    return x


def test_peak_looks_both_ways() -> None:
    assert peak(np.array([[0.5, -2.25], [1.0, 0.0]], np.float32)) == 2.25
    assert peak(np.array([[0.5, 1.5]], np.float32)) == 1.5
    assert peak(np.zeros((2, 0), np.float32)) == 0.0


def test_decibels() -> None:
    assert from_db(-6.0206) == pytest.approx(0.5, rel=1e-5)
    assert to_db(from_db(3.7)) == pytest.approx(3.7)
    assert to_db(0.0) == -np.inf


def test_sixteen_bits_are_dithered_without_bias_or_dependence_on_the_signal() -> None:
    """Between two steps the mean is the sample's value, the error's power the same everywhere: 1/4 LSB^2."""
    for fraction in (0.1, 0.5, 0.9):
        x = np.full((1, 200_000), (100 + fraction) / 32768, np.float32)
        error = quantise(x, 16, 0, 3)[0] - (100 + fraction)
        assert error.mean() == pytest.approx(0, abs=0.005)
        assert error.var() == pytest.approx(0.25, abs=0.005)


def test_silence_is_not_dithered() -> None:
    x = np.zeros((2, 1000), np.float32)
    x[1, 500:] = 0.3 / 32768
    y = quantise(x, 16, 0, 3)
    assert np.all(y[0] == 0) and np.all(y[1, :500] == 0) and np.any(y[1, 500:] != 0)


def test_dither_belongs_to_position_channel_and_seed() -> None:
    x = np.random.default_rng(0).uniform(-0.5, 0.5, (2, 1000)).astype(np.float32)
    x[1] = x[0]
    whole = quantise(x, 16, 70, 3)
    np.testing.assert_array_equal(quantise(x[:, 333:], 16, 403, 3), whole[:, 333:])
    assert not np.array_equal(whole[0], whole[1])
    assert not np.array_equal(quantise(x, 16, 70, 4), whole)


def test_twenty_four_bits_are_exact_to_half_a_step() -> None:
    x = np.random.default_rng(0).uniform(-1, 1, (2, 5000)).astype(np.float32)
    y = quantise(x, 24, 0, 3)
    assert y.dtype == np.int32
    assert np.abs(y - x.astype(np.float64) * 2**23).max() <= 0.5
    whole = np.array([[-(2**23), 12345, 2**23 - 1]])
    np.testing.assert_array_equal(quantise((whole / 2**23).astype(np.float32), 24, 0, 0), whole)


def test_full_scale_is_the_largest_number_not_the_smallest() -> None:
    x = np.array([[1.0, 1.5, -1.0, -1.5]], np.float32)
    np.testing.assert_array_equal(quantise(x, 24, 0, 0), [[2**23 - 1, 2**23 - 1, -(2**23), -(2**23)]])
    assert np.all(np.abs(np.abs(quantise(x, 16, 0, 0)) - 32767) <= 2)
    assert np.all(quantise(x, 16, 0, 0)[0, :2] > 0)
    with pytest.raises(ValueError, match="bits"):
        quantise(x, 8, 0, 0)


def test_limiter_holds_full_scale_and_touches_only_the_surroundings_of_peaks() -> None:
    x = loud()
    y, limiter = limit(x)
    assert y.shape == x.shape and y.dtype == np.float32
    assert np.abs(y).max() <= 1.0
    far = np.ones(x.shape[1], bool)
    for begin, end in ((3, 4), (15000, 15040), (39999, 40000)):
        far[max(0, begin - 300) : end + round(0.035 * RATE)] = False
    np.testing.assert_array_equal(y[:, far], x[:, far])
    assert limiter.lowest_gain == pytest.approx(1 / 2.2, rel=1e-5)


def test_limiter_is_smooth_and_common_to_the_channels() -> None:
    x = loud()
    y, _ = limit(x)
    gain = y[:, 14000:17000].astype(np.float64) / x[:, 14000:17000]
    np.testing.assert_allclose(gain[0], gain[1], rtol=1e-5)
    assert np.abs(np.diff(gain[0])).max() < 0.01
    assert gain[0][1040] == pytest.approx(1 / 2.2, rel=1e-3)  # held, and no lower than the peak needs


def test_limiter_holds_its_gain_through_a_bass() -> None:
    t = np.arange(RATE) / RATE
    x = 1.5 * np.sin(2 * np.pi * 40 * t)[np.newaxis].astype(np.float32)
    y, _ = limit(x)
    steady = slice(RATE // 4, 3 * RATE // 4)
    np.testing.assert_allclose(y[0, steady], x[0, steady] / 1.5, atol=1e-4)


def test_limiter_gives_the_same_bits_for_every_block_size() -> None:
    x = loud()
    whole, _ = limit(x, 40000)
    for size in (137, 4096):
        np.testing.assert_array_equal(limit(x, size)[0], whole)


def test_limiter_passes_what_is_within_full_scale() -> None:
    x = np.clip(loud(), -1, 1)
    y, limiter = limit(x)
    np.testing.assert_array_equal(y, x)
    assert limiter.lowest_gain == 1.0
