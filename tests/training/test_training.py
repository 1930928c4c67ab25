import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from mp3fix.bitstream.maps import NAMES, UNKNOWN
from mp3fix.errors import Mp3fixError
from mp3fix.generator.session import Generator
from mp3fix.signal import stft as plain
from mp3fix.training import checkpoint, codec, config, corpus, export, loop, recording, spectra
from mp3fix.training.examples import Batch, Examples, collate
from mp3fix.training.losses import Weights, energy_score, excess_distance, profile_score, relative_errors
from mp3fix.training.networks.folded import (
    FLAT_REACH,
    NEAR_REACH,
    ONES,
    STEADY_REACH,
    Estimate,
    Folded,
    times_bands,
    within,
)
from mp3fix.training.systems.base import Graph
from mp3fix.training.systems.folded import Deterministic, Dials, FoldedSystem, Stochastic

TINY = {"bins": 1025, "width": 16, "hidden": 16, "blocks": 2, "fine": 4, "bands": 4, "z": 3, "far": 1}
TINY_TOML = "[network]\n" + "".join(f"{key} = {value}\n" for key, value in TINY.items())


def song(seconds: float) -> np.ndarray:
    t = np.arange(round(44100 * seconds)) / 44100
    tone = sum(np.sin(2 * np.pi * 220 * k * t) / k for k in range(1, 60))
    hiss = np.random.default_rng(0).standard_normal(len(t)) * 0.1 * (t % 0.5 < 0.1)
    return (0.2 * np.stack([tone + hiss, tone - hiss])).astype(np.float32)


@pytest.fixture(scope="module")
def small_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A piece for each split, and a one-shot; shorter than those that users have to add."""
    root = tmp_path_factory.mktemp("small")
    own = root / "own"
    own.mkdir()
    # A name whose hash says "train", and one that says "validation".
    names = {corpus.split_of(f"piece{k}"): f"piece{k}" for k in range(200)}
    for split in ("train", "validation", "test"):
        soundfile.write(own / f"{names[split]}.flac", song(6.0).T, 44100)
    soundfile.write(own / "hit.wav", song(0.4).T, 44100)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recording, "PIECE_SECONDS", 5.0)
        corpus.build(root / "corpus", [own], lambda line: None)
    return root / "corpus"


@pytest.mark.parametrize("spec", [plain.StftSpec(), plain.StftSpec(n_fft=512, win_length=512, hop=128)])
def test_torch_and_numpy_transforms_are_equal(spec: plain.StftSpec) -> None:
    samples = song(0.5)
    wanted = plain.stft(samples, spec)
    got = spectra.stft(torch.from_numpy(samples), spec)
    scale = np.abs(wanted).max()
    np.testing.assert_allclose(got.numpy().transpose(0, 2, 1), wanted, atol=1e-6 * scale)
    back = spectra.istft(got, spec).numpy()
    edge = spec.n_fft - spec.hop
    np.testing.assert_allclose(back[:, edge:-edge], samples[:, edge : back.shape[1] - edge], atol=1e-6)


def unknown(x: torch.Tensor) -> torch.Tensor:
    """Maps of a spectrum of which nothing is known."""
    return torch.full((len(x), len(NAMES), *x.shape[2:]), UNKNOWN)


def test_an_untrained_network_is_nearly_the_identity_and_silence_stays() -> None:
    network = Folded(**TINY)
    x, noise, z = torch.randn(1, 2, 1025, 20), torch.randn(1, 2, 1025, 20), torch.randn(1, 3)
    y = network(x, noise, z, torch.ones(1), unknown(x))
    assert 0 < float((y - x).square().mean() / x.square().mean()) < 1e-4
    silent = network(torch.zeros_like(x), noise, z, torch.ones(1), unknown(x))
    assert float(silent.abs().max()) < 1e-6


def test_the_network_does_not_care_about_the_level() -> None:
    network = Folded(**TINY)
    with torch.no_grad():
        network.head.weight.normal_(0, 0.3)
        network.map_head.weight.normal_(0, 0.3)
    x, noise = 30 * torch.randn(1, 2, 1025, 20), torch.randn(1, 2, 1025, 20)
    z, maps = torch.randn(1, 3), torch.rand(1, len(NAMES), 1025, 20)
    softer = maps * torch.tensor([0.01, 1, 1, 1])[:, None, None]  # errors are as loud as the song
    loud, soft = (
        network(gain * x, noise, z, torch.ones(1), told) for gain, told in ((1.0, maps), (0.01, softer))
    )
    assert float((100 * soft - loud).abs().max() / loud.abs().max()) < 1e-3


def test_maps_have_no_say_before_they_are_learned_and_none_where_nothing_is_known() -> None:
    network = Folded(**TINY).eval()
    with torch.no_grad():
        network.head.weight.normal_(0, 0.3)
    x, maps = torch.randn(1, 2, 1025, 20), torch.rand(1, len(NAMES), 1025, 20)
    assert torch.equal(network.estimate(x, maps).mean, network.estimate(x, unknown(x)).mean)
    with torch.no_grad():
        for layer in (network.gate, network.map_fine, network.map_head, network.map_enter):
            layer.weight.normal_(0, 0.3)
    before, after = network.estimate(x, unknown(x)).mean, network.estimate(x, maps).mean
    assert float((after - before).abs().max()) > 0.1
    other = unknown(x)
    other[:, 1:] = 0.7  # the first map says whether anything is known
    assert torch.equal(network.estimate(x, other).mean, before)


@pytest.mark.parametrize("bin_", [100.3, 101.3, 102.3, 103.3])
def test_neighbours_of_a_steady_tone_keep_its_phase(bin_: float) -> None:
    """So that one filter serves all bins: only a whole frame has the phase, four kinds of bins have four."""
    spec, near = plain.StftSpec(), int(bin_)
    tone = torch.cos(2 * torch.pi * bin_ / spec.n_fft * torch.arange(16384.0) + 1.0)[None]
    spectrum = spectra.stft(tone, spec)
    planes = Folded(**TINY)._near(spectrum.real[:, None, :-1], spectrum.imag[:, None, :-1]).sums()
    here = spectrum[0, near, 12]
    got = [complex(torch.complex(*plane)[0, 0, near, 12] / here) for plane in planes]
    turn = 2 * np.pi * (bin_ - near) / 4  # beyond the bin's own, from frame to frame
    # Sum and difference of both frames, the latter also turned by 90 degrees; the sum of the two beyond.
    wanted = [2 * np.cos(turn), 2j * np.sin(turn), 2 * np.sin(turn), 2 * np.cos(2 * turn)]
    np.testing.assert_allclose(got[:4], wanted, atol=1e-3)
    # Of a Hann window's main lobe all bins have one sign once every other one is turned round.
    assert got[4].real > 1 and abs(got[4].imag) < 1e-3
    assert abs(got[5].real) < 1e-3


def test_a_filter_over_frames_is_part_of_the_estimate() -> None:
    network, x = Folded(**TINY).eval(), torch.randn(1, 2, 1025, 40)
    before = network.estimate(x, unknown(x)).mean
    with torch.no_grad():
        network.map_head.weight[5, ONES] = 0.25
    change = network.estimate(x, unknown(x)).mean - before
    first = next(network._near(*x[:, :, :-1].chunk(2, 1)).sums())
    expected = 0.25 * torch.cat(first, 1)
    torch.testing.assert_close(change, expected * torch.sigmoid(torch.tensor(4.0)), rtol=0.2, atol=0.02)


def test_hiss_beside_a_tone_costs_where_it_is_heard() -> None:
    """30 dB below the tone's band it counts, 70 dB below hardly; without the floor both would."""
    torch.manual_seed(0)
    tone = torch.sin(0.1 * torch.arange(32768.0))[None] + 1e-5 * torch.randn(1, 32768)
    hiss = torch.randn(1, 32768)
    trusted = torch.ones(1)

    def cost(level: float, weight: float) -> float:
        names = ("complex", "magnitude", "log", "level", "audible", "hiss")
        weights = Weights(**dict.fromkeys(names, 0.0) | {"audible": weight})
        return float(energy_score(tone, tone + level * hiss, tone + level * hiss, trusted, weights))

    assert cost(3e-2, 1.0) > 5 * cost(3e-4, 1.0)
    assert cost(3e-2, 0.0) == 0


