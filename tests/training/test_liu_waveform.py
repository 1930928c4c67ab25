"""Liu's SRCNN and SRGAN, and the methods they are compared with: what they promise before and after training."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from mp3fix.training import config, export
from mp3fix.training.examples import Batch
from mp3fix.training.networks import miron, srcnn
from mp3fix.training.networks.pyramid import Pyramid, Wavelet
from mp3fix.training.networks.rectifier import Rectifier
from mp3fix.training.systems.base import System
from mp3fix.training.systems.liu_waveform import LiuSRCNN, LiuSRGAN

SRCNN = ("srcnn", "srgan", "srcnn-no-dense", "srcnn-no-selection")
ALL = (*SRCNN, "fwr", "pwcnn", "cnn")
IDENTITIES = tuple(name for name in ALL if name != "fwr")
RATE = 44100


def built(name: str) -> System:
    torch.manual_seed(0)
    return config.load(name).build()


def shaken(name: str, scale: float = 0.02) -> nn.Module:
    """A generator as if it were trained: nothing in it is zero."""
    generator = built(name).generator
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.add_(scale * torch.randn_like(parameter))
    return generator


def clicks(rows: int = 4, length: int = 8192) -> Batch:
    """Bursts whose top is known from what lies below: what a network of blocks can learn."""
    generator = torch.Generator().manual_seed(0)
    places = (torch.rand(rows, length, generator=generator) < 0.01).float()
    spectra = torch.fft.rfft(places * torch.rand(rows, length, generator=generator))
    hz = torch.linspace(0, RATE / 2, spectra.shape[1])
    target = torch.fft.irfft(spectra, length)
    return Batch(torch.fft.irfft(spectra * (hz < 15500), length), target, torch.ones(rows), torch.ones(rows))


@torch.no_grad()
def loss_of(system: System, batch: Batch, term: str | None = None) -> float:
    loss, terms = system.losses(batch)
    return float(terms[term] if term else loss)


def learn(system: System, batch: Batch, steps: int, rate: float) -> None:
    optimiser = torch.optim.Adam(system.generator.parameters(), lr=rate)
    for _ in range(steps):
        loss, _ = system.losses(batch)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


def level_above(samples: torch.Tensor, hz: float) -> float:
    """Power above a frequency, in dB re the whole, of a signal without ends."""
    power = torch.fft.rfft(samples.flatten() * torch.hann_window(samples.numel())).abs().square()
    first = round(hz * samples.numel() / RATE)
    return float(10 * torch.log10(power[first:].sum() / power.sum() + 1e-20))


@pytest.mark.parametrize("name", IDENTITIES)
def test_an_untrained_network_is_the_mp3(name: str) -> None:
    shape = (2, 1, miron.BINS, 20) if name == "cnn" else (2, 1, 1024)
    x = torch.rand(shape)
    torch.testing.assert_close(built(name).generator(x), x)


@pytest.mark.parametrize("name", ALL)
def test_it_is_exported_and_reaches_no_further_than_it_says(name: str, tmp_path: Path) -> None:
    graph = built(name).exported()[0]
    with torch.no_grad():
        for parameter in graph.module.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    path = tmp_path / f"{name}.onnx"
    export.export(graph, path, name=name, version="1", licence="MIT", trained_on="nothing")
    assert path.stat().st_size < 2_000_000


@pytest.mark.parametrize("name", ALL)
def test_what_a_sample_changes_lies_within_its_context(name: str) -> None:
    """The gradient sees what no rounding error hides."""
    fields, generator = built(name).exported()[0].fields, shaken(name, 0.1)
    context, multiple = fields["context"], fields["multiple"]
    length = 2 * context + 8 * multiple
    shape = (1, 1, miron.BINS, length) if name == "cnn" else (1, 1, length)
    x = torch.rand(shape, requires_grad=True)
    block = slice(context + 4 * multiple, context + 5 * multiple)
    generator(x)[..., block].square().sum().backward()
    assert x.grad is not None
    touched = x.grad.abs().reshape(-1, length).sum(0).nonzero().flatten()
    assert int(touched.min()) >= block.start - context
    assert int(touched.max()) < block.stop + context


@pytest.mark.parametrize("name", ("srcnn", "pwcnn"))
def test_chunks_on_the_grid_are_seamless(name: str) -> None:
    fields, generator = built(name).exported()[0].fields, shaken(name)
    context, step = fields["context"], 2 * fields["multiple"]
    x = torch.randn(1, 1, 2 * context + 5 * step)
    with torch.no_grad():
        whole = generator(x)[..., context:-context]
        parts = [
            generator(x[..., at : at + step + 2 * context])[..., context:-context]
            for at in range(0, 5 * step, step)
        ]
    torch.testing.assert_close(torch.cat(parts, 2), whole, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("name", SRCNN)
def test_what_the_mp3_kept_is_kept_and_blocks_do_not_click(name: str) -> None:
    """A sine through a network of random weights: nothing but the sine below the cut, whatever the blocks do."""
    tone = 0.4 * torch.sin(2 * torch.pi * 13000 / RATE * torch.arange(64 * srcnn.BLOCK))[None, None]
    with torch.no_grad():
        added = shaken(name, 0.1)(tone) - tone
    added = added[..., srcnn.CONTEXT : -srcnn.CONTEXT]
    assert float(added.abs().max()) > 1e-4
    # What lies below is 50 dB down.
    assert 10 ** (level_above(added, 14500) / 10) > 1 - 1e-5


def test_a_steady_network_has_no_block_edges() -> None:
    """Blocks that all say the same must add up to just that: the fades sum to one."""
    network = srcnn.SRCNN()
    with torch.no_grad():
        network.blocks.layers[-1].bias.copy_(torch.cos(torch.pi * 56 / 64 * torch.arange(128.0)))
        network.halve.taps.zero_()
        network.halve.taps[..., srcnn.SEEN_REACH] = 1.0
        x = torch.full((1, 1, 4096), 0.25)
        added = (network(x) - x)[..., 512:-512]
    peak = float(added.max())
    power = torch.fft.rfft(added.flatten()).abs()
    # 19.3 kHz, a whole number of periods in half a block, and nothing else.
    assert peak == pytest.approx(0.5 * srcnn.SOFTER, rel=0.02)
    assert int(power.argmax()) == 3072 * 7 // 16
    assert float(power.sum() - power.max()) < 1e-2 * float(power.max())


@pytest.mark.parametrize("name", ALL)
def test_the_output_follows_the_level_and_silence_stays(name: str) -> None:
    generator = shaken(name)
    x = torch.rand(1, 1, miron.BINS, 20) if name == "cnn" else 0.5 * torch.randn(1, 1, 2048)
    with torch.no_grad():
        torch.testing.assert_close(generator(0.01 * x) * 100, generator(x), rtol=1e-3, atol=1e-3)
        assert float(generator(torch.zeros_like(x)).abs().max()) == 0


def test_the_ablations_lack_what_they_say() -> None:
    linear, widths = {}, {}
    for name in SRCNN:
        modules = list(built(name).generator.modules())
        linear[name] = sum(isinstance(each, nn.Linear) for each in modules)
        blocks = [each for each in modules if isinstance(each, srcnn.ConvolutionBlock)]
        widths[name] = {each.first.out_channels // each.first.in_channels for each in blocks}
    assert linear == {"srcnn": 4, "srgan": 4, "srcnn-no-dense": 0, "srcnn-no-selection": 4}
    assert widths == {"srcnn": {2}, "srgan": {2}, "srcnn-no-dense": {2}, "srcnn-no-selection": {1}}


def test_shapes_and_parameters_of_the_block_network() -> None:
    network = srcnn.SRCNN()
    assert network.blocks(torch.randn(3, 1, 64)).shape == (3, 1, 128)
    assert sum(each.numel() for each in network.parameters()) < 500_000
    with torch.device("meta"):
        wide = srcnn.SRCNN(channels=8, convolutional=8, connected=2)
    assert sum(each.numel() for each in wide.parameters()) > 8_000_000


@pytest.mark.parametrize(
    "name",
    ["srcnn", "srgan", *(pytest.param(name, marks=pytest.mark.slow) for name in SRCNN[2:])],  # its ablations
)
def test_training_learns_what_can_be_known(name: str) -> None:
    system, batch = built(name), clicks(2, 2048)
    before = loss_of(system, batch, "mse")
    learn(system, batch, 16, 3e-3)
    assert loss_of(system, batch, "mse") < 0.9 * before


def test_the_critic_learns_until_it_pauses() -> None:
    system, batch = built("srgan"), clicks()
    assert isinstance(system, LiuSRGAN)
    optimiser = torch.optim.Adam(system.critic.parameters(), lr=1e-3)
    seen = []
    for _ in range(60):
        loss = system.critic_loss(batch)
        seen.append(loss.item())
        if seen[-1] == 0:
            break
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert seen[0] == pytest.approx(np.log(2), abs=0.1)
    # It pauses soon after it is at half of the generator's loss, which here begins at log 2 too.
    assert seen[-1] == 0
    assert 0.2 < seen[-2] < seen[0]
    # A paused critic gives no gradient.
    system.critic.zero_grad()
    system.critic_loss(batch).backward()
    assert all(float(each.grad.abs().max()) == 0 for each in system.critic.parameters())


def test_the_adversarial_term_pushes_the_generator_only_by_its_weight() -> None:
    batch = clicks(2, 2048)
    system = built("srgan")
    loss, terms = system.losses(batch)
    assert loss.item() == pytest.approx((terms["mse"] + 0.005 * terms["adversarial"]).item())


def test_nothing_is_learned_above_what_a_recording_is_known_to_hold() -> None:
    batch = clicks(2, 4096)._replace(trusted=torch.full((2,), 15000 / (RATE / 2)))
    system = built("srcnn")
    assert isinstance(system, LiuSRCNN)
    assert loss_of(system, batch) < 1e-6 * loss_of(system, clicks(2, 4096))


def test_rectifying_writes_twice_the_frequency_above_the_cut() -> None:
    tone = 0.4 * torch.sin(2 * torch.pi * 9000 / RATE * torch.arange(8820))[None, None]
    with torch.no_grad():
        added = (Rectifier()(tone) - tone)[..., 441:-441]
    power = torch.fft.rfft(added.flatten() * torch.hann_window(added.numel())).abs()
    assert int(power.argmax()) == pytest.approx(18000 * added.numel() / RATE, abs=1)
    # |sin| has a second harmonic of 4 / (3 pi); half of it is the gain at the start.
    assert float(added.max()) == pytest.approx(0.5 * 0.4 * 4 / (3 * np.pi), rel=0.05)
    assert level_above(added, 15900) > -1e-4


def test_the_rectifier_finds_its_gain() -> None:
    system, batch = built("fwr"), clicks()
    before = loss_of(system, batch)
    learn(system, batch, 15, 0.2)
    assert loss_of(system, batch) < 0.5 * before


def test_the_wavelet_is_orthogonal_and_splits_at_half() -> None:
    wavelet, x = Wavelet(), torch.randn(1, 1, 4096)
    low, high = wavelet.split(x)
    torch.testing.assert_close(wavelet.join(low, high)[..., 8:-8], x[..., 8:-8], atol=1e-5, rtol=1e-5)
    tone = torch.sin(2 * torch.pi * 2000 / RATE * torch.arange(4096))[None, None]
    low, high = wavelet.split(tone)
    assert float(high[..., 8:-8].abs().max()) < 0.01 * float(low.abs().max())


def test_the_pyramid_learns() -> None:
    system, batch = built("pwcnn"), clicks(2, 2048)
    assert isinstance(system.generator, Pyramid)
    before = loss_of(system, batch)
    learn(system, batch, 25, 2e-3)
    assert loss_of(system, batch) < 0.9 * before


def test_the_autoencoder_paints_the_top_and_learns() -> None:
    system, batch = built("cnn"), clicks()
    x = torch.rand(1, 1, miron.BINS, 20)
    torch.testing.assert_close(shaken("cnn")(x)[:, :, : miron.CUT], x[:, :, : miron.CUT])
    before = loss_of(system, batch)
    learn(system, batch, 12, 1e-3)
    assert loss_of(system, batch) < 0.7 * before
