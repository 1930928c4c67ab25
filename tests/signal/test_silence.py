import numpy as np

from mp3fix.signal.silence import FADE, RUN, SilenceGate


def gate(decoded: np.ndarray, change: np.ndarray, size: int = 1000) -> np.ndarray:
    stream = SilenceGate(decoded.shape[0])
    spans = [slice(i, i + size) for i in range(0, decoded.shape[1], size)]
    blocks = [stream.push(decoded[:, s], change[:, s]) for s in spans]
    return np.concatenate([*blocks, stream.flush()], axis=1)


def song(*silences: tuple[int, int], frames: int = 8000) -> tuple[np.ndarray, np.ndarray]:
    """Noise with exact zeros in the spans given, and a change everywhere; one channel."""
    rng = np.random.default_rng(0)
    decoded = rng.standard_normal((1, frames)).astype(np.float32)
    for start, stop in silences:
        decoded[:, start:stop] = 0
    return decoded, (1 + rng.random((1, frames))).astype(np.float32)


def test_a_silent_run_gets_nothing_and_its_surroundings_fade() -> None:
    decoded, change = song((3000, 3000 + RUN))
    y = gate(decoded, change)
    assert np.all(y[0, 3000 : 3000 + RUN] == 0)
    gain = y[0] / change[0]
    assert np.all(np.diff(gain[3000 - FADE - 1 : 3000]) < 0)
    assert np.all(np.diff(gain[3000 + RUN : 3000 + RUN + FADE + 1]) > 0)
    assert np.abs(np.diff(gain)).max() < 2 / FADE  # no click
    middle = np.arange(1, FADE + 1) / (FADE + 1)
    np.testing.assert_allclose(gain[3000 + RUN :][:FADE], np.sin(np.pi * middle / 2) ** 2, atol=1e-5)
    far = np.r_[0 : 3000 - FADE, 3000 + RUN + FADE : 8000]
    np.testing.assert_array_equal(y[0, far], change[0, far])


def test_shorter_zeros_are_music() -> None:
    decoded, change = song((3000, 3000 + RUN - 1), (5000, 5001))
    np.testing.assert_array_equal(gate(decoded, change), change)


def test_nearly_zero_is_music() -> None:
    decoded, change = song((3000, 5000))
    decoded[0, 3000:5000:100] = 1e-30
    np.testing.assert_array_equal(gate(decoded, change), change)


def test_the_ends_of_the_file_are_not_silence_but_silence_there_is() -> None:
    decoded, change = song()
    np.testing.assert_array_equal(gate(decoded, change), change)
    decoded, change = song((0, RUN - 1), (8000 - RUN + 1, 8000))
    np.testing.assert_array_equal(gate(decoded, change), change)
    decoded, change = song((0, RUN), (8000 - RUN, 8000))
    y = gate(decoded, change)
    assert np.all(y[0, :RUN] == 0) and np.all(y[0, -RUN:] == 0) and np.all(y[0, RUN:-RUN] > 0)


def test_between_two_runs_the_lower_gain_holds() -> None:
    decoded, change = song((1000, 2000), (2040, 3000))
    gain = (gate(decoded, change) / change)[0, 2000:2040]
    np.testing.assert_allclose(gain, gain[::-1], atol=1e-6)
    assert 0 < gain.max() < 0.3


def test_channels_are_gated_apart() -> None:
    decoded, change = song((3000, 4000))
    other, _ = song()
    y = gate(np.concatenate([decoded, other]), np.concatenate([change, change]))
    np.testing.assert_array_equal(y[1], change[0])
    np.testing.assert_array_equal(y[:1], gate(decoded, change))


def test_block_size_changes_no_bit() -> None:
    decoded, change = song((0, 600), (900, 900 + RUN), (2000, 2100), (3000, 6000), (7500, 8000))
    whole = gate(decoded, change, 8000)
    assert whole.shape == change.shape and whole.dtype == np.float32
    for size in (1, 63, 512, 577, 3001):
        np.testing.assert_array_equal(gate(decoded, change, size), whole)


def test_the_lag_is_bounded_and_the_input_is_left_alone() -> None:
    stream = SilenceGate(1)
    decoded, change = np.zeros((1, 100_000), np.float32), np.ones((1, 100_000), np.float32)
    given = stream.push(decoded, change)
    assert given.shape[1] > 100_000 - 600
    assert np.all(change == 1)
    assert stream.flush().shape[1] == 100_000 - given.shape[1]