def test_the_energy_score_is_least_for_draws_of_the_right_spread() -> None:
    torch.manual_seed(0)
    x = torch.randn(8, 16384)
    trusted = torch.ones(8)

    def score(spread: float) -> float:
        return float(
            energy_score(x, spread * torch.randn_like(x), spread * torch.randn_like(x), trusted, Weights())
        )

    right = score(1.0)
    assert right < score(0.5) - 0.01
    assert right < score(2.0) - 0.01
    # Where the signal is known, spread costs.
    sure = float(energy_score(x, x, x, trusted, Weights()))
    assert sure < float(
        energy_score(x, x + 0.1 * torch.randn_like(x), x + 0.1 * torch.randn_like(x), trusted, Weights())
    )


def test_the_vector_colours_what_is_drawn_the_same_way_all_along() -> None:
    network = Folded(**TINY).eval()
    with torch.no_grad():
        network.map_head.weight[4, ONES] = 0.0
        network.control.bias[3 * 64 :] = 0.0
    x, noise = torch.randn(1, 2, 1025, 40), torch.randn(1, 2, 1025, 40)
    estimate, one = network.estimate(x, unknown(x)), torch.ones(1)
    plain, bright = (
        network.draw(estimate, noise, z, one) for z in (torch.zeros(1, 3), torch.tensor([[0.0, -2.0, 0.0]]))
    )
    torch.testing.assert_close(plain, estimate.spread * noise[:, :, :-1])
    assert float(network.draw(estimate, noise, torch.ones(1, 3), torch.zeros(1)).abs().max()) == 0
    drawn = (bright - plain).square().mean(1).unflatten(1, (64, 16)).mean((0, 2))
    assert bool(
        (drawn[-8:].mean(0) > 10 * drawn[28:36].mean(0)).all()
    )  # an end of the curve against its zero


def test_an_output_depends_on_just_the_context() -> None:
    """By gradients in double precision: export's probe misses what is too weak for a float's bits."""
    torch.manual_seed(0)
    network = Folded(**TINY).double()
    with torch.no_grad():
        for each in network.parameters():
            each.normal_(0, 0.3)
    at = network.context + 5
    x = torch.randn(1, 2, 1025, 2 * at + 1, dtype=torch.double, requires_grad=True)
    network.estimate(x, unknown(x).double()).mean[..., at].square().sum().backward()
    assert x.grad is not None
    reached = x.grad.abs().amax((0, 1, 2)).nonzero()[:, 0] - at
    assert (int(reached[0]), int(reached[-1])) == (-network.context, network.context)


