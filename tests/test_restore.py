"""Arrays through the pipeline: lengths, rates, seeds, dials, and what happens at the edges."""

import threading
import tracemalloc

import numpy as np
import pytest
import soxr
from mp3s import music
from pipeline import DRAWN, KINDS, blocks_of, draws, excerpt, lag, restore, restorer

from mp3fix import ModelError
from mp3fix.restore import LOWEST_RATE, Options, Song, output_frames
from mp3fix.signal.stft import StftSpec, stft

SILENT = [(kind, 0.0) for kind in DRAWN if KINDS[kind].get("texture")]
RATES = [8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000]


def resampled(samples, rate):
    """What the song is without the change: as it was decoded, or at 44.1 kHz."""
    return samples if rate >= LOWEST_RATE else soxr.resample(samples.T, rate, LOWEST_RATE, "VHQ").T


# --- length and alignment


@pytest.mark.parametrize("rate", RATES)
def test_length_alignment_and_mix_at_every_rate(rate):
    frames = round(0.9 * rate) + 7
    samples = music(frames, rate)
    out = max(rate, LOWEST_RATE)
    base = resampled(samples, rate)
    restored = restore("complex", samples, rate)
    # round(frames x out / in), exactly
    assert restored.shape == (2, (2 * frames * out + rate) // (2 * rate))
    assert output_frames(frames, rate, Options()) == restored.shape[1]
    assert np.isfinite(restored).all()
    change = restored - base[:, : restored.shape[1]]
    for piece in (change[:, :30], change, change[:, -30:]):  # from the first sample to the last
        assert (np.abs(piece).max(axis=1) > 0.01).all()
    for heard in (restored[0], change[0]):  # the generator makes all louder, so its change is like the song
        assert abs(lag(base[0], heard)) < 0.02
    unmixed = restore("complex", samples, rate, mix=0)
    assert np.abs(unmixed - base).max() <= 1e-6
    half = restore("complex", samples, rate, mix=0.5)
    assert np.abs(half - (restored + unmixed) / 2).max() <= 1e-6


@pytest.mark.parametrize(("rate", "out"), [(44100, 48000), (48000, 44100), (96000, 48000), (22050, 22050)])
def test_output_rate_can_be_chosen(rate, out):
    samples = music(rate + 3, rate)
    base = soxr.resample(samples.T, rate, out, "VHQ").T if rate != out else samples
    restored = restore("complex", samples, rate, rate=out)
    assert restored.shape[1] == (2 * (rate + 3) * out + rate) // (2 * rate)
    assert abs(lag(base[0], restored[0])) < 0.02
    assert np.abs(restore("complex", samples, rate, rate=out, mix=0) - base).max() <= 1e-6


def test_what_lies_above_the_generators_band_stays():
    rate = 96000
    samples = music(rate, rate) + 0.01 * np.random.default_rng(1).standard_normal((2, rate)).astype(
        np.float32
    )
    change = restore("complex drawn", samples, rate) - samples
    spectrum = np.abs(np.fft.rfft(change * np.hanning(rate))) ** 2  # bins of 1 Hz
    above, below = spectrum[:, 23000:].sum(), spectrum[:, :20000].sum()
    assert below > 1
    assert above < 1e-9 * below


# --- seeds and texture


@pytest.mark.parametrize("rate", [44100, 48000])
@pytest.mark.parametrize("kind", DRAWN)
def test_several_seeds_in_one_run_are_those_of_single_runs(kind, rate):
    samples = music(20000, rate, 3)
    seeds = (7, 8, 2**63 - 1)
    song = Song(restorer(kind).generator, rate, 3, Options(seeds=seeds, chunk_seconds=0.2))
    together = draws(blocks_of(samples), song)
    for seed, draw in zip(seeds, together, strict=True):
        assert np.array_equal(draw, restore(kind, samples, rate, seeds=(seed,)))
    assert np.abs(together[0] - together[1]).max() > 0.01
    assert np.array_equal(restore(kind, samples, rate), restore(kind, samples, rate, seeds=(0,)))


@pytest.mark.parametrize("phase", [None, "griffinlim", "neighbours"])
@pytest.mark.parametrize(("kind", "texture"), [("complex", None), ("magnitude", None), *SILENT])
def test_every_seed_is_the_same_where_nothing_is_drawn(kind, texture, phase):
    """A deterministic generator, or texture 0: neither z nor the phases that a search starts from may differ."""
    samples = music(15000, 44100)
    first, second = (
        restore(kind, samples, 44100, seeds=(seed,), texture=texture, phase=phase) for seed in (0, 7)
    )
    assert np.array_equal(first, second)


@pytest.mark.parametrize("rate", [22050, 44100, 48000])
def test_texture_is_a_dial_of_the_noise(rate):
    samples = excerpt(8, 0.5)
    none, half, full = (
        restore("music", samples, rate, seeds=(7,), texture=texture) for texture in (0, 0.5, 1)
    )
    assert np.abs((half - none) - (full - none) / 2).max() < 1e-5 < np.abs(full - none).max()
    default = restorer("music").generator.contract.default_texture
    assert np.array_equal(restore("music", samples, rate, texture=default), restore("music", samples, rate))
    assert np.array_equal(none, restore("music", samples, rate, seeds=(8,), texture=0))


def test_seeds_differ_where_the_mp3_has_nothing_and_hardly_where_it_has_much():
    samples = excerpt(4, 5)
    seven, eight = (restore("music", samples, 44100, 2, seeds=(seed,)) for seed in (7, 8))

    def level(signal, low, high):
        """Energy between two frequencies in Hz, dB."""
        hz = np.arange(StftSpec().bins) * 44100 / 2048
        return 10 * np.log10((np.abs(stft(signal, StftSpec())[:, :, (hz >= low) & (hz < high)]) ** 2).sum())

    # This MP3 ends at 10.7 kHz.
    assert level(seven, 11200, 16000) > level(samples, 11200, 16000) + 10
    assert level(seven - eight, 11200, 16000) > level(seven, 11200, 16000) - 10
    assert level(seven - eight, 0, 2000) < level(seven, 0, 2000) - 25


# --- edges


@pytest.mark.parametrize("rate", [8000, 44100, 48000, 192000])
@pytest.mark.parametrize("kind", KINDS)
def test_next_to_nothing(kind, rate):
    for frames in (0, 1, 2, 1000):
        samples = music(frames, rate)
        restored = restore(kind, samples, rate)
        assert restored.shape == (2, (2 * frames * max(rate, 44100) + rate) // (2 * rate))
        assert restored.dtype == np.float32
        assert np.isfinite(restored).all()


def test_the_samples_given_are_not_touched_and_may_be_filled_again():
    samples = music(60000, 44100)
    kept = samples.copy()
    expected = restore("complex drawn", samples, 44100)
    assert np.array_equal(samples, kept)

    def refilled(dtype):
        block = np.empty((2, 6000), dtype)
        for start in range(0, 60000, 6000):
            block[:] = samples[:, start : start + 6000]
            yield block

    for dtype in (np.float32, np.float64):
        streamed = list(restorer().stream(refilled(dtype), 44100, 2))
        assert np.array_equal(np.concatenate(streamed, axis=1), expected)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_samples_that_are_no_numbers_are_refused(wrong):
    samples = music(5000, 44100)
    samples[1, 3000] = wrong
    with pytest.raises(ValueError, match="finite"):
        restore("complex", samples, 44100)


@pytest.mark.parametrize(
    "options",
    [
        {"texture": 1.1},
        {"mix": -0.1},
        {"mix": np.nan},
        {"seeds": ()},
        {"seeds": (-1,)},
        {"seeds": (2**63,)},
        {"seeds": (7, 7)},
        {"rate": 7999},
        {"phase": "guess"},
        {"chunk_seconds": 0},
        {"batch": 0},
    ],
)
def test_options_out_of_range_are_refused(options):
    with pytest.raises(ValueError, match=r"\w"):
        Options(**options)


def test_one_dimensional_samples_are_refused():
    with pytest.raises(ValueError, match="channels, frames"):
        restore("complex", np.zeros(100, np.float32), 44100)


# --- streams


def endless(closed, rate=44100):
    block = music(rate // 10, rate)
    try:
        while True:
            yield block
    finally:
        closed.append(True)


def test_closing_the_stream_ends_its_threads_and_its_source():
    before, closed = set(threading.enumerate()), []
    stream = restorer().stream(endless(closed), 44100, 2, Options(chunk_seconds=0.2))
    assert np.isfinite(next(stream)).all()
    assert set(threading.enumerate()) > before
    stream.close()
    assert set(threading.enumerate()) == before
    assert closed


def test_a_failing_network_ends_threads_and_source(monkeypatch):
    """Even while its error, whose traceback holds everything, is still being looked at."""
    before, closed, runs = set(threading.enumerate()), [], []
    generator = restorer().generator
    original = generator.run

    def run(*arguments, **others):
        runs.append(1)
        if len(runs) > 5:
            raise ModelError("the network failed")
        return original(*arguments, **others)

    monkeypatch.setattr(generator, "run", run)
    with pytest.raises(ModelError, match="the network failed") as caught:
        list(restorer().stream(endless(closed), 44100, 2, Options(chunk_seconds=0.2)))
    assert set(threading.enumerate()) == before
    assert closed
    assert caught.value.__traceback__ is not None


def test_an_error_of_the_source_comes_out():
    before = set(threading.enumerate())

    def source():
        yield music(100000, 44100)
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone") as caught:
        list(restorer().stream(source(), 44100, 2, Options(chunk_seconds=0.2)))
    assert set(threading.enumerate()) == before
    assert caught.value.__traceback__ is not None


@pytest.mark.slow
@pytest.mark.parametrize("rate", [44100, 48000])
def test_memory_does_not_grow_with_the_song(rate):
    block = music(rate, rate, 1)

    def peak(seconds):
        generator = restorer("hourglass")
        samples = 0
        tracemalloc.start()
        try:
            for restored in generator.stream((block for _ in range(seconds)), rate, 1):
                samples += restored.shape[1]
            assert samples == seconds * rate
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    minute = peak(60)
    # How far the threads run ahead of each other varies, within bounds; a song held whole would be ten times.
    assert peak(600) < 1.6 * minute
