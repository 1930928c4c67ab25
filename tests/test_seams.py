"""The result is the same for every chunk length, batch and number of threads, and every time."""

import numpy as np
import pytest
from mp3s import music
from pipeline import KINDS, WHOLE, blocks_of, draws, excerpt, restore, restorer

from mp3fix.restore import Options, Song

TOLERANCE = 1e-5
# chunk_seconds, batch, threads; compared with the whole song in one go, batch 1, one thread
SETTINGS = [(3.3, 4, 1), (1.0, 1, 2)]
SHORT = [(0.83, 4, 1), (0.5, 1, 2)]  # for what takes its time: Griffin-Lim, the bundled generator


def check(kind, samples, rate, settings, **options):
    whole = restore(kind, samples, rate, 1, seeds=(7,), chunk_seconds=WHOLE, batch=1, **options)
    assert np.isfinite(whole).all()
    assert np.abs(whole - samples).max() > 0.005  # something is done
    for seconds, batch, threads in settings:
        cut = restore(kind, samples, rate, threads, seeds=(7,), chunk_seconds=seconds, batch=batch, **options)
        assert np.abs(cut - whole).max() <= TOLERANCE, (seconds, batch, threads)
    again = restore(kind, samples, rate, threads, seeds=(7,), chunk_seconds=seconds, batch=batch, **options)
    assert np.array_equal(cut, again)


@pytest.mark.parametrize("rate", [44100, 48000])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if not kind.startswith("magnitude")])
def test_chunks_batch_and_threads_change_nothing(kind, rate):
    check(kind, music(round(3.9 * rate), rate), rate, SETTINGS)


@pytest.mark.parametrize("rate", [44100, 48000])
@pytest.mark.parametrize(
    "kind", ["complex drawn", "complex pair", "magnitude", "magnitude drawn", "magnitude pair"]
)
def test_nor_do_they_with_griffin_lim(kind, rate):
    check(kind, music(round(1.5 * rate), rate), rate, SHORT, phase="griffinlim")


@pytest.mark.parametrize("rate", [44100, 48000])
@pytest.mark.parametrize("kind", ["complex pair", "magnitude", "magnitude drawn", "magnitude pair"])
def test_nor_do_they_with_phases_from_the_neighbours(kind, rate):
    check(kind, music(round(1.5 * rate), rate), rate, SHORT, phase="neighbours")


def played(rate, seconds):
    """Real music, a little higher and faster where the rate is not its own."""
    return excerpt(8, 9)[:, : round(seconds * rate)]


@pytest.mark.parametrize("rate", [44100, 48000])
def test_nor_do_they_with_the_bundled_generator(rate):
    check("music", played(rate, 1.9), rate, SHORT)


@pytest.mark.slow
@pytest.mark.parametrize("phase", ["griffinlim", "neighbours"])
@pytest.mark.parametrize("rate", [44100, 48000])
def test_nor_with_the_bundled_generator_and_phases_that_are_found(rate, phase):
    check("music", played(rate, 1.9), rate, SHORT, phase=phase)


@pytest.mark.parametrize("kind", ["complex drawn", "waveform pair"])
@pytest.mark.parametrize("rate", [22050, 44100, 48000])
def test_blocks_of_the_decoder_change_nothing(kind, rate):
    samples = music(rate, rate)
    whole = restore(kind, samples, rate)
    for size in (333, 65536):
        blocks = [np.zeros((2, 0), np.float32), *blocks_of(samples, size)]
        streamed = list(restorer(kind).stream(blocks, rate, 2))
        assert np.array_equal(np.concatenate(streamed, axis=1), whole)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_that_run_together_as_on_a_gpu_change_nothing(kind, monkeypatch):
    """On a CPU each row runs alone; the batching is the same code whatever runs it."""
    generator = restorer(kind).generator
    samples = music(35000, 44100, 3)

    def run(batch):
        song = Song(generator, 44100, 3, Options(seeds=(7, 8), chunk_seconds=0.3, batch=batch))
        return draws(blocks_of(samples), song)

    alone = run(1)
    monkeypatch.setattr(generator, "device", "cuda:0")
    sizes = []
    original = generator.run

    def counted(x, **others):
        sizes.append(len(x))
        return original(x, **others)

    monkeypatch.setattr(generator, "run", counted)
    for batch in (4, 64):
        sizes.clear()
        together = run(batch)
        assert max(sizes) == batch or (batch > 4 and max(sizes) > 4)
        assert np.abs(together - alone).max() <= TOLERANCE