def test_the_network_is_told_what_lasts_and_what_is_a_tone() -> None:
    torch.manual_seed(0)
    network, at = Folded(**TINY).eval(), 20
    noise = torch.randn(1, 2, 1025, 40)
    tones = 0.01 * noise
    tones[:, :, ::9] = 1.0
    with torch.no_grad():
        network.map_head.weight[4, -1] = 8.0  # s follows the power averaged over time: 8 * 0.125
        estimate = network.estimate(noise, unknown(noise))
        frames = slice(at - STEADY_REACH, at + STEADY_REACH + 1)
        power = noise[0, :, :-1, frames].square().sum(0).mean(1).log()
        told = estimate.spread[0, 0, :, at].log()
        torch.testing.assert_close(told - told.mean(), power - power.mean(), rtol=0, atol=0.1)
        assert -0.1 < float(estimate.flatness.mean()) < 0  # of single frames it is -0.55
        for gain in (1.0, 1e-2):
            assert float(network.estimate(gain * tones, unknown(tones)).flatness.max()) < -4
        assert float(network.estimate(0 * tones, unknown(tones)).flatness.abs().max()) < 1e-5
        network.head.weight.normal_(0, 0.3)
        before = network.estimate(tones, unknown(tones)).mean
        network.map_enter.weight[:, -64:] = 0.3 * torch.randn(16, 64, 1)  # flatness alone
        after = network.estimate(tones, unknown(tones)).mean
    assert float((after - before).abs().max()) > 1e-3


LOUD = Dials(reach=1.0, air=1.0, noisy_air=1.0)


def aired(module: Stochastic, estimate: Estimate) -> Estimate:
    """The estimate with as much noise as is drawn."""
    return estimate._replace(spread=times_bands(estimate.spread, module._noise_share(estimate)))


def test_air_is_a_share_of_what_is_drawn_where_nothing_is_kept_and_nearer_to_1_the_more_is_kept() -> None:
    torch.manual_seed(0)
    network = Folded(**TINY).eval()
    with torch.no_grad():
        network.map_head.weight[4, ONES] = -2.0
    noise, z, one = torch.randn(1, 2, 1025, 40), torch.zeros(1, 3), torch.ones(1)

    def drawn(air: float, kept: int) -> torch.Tensor:
        """What is drawn, over the noise of air 1, where the first `kept` bins are not empty."""
        x = torch.randn(1, 2, 1025, 40)
        x[:, :, kept:] = 0
        estimate = network.estimate(x, unknown(x))
        parts = [
            network.draw(aired(Stochastic(network, Dials(air=a, noisy_air=a)), estimate), noise, z, one)
            for a in (air, 1.0)
        ]
        return parts[0].abs() / parts[1].abs()

    half, most = drawn(0.2, 512), drawn(0.2, 768)
    # Half of the spectrum empty: 1 - (1 - 0.2) / 4; a quarter: 1 - (1 - 0.2) / 16.
    assert float(half[:, :, 520:].mean()) == pytest.approx(0.8, abs=0.03)
    assert float(most[:, :, 776:].mean()) == pytest.approx(0.95, abs=0.02)
    assert float(half[:, :, :500].mean()) > 0.98


def test_noise_is_as_loud_as_what_is_kept_is_noisy() -> None:
    """Above tones `air`, above noise and strokes `noisy_air`: at any level, and of what is kept alone."""
    torch.manual_seed(0)
    network = Folded(**TINY).eval()
    with torch.no_grad():
        network.map_head.weight[4, ONES] = -2.0
    frames, kept = torch.arange(200), 320
    noise = torch.randn(1, 2, 1025, 200)
    noise[:, :, kept:] = 0
    strokes = noise * (frames % 12 < 3)  # of which the first three of twelve frames sound
    tones = 0.01 * noise
    tones[:, :, 5:kept:9] = 1.0
    module = Stochastic(network, Dials(air=0.0, noisy_air=0.6))
    for gain in (1.0, 1e-2):
        shares = []
        for x in (tones, noise, strokes):
            estimate = network.estimate(gain * x, unknown(x))
            most = Stochastic(network, LOUD)._noise_share(estimate)
            share = (module._noise_share(estimate) / most)[:, :, 40:, 60:140]
            shares.append(float(share[..., frames[60:140] % 12 < 3].mean()))
        quiet, loud, between = shares
        # Of 64 bands 20 are kept: 1 - (1 - air) (44 / 64)^2.
        assert quiet == pytest.approx(1 - (44 / 64) ** 2, abs=0.03)
        assert loud == pytest.approx(1 - 0.4 * (44 / 64) ** 2, abs=0.03)
        assert between == pytest.approx(loud, abs=0.03)


