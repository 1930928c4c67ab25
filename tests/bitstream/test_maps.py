"""What an MP3's bits tell: against what LAME in fact did to the music, and against the decoded samples."""

import io

import mp3s
import numpy as np
import pytest
import soundfile

from mp3fix.bitstream import granules, maps
from mp3fix.bitstream.frames import scan
from mp3fix.bitstream.huffman import CODES
from mp3fix.signal.stft import StftSpec, stft

SPEC = StftSpec()
RATE = 44100
DELAY = 1105  # LAME's and the decoder's, where no tag takes it away


def noisy(seconds: float, rate: int = RATE, channels: int = 1) -> np.ndarray:
    """Noise that falls by 6 dB an octave, with an attack now and then."""
    frames = int(seconds * rate)
    white = np.random.default_rng(3).standard_normal((channels, frames))
    spectrum = np.fft.rfft(white) / np.maximum(np.fft.rfftfreq(frames, 1 / rate), 200)
    out = np.fft.irfft(spectrum, frames)
    return (0.2 * out / out.std()).clip(-1, 1).astype(np.float32)


def decoded(data: bytes) -> np.ndarray:
    """Untrimmed samples, float32 (channels, n), at the MP3's rate."""
    return soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)[0].T


def read_all(data: bytes, channels: int | None = None) -> granules.Granules:
    found = scan(data)
    places = maps._places(data, *found.runs[0])
    return granules.read(data[places[0] : places[-1]], places - places[0], channels or found.channels)


def maps_of(data: bytes, start: int = DELAY) -> maps.BitstreamMaps:
    return maps.BitstreamMaps(data, scan(data), start, SPEC.rate, SPEC.n_fft, SPEC.analysis_window())


def centres(count: int, first: int = 0) -> np.ndarray:
    return SPEC.n_fft // 2 + SPEC.hop * np.arange(first, first + count)


def test_every_code_is_complete() -> None:
    """A word for every sequence of bits: no table has a hole, none runs into the next."""
    assert (CODES.entries[1:] & 31).min() >= 1
    for table in (*range(1, 4), *range(5, 14), *range(15, 34)):
        size = 2 ** (19 - CODES.unread[table])
        entries = CODES.entries[CODES.first[table] : CODES.first[table] + size]
        lengths = (entries & 31).astype(float)
        # As many entries as a word leaves bits open, so the sum over entries counts words.
        assert np.sum(2.0**lengths / size) == round(np.sum(2.0**lengths / size))
        assert len(np.unique(entries >> 5)) == np.sum(2.0**lengths / size)


