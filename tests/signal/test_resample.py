import numpy as np
import pytest

from mp3fix.signal.resample import RateStream, output_length

RATES = [(48000, 44100), (44100, 48000), (16000, 44100), (22050, 44100), (96000, 44100), (44100, 96000)]


def resample(x: np.ndarray, rate_in: int, rate_out: int, size: int = 5000) -> np.ndarray:
    stream = RateStream(rate_in, rate_out, x.shape[0])
    blocks = [stream.push(x[:, i : i + size]) for i in range(0, x.shape[1], size)]
    return np.concatenate([*blocks, stream.flush()], axis=1)


def noise(rate: int, seconds: float, band: float = 6000.0) -> np.ndarray:
    """White noise below the band edge, faded in and out, float32 (1, n)."""
    x = np.random.default_rng(rate).standard_normal(round(rate * seconds))
    spectrum = np.fft.rfft(x)
    spectrum[np.fft.rfftfreq(len(x), 1 / rate) > band] = 0
    return (np.fft.irfft(spectrum, len(x)) * np.hanning(len(x)))[np.newaxis].astype(np.float32)


@pytest.mark.parametrize(("rate_in", "rate_out"), RATES)
def test_nothing_moves_in_time(rate_in: int, rate_out: int) -> None:
    """The phase of the cross-spectrum gives the delay to a small part of a sample."""
    x = noise(rate_in, 1.0)[0]
    y = resample(x[np.newaxis], rate_in, rate_out)[0]
    assert len(x) == rate_in and len(y) == rate_out  # one second each: the bins are the same frequencies
    bins = np.arange(100, 5900)
    cross = np.fft.rfft(y)[bins] * np.conj(np.fft.rfft(x)[bins])
    slope = np.sum(np.angle(cross) * bins * np.abs(cross)) / np.sum(bins**2 * np.abs(cross))
    assert abs(slope * rate_out / (2 * np.pi)) < 0.005  # samples
    assert np.sum(y**2) / rate_out == pytest.approx(np.sum(x**2) / rate_in, rel=1e-3)


@pytest.mark.parametrize(("rate_in", "rate_out"), [*RATES, (11111, 44100), (44100, 8000)])
def test_length_is_the_rounded_ratio(rate_in: int, rate_out: int) -> None:
    for n in [0, 1, 2, 3, 80, 147, 160, 1001, 10007]:
        expected = int(np.floor(n * rate_out / rate_in + 0.5))
        assert resample(np.ones((1, n), np.float32), rate_in, rate_out, 333).shape == (1, expected)
        assert output_length(n, rate_in, rate_out) == expected


def test_block_size_changes_no_bit() -> None:
    x = np.random.default_rng(0).standard_normal((2, 9000)).astype(np.float32)
    whole = resample(x, 48000, 44100, 9000)
    for size in (7, 1000):
        np.testing.assert_array_equal(resample(x, 48000, 44100, size), whole)


def test_channels_do_not_mix() -> None:
    x = noise(48000, 0.2)
    y = resample(np.concatenate([x, 0 * x, -x]), 48000, 44100)
    assert np.all(y[1] == 0)
    np.testing.assert_array_equal(y[2], -y[0])
    np.testing.assert_array_equal(y[:1], resample(x, 48000, 44100))


def test_equal_rates_hand_the_blocks_through() -> None:
    stream = RateStream(44100, 44100, 2)
    block = np.full((2, 10), 2.2, np.float32)
    assert stream.push(block) is block
    assert stream.flush().shape == (2, 0)


def test_there_and_back_returns_the_signal() -> None:
    x = noise(48000, 1.0)
    y = resample(resample(x, 48000, 44100), 44100, 48000)
    assert np.mean((y - x) ** 2) < 1e-6 * np.mean(x**2)


@pytest.mark.parametrize(("rate_in", "rate_out"), RATES)
def test_the_end_is_resampled_not_filled_up(rate_in: int, rate_out: int) -> None:
    y = resample(np.ones((1, 3 * rate_in // 10), np.float32), rate_in, rate_out)
    np.testing.assert_allclose(y[0, 2000:-50], 1.0, atol=0.02)
    assert abs(y[0, -5:].mean() - 1.0) < 0.3