def test_of_context_nothing_is_said_and_the_rest_is_what_it_is_in_the_whole() -> None:
    torch.manual_seed(0)
    network = Folded(**TINY).eval()
    with torch.no_grad():
        network.map_head.weight[:, ONES] = 0.1
        network.head.weight.normal_()
    margin = network.margin
    x, noise = torch.randn(2, 1, 2, 1025, 2 * margin + 30)
    maps = torch.rand(1, len(NAMES), *x.shape[2:])
    whole, part = network.estimate(x, maps), network.estimate(x, maps, margin)
    for name in ("low", "mean", "spread", "open_levels", "flatness", "nyquist"):
        wanted = within(getattr(whole, name), margin)
        assert wanted.shape[3] == 30
        got = getattr(part, name)
        # The neighbours of its first and last frames are context, too.
        torch.testing.assert_close(within(got, NEAR_REACH), within(wanted, NEAR_REACH), rtol=1e-4, atol=1e-5)
    assert not torch.allclose(part.mean, within(whole.mean, margin), rtol=1e-4, atol=1e-5)
    for module, more in (
        (Deterministic(network), ()),
        (Stochastic(network, LOUD), (noise, x[:, 0, :3, 0], torch.ones(1))),
    ):
        y = module(x, *more, maps)
        assert y.shape == x.shape
        assert torch.equal(y[..., :margin], x[..., :margin]) and torch.equal(
            y[..., -margin:], x[..., -margin:]
        )
        assert not torch.equal(y[..., margin], x[..., margin])


def test_training_hears_the_noise_that_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one magnitude in all bins, as in what is exported."""
    system = FoldedSystem(Weights(), **TINY)
    heard = []
    draw = system.generator.draw
    monkeypatch.setattr(
        system.generator,
        "draw",
        lambda estimate, noise, z, one: heard.append(noise) or draw(estimate, noise, z, one),
    )
    samples = 0.1 * torch.randn(2, 24 * 512 + 2048)
    maps = torch.full((2, len(NAMES), 1025, 25), UNKNOWN)
    batch = Batch(samples, samples + 0.01, torch.ones(2), torch.ones(2), maps)
    system.losses(batch)
    assert len(heard) == 2
    for noise in heard:
        assert float(noise.square().sum(1).sqrt().sub(1).abs().mean()) < 0.01


@pytest.mark.parametrize(("kept", "tonal"), [(624, 3.1), (560, 2.44), (336, 1.0), (912, 1.0)])
def test_what_an_encoder_leaves_empty_at_middle_bitrates_is_drawn_louder(kept: int, tonal: float) -> None:
    """At 0.4 of a frame most, and from there on less to both sides; and more among tones than among noise."""
    torch.manual_seed(0)
    network = Folded(**TINY).eval()
    with torch.no_grad():
        network.map_head.weight[4, ONES] = -2.0
    module = Stochastic(network, LOUD)  # of which nothing else changes the share of what is empty
    noise = torch.randn(1, 2, 1025, 200)
    noise[:, :, kept:] = 0
    tones = 0.01 * noise
    tones[:, :, 5:kept:9] = 1.0
    for x, lift in ((tones, tonal - 1), (noise, (tonal - 1) * 0.45 / 2.1)):
        share = module._noise_share(network.estimate(x, unknown(x)))[..., 60:140]
        assert float(share[:, :, 58:].mean()) == pytest.approx(1 + lift, abs=0.12)
        assert float(share[:, :, : kept // 16].mean()) < 0.25  # what is kept is not covered


def test_noise_that_its_band_masks_is_hardly_drawn() -> None:
    torch.manual_seed(0)
    network, zero = Folded(**TINY).eval(), torch.zeros(1)
    x, noise = torch.randn(2, 1, 2, 1025, 2 * network.margin + 40)
    module, z = Stochastic(network, LOUD), torch.zeros(1, 3)
    shares = []
    for spread in (-5.0, 1.0):  # nepers re the level: far below what is there, and above it
        with torch.no_grad():
            network.map_head.weight[4, ONES] = spread
        whole = network.draw(network.estimate(x, unknown(x)), noise, z, torch.ones(1))
        drawn = network.draw(aired(module, network.estimate(x, unknown(x))), noise, z, torch.ones(1))
        shares.append(float((drawn.square().mean() / whole.square().mean()).sqrt()))
    assert shares[0] < 0.05 and shares[1] > 0.9
    estimate = network.estimate(x, unknown(x), network.margin)
    got = within(module(x, noise, z, zero, unknown(x)), network.margin)
    assert torch.equal(got, estimate.whole(estimate.mean))


def test_what_is_exported_is_the_mean_less_what_is_set_aside_and_a_draw() -> None:
    torch.manual_seed(0)
    network = Folded(**TINY).eval()
    with torch.no_grad():
        network.map_head.weight[:, ONES] = torch.tensor([0.3, 0.1, 0.2, 0.2, -1.0, *(6 * [0.05])])
        network.control.bias[3 * 64 :] = 0.0
    module = Stochastic(network, Dials(reach=0.6, air=0.3, noisy_air=0.4))
    x, noise = torch.randn(2, 1, 2, 1025, 2 * network.margin + 40)
    z, dial = torch.randn(1, 3), torch.tensor([0.7])
    estimate = network.estimate(x, unknown(x), network.margin)
    aside = times_bands(estimate.mean - estimate.low, module._set_aside(estimate))
    even = within(noise / (noise.square().sum(1, keepdim=True) + 1e-6).sqrt(), network.margin)
    drawn = network.draw(aired(module, estimate), even, 0.6 * z, dial)
    got = within(module(x, FoldedSystem.spec.noise_rms * noise, z, dial, unknown(x)), network.margin)
    torch.testing.assert_close(
        got, estimate.whole(estimate.mean - dial * aside + drawn), rtol=1e-4, atol=1e-5
    )
    assert float(aside.abs().mean()) > 0.01 and float(drawn.abs().mean()) > 0.01


def test_levels_of_what_is_drawn_fluctuate_less_than_those_of_noise() -> None:
    torch.manual_seed(0)
    network, spec = Folded(**TINY).eval(), FoldedSystem.spec
    with torch.no_grad():
        network.map_head.weight[4, ONES] = -2.0  # the same noise in all bins
    module, noise = Stochastic(network, LOUD), spectra.stft(torch.randn(1, 65536), spec)
    x = torch.zeros(1, 2, *noise.shape[1:])

    def drawn(planes: torch.Tensor) -> torch.Tensor:
        restored = module(x, planes, torch.zeros(1, 3), torch.ones(1), unknown(x))
        return torch.complex(*within(restored, network.margin).unbind(1))

    def fluctuation(spectrum: torch.Tensor) -> float:
        """Standard deviation of bins' levels, dB, in the sound that the spectrum becomes."""
        levels = 20 * torch.log10(spectra.stft(spectra.istft(spectrum, spec), spec).abs() + 1e-12)
        return float(levels[:, 20:-20, 5:-5].std())

    planes = torch.stack([noise.real, noise.imag], 1)
    assert fluctuation(noise) > 5.3 and fluctuation(drawn(planes)) < 4.0
    assert float(drawn(0 * planes).abs().max()) == 0


