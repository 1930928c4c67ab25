import numpy as np
import pytest

from mp3fix.signal.stft import IstftStream, StftSpec, StftStream, stft

SPECS = [
    StftSpec(),
    StftSpec(n_fft=1024, win_length=1024, hop=256, window="sqrt_hann", centred=False),
    StftSpec(n_fft=512, win_length=400, hop=100, window="hamming"),  # hop does not divide n_fft
    StftSpec(n_fft=882, win_length=882, hop=441),  # Apollo's
    StftSpec(n_fft=255, win_length=255, hop=64),  # odd
]


def music(frames: int, channels: int = 2) -> np.ndarray:
    return np.random.default_rng(frames).standard_normal((channels, frames)).astype(np.float32) * 0.3


def cut(array: np.ndarray, size: int) -> list[np.ndarray]:
    return [array[:, i : i + size] for i in range(0, array.shape[1], size)]


def analyse(samples: np.ndarray, spec: StftSpec, size: int) -> np.ndarray:
    stream = StftStream(spec, samples.shape[0])
    return np.concatenate([*map(stream.push, cut(samples, size)), stream.flush()], axis=1)


def synthesise(frames: np.ndarray, spec: StftSpec, length: int, size: int) -> np.ndarray:
    stream = IstftStream(spec, frames.shape[0])
    return np.concatenate([*map(stream.push, cut(frames, size)), stream.flush(length)], axis=1)


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("length", [1, 500, 7777])
def test_inverse_gives_the_song_back_up_to_both_ends(spec: StftSpec, length: int) -> None:
    x = music(length)
    y = synthesise(analyse(x, spec, 1000), spec, length, 7)
    assert y.shape == x.shape and y.dtype == np.float32
    np.testing.assert_allclose(y, x, atol=1e-6 * 4)


@pytest.mark.parametrize("spec", SPECS)
def test_block_size_changes_no_bit(spec: StftSpec) -> None:
    x = music(9000)
    whole = analyse(x, spec, 9000)
    sizes = [100, 511, 2049] if spec.n_fft < 2048 else [100, 4097]
    for size in sizes:
        np.testing.assert_array_equal(analyse(x, spec, size), whole)
    samples = synthesise(whole, spec, 9000, whole.shape[1])
    for size in [1, 2, 5]:
        np.testing.assert_array_equal(synthesise(whole, spec, 9000, size), samples)


@pytest.mark.parametrize("spec", SPECS)
def test_frames_are_the_definition_on_the_absolute_grid(spec: StftSpec) -> None:
    """Each frame against a float64 transform of the samples it covers, zero outside the song."""
    x = music(3001, channels=1)
    first, stop = spec.frame_range(3001)
    frames = analyse(x, spec, 640)
    assert frames.shape == (1, stop - first, spec.bins) and frames.dtype == np.complex64
    padded = np.concatenate([np.zeros(4096), x[0].astype(np.float64), np.zeros(4096)])
    for t in range(first, stop):
        begin, end = spec.sample_span(t, t + 1)
        assert begin == t * spec.hop + (-(spec.n_fft // 2) if spec.centred else 0)
        expected = np.fft.rfft(padded[begin + 4096 : end + 4096] * spec.analysis_window())
        np.testing.assert_allclose(frames[0, t - first], expected, atol=2e-4)


def test_frame_range_holds_every_frame_that_overlaps_and_no_other() -> None:
    for spec in SPECS:
        for length in [1, spec.hop, spec.hop + 1, 3000]:
            overlapping = [
                t
                for t in range(-50, 100)
                if spec.sample_span(t, t + 1)[1] > 0 and t * spec.hop + spec.offset < length
            ]
            assert spec.frame_range(length) == (overlapping[0], overlapping[-1] + 1)
    assert StftSpec().frame_range(44100)[0] == -1


def test_empty_song() -> None:
    spec = StftSpec()
    frames = analyse(np.zeros((2, 0), np.float32), spec, 10)
    assert frames.shape == (2, 0, 1025)
    assert synthesise(frames, spec, 0, 10).shape == (2, 0)


def test_stft_takes_only_frames_wholly_inside() -> None:
    spec = StftSpec()
    assert stft(music(2047), spec).shape == (2, 0, 1025)
    x = music(2048 + 3 * 512 - 1)
    assert stft(x, spec).shape == (2, 3, 1025)
    np.testing.assert_array_equal(stft(x[:, 512:], spec)[:, 0], stft(x, spec)[:, 1])


def test_window_is_the_periodic_one_and_centred_in_n_fft() -> None:
    spec = StftSpec(n_fft=16, win_length=8, hop=2)
    expected = np.zeros(16)
    expected[4:12] = np.sin(np.pi * np.arange(8) / 8) ** 2
    np.testing.assert_allclose(spec.analysis_window(), expected, atol=1e-7)
    assert spec.analysis_window().dtype == np.float32


@pytest.mark.parametrize(
    "values",
    [
        {"hop": 2048},
        {"hop": 3000},
        {"win_length": 4096},
        {"win_length": 256},
        {"window": "kaiser"},
        {"hop": 0},
    ],
)
def test_specs_that_cannot_be_inverted_are_refused(values: dict) -> None:
    with pytest.raises(ValueError):
        StftSpec(**values)


def test_flush_refuses_a_length_the_frames_do_not_make() -> None:
    spec = StftSpec()
    frames = analyse(music(5000), spec, 5000)
    with pytest.raises(ValueError, match="frames"):
        synthesise(frames, spec, 6000, 4)
    stream = IstftStream(spec, 2, frames_total=5000)
    assert stream.push(frames).shape[1] + stream.flush().shape[1] == 5000
    with pytest.raises(ValueError, match="not known"):
        IstftStream(spec, 2).flush()
