"""Bursts of damaged MP3s are muted with their neighbourhood, and nothing else is touched."""

import numpy as np
import pytest

from mp3fix.files.bursts import BurstGate

GRANULE = 576


class Samples:
    """A source that reads from an array (n, channels)."""

    lfe = ()
    rate = 44100

    def __init__(self, samples: np.ndarray) -> None:
        self.samples = samples
        self.channels = samples.shape[1]

    def read(self, frames: int) -> np.ndarray:
        block, self.samples = self.samples[:frames], self.samples[frames:]
        return block

    def finish(self) -> str | None:
        return None

    def close(self) -> None:
        pass


def gated(samples: np.ndarray, size: int) -> tuple[np.ndarray, int]:
    gate = BurstGate(Samples(samples))
    blocks = []
    while len(block := gate.read(size)):
        assert len(block) == size or not len(gate.read(1))
        blocks.append(block)
    return np.concatenate(blocks), gate.muted


@pytest.mark.parametrize("size", [1000, 65536, 10**6])
@pytest.mark.parametrize("burst", [0, 10, 112, 113, 114, 115, 227, 228, 347])
@pytest.mark.parametrize("value", [4.1, -1e9, np.nan, np.inf])
def test_a_burst_is_muted_with_its_neighbours(size: int, burst: int, value: float) -> None:
    original = np.random.default_rng(0).uniform(-3.9, 3.9, (GRANULE * 347 + 300, 2)).astype(np.float32)
    samples = original.copy()
    samples[burst * GRANULE + 299, 1] = value
    expected = original.copy()
    expected[max(0, burst - 1) * GRANULE : (burst + 2) * GRANULE] = 0
    found, muted = gated(samples, size)
    assert np.array_equal(found, expected)
    assert muted == np.count_nonzero(np.all(expected == 0, axis=1))


@pytest.mark.parametrize("length", [0, 1, 575, 576, 577, 114 * GRANULE, 114 * GRANULE + 1, 300000])
def test_music_passes_untouched(length: int) -> None:
    samples = np.random.default_rng(1).uniform(-4, 4, (length, 1)).astype(np.float32)
    gate = BurstGate(Samples(samples))
    assert np.array_equal(gate.read(10**6), samples)
    assert len(gate.read(10)) == 0
    assert gate.muted == 0