@pytest.mark.parametrize(("gain", "left"), [(0.02, 0.002), (1.0, 5 / 6)])
def test_a_draw_goes_without_small_corrections(gain: float, left: float) -> None:
    """Of a correction of 2 % of the amplitude a five-hundredth stays, of one as large as the band nearly all."""
    network = Folded(**TINY).eval()
    with torch.no_grad():
        network.map_head.weight[0, ONES] = gain  # the real part of m
        network.map_head.weight[4, ONES] = -16.0  # next to no noise
        network.control.bias[:] = torch.tensor([20.0, 20.0, 20.0, -20.0, -20.0]).repeat_interleave(64)
        network.control.weight.zero_()
    x, z = torch.randn(1, 2, 1025, 2 * network.margin + 20), torch.zeros(1, 3)
    module = Stochastic(network, LOUD)
    full, rest = (
        within(module(x, torch.zeros_like(x), z, torch.full((1,), dial), unknown(x)) - x, network.margin)
        for dial in (0.0, 1.0)
    )
    x = within(x, network.margin)
    torch.testing.assert_close(full[:, :, :1024], gain * x[:, :, :1024], rtol=0.01, atol=1e-4)
    torch.testing.assert_close(rest[:, :, :1024], left * full[:, :, :1024], rtol=0.05, atol=1e-4)


def test_the_profile_score_wants_the_spread_of_levels_not_of_noise() -> None:
    torch.manual_seed(0)
    x = torch.randn(64, 16384) * torch.exp(0.5 * torch.randn(64, 1))
    trusted = torch.ones(64)

    def score(spread: float) -> float:
        draws = [torch.randn_like(x) * torch.exp(spread * torch.randn(64, 1)) for _ in range(2)]
        return float(profile_score(x, *draws, trusted))

    assert score(0.5) < min(score(0.0), score(1.2)) - 0.01
    # A band that is not trusted does not count.
    dull = torch.fft.irfft(torch.fft.rfft(x) * (torch.arange(8193) < 4096), 16384)
    assert float(profile_score(dull, x, x, torch.full((64,), 0.45))) < 0.01
    assert float(profile_score(dull, x, x, trusted)) > 0.1


def test_the_distance_counts_only_beyond_what_the_mp3_had() -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 16384)
    near, far = x + 0.1 * torch.randn_like(x), x + torch.randn_like(x)
    trusted = torch.ones(2)
    assert float(excess_distance(x, near, far, trusted)) == 0
    assert float(excess_distance(x, far, near, trusted)) > 0.1
    assert float(excess_distance(x, near, near, trusted)) > 0