@pytest.mark.parametrize(
    ("rate", "channels", "kbps"),
    [
        (44100, 1, 64),
        (44100, 1, 320),
        (44100, 2, 96),
        (48000, 2, 128),
        (32000, 1, 48),
        (22050, 2, 48),
        (24000, 1, 32),
        (16000, 1, 24),
        (11025, 1, 16),
        (8000, 1, 16),
    ],
)
def test_values_and_steps_have_the_energy_of_the_decoded_samples(rate: int, channels: int, kbps: int) -> None:
    samples = noisy(3, rate, channels)
    samples[:, ::9000] = 0.9  # attacks, for short blocks
    data = mp3s.lame(samples, rate, kbps)
    read = read_all(data)
    assert read.known.all() and read.values.max() > 15
    assert read.short.any() or kbps == 320
    squares = np.abs(read.values) ** (8 / 3) * np.exp2(0.5 * read.exponents)
    # Short blocks' coefficients are sqrt(3) as large for the same energy.
    energy = squares.sum(2) / np.where(read.short, 3, 1)
    heard = decoded(data)
    # A line of 1 is a sine of 1 or so: 288 of its squares make the energy of a granule's samples.
    assert energy.sum() * 288 == pytest.approx(np.sum(heard.astype(float) ** 2), rel=0.02)
    # And at the right times: a granule's energy follows that of its 576 samples.
    per = np.sum(heard[:, : heard.shape[1] // 576 * 576].reshape(channels, -1, 576) ** 2, (0, 2))
    mine = energy.sum(1)
    late = [np.corrcoef(mine[2 : len(per) - 4], per[2 + k : len(per) - 4 + k])[0, 1] for k in range(3)]
    assert int(np.argmax(late)) == 1


@pytest.mark.parametrize("kbps", [64, 128])
@pytest.mark.parametrize(("rate", "channels"), [(44100, 1), (44100, 2), (22050, 1)])
def test_the_error_is_as_large_as_the_map_says(kbps: int, rate: int, channels: int) -> None:
    samples = noisy(4, rate, channels)
    data = mp3s.lame(samples, rate, kbps)
    heard = decoded(data)[:, DELAY:][:, : samples.shape[1]]
    gain = np.sum(samples * heard) / np.sum(samples**2)
    spec = StftSpec(rate=rate)
    found = maps.BitstreamMaps(data, scan(data), DELAY, rate, spec.n_fft, spec.analysis_window())
    original, mp3 = stft(gain * samples, spec), stft(heard, spec)
    planes = found.planes(centres(original.shape[1])[4:-4])
    error = np.abs(original - mp3)[:, 4:-4].transpose(0, 2, 1) ** 2
    live = (planes[:, 2] < 0.1) & (planes[:, 1] < 0.6)
    assert live.mean() > 0.1
    expected = planes[:, 0] ** 2
    assert abs(10 * np.log10(error[live].sum() / expected[live].sum())) < 1
    # Bin by bin it is exponentially distributed, whose logarithm has a standard deviation of 5.6 dB.
    spread = np.std(10 * np.log10(error[live] + 1e-20) - 10 * np.log10(expected[live] + 1e-20))
    assert spread < 6.5


def test_silence_is_dead_and_an_attack_is_short() -> None:
    samples = np.zeros((1, 3 * RATE), np.float32)
    samples[0, 2 * RATE : 2 * RATE + 400] = noisy(1)[0, :400]
    planes = maps_of(mp3s.lame(samples, RATE, 128)).planes(centres(240))[0]
    error, zeros, dead, short = planes
    assert zeros[:, 10:100].min() > 0.999 and dead[:, 10:100].min() > 0.999 and short[:, 10:100].max() == 0
    attack = round((2 * RATE - 1024) / 512)
    assert short[0, attack - 2 : attack + 3].max() > 0.3
    assert zeros[20, attack] < 0.8 and error[20, attack] > 0


def test_frames_do_not_depend_on_which_are_asked_for_together() -> None:
    data = mp3s.lame(noisy(20, channels=2), RATE, 64)
    whole = maps_of(data).planes(centres(1600))
    for first, count in ((0, 7), (3, 40), (700, 350), (1500, 100)):
        part = maps_of(data).planes(centres(count, first))
        np.testing.assert_allclose(part, whole[..., first : first + count], rtol=2e-5, atol=1e-6)


def test_the_same_frames_can_be_asked_for_again() -> None:
    found = maps_of(mp3s.lame(noisy(60), RATE, 32))
    first = found.planes(centres(10, 20))
    for start in (1500, 4000, 2500):
        found.planes(centres(10, start))
    np.testing.assert_array_equal(found.planes(centres(10, 20)), first)


@pytest.mark.parametrize(("rate", "channels"), [(24000, 1), (16000, 2), (22050, 1)])
def test_every_frame_of_the_smallest_streams_is_known(rate: int, channels: int) -> None:
    """Of which some need what dozens of frames before them hold."""
    samples = noisy(40, rate, channels) * (1 + np.sin(np.arange(40 * rate) / rate)).astype(np.float32) / 2
    data = mp3s.lame(samples, rate, 8)
    planes = maps_of(data).planes(centres(3300, 20))
    assert (planes >= 0).all()


def test_nothing_is_known_beyond_the_ends() -> None:
    found = maps_of(mp3s.lame(noisy(2), RATE, 64))
    early, late = found.planes(centres(3, -40)), found.planes(centres(3, 400))
    assert (early == maps.UNKNOWN).all() and (late == maps.UNKNOWN).all()
    assert (found.planes(centres(3, 60)) >= 0).all()


def test_frames_with_lost_data_are_unknown_and_the_others_are_not() -> None:
    data = mp3s.lame(noisy(4), RATE, 64)
    places = maps._places(data, *scan(data).runs[0])
    cut = data[places[60] :]  # what comes first needs bits of frames that are gone
    read = read_all(cut)
    assert not read.known[0].any() and read.known[30:].all()
    np.testing.assert_array_equal(read.values[30:], read_all(data).values[150:])


def test_mono_frames_in_a_stereo_stream_are_unknown_and_the_others_stay_as_they_are() -> None:
    stereo, mono = (mp3s.lame(noisy(2, channels=channels), RATE, 64) for channels in (2, 1))
    places, ends = (maps._places(each, *scan(each).runs[0]) for each in (stereo, mono))
    # An encoder begins without a reservoir: a mono stream in the middle of a stereo one, which begins anew behind it.
    data = stereo[: places[30]] + mono[: ends[10]] + stereo
    read, whole = read_all(data, 2), read_all(stereo)
    assert read.known[:60].all() and not read.known[60:80].any() and read.known[80:].all()
    np.testing.assert_array_equal(read.values[:60], whole.values[:60])
    np.testing.assert_array_equal(read.values[80:], whole.values)


def test_whatever_the_bytes_say_they_are_read_to_the_end() -> None:
    random = np.random.default_rng(7)
    for channels, rate in ((1, 44100), (2, 44100), (2, 22050)):
        data = mp3s.lame(noisy(1, rate, channels), rate, 64)
        places = maps._places(data, *scan(data).runs[0])
        for _ in range(30):
            broken = np.frombuffer(data, np.uint8).copy()
            inside = random.integers(0, len(broken), 200)
            heads = (inside[:, None] - places[:-1]) % (1 << 40) < 4
            broken[inside[~heads.any(1)]] = random.integers(0, 256, int((~heads.any(1)).sum()))
            planes = maps_of(broken.tobytes()).planes(centres(60))
            assert np.isfinite(planes).all()


def test_a_coarser_transform_gets_the_mean_of_its_lines() -> None:
    data = mp3s.lame(noisy(3), RATE, 64)
    coarse = StftSpec(n_fft=256, win_length=256, hop=64)
    found = maps.BitstreamMaps(data, scan(data), DELAY, RATE, 256, coarse.analysis_window())
    fine, wide = (each.planes(centres(150, 20))[0] for each in (maps_of(data), found))
    # An eighth of the window, so an eighth of the power; eight bins of the one make a bin of the other.
    power = (fine[0, 4:1020] ** 2).reshape(-1, 8, 150).mean((1, 2))[4:80]
    assert np.median(8 * (wide[0, 1:-1] ** 2).mean(1)[4:80] / power) == pytest.approx(1, rel=0.1)
