"""A generator on the chunks of a song: what it is given, and what is made of what it gives."""

import numpy as np
import pytest
from networks import SMALL
from pipeline import DRAWN, KINDS, restorer

from mp3fix.generator.apply import Draw, changes, grid, groups_of, prepared
from mp3fix.signal import noise
from mp3fix.signal.chunks import chunked

STEREO = ((0, 1),)


@pytest.mark.parametrize(
    ("channels", "lfe", "groups"),
    [
        (1, (), [(0,)]),
        (2, (), [(0, 1)]),
        (3, (), [(0, 1), (2,)]),  # left, right, centre
        (3, (2,), [(0, 1)]),  # 2.1
        (4, (), [(0, 1), (2, 3)]),  # front and back
        (5, (), [(0, 1), (2,), (3, 4)]),
        (6, (3,), [(0, 1), (2,), (4, 5)]),  # 5.1: left, right, centre, LFE, back left, back right
        (8, (3,), [(0, 1), (2,), (4, 5), (6, 7)]),  # 7.1
        (1, (0,), []),
    ],
)
def test_channels_that_belong_together(channels, lfe, groups):
    assert list(groups_of(channels, lfe)) == groups


def song(kind, frames=3000, channels=2, seed=0):
    """A song as the generator takes it: spectra (C, T, F), or samples (C, n)."""
    random = np.random.default_rng(seed)
    if KINDS[kind].get("domain") == "waveform":
        return random.standard_normal((channels, frames)).astype(np.float32)
    shape = (channels, frames // 30, SMALL.bins)
    return (random.standard_normal(shape) + 1j * random.standard_normal(shape)).astype(np.complex64)


def found(kind, phase="complex"):
    """The phase a kind can have: found where its network gives none."""
    return "griffinlim" if phase == "complex" and KINDS[kind].get("domain") == "magnitude" else phase


def run(kind, data, draw, size=None, first=0, groups=STEREO, strength=1.0):
    """What is changed, a list of (C, T, ...), one a seed."""
    generator = restorer(kind, strength=strength).generator
    context, multiple = grid(generator.contract, draw)
    chunks = chunked([data], first, size or data.shape[1], context, multiple)
    rows = prepared(chunks, generator.contract, groups, draw)
    parts = [drawn for _, drawn in changes(rows, generator, draw)]
    return [np.concatenate(each, axis=1) for each in zip(*parts, strict=True)]


@pytest.mark.parametrize("phase", ["complex", "griffinlim", "neighbours"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_generator_that_gives_its_input_changes_nothing(kind, phase):
    """Bit for bit, with the generator's phases; where they are found, what did not change is kept."""
    phase = "complex" if KINDS[kind].get("domain") == "waveform" else found(kind, phase)
    data = song(kind)
    (change,) = run(kind, data, Draw(seeds=(7,), phase=phase), strength=0.0)
    assert (change.shape, change.dtype) == (data.shape, data.dtype)
    assert np.abs(change).max() <= (1e-5 if phase != "complex" else 0)


@pytest.mark.parametrize("kind", KINDS)
def test_channels_of_no_group_stay(kind):
    data = song(kind, channels=3)
    (change,) = run(kind, data, Draw(seeds=(7,), phase=found(kind)), groups=((0, 2),))
    assert not change[1].any()
    assert change[0].any()
    assert change[2].any()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "pair" in kind])
def test_a_generator_of_pairs_hears_a_single_channel_twice(kind):
    data = song(kind, channels=1)
    draw = Draw(seeds=(7,), phase=found(kind))
    (alone,) = run(kind, data, draw, groups=((0,),))
    (twice,) = run(kind, np.concatenate([data, data]), draw)
    assert np.array_equal(alone[0], twice[0])
    assert np.array_equal(alone[0], twice[1])


@pytest.mark.parametrize("batch", [1, 4])
@pytest.mark.parametrize("kind", [kind for kind in DRAWN if "pair" not in kind])
def test_two_channels_that_are_one_take_the_time_of_one(kind, batch, monkeypatch):
    """Of mono in two channels the second is the first; of any other song each is its own."""
    generator, count = restorer(kind).generator, 0
    original = generator.run

    def counted(x, **others):
        nonlocal count
        count += len(x)
        return original(x, **others)

    monkeypatch.setattr(generator, "run", counted)
    monkeypatch.setattr(generator, "device", "cuda:0")  # takes batches
    mono, draw = song(kind, channels=1), Draw(seeds=(7, 8), phase=found(kind), batch=batch)
    same = run(kind, np.concatenate([mono, mono]), draw)
    assert count == 2
    nearly = np.concatenate([mono, mono])
    nearly[1, 5] *= 1 + 1e-6
    different = run(kind, nearly, draw)
    assert count == 2 + 4
    for seed, (one, two) in enumerate(zip(same, different, strict=True)):
        (alone,) = run(kind, mono, Draw(seeds=(7 + seed,), phase=found(kind)), groups=((0,),))
        assert np.array_equal(one[0], one[1])
        assert np.abs(one[0] - alone[0]).max() <= 1e-6 * np.abs(alone).max()
        assert np.abs(two - one).max() < 1e-2 * np.abs(one).max()


@pytest.mark.parametrize("phase", ["griffinlim", "neighbours"])
def test_magnitudes_are_those_of_the_generator(phase):
    """Only phases are chosen, and what did not change is left as it was."""
    kind, data = "magnitude", song("magnitude")
    (change,) = run(kind, data, Draw(phase=phase))
    generator = restorer(kind).generator
    (y,) = generator.run(np.abs(data[:1]).transpose(0, 2, 1)[np.newaxis])
    inside = slice(8, -8)  # the ends of this song see the silence around it
    assert np.abs(np.abs((data + change)[0]) - y[0].T)[inside].max() < 1e-4 * y.max()


@pytest.mark.parametrize("kind", DRAWN)
def test_noise_and_z_belong_to_the_song(kind, monkeypatch):
    """The network is given the same noise for the same place, whatever the chunks, and its seed's own."""
    generator = restorer(kind).generator
    contract = generator.contract
    given = {}
    original = generator.run

    def watched(x, noise=None, z=None, texture=None, conditioning=None):
        given.setdefault("noise", []).append(noise)
        given.setdefault("z", []).append(z)
        given["texture"] = texture
        return original(x, noise=noise, z=z, texture=texture)

    monkeypatch.setattr(generator, "run", watched)
    draw = Draw(seeds=(7, 8), texture=0.25 if contract.texture else None)
    data = song(kind, channels=1)
    run(kind, data, draw, groups=((0,),))
    context, multiple = grid(contract, draw)
    reach = -(-context // multiple) * multiple
    stop = -(-data.shape[1] // multiple) * multiple + reach
    for seed, taken, z in zip((7, 8), given["noise"], given["z"], strict=True):
        if contract.domain == "waveform":
            expected = noise.gaussian(seed, 0, noise.Purpose.SPECTROGRAM, -reach, stop + reach)
            assert np.array_equal(taken[0, 0], expected)
        else:
            expected = noise.spectrogram(seed, 0, -reach, stop, SMALL).T
            assert np.array_equal(taken[0, 0], expected.real)
            assert np.array_equal(taken[0, 1], expected.imag)
        if contract.z_size:
            assert np.array_equal(z[0], noise.z_vector(seed, contract.z_size))
        else:
            assert z is None
    assert given["texture"] == draw.texture


@pytest.mark.parametrize("kind", DRAWN)
@pytest.mark.parametrize("first", [0, -7, 1003])
@pytest.mark.parametrize("phase", ["complex", "neighbours"])
def test_chunks_on_their_grid_change_nothing(kind, phase, first):
    """Wherever the song is taken up, and however small the chunks."""
    waveform = KINDS[kind].get("domain") == "waveform"
    data, draw = song(kind), Draw(seeds=(7,), phase="complex" if waveform else found(kind, phase))
    (whole,) = run(kind, data, draw, first=first)
    (cut,) = run(kind, data, draw, size=23, first=first)
    assert np.abs(whole - cut).max() <= 1e-5
    (elsewhere,) = run(kind, data, draw, first=first + 400)
    assert np.abs(whole - elsewhere).max() > 0.1  # the noise is that of another place


def test_the_context_is_the_generators_and_what_the_pipeline_adds():
    complex_ = restorer("complex").generator.contract
    assert grid(complex_, Draw()) == (complex_.context, 1)
    drawn = restorer("hourglass").generator.contract
    assert grid(drawn, Draw()) == (drawn.context + 4, 8)  # 4 frames to find the coherence in
    # (n_fft / hop - 1) frames for each of 16 iterations and the last inverse
    assert grid(drawn, Draw(phase="griffinlim")) == (drawn.context + 4 + 3 * 17, 8)
    assert grid(drawn, Draw(phase="neighbours")) == (drawn.context + 4 + 6, 8)