def test_nothing_is_learned_above_what_is_trusted() -> None:
    x = torch.randn(1, 16384)
    spectrum = torch.fft.rfft(torch.randn(1, 16384))
    spectrum[:, : 8192 * 3 // 4] = 0
    high = torch.fft.irfft(spectrum, 16384)
    low_only = energy_score(x, x + high, x + high, torch.tensor([0.6]), Weights())
    everything = energy_score(x, x + high, x + high, torch.tensor([1.0]), Weights())
    assert float(low_only) < 0.02 * float(everything)


def test_the_relative_error_is_in_powers_of_ten() -> None:
    x = torch.randn(4, 10007)
    y = x + 0.1 * torch.randn_like(x)
    for trusted, near in ((1.0, 0.05), (0.3, 0.1)):
        same, after = relative_errors(x, (x, y), torch.full((4,), trusted))
        assert after.tolist() == pytest.approx(4 * [-2], abs=near)
        assert float(same.max()) == pytest.approx(-6)
    high = torch.fft.rfft(y - x)
    high[:, :4000] = 0
    above = x + torch.fft.irfft(high, 10007)
    assert float(relative_errors(x, (above,), torch.full((4,), 0.7))[0].max()) < -5


def test_examples_are_aligned_pairs_of_the_codec(small_corpus: Path) -> None:
    entries = [entry for entry in corpus.load(small_corpus) if entry.split == "train"]
    stream = iter(Examples(small_corpus, entries, 60000, seed=3, samples_share=0.3))
    examples = [next(stream) for _ in range(12)]
    degraded, target, trusted, allowed, _ = collate(examples)
    assert degraded.shape == target.shape == (12, 60000)
    assert bool(((trusted > 0) & (trusted <= 1)).all())
    assert set(np.round(allowed.tolist(), 2)) <= {0.05, 0.35, 1.2}
    for left, wanted in zip(degraded.numpy(), target.numpy(), strict=True):
        assert codec.lag(wanted, left) == 0
        assert codec.codec_gain(wanted[np.newaxis], left[np.newaxis]) == pytest.approx(1, abs=0.02)
    assert examples[0].maps.size == 0  # nobody asked for them
    again = [next(iter(Examples(small_corpus, entries, 60000, seed=3, samples_share=0.3)))]
    np.testing.assert_array_equal(again[0].degraded, examples[0].degraded)


def test_maps_of_examples_tell_the_error_of_their_own_frames(small_corpus: Path) -> None:
    entries = [entry for entry in corpus.load(small_corpus) if entry.split == "train"]
    spec, length = plain.StftSpec(), 99 * 512 + 2048
    stream = iter(Examples(small_corpus, entries, length, 4, 0.3, ("64k mono", "96k stereo"), 0.2, maps=spec))
    examples = [next(stream) for _ in range(24)]
    known = [example for example in examples if (example.maps >= 0).all()]
    rest = [example for example in examples if (example.maps == UNKNOWN).all()]
    assert len(known) + len(rest) == 24 and len(known) > 8 and len(rest) > 2
    follows = []
    for example in known:
        assert example.maps.shape == (len(NAMES), spec.bins, 100)
        left, wanted = (plain.stft(each[None], spec)[0].T for each in (example.degraded, example.target))
        live = example.maps[2] < 0.1
        error, expected = (
            (each * live).sum(0) for each in (np.abs(left - wanted) ** 2, example.maps[0] ** 2)
        )
        # These tones are sparse: between them nothing was rounded to zero. But it is never more than expected.
        assert error.sum() < 1.3 * expected.sum()
        loud = expected > 1e-3 * expected.max()
        follows.append(np.corrcoef(np.log(error[loud] + 1e-12), np.log(expected[loud]))[0, 1])
    assert np.median(follows) > 0.6  # frame by frame, so they are those of the right time
    unharmed = [example for example in examples if np.array_equal(example.degraded, example.target)]
    assert unharmed and all((example.maps == UNKNOWN).all() for example in unharmed)


def one_piece(root: Path, samples: np.ndarray, cutoff: float = 20000.0) -> corpus.Entry:
    """A training piece at `root`, (2, n) in steps of 16 bits."""
    (root / "pcm").mkdir()
    np.save(root / "pcm/piece.npy", np.round(samples).astype(np.int16))
    return replace(entry("train"), frames=samples.shape[1], cutoff=cutoff, pcm="piece.npy")


def test_what_is_played_faster_reaches_as_far_as_it_is_known(tmp_path: Path) -> None:
    noise = np.fft.rfft(np.random.default_rng(1).standard_normal((2, 2 * corpus.RATE)))
    noise[:, 2 * 19000 :] = 0
    music = one_piece(tmp_path, 4000 * np.fft.irfft(noise), 19000.0)
    examples, rng, knowns = Examples(tmp_path, [music], 40000, 0, 0.0), np.random.default_rng(2), []
    for _ in range(20):
        crop, known = examples._recording(rng)
        power = np.abs(np.fft.rfft(crop)) ** 2
        hz = np.fft.rfftfreq(crop.shape[1], 1 / corpus.RATE)
        below, middle = (power[:, (hz > known - wide) & (hz < known)].mean() for wide in (200, 9000))
        assert 10 * np.log10(below / middle) == pytest.approx(0, abs=1.5)
        knowns.append(known)
    assert min(knowns) < 19001 and max(knowns) > 22000


def test_either_channel_is_learned_from(tmp_path: Path) -> None:
    noise = 4000 * np.random.default_rng(1).standard_normal((2, 2 * corpus.RATE))
    noise[1] = 0
    stream = iter(Examples(tmp_path, [one_piece(tmp_path, noise)], 40000, 0, 0.0, identity_share=1.0))
    loud = [bool(np.abs(next(stream).target).max() > 0.01) for _ in range(20)]
    assert 3 < sum(loud) < 17


def test_configurations_read_as_differences(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text("batch = 4\n" + TINY_TOML)
    (tmp_path / "mine.toml").write_text('base = "base.toml"\nminutes = 2\n[network]\nwidth = 32\n')
    mine = config.load(tmp_path / "mine.toml")
    assert (mine.name, mine.batch, mine.minutes, mine.network) == ("mine", 4, 2, {**TINY, "width": 32})
    assert config.load("music").network["bins"] == 1025
    (tmp_path / "bad.toml").write_text("colour = 1\n")
    with pytest.raises(Mp3fixError, match="colour"):
        config.load(tmp_path / "bad.toml")
    with pytest.raises(Mp3fixError, match="music"):
        config.load("nothing")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("batch = 4\n", r"no \[network\]"),
        ("network = 3\n", "not a table"),
        ("[network]\nbins = 1025\n", "has no 'width'"),
        ('base = "tiny.toml"\n[network]\ncolour = 1\n', r"'colour' in \[network\]"),
        ('base = "tiny.toml"\n[network]\nwidth = "wide"\n', "whole number"),
        ('base = "tiny.toml"\nbatch = "8"\n', "'batch' is not a whole number"),
        ('base = "tiny.toml"\nbatch = 0\n', "'batch' is 0"),
        ('base = "tiny.toml"\nminutes = true\n', "'minutes' is not a number"),
        ('base = "tiny.toml"\nsettings = "32k mono"\n', "'settings' is not a list"),
        ('base = "tiny.toml"\nsettings = ["31k mono"]\n', "no codec setting '31k mono'"),
        ('base = "tiny.toml"\nsystem = 3\n', "'system' is not text"),
        ('base = "tiny.toml"\nsystem = "lattnr"\n', "no system 'lattnr'"),
        ("base = 3\n", "'base' is not text"),
        ('base = "tiny.toml"\n[weights]\nscroe = 1\n', r"'scroe' in \[weights\]"),
        ('base = "tiny.toml"\n[weights]\nlog = "much"\n', "not a number"),
    ],
)
def test_a_wrong_configuration_is_told(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "tiny.toml").write_text(TINY_TOML)
    assert config.load(tmp_path / "tiny.toml").network == TINY
    (tmp_path / "wrong.toml").write_text(text)
    with pytest.raises(Mp3fixError, match=words):
        config.load(tmp_path / "wrong.toml")


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("liu-unet", {"frames": 90}, "frames = 90 do not fit"),
        ("lattner", {"frames": 100}, "frames = 100 do not fit"),
        ("hance", {"frames": 16}, "frames = 16 are too few for hance"),
        ("deshpande", {"network": {"blocks": 0, "maps": 4}}, "0 blocks"),
    ],
)
def test_numbers_that_do_not_fit_each_other_are_told(name: str, change: dict, words: str) -> None:
    with pytest.raises(Mp3fixError, match=words):
        replace(config.load(name), **change).checked()


