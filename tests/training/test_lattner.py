"""Lattner & Nistal 2021: what its network, its losses and its files promise."""

from pathlib import Path

import numpy as np
import pytest
import torch

from mp3fix.generator.session import Generator as Runner
from mp3fix.training import config, export
from mp3fix.training.examples import Batch
from mp3fix.training.networks.lattner import BINS, UNPADDED, Generator, linear, signed_root
from mp3fix.training.systems.lattner import Lattner, Levels, Terms, profile_loss

PAPER = {"first": 18, "maps": 38, "filters": 4096, "rows": 32, "z": 64, "shortcut": False}
TINY = {"first": 2, "maps": 2, "filters": 16, "rows": 4, "z": 5, "shortcut": True}


def system(z: int = 5, **weights: float) -> Lattner:
    torch.manual_seed(0)
    return Lattner(Terms(**weights), **{**TINY, "z": z}, critic_filters=16)


def lively(z: int = 5) -> Generator:
    """A generator that is no longer near the identity."""
    network = system(z).generator
    with torch.no_grad():
        for parameter in network.mirrored.parameters():
            parameter.normal_(0, 0.3)
    return network


def batch(size: int = 2, frames: int = 140) -> Batch:
    """Noise, and what a low-pass leaves of it."""
    rng = torch.Generator().manual_seed(1)
    target = 0.1 * torch.randn(size, (frames - 1) * 512 + 2048, generator=rng)
    spectrum = torch.fft.rfft(target)
    spectrum[:, spectrum.shape[1] // 3 :] = 0
    degraded = torch.fft.irfft(spectrum, target.shape[1])
    return Batch(degraded, target, torch.ones(size), torch.ones(size))


def test_the_paper_has_322_million_parameters() -> None:
    with torch.device("meta"):
        network = Generator(**PAPER)
    assert sum(each.numel() for each in network.parameters()) == pytest.approx(322.5e6, abs=0.05e6)


@pytest.mark.parametrize("name", ["lattner", "lattner-det"])
def test_what_ships_is_small_and_starts_as_the_mp3(name: str) -> None:
    network = config.load(name).build().generator
    assert sum(each.numel() for each in network.parameters()) <= 900_000
    x = 20 * torch.randn(1, 2, BINS + 1, 30)
    z = torch.randn(1, network.z) if network.z else None
    with torch.no_grad():
        error = (network(x, z) - x).square().mean() / x.square().mean()
    assert 0 < float(error) < 1e-2


@pytest.mark.slow
def test_the_shapes_of_table_1_at_the_papers_size() -> None:
    network = Generator(**PAPER)
    shapes: list[tuple[int, ...]] = []
    for layer in (network.front.near, network.front.aggregate, network.remap, network.fifth, *network.gated):
        layer.register_forward_hook(lambda _module, _inputs, output: shapes.append(tuple(output.shape)))
    frames = 2 * UNPADDED + 4
    with torch.no_grad():
        y = network(torch.randn(1, 2, BINS + 1, frames), torch.randn(1, 64), padded=False)
    assert y.shape == (1, 2, BINS + 1, 4)
    assert shapes[:4] == [
        (1, 38, 1024, frames),
        (1, 4096, frames),
        (1, 256, 32, frames),
        (1, 256, 32, frames - 2),
    ]
    assert shapes[-1] == (1, 128, 32, 4)


def test_padding_alone_decides_how_many_frames_come_out() -> None:
    network, x, z = lively(), torch.randn(1, 2, BINS + 1, 150), torch.randn(1, 5)
    with torch.no_grad():
        short, whole = network(x, z, padded=False), network(x, z)
        assert network(torch.zeros(1, 2, BINS + 1, 336), z, padded=False).shape[-1] == 212
    assert short.shape[-1] == 150 - 124 and whole.shape == x.shape
    # Beyond the reach of the padding of the last three layers, both are the same.
    torch.testing.assert_close(short[..., 7:-7], whole[..., 69:-69], rtol=1e-4, atol=1e-4)
    assert torch.equal(whole[:, :, BINS], x[:, :, BINS])


def test_the_context_is_exact() -> None:
    # In double precision, since what comes from far is faint.
    network, z = lively().double(), torch.randn(1, 5).double()
    x = torch.randn(1, 2, BINS + 1, 160).double()
    other = x.clone()
    other[..., 80] *= 100
    with torch.no_grad():
        changed = (network(x, z) - network(other, z)).abs().amax((0, 1, 2)).nonzero()[:, 0]
    assert int((changed - 80).abs().max()) == network.context == 76


def test_roots_return_to_what_they_are_of() -> None:
    x = torch.tensor([-9.0, 0.0, 4.0])
    torch.testing.assert_close(signed_root(x), torch.tensor([-3.0, 0.0, 2.0]))
    torch.testing.assert_close(linear(signed_root(x) / 4), x)


def test_noise_matters_where_there_is_any() -> None:
    network, x = lively(), torch.randn(1, 2, BINS + 1, 20)
    with torch.no_grad():
        first, again, other = (network(x, z) for z in (torch.ones(1, 5), torch.ones(1, 5), -torch.ones(1, 5)))
    assert torch.equal(first, again)
    assert float((first - other).abs().max()) > 1e-3
    (graph,) = system(z=0).exported()
    assert (graph.fields["kind"], graph.fields["noise"], graph.fields["z_size"]) == ("deterministic", (), 0)


def test_draws_that_are_alike_cost_more() -> None:
    torch.manual_seed(0)
    first, z = torch.rand(2, 50, 20), (torch.randn(2, 5), torch.randn(2, 5))
    alike, brighter = first + 0.01, first + torch.linspace(0, 1, 50)[:, None]
    rhythmic = first + torch.linspace(0, 1, 20)
    assert profile_loss(first, brighter, *z) < profile_loss(first, alike, *z)
    assert profile_loss(first, rhythmic, *z) < profile_loss(first, alike, *z)
    # Noise that is close asks for less.
    assert profile_loss(first, alike, z[0], z[0] + 0.01) < 0.1 * profile_loss(first, alike, *z)


def test_nothing_counts_above_what_is_known() -> None:
    torch.manual_seed(0)
    x = torch.randn(1, 100, 10, dtype=torch.complex64)
    y = x.clone()
    y[:, 60:] = 0
    known = (torch.arange(100) < 60).float()[None, :, None]
    levels = Levels(x, x), Levels(y, x)
    assert all(float(each) < 1e-4 for each in levels[0].distances(levels[1], known).values())
    assert all(float(each) > 1e-2 for each in levels[0].distances(levels[1], torch.ones_like(known)).values())


def test_the_critic_sees_the_mp3_and_learns_to_tell() -> None:
    trained, pairs = system(), batch(1)
    critic = trained.critic
    root = torch.randn(1, 2, BINS, 8)
    with torch.no_grad():
        assert float((critic(root, root) - critic(root, 0 * root)).abs()) > 0
    optimiser = torch.optim.Adam(critic.parameters(), 1e-3, betas=trained.critic_betas)
    losses = []
    for _ in range(8):
        loss = trained.critic_loss(pairs)
        optimiser.zero_grad()
        loss.backward()
        assert all(bool(each.grad.isfinite().all()) for each in critic.parameters())
        assert all(each.grad is None for each in trained.generator.parameters())
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


def test_silence_has_finite_gradients() -> None:
    trained, pairs = system(), batch()
    pairs = pairs._replace(degraded=0 * pairs.degraded, target=0 * pairs.target)
    loss, _ = trained.losses(pairs)
    (loss + trained.critic_loss(pairs)).backward()
    assert all(bool(each.grad.isfinite().all()) for each in trained.parameters())


@pytest.mark.parametrize("z", [pytest.param(0, marks=pytest.mark.slow), 5])
def test_training_fills_the_band(z: int) -> None:
    trained, pairs = system(z), batch(1)
    optimiser = torch.optim.Adam(trained.generator.parameters(), 3e-3)
    losses = []
    for _ in range(16):
        loss, terms = trained.losses(pairs)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert ("profile" in terms) == bool(z)
    assert min(losses[-4:]) < 0.9 * losses[0]
    assert float(terms["lsd_gain"]) > 10


@pytest.mark.parametrize("z", [0, 5])
def test_the_file_does_as_the_network(tmp_path: Path, z: int) -> None:
    trained = system(z)
    trained.generator.load_state_dict(lively(z).state_dict())
    (graph,) = trained.exported()
    path = tmp_path / "lattner.onnx"
    common = {"name": "lattner", "version": "1", "licence": "CC0-1.0", "trained_on": "a test"}
    contract = export.export(graph, path, **common)
    assert contract.context == 76 and contract.domain == "complex"
    x = np.random.default_rng(0).standard_normal((2, 2, BINS + 1, 30)).astype(np.float32)
    runner = Runner.load(path, "cpu")
    drawn = (
        [runner.run(x, z=np.full((2, 5), value, np.float32)) for value in (1, -1)] if z else [runner.run(x)]
    )
    assert drawn[0].shape == x.shape
    if z:
        assert np.abs(drawn[0] - drawn[1]).max() > 1e-3
