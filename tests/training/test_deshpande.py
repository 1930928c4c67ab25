"""Audio spectral enhancement, the networks it is compared with, and its 8-bit form."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from mp3fix.errors import ModelError
from mp3fix.generator.contract import read_contract
from mp3fix.generator.session import Generator
from mp3fix.training import config, export, quantised
from mp3fix.training.examples import Batch
from mp3fix.training.losses_ssim import SIGMA, ssim
from mp3fix.training.networks.spectral_enhancement import SpectralEnhancement
from mp3fix.training.networks.tfilm import AROUND, KEPT
from mp3fix.training.systems.base import System
from mp3fix.training.systems.deshpande import Deshpande, DeshpandeWeights
from mp3fix.training.systems.enhancement_peers import AudioSr, TemporalFilm, WaveNetPeer

COMMON = {"version": "1", "licence": "CC0-1.0", "trained_on": "a test"}
NAMES = ("deshpande", "audio-sr-net", "tfilm", "wavenet")
PAPER = {"bins": 513, "maps": 256}


def small(name: str) -> System:
    """A system that changes something: an untrained one is the identity."""
    torch.manual_seed(2)
    system: System = {
        "deshpande": lambda: Deshpande(DeshpandeWeights(), blocks=3, maps=16),
        "audio-sr-net": lambda: AudioSr(AudioSr.Weights(), width=4),
        "tfilm": lambda: TemporalFilm(TemporalFilm.Weights(), width=4),
        "wavenet": lambda: WaveNetPeer(WaveNetPeer.Weights(), channels=4),
    }[name]()
    with torch.no_grad():
        for parameter in system.generator.parameters():
            if not parameter.abs().max():
                parameter.normal_(0, 0.1)
    return system


def batch_of(system: System, count: int = 3, length: int = 24576) -> Batch:
    """Tones and what a coarse codec might leave of them: too little of what is high, and noise."""
    rng = np.random.default_rng(4)
    t = np.arange(length) / system.spec.rate
    hz = rng.uniform(100, 1000, (count, 1, 1)) * np.arange(1, 9)[:, None]
    high, low = (
        0.05 * np.sin(2 * np.pi * hz[:, part] * t).sum(1) for part in (slice(4, None), slice(None, 4))
    )
    target = low + high + 0.002 * rng.standard_normal((count, length))
    degraded = low + 0.4 * high + 0.004 * rng.standard_normal((count, length))
    ones = torch.ones(count)
    return Batch(*(torch.from_numpy(each.astype(np.float32)) for each in (degraded, target)), ones, ones)


def parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_one_to_seven_blocks_of_the_paper_s_width_grow_linearly() -> None:
    with torch.device("meta"):
        networks = [SpectralEnhancement(blocks=count, **PAPER) for count in range(1, 8)]
    counts = [parameters(network) for network in networks]
    # Two separable convolutions, 512 to 256 and back, and a slope a map; then one of 512 to 512 at the end.
    block, last = 512 * 25 + 512 * 256 + 256 + 256 * 25 + 256 * 512, 512 * 25 + 512 * 512
    assert counts == [block, *(block * count + last for count in range(2, 8))]
    assert [network.context for network in networks] == [4, 10, 14, 18, 22, 26, 30]
    assert all(layer.prelu.init == 0 for network in networks for layer in network.blocks)
    with pytest.raises(ValueError, match="0 blocks"):
        SpectralEnhancement(blocks=0, **PAPER)


@pytest.mark.parametrize("blocks", range(1, 8))
def test_every_block_has_its_say_and_silence_and_level_stay(blocks: int) -> None:
    torch.manual_seed(0)
    network = SpectralEnhancement(bins=33, blocks=blocks, maps=8)
    x = torch.randn(2, 2, 33, 40)
    assert torch.equal(network(x), x)  # untrained: the MP3
    with torch.no_grad():
        for parameter in network.parameters():
            if not parameter.abs().max():
                parameter.normal_(0, 0.1)
    y = network(x)
    assert y.shape == x.shape and not torch.equal(y, x)
    assert torch.equal(y[:, :, -1], x[:, :, -1])
    y.square().sum().backward()
    assert all(parameter.grad.abs().max() > 0 for parameter in network.parameters())
    assert not network(torch.zeros_like(x)).any()
    torch.testing.assert_close(network(8 * x), 8 * y, rtol=1e-4, atol=1e-3)


def test_the_second_half_of_the_blocks_is_joined_with_the_first_in_mirror_order() -> None:
    torch.manual_seed(0)
    network = SpectralEnhancement(bins=17, blocks=5, maps=8)
    nn.init.normal_(network.last.weight)
    first, second, middle, fourth, fifth = network.blocks
    x = torch.randn(1, 2, 17, 20)
    a = first(x[:, :, :-1].transpose(1, 2))
    b = second(a)
    y = network.last(fifth(fourth(middle(b)) + b) + a).transpose(1, 2)
    torch.testing.assert_close(network(x)[:, :, :-1], x[:, :, :-1] + y)


def test_ssim_is_one_of_equals_and_as_computed_by_hand() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.random((2, 1, 5, 6), np.float32)
    assert ssim(torch.from_numpy(x), torch.from_numpy(x), 0.01, 0.03).item() == pytest.approx(1, abs=1e-6)
    line = np.exp(-0.5 * (np.arange(-1, 2) / SIGMA) ** 2)
    window = np.outer(line, line) / line.sum() ** 2
    values = []
    for row in range(3):
        for column in range(4):
            a, b = (each[0, row : row + 3, column : column + 3].astype(np.float64) for each in (x, y))
            m_a, m_b = (np.sum(window * each) for each in (a, b))
            v_a, v_b = np.sum(window * (a - m_a) ** 2), np.sum(window * (b - m_b) ** 2)
            both = np.sum(window * (a - m_a) * (b - m_b))
            c1, c2 = (0.005 * 2) ** 2, (0.01 * 2) ** 2
            values.append((2 * m_a * m_b + c1) / (m_a**2 + m_b**2 + c1) * (2 * both + c2) / (v_a + v_b + c2))
    got = ssim(torch.from_numpy(x), torch.from_numpy(y), 0.005, 0.01, span=2.0)
    assert got.shape == (1,) and got.item() == pytest.approx(np.mean(values), rel=1e-4)


@pytest.mark.parametrize(
    "name",
    [
        "deshpande",
        "tfilm",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("audio-sr-net", "wavenet")),
    ],
)
def test_an_untrained_system_is_the_mp3_and_training_makes_it_better(name: str) -> None:
    settings = config.load(name)
    assert settings.settings == ("32k mono",)
    torch.manual_seed(0)
    system = settings.build()
    assert system.spec.rate == 22050
    batch = batch_of(system, 2, 8192)
    optimiser = torch.optim.AdamW(system.generator.parameters(), lr=settings.rate, betas=system.betas)
    steps = []
    for _ in range(15):
        loss, terms = system.losses(batch)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        steps.append((loss.item(), terms["snr_gain"].item()))
    assert steps[0][1] == pytest.approx(0, abs=1e-3)
    assert np.isfinite(steps).all()
    assert steps[-1][0] < 0.99 * steps[0][0] and steps[-1][1] > 0.03


def test_the_loss_is_what_is_left_of_the_variance_and_half_of_what_is_unlike() -> None:
    system = Deshpande(DeshpandeWeights(), blocks=1, maps=4)  # gives back its input
    batch = batch_of(system)
    half = batch._replace(degraded=0.5 * batch.target)
    _, terms = system.losses(half)
    assert terms["error"].item() == pytest.approx(0.25, rel=1e-3)
    loss, _ = system.losses(half)
    assert loss.item() == pytest.approx((terms["error"] + 0.5 * terms["ssim"]).item())
    same, _ = system.losses(batch._replace(degraded=batch.target))
    assert same.item() == pytest.approx(0, abs=1e-5)
    # What is not known of a recording does not count.
    high = torch.sin(2 * torch.pi * 8000 * torch.arange(24576) / 22050) * 0.1
    unknown = batch._replace(degraded=batch.target, target=batch.target + high, trusted=torch.full((3,), 0.5))
    assert system.losses(unknown)[0].item() < 0.01 < system.losses(unknown._replace(trusted=torch.ones(3)))[0]


@pytest.mark.parametrize("name", NAMES)
def test_exported_generators_have_exact_seams(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.onnx"
    (graph,) = small(name).exported()
    contract = export.export(graph, path, name=name, **COMMON)  # which compares and probes
    assert contract.context % contract.multiple == 0  # chunks and what is around them lie on one grid
    run = Generator.load(path, "cpu").run
    block, around = max(contract.multiple, 16), contract.context
    length = 2 * around + 3 * block
    rng = np.random.default_rng(3)
    shape = (1, 1) if contract.domain == "waveform" else (1, 2, 513)
    x = rng.standard_normal((*shape, length)).astype(np.float32)
    whole = run(x)[..., around : around + 3 * block]
    assert np.abs(whole - x[..., around : around + 3 * block]).max() > 1e-3
    parts = [run(x[..., k * block : (k + 1) * block + 2 * around]) for k in range(3)]
    joined = np.concatenate([part[..., around : around + block] for part in parts], -1)
    assert np.abs(joined - whole).max() <= 1e-5 * np.abs(x).max()


def test_tfilm_hears_a_window_and_remembers_within_it() -> None:
    system = small("tfilm")
    x = 0.1 * torch.randn(1, 1, 4 * KEPT)
    with torch.no_grad():
        before = system.generator(x)
        for place, heard in ((2 * KEPT - AROUND - 1, False), (2 * KEPT - AROUND, True)):
            changed = x.clone()
            changed[..., place] += 1
            third = (system.generator(changed) - before)[0, 0, 2 * KEPT : 3 * KEPT]
            # The LSTM carries it through the whole window.
            assert bool(third.abs().max() > 0) == heard
            assert not heard or third[-256:].abs().max() > 0


def test_the_8_bit_form_is_smaller_close_and_has_no_seams(tmp_path: Path) -> None:
    source = tmp_path / "plain.onnx"
    system = Deshpande(DeshpandeWeights(), blocks=1, maps=64)
    with torch.no_grad():
        system.generator.blocks[0].grow.weight.normal_(0, 0.1)
    export.export(system.exported()[0], source, name="plain", **COMMON)
    rng = np.random.default_rng(1)
    x = (rng.standard_normal((1, 2, 513, 40)) * np.linspace(1, 0.01, 513)[:, None]).astype(np.float32)
    made = quantised.quantise(source, [{"x": x}, {"x": 100 * x}])
    contract = read_contract(made.path)
    assert (contract.name, contract.precision) == ("plain-int8", "int8")
    assert contract.context == read_contract(source).context
    assert made.path.stat().st_size == pytest.approx(made.share * source.stat().st_size)
    assert made.share < 0.55  # the depthwise filters stay as they are
    assert 25 < made.snr < 60
    run = Generator.load(made.path, "cpu").run
    x[..., 25] *= 1000  # what is loud in one chunk changes nothing in another
    np.testing.assert_allclose(run(x)[..., 4:12], run(x[..., :16])[..., 4:12], rtol=0, atol=1e-5)
    with pytest.raises(ModelError, match="int8 already"):
        quantised.quantise(made.path, [{"x": x}])
    assert not list(tmp_path.glob("*.part.onnx"))