def test_the_check_of_a_configuration_draws_nothing_that_training_draws() -> None:
    drawn = []
    for build in (config.Config.build, config.Config.checked):
        torch.manual_seed(1)
        build(config.load("liu-unet"))  # its losses draw noise
        drawn.append(torch.rand(1).item())
    assert drawn[0] == drawn[1]


def test_a_critic_that_pauses_stays_as_it_is() -> None:
    network = torch.nn.Linear(3, 1)
    optimiser = torch.optim.Adam(network.parameters(), lr=0.1)
    weights = []
    for share in (1.0, 0.0, 1.0):
        loop._update(optimiser, network, share * network(torch.ones(2, 3)).mean(), "")
        weights.append(network.weight.detach().clone())
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[1], weights[2])


def entry(split: str, kind: str = "music", seconds: float = 60, source: str = "s") -> corpus.Entry:
    frames = round(seconds * corpus.RATE)
    return corpus.Entry("", "", source, "MIT", kind, True, frames, 20000, split, "")


def test_test_pieces_are_never_used_to_validate(tmp_path: Path) -> None:
    train, validation, test = (entry(split) for split in ("train", "validation", "test"))
    assert loop.held_out(tmp_path, [test, train, validation]) == [validation]
    assert loop.held_out(tmp_path, [test, entry("train", "samples"), train]) == [train]
    with pytest.raises(Mp3fixError, match="no music"):
        loop.held_out(tmp_path, [test, entry("train", "samples")])


def test_a_corpus_of_one_shots_is_refused(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    soundfile.write(tmp_path / "own" / "hit.wav", song(0.4).T, 44100)
    corpus.build(tmp_path, [tmp_path / "own"], lambda line: None)
    with pytest.raises(Mp3fixError, match="one-shots"):
        loop.train(config.Config("tiny", TINY), tmp_path, tmp_path / "run", print)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "name", sorted({path.stem for path in config.FOLDER.glob("*.toml")} - {"base", "literature"})
)
def test_training_can_go_on_from_the_file_of_any_system(name: str) -> None:
    system = config.load(name).build()
    for graph in system.exported():
        names = [key.removeprefix(export.PREFIX) for key in graph.module.state_dict()]
        assert names == list(system.generator.state_dict())


def graphs_of(network: Folded) -> list[Graph]:
    """What is exported of a network."""
    system = FoldedSystem(Weights(), **TINY)
    system.generator = network
    return system.exported()


def state_of(network: Folded, **more: object) -> dict:
    """A checkpoint as the first version of the loop wrote it, and more."""
    weights = network.state_dict()
    state = {"config": {"name": "tiny", "network": TINY}, "network": weights, "average": weights}
    return {**state, "optimiser": {}, "step": 7, "minutes": 3.2, "device": "CPU", **more}


def test_the_contract_says_what_was_trained_on(tmp_path: Path) -> None:
    old = state_of(Folded(**TINY))
    checkpoint.write(tmp_path / "checkpoint.pt", old)
    _, read = export.load_checkpoint(tmp_path / "checkpoint.pt")
    assert export.trained_on(read) == "7 steps, 3 min on CPU"
    new = old | {"sources": {"own": 2.6, "renders": 115.1}, "init": {"file": "music.onnx", "version": "1"}}
    assert export.trained_on(new) == (
        "7 steps, 3 min on CPU; continued from music 1; own 2.6 min, renders 115.1 min"
    )
    many = export.trained_on(old | {"sources": {f"folder\n{k}": 1.0 for k in range(999)}})
    assert len(many) <= 2000 and many.isprintable()


