import numpy as np
import pytest

from mp3fix.signal.noise import Purpose, gaussian, spectrogram, tpdf, words, z_vector
from mp3fix.signal.stft import StftSpec, StftStream


def test_words_are_philox_with_counter_index_over_four() -> None:
    """The known answer of Random123 (kat_vectors, philox4x64 10) for counter 0 and key 0."""
    block = words(0, 0, Purpose(0), 0, 4)
    assert [f"{w:016x}" for w in block] == [
        "16554d9eca36314c",
        "db20fe9d672d0fdc",
        "d7e772cee186176b",
        "7e68b68aec7ba23b",
    ]


@pytest.mark.parametrize("start", [-9, -4, -1, 0, 1, 3, 4, 8191, 20001, 2**40 + 3])
def test_any_slice_equals_that_slice_of_the_whole(start: int) -> None:
    begin = start - 10007
    for draw in (
        lambda s, n: words(7, 1, Purpose.SPECTROGRAM, s, n),
        lambda s, n: gaussian(7, 1, Purpose.SPECTROGRAM, s, n),
        lambda s, n: tpdf(7, 1, s, n),
    ):
        whole = draw(begin, 30000)
        for count in (0, 1, 2, 5, 9001):
            np.testing.assert_array_equal(draw(start, count), whole[10007 : 10007 + count])


def test_seeds_streams_and_purposes_are_independent() -> None:
    draws = np.stack(
        [
            gaussian(seed, stream, purpose, 0, 20000)
            for seed in (0, 1, 2**32, 2**63 - 1)
            for stream in (0, 1)
            for purpose in Purpose
        ]
    )
    correlation = np.corrcoef(draws) - np.eye(len(draws))
    assert np.abs(correlation).max() < 0.04


def test_gaussian_noise_is_white_normal_and_of_unit_variance() -> None:
    x = gaussian(3, 0, Purpose.SPECTROGRAM, -1000, 400_000).astype(np.float64)
    assert x.mean() == pytest.approx(0, abs=0.006)
    assert x.var() == pytest.approx(1, abs=0.01)
    assert np.mean(x**4) == pytest.approx(3, abs=0.05)
    assert np.mean(np.abs(x) > 3) == pytest.approx(0.0027, abs=0.0004)
    for lag in (1, 2, 3, 4, 8192):
        assert np.mean(x[lag:] * x[:-lag]) == pytest.approx(0, abs=0.008)
        # Pairs share a radius, so squares would be the first to correlate.
        assert np.mean(x[lag:] ** 2 * x[:-lag] ** 2) == pytest.approx(1, abs=0.03)


def test_dither_is_triangular_within_one_step() -> None:
    d = tpdf(5, 0, 0, 200_000).astype(np.float64)
    assert d.min() >= -1 and d.max() <= 1
    assert d.var() == pytest.approx(1 / 6, abs=0.002)
    assert np.mean(np.abs(d) < 0.5) == pytest.approx(0.75, abs=0.005)
    assert abs(np.corrcoef(d, tpdf(5, 1, 0, 200_000))[0, 1]) < 0.01


def test_noise_spectrogram_is_the_stft_of_the_songs_noise() -> None:
    spec = StftSpec(n_fft=256, win_length=256, hop=64)
    whole = StftStream(spec, 1).push(gaussian(9, 2, Purpose.SPECTROGRAM, 0, 10000)[np.newaxis])[0]
    inside = slice(3 - spec.first_frame, 40 - spec.first_frame)  # frames that touch no sample before 0
    np.testing.assert_array_equal(spectrogram(9, 2, 3, 40, spec), whole[inside])
    # Before the song there is noise, too: the statistics of the first frames are those of all others.
    power = np.mean(np.abs(spectrogram(9, 2, -200, 200, spec)) ** 2, axis=1)
    assert power[:200].mean() == pytest.approx(power[200:].mean(), rel=0.1)
    assert spectrogram(9, 2, 5, 5, spec).shape == (0, spec.bins)


def test_z_vector_differs_by_seed_and_grows_by_appending() -> None:
    np.testing.assert_array_equal(z_vector(1, 4), z_vector(1, 16)[:4])
    assert not np.array_equal(z_vector(1, 16), z_vector(2, 16))


def test_seeds_out_of_range_are_refused() -> None:
    for seed in (-1, 2**63):
        with pytest.raises(ValueError, match="seed"):
            words(seed, 0, Purpose.VECTOR, 0, 4)
    with pytest.raises(ValueError, match="stream"):
        words(0, -1, Purpose.VECTOR, 0, 4)
