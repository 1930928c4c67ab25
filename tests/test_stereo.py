"""Channels through the pipeline: what is alike stays alike, what stands apart stays apart."""

import numpy as np
import pytest
from mp3s import music
from networks import SMALL
from pipeline import DRAWN, KINDS, blocks_of, draws, excerpt, restore, restorer

from mp3fix.restore import Options, Song
from mp3fix.signal.stft import StftSpec, stft

PHASES = [None, "griffinlim", "neighbours"]


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("rate", [44100, 48000])
@pytest.mark.parametrize("kind", [*KINDS, "music"])
def test_equal_channels_stay_bit_equal(kind, rate, phase):
    mono = excerpt(8, 0.7)[:1] if kind == "music" else music(20000, rate, 1)
    left, right = restore(kind, np.concatenate([mono, mono]), rate, seeds=(7,), phase=phase)
    assert np.array_equal(left, right)
    assert np.abs(left - mono[0]).max() > 0.002


@pytest.mark.parametrize("kind", KINDS)
def test_opposite_channels_stay_opposite(kind):
    mono = music(20000, 44100, 1)
    left, right = restore(kind, np.concatenate([mono, -mono]), 44100, seeds=(7,))
    # These generators also draw into the silence around the song, where channels are equal; phases that fit
    # together reach from there into the song.
    middle = slice(4000, -4000) if kind.startswith("magnitude") else slice(None)
    assert np.abs(left + right)[middle].max() < 1e-5


@pytest.mark.parametrize("phase", PHASES)
def test_opposite_channels_stay_all_but_opposite_with_the_bundled_generator(phase):
    """What it adds does not quite change its sign with its input; the noise does."""
    mono = excerpt(8, 2)[:1]
    left, right = restore("music", np.concatenate([mono, -mono]), 44100, seeds=(7,), phase=phase)
    assert np.sum((left + right) ** 2) < 1e-3 * np.sum(left**2)
    high = StftSpec().bins * 3 // 4  # above the MP3's cut-off, where all of it is drawn

    def energy(signal):
        return np.sum(np.abs(stft(signal[np.newaxis], StftSpec())[..., high:]) ** 2)

    # Low-noise noise is no signal's spectrogram: Griffin-Lim moves its phases far, and not alike for both signs.
    most = {None: 0.01, "neighbours": 0.02, "griffinlim": 0.3}[phase]
    assert energy(left + right) < most * energy(left)


@pytest.mark.parametrize("kind", DRAWN)
@pytest.mark.parametrize("wanted", [0.9, 0.6, 0.0, -0.6])
def test_what_is_drawn_is_as_coherent_as_the_song_below(kind, wanted):
    random = np.random.default_rng(3)
    spectra = np.fft.rfft(0.1 * random.standard_normal((2, 60000)))
    spectra[:, 15000:] = 0  # nothing above 11 kHz: all that is there afterwards is drawn
    mid, side = np.fft.irfft(spectra)
    a, b = np.sqrt((1 + wanted) / 2), np.sqrt((1 - wanted) / 2)
    restored = restore(kind, np.stack([a * mid + b * side, a * mid - b * side]), 44100, seeds=(7,))
    left, right = stft(restored, SMALL)[:, 50:-50, SMALL.bins * 5 // 8 :]
    assert np.mean(np.abs(left) ** 2) > 0.01
    cross = np.sum(left * right.conj()).real
    found = cross / np.sqrt(np.sum(np.abs(left) ** 2) * np.sum(np.abs(right) ** 2))
    assert found == pytest.approx(wanted, abs=0.05)


@pytest.mark.parametrize("channels", range(1, 9))
@pytest.mark.parametrize("kind", ["complex", "waveform"])
def test_every_channel_is_restored_as_if_it_were_alone(kind, channels):
    samples = music(12000, 44100, channels, seed=channels)
    restored = restore(kind, samples, 44100)
    for channel in range(channels):
        alone = restore(kind, samples[channel : channel + 1], 44100)
        assert np.array_equal(restored[channel], alone[0])


@pytest.mark.parametrize("channels", range(1, 9))
@pytest.mark.parametrize("kind", ["complex pair", "magnitude pair", "waveform pair"])
def test_pairs_serve_any_number_of_channels(kind, channels):
    samples = music(12000, 44100, channels, seed=channels)
    restored = restore(kind, samples, 44100)
    assert restored.shape == samples.shape
    assert (np.abs(restored - samples).max(axis=1) > 0.01).all()
    assert len({channel.tobytes() for channel in restored}) == channels


@pytest.mark.parametrize("rate", [44100, 48000])
@pytest.mark.parametrize("kind", ["complex drawn", "complex pair", "magnitude drawn", "waveform pair"])
def test_surround_keeps_its_lfe_and_restores_the_rest(kind, rate):
    samples = music(20000, rate, 6)  # FL FR FC LFE BL BR
    samples[5] = samples[4]
    song = Song(restorer(kind).generator, rate, 6, Options(seeds=(7, 8)), lfe=(3,))
    for draw in draws(blocks_of(samples), song):
        assert np.array_equal(draw[3], samples[3])
        changed = np.abs(draw - samples).max(axis=1)
        assert (changed[[0, 1, 2, 4, 5]] > 0.01).all()
        assert np.array_equal(draw[4], draw[5])  # the back is a pair, and equal here
        assert not np.array_equal(draw[0], draw[1])


def test_no_two_groups_share_their_noise():
    """The same music in front and at the back is drawn twice."""
    mono = music(20000, 44100, 1)
    samples = np.concatenate([mono] * 4)
    seven, eight = draws(blocks_of(samples), Song(restorer().generator, 44100, 4, Options(seeds=(7, 8))))
    front, back = (seven - eight)[[0, 2]]
    assert np.abs(np.corrcoef(front, back)[0, 1]) < 0.1