def test_weights_become_the_mean_with_another_generators(tmp_path: Path) -> None:
    here, there, path = Folded(**TINY), Folded(**TINY), tmp_path / "other.onnx"
    with torch.no_grad():
        for weight in there.parameters():  # equal ones of an untrained network are written once
            weight += 0.1 * torch.randn_like(weight)
    common = {"name": "other", "version": "3", "licence": "CC0-1.0", "trained_on": "a test"}
    export.export(graphs_of(there)[0], path, **common)
    wanted = [(a + b) / 2 for a, b in zip(here.parameters(), there.parameters(), strict=True)]
    export.mean_with(here, path)
    for weight, mean in zip(here.parameters(), wanted, strict=True):
        torch.testing.assert_close(weight, mean)
    assert export.trained_on(state_of(here), path) == "7 steps, 3 min on CPU; mean with other 3"
    with pytest.raises(Mp3fixError, match=r"other\.onnx: does not fit"):
        export.mean_with(Folded(**{**TINY, "width": 32}), path)
    with pytest.raises(Mp3fixError, match=r"none\.onnx"):
        export.mean_with(here, tmp_path / "none.onnx")


def test_minutes_are_counted_by_source() -> None:
    entries = [entry("train", seconds=90, source="b"), entry("train", source="a"), entry("train", source="b")]
    assert loop._minutes(entries) == {"a": 1.0, "b": 2.5}


def test_weights_that_do_not_fit_are_told(tmp_path: Path, small_corpus: Path) -> None:
    path = tmp_path / "run" / "checkpoint.pt"
    tiny, wide = Folded(**TINY), Folded(**{**TINY, "width": 32})
    common = {"name": "wide", "version": "1", "licence": "CC0-1.0", "trained_on": "a test"}
    export.export(graphs_of(wide)[0], tmp_path / "wide.onnx", **common)

    def refused(words: str, name: str = "tiny", network: dict = TINY, init: Path | None = None) -> None:
        with pytest.raises(Mp3fixError, match=words) as caught:
            loop.train(config.Config(name, network), small_corpus, path.parent, print, init)
        assert len(str(caught.value).splitlines()) == 1

    refused("wide.onnx: does not fit", init=tmp_path / "wide.onnx")
    path.parent.mkdir(exist_ok=True)
    checkpoint.write(path, state_of(tiny))
    refused("its name is tiny, not other", name="other")
    refused("its network is", network={**TINY, "width": 32})
    checkpoint.write(path, state_of(wide))
    refused("checkpoint.pt: does not fit")
    with pytest.raises(Mp3fixError, match="does not fit"):
        export.load_checkpoint(path)
    for content in (b"", b"no checkpoint", path.read_bytes()[:5000]):
        path.write_bytes(content)
        refused("broken")
    checkpoint.write(path, {"step": 1})
    refused("no checkpoint of")


@pytest.mark.slow
def test_train_resume_export_restore(tmp_path: Path, small_corpus: Path) -> None:
    """The lab in miniature: a corpus, a few steps, a resumed run, a generator's file that works."""
    run = tmp_path / "run"
    short = config.Config("tiny", TINY, batch=2, frames=40, minutes=0.02, validate_every=3, warmup=2)
    loop.train(short, small_corpus, run, lambda line: None)
    _, state = export.load_checkpoint(run / "checkpoint.pt")
    steps = state["step"]
    assert json.loads((run / "log.jsonl").read_text().splitlines()[-1])["step"] == steps
    lines: list[str] = []
    loop.train(replace(short, minutes=state["minutes"] + 0.02), small_corpus, run, lines.append)
    assert lines[0].startswith(f"continuing at step {steps}")
    system, state = export.load_checkpoint(run / "checkpoint.pt")
    assert state["step"] > steps and isinstance(system, FoldedSystem)
    network, system.dials = system.generator, Dials(texture=0.5, reach=1.0)
    common = {"version": "1", "licence": "CC0-1.0", "trained_on": "a test"}
    graph, estimated = system.exported()
    drawn = export.export(graph, tmp_path / "tiny.onnx", name="tiny", **common)
    context = export.export(estimated, tmp_path / "det.onnx", name="det", **common).context
    assert drawn.kind == "stochastic" and context == STEADY_REACH + (2 + 8) * 3 + 1
    assert drawn.context == STEADY_REACH + FLAT_REACH
    assert not list(tmp_path.glob("*.part.onnx"))
    for promised in (graph, estimated):
        less = promised._replace(fields=promised.fields | {"context": context - 3})
        with pytest.raises(Mp3fixError, match="reaches"):
            export.export(less, tmp_path / "less.onnx", name="less", **common)
    x = np.random.default_rng(0).standard_normal((1, 2, 1025, 2 * context + 30)).astype(np.float32)
    estimate = Generator.load(tmp_path / "det.onnx", "cpu").run(x)
    system.dials = Dials(texture=1.0, reach=0.25)
    export.export(system.exported()[0], tmp_path / "near.onnx", name="near", **common)
    z = np.ones((1, 3), np.float32)
    wide, near = (
        Generator.load(tmp_path / name, "cpu").run(x, noise=x, z=vector, texture=1.0)
        for name, vector in (("tiny.onnx", z), ("near.onnx", 4 * z))
    )
    np.testing.assert_allclose(wide, near, atol=1e-6)
    assert not np.allclose(wide[..., context:-context], x[..., context:-context], atol=1e-6)
    silent = Generator.load(tmp_path / "tiny.onnx", "cpu").run(
        x, noise=x, z=np.ones((1, 3), np.float32), texture=0.0
    )
    np.testing.assert_allclose(estimate, silent, atol=1e-6)
    again = Folded(**TINY)
    again.load_state_dict(export.weights_of(tmp_path / "tiny.onnx"))
    for mine, theirs in zip(network.parameters(), again.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=0)
