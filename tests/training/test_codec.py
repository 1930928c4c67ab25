import numpy as np
import pytest

from mp3fix.training import codec
from mp3fix.training.examples import SETTINGS


def noisy_song(channels: int, seconds: float = 2.0) -> np.ndarray:
    """Pink-like noise in bursts: correlates with itself at one lag only."""
    rng = np.random.default_rng(0)
    n = round(44100 * seconds)
    spectrum = np.fft.rfft(rng.standard_normal((channels, n)))
    spectrum /= np.maximum(np.arange(spectrum.shape[1]), 50) ** 0.5
    samples = np.fft.irfft(spectrum, n) * (1 + np.sin(np.arange(n) / 3000))
    return (0.3 * samples / np.abs(samples).max()).astype(np.float32)


@pytest.mark.parametrize(
    "setting",
    [
        codec.mono(16),
        codec.mono(32),
        codec.mono(48),
        codec.mono(32, own_rate=False),
        codec.stereo(32),
        codec.stereo(48, own_rate=True),
        codec.stereo(64, own_rate=True),
        codec.stereo(96, own_rate=True),
        codec.stereo(128),
        codec.vbr(2),
    ],
    ids=lambda setting: setting.name,
)
def test_pairs_are_aligned_to_the_sample(setting: codec.Setting) -> None:
    original = noisy_song(setting.channels)
    decoded = codec.degrade(original, setting)[1]
    assert decoded.shape == original.shape
    for left, right in zip(original, decoded, strict=True):
        assert codec.lag(left, right) == 0
    assert codec.lag(original[0], np.roll(decoded[0], 3)) == 3


def test_every_setting_of_training_has_a_name_of_its_own() -> None:
    names = [setting.name for setting, _ in SETTINGS]
    assert len(set(names)) == len(names)
    assert codec.mono(32).name == "32k mono" and codec.mono(32, own_rate=False).name == "32k mono at 44.1 kHz"
    assert (
        codec.stereo(64).name == "64k stereo"
        and codec.stereo(64, own_rate=True).name == "64k stereo at 24 kHz"
    )


@pytest.mark.parametrize(
    "setting",
    [codec.mono(16), codec.mono(48, own_rate=False), codec.stereo(64), codec.vbr(5)],
    ids=lambda setting: setting.name,
)
def test_a_pair_fits_unless_it_is_shifted_or_of_another_recording(setting: codec.Setting) -> None:
    original = noisy_song(setting.channels, 1.7)
    decoded = codec.degrade(original, setting)[1]
    assert codec.misfit(original, decoded) == ""
    assert codec.misfit(original, np.roll(decoded, 1, -1)) == ""
    assert codec.misfit(original, np.roll(decoded, 2, -1)) == "late by 2 samples"
    assert codec.misfit(original, np.roll(decoded, -1105, -1)) == "late by -1105 samples"
    assert codec.misfit(original, decoded[:, ::-1])
    assert "unlike" in codec.misfit(original, -decoded)
    assert codec.misfit(original, np.zeros_like(decoded))


def test_tonal_pairs_fit_and_are_found_late() -> None:
    """A held chord repeats itself many times within the search; still, one lag is right."""
    seconds = np.arange(round(1.7 * 44100)) / 44100
    decay = np.exp(-seconds * 3)
    chord = sum(np.sin(2 * np.pi * 220 * k * seconds) / k for k in (1, 1.26, 1.5, 2, 3, 4, 5, 8)) * decay
    original = (0.2 * np.asarray(chord, np.float32))[np.newaxis]
    for setting in (codec.mono(24), codec.mono(64)):
        decoded = codec.degrade(original, setting)[1]
        assert codec.misfit(original, decoded) == ""
        assert codec.misfit(original, np.roll(decoded, 3, -1)) == "late by 3 samples"


def test_silence_fits_silence_only() -> None:
    silence = np.zeros((2, 44100), np.float32)
    assert codec.misfit(silence, silence) == ""
    assert codec.misfit(silence, noisy_song(2, 1.0)) != ""


def test_the_louder_channel_is_looked_at() -> None:
    original = noisy_song(2, 1.0)
    original[0] = 0
    assert codec.misfit(original, original) == ""
    assert codec.misfit(original, np.roll(original, 5, -1)) == "late by 5 samples"


def test_the_codec_gain_is_found() -> None:
    """LAME scales CBR by 0.95, VBR not at all: a target without it would teach a network a gain."""
    original = noisy_song(2)
    assert codec.codec_gain(original, codec.degrade(original, codec.stereo(128))[1]) == pytest.approx(
        0.95, abs=0.01
    )
    assert codec.codec_gain(original, codec.degrade(original, codec.vbr(2))[1]) == pytest.approx(
        1.0, abs=0.01
    )
    assert codec.codec_gain(np.zeros((1, 999)), np.zeros((1, 999))) == 1.0


def test_settings_have_the_bitrate_they_name() -> None:
    original = noisy_song(1, 4.0)
    for kbps in (16, 64, 128):
        size = len(codec.encode(original, codec.mono(kbps)))
        assert size * 8 / 4.0 / 1000 == pytest.approx(kbps, rel=0.06)
