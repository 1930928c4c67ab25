import numpy as np
import pytest

from mp3fix.training import codec


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
        codec.stereo(128),
        codec.vbr(2),
    ],
    ids=lambda setting: setting.name,
)
def test_pairs_are_aligned_to_the_sample(setting: codec.Setting) -> None:
    original = noisy_song(setting.channels)
    decoded = codec.degrade(original, setting)
    assert decoded.shape == original.shape
    for left, right in zip(original, decoded, strict=True):
        assert codec.lag(left, right) == 0
    assert codec.lag(original[0], np.roll(decoded[0], 3)) == 3


def test_the_codec_gain_is_found() -> None:
    """LAME scales CBR by 0.95, VBR not at all: a target without it would teach a network a gain."""
    original = noisy_song(2)
    assert codec.codec_gain(original, codec.degrade(original, codec.stereo(128))) == pytest.approx(
        0.95, abs=0.01
    )
    assert codec.codec_gain(original, codec.degrade(original, codec.vbr(2))) == pytest.approx(1.0, abs=0.01)
    assert codec.codec_gain(np.zeros((1, 999)), np.zeros((1, 999))) == 1.0


def test_settings_have_the_bitrate_they_name() -> None:
    original = noisy_song(1, 4.0)
    for kbps in (16, 64, 128):
        size = len(codec.encode(original, codec.mono(kbps)))
        assert size * 8 / 4.0 / 1000 == pytest.approx(kbps, rel=0.06)
