"""A preview is that part of the whole result, and costs little more than that part."""

import numpy as np
import pytest
import soundfile
from mp3s import music
from pipeline import blocks_of, restorer

from mp3fix import DecodeError
from mp3fix.restore import LOWEST_RATE, Options, Song
from mp3fix.song import Target, restore_file

# start, duration in seconds of a song of 4.5 s: at the start, an odd time, to the end, near and over it
PARTS = [(0, 0.5), (2.123457, 0.70001), (3.777, None), (4.49, 0.5)]


def part(restorer, samples, rate, options, start, stop):
    song = Song(restorer.generator, rate, len(samples), options, span=(start, stop))
    blocks = list(song.restored(blocks_of(samples[:, song.origin :])))
    return np.concatenate([np.zeros((len(options.seeds), len(samples), 0), np.float32), *blocks], axis=2)


@pytest.mark.parametrize("rate", [22050, 44100, 48000])
@pytest.mark.parametrize("kind", ["complex drawn", "hourglass", "magnitude drawn", "waveform pair"])
def test_a_preview_is_that_part_of_the_whole(kind, rate):
    samples = music(round(4.5 * rate), rate)
    samples[:, 3 * rate : round(3.4 * rate)] = 0
    out = max(rate, LOWEST_RATE)
    options = Options(seeds=(7, 8), chunk_seconds=0.9)
    whole = part(restorer(kind), samples, rate, options, 0, None)
    assert whole.shape[2] == round(4.5 * out)
    for start, duration in PARTS:
        first = round(start * out)
        stop = None if duration is None else first + round(duration * out)
        cut = part(restorer(kind), samples, rate, options, first, stop)
        assert cut.shape == whole[:, :, first:stop].shape
        assert np.abs(cut - whole[:, :, first:stop]).max() <= 1e-6, (start, duration)


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 24000, 32000, 88200, 96000])
def test_so_it_is_at_every_rate(rate):
    samples = music(round(5.3 * rate), rate, 1)
    out = max(rate, LOWEST_RATE)
    whole = part(restorer(), samples, rate, Options(), 0, None)
    first = round(3.2123 * out)
    cut = part(restorer(), samples, rate, Options(), first, first + 5000)
    assert np.abs(cut - whole[:, :, first : first + 5000]).max() <= 1e-6


@pytest.mark.parametrize(("rate", "out"), [(44100, 48000), (48000, 44100), (22050, 32000)])
def test_so_it_is_where_another_rate_comes_out(rate, out):
    samples, options = music(round(5.3 * rate), rate, 1), Options(rate=out)
    whole = part(restorer(), samples, rate, options, 0, None)
    for start in (2.123457, 3.2123, 4.7):
        first = round(start * out)
        cut = part(restorer(), samples, rate, options, first, first + 5000)
        assert np.abs(cut - whole[:, :, first : first + 5000]).max() <= 1e-6


@pytest.mark.parametrize("rate", [44100, 48000])
def test_so_it_is_with_the_bundled_generator(rate):
    samples = music(round(5.3 * rate), rate, 1)
    whole = part(restorer("music"), samples, rate, Options(), 0, None)
    first = round(3.2123 * rate)
    cut = part(restorer("music"), samples, rate, Options(), first, first + 10000)
    assert np.abs(cut - whole[:, :, first : first + 10000]).max() <= 1e-6


# --- of files


@pytest.fixture(scope="module", params=[22050, 44100, 48000])
def song(request, tmp_path_factory):
    """A FLAC file of 20 s and its restoration, float32 (n, 2)."""
    folder, rate = tmp_path_factory.mktemp("preview"), request.param
    path = folder / "song.flac"
    soundfile.write(path, music(20 * rate, rate).T, rate, subtype="PCM_24")
    restore_file(path, folder / "whole.wav", restorer=restorer(), target=Target(bits="32f"))
    return path, *soundfile.read(folder / "whole.wav", dtype="float32")


@pytest.mark.parametrize(("start", "duration"), [(0, 1.5), (12.34567, 1.00001), (18.5, None), (19.5, 60)])
def test_a_preview_of_a_file(song, tmp_path, monkeypatch, start, duration):
    path, whole, rate = song
    generator = restorer().generator
    seconds = []
    original = generator.run

    def counted(x, **others):
        seconds.append(len(x) * x.shape[-1] * generator.contract.stft.hop / generator.contract.stft.rate / 2)
        return original(x, **others)

    monkeypatch.setattr(generator, "run", counted)
    told = []
    result = restore_file(
        path,
        tmp_path / "part.wav",
        restorer=restorer(),
        target=Target(bits="32f", start=start, duration=duration),
        progress=lambda done, total: told.append((done, total)),
    )
    samples, _ = soundfile.read(tmp_path / "part.wav", dtype="float32")
    first = round(start * rate)
    expected = whole[first:] if duration is None else whole[first : first + round(duration * rate)]
    assert samples.shape == expected.shape
    assert np.abs(samples - expected).max() <= 1e-6
    assert result.seconds == pytest.approx(len(expected) / rate)
    assert told[-1] == (pytest.approx(len(expected) / rate), pytest.approx(len(expected) / rate))
    # 0.25 s of reach on either side, and up to 1.71 s to a sample on the grids of both rates
    assert sum(seconds) < len(expected) / rate + 2.5


def test_a_preview_beyond_the_end_is_an_error_and_leaves_nothing(song, tmp_path):
    path, _, _ = song
    with pytest.raises(DecodeError, match=r"song\.flac: ends before 20\.5 s"):
        restore_file(path, tmp_path / "part.wav", restorer=restorer(), target=Target(start=20.5, duration=1))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("times", [{"start": -1}, {"start": np.nan}, {"duration": 0}, {"duration": -1}])
def test_times_that_are_none_are_refused(times):
    with pytest.raises(ValueError, match="is not a"):
        Target(**times)
