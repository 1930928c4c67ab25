"""Liu's RNN, BPCNN and improved U-Net: what they write, what they leave, and that they learn."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from mp3fix.generator.session import Generator
from mp3fix.training import config, export
from mp3fix.training.examples import Batch
from mp3fix.training.networks import liu_band
from mp3fix.training.networks.bpcnn import SEEN, Bpcnn
from mp3fix.training.networks.liu_band import BAND, BINS, FIRST, WINDOW
from mp3fix.training.networks.liu_rnn import LiuRnn
from mp3fix.training.networks.liu_unet import filled
from mp3fix.training.systems.base import System
from mp3fix.training.systems.liu_spectral import SPEC, BpcnnSystem, LiuRnnSystem, LiuSpectral, LiuUnetSystem

ALL = ("liu-rnn", "bpcnn", "liu-unet")
IN_WINDOWS = ("liu-rnn", "liu-unet")


def built(name: str) -> System:
    torch.manual_seed(0)
    return config.load(name).build()


def shaken(name: str) -> nn.Module:
    """What is exported, as if it were trained: it expects something loud that changes from bin to bin."""
    system = built(name)
    with torch.no_grad():
        for parameter in system.generator.parameters():
            if bool((parameter == liu_band.START).all()):
                parameter.fill_(0.0)
            elif parameter.dim() > 1:
                parameter.mul_(1.7)
    return system.exported()[0].module.eval()


def run(module: nn.Module, x: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        restored: torch.Tensor = module(x, noise) if hasattr(module.network, "down") else module(x)
    return restored


def spectra(frames: int, rows: int = 1, cut: bool = True) -> tuple[torch.Tensor, torch.Tensor]:
    """Magnitudes that fall towards high frequencies and end at 16.5 kHz, and noise, as the pipeline gives them."""
    generator = torch.Generator().manual_seed(1)
    slope = 10 ** (-1.5 * torch.linspace(0, 1, BINS))[:, None]
    x = 3 * slope * torch.randn(rows, 1, BINS, frames, generator=generator).abs()
    if cut:
        x[:, :, 384:] = 0
    return x, SPEC.noise_rms / 2**0.5 * torch.randn(rows, 2, BINS, frames, generator=generator)


def falling(rows: int = 2, cut: float = 16500.0, trusted: float = 0.95) -> Batch:
    """Noise whose top goes on as the slope below says, and the same without it."""
    generator = torch.Generator().manual_seed(0)
    length = 95 * SPEC.hop + SPEC.n_fft
    whole = torch.fft.rfft(0.1 * torch.randn(rows, length, generator=generator))
    hz = torch.linspace(0, SPEC.rate / 2, whole.shape[1])
    whole = whole * 10 ** (-2 * hz / SPEC.rate)
    target, degraded = (torch.fft.irfft(each, length) for each in (whole, whole * (hz < cut)))
    return Batch(degraded, target, torch.full((rows,), trusted), torch.zeros(rows))


@pytest.mark.parametrize("name", ALL)
def test_only_the_band_above_15_khz_is_written(name: str) -> None:
    x, noise = spectra(2 * WINDOW, rows=2)
    y = run(shaken(name), x, noise)
    assert y.shape == x.shape
    assert FIRST * SPEC.rate / SPEC.n_fft == pytest.approx(15000, abs=20)
    assert torch.equal(y[:, :, :FIRST], x[:, :, :FIRST])
    assert float(y.min()) >= 0
    assert float(y[:, :, 384:].mean()) > 1e-3


@pytest.mark.parametrize("name", ALL)
def test_an_untrained_network_leaves_the_mp3_nearly_as_it_is(name: str) -> None:
    x, noise = spectra(WINDOW)
    y = run(built(name).exported()[0].module, x, noise)
    assert float((y - x).abs().max()) < 3e-3  # 58 dB below what is just under the cut


@pytest.mark.parametrize("name", ALL)
def test_silence_stays_silence(name: str) -> None:
    x, noise = spectra(2 * WINDOW)
    x[..., 30:90] = 0
    y = run(shaken(name), x, noise)
    assert float(y[..., 30:90].abs().max()) == 0
    assert float(y[:, :, 384:, 20:30].max()) > 1e-3


@pytest.mark.parametrize("name", ALL)
def test_a_chunk_with_its_context_gives_what_the_whole_gives(name: str) -> None:
    module, fields = shaken(name), built(name).exported()[0].fields
    context, multiple = fields["context"], fields["multiple"]
    x, noise = spectra(5 * WINDOW)
    whole = run(module, x, noise)
    start, stop = 2 * WINDOW, 3 * WINDOW
    assert context % multiple == 0 and start % multiple == 0
    part = slice(start - context, stop + context)
    chunk = run(module, x[..., part], noise[..., part])[..., context : context + WINDOW]
    torch.testing.assert_close(chunk, whole[..., start:stop], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", IN_WINDOWS)
def test_a_window_remembers_what_came_before_it_and_no_more(name: str) -> None:
    """So that the exact seams above are not those of a network that has no memory."""
    module = shaken(name)
    x, noise = spectra(3 * WINDOW)
    whole = run(module, x, noise)

    def changed(frame: int) -> torch.Tensor:
        other = x.clone()
        other[..., frame] *= 3
        return (run(module, other, noise) != whole).any(2).flatten().nonzero().flatten()

    # The first frame of the warm-up reaches into the window; the frame before does not.
    assert int(changed(WINDOW - liu_band.CONTEXT).max()) >= WINDOW
    assert int(changed(WINDOW - liu_band.CONTEXT - 1).max()) < WINDOW


def test_windows_lie_on_the_grid_and_join_to_the_whole() -> None:
    x = torch.arange(2.0 * 3 * 3 * WINDOW).reshape(2, 1, 3, 3 * WINDOW) + 1
    windows = liu_band.cut(x)
    torch.testing.assert_close(liu_band.join(windows, 2), x)
    before, after = WINDOW - liu_band.CONTEXT, 2 * WINDOW + liu_band.CONTEXT
    torch.testing.assert_close(windows[1], x[0, :, :, before:after])
    assert float(windows[0, ..., : liu_band.CONTEXT].abs().max()) == 0


def test_levels_come_back_as_magnitudes() -> None:
    x = torch.tensor([0.0, 1e-4, 1e-2, 1.0, 300.0])
    torch.testing.assert_close(liu_band.magnitudes(liu_band.levels(x)), x, rtol=1e-5, atol=1e-9)
    assert float(liu_band.levels(torch.tensor(0.1 - 1e-4))) == pytest.approx(0, abs=1e-5)


def test_what_the_mp3_has_stays_and_what_it_lacks_is_written() -> None:
    kept = liu_band.Kept().requires_grad_(False)
    loud, lacking = torch.tensor(1.0), torch.tensor(-1.5)
    assert float(kept(loud, torch.tensor(0.8))) == pytest.approx(1.0, abs=0.01)
    assert float(kept(lacking, torch.tensor(0.8))) == pytest.approx(0.8, abs=0.01)


def test_bpcnn_goes_on_from_its_own_bins() -> None:
    torch.manual_seed(0)
    network = Bpcnn(4)
    frames = torch.randn(3, BINS)
    with torch.no_grad():
        band = network.band(frames)
        # Step by step: what it expects from its own bins below is what it wrote.
        own = torch.cat([frames[:, :FIRST], band], 1)
        torch.testing.assert_close(network.kept(frames[:, FIRST:], network.forced(own)), band)
        below = torch.cat([frames[:, FIRST - SEEN + 1 : FIRST], band[:, :1]], 1)
        torch.testing.assert_close(
            network.kept(frames[:, FIRST + 1 : FIRST + 2], network.next(below)), band[:, 1:2]
        )


def test_a_bin_of_bpcnn_depends_on_those_below_it_only() -> None:
    torch.manual_seed(0)
    network = Bpcnn(4)
    frames = torch.randn(1, BINS, requires_grad=True)

    def seen(k: int) -> torch.Tensor:
        (gradient,) = torch.autograd.grad(network.band(frames)[0, k], frames)
        return gradient[0].nonzero().flatten()

    assert (int(seen(0).min()), int(seen(0).max())) == (FIRST - SEEN, FIRST)
    # The lowest bin of the first is still felt in the second, through the first.
    assert (int(seen(1).min()), int(seen(1).max())) == (FIRST - SEEN, FIRST + 1)


def test_noise_fills_what_is_empty_at_the_level_of_what_lies_below() -> None:
    x, noise = spectra(WINDOW)
    y = filled(x, noise / SPEC.noise_rms)
    assert torch.equal(y[:, :, :FIRST], x[:, :, :FIRST])
    assert bool((y >= x).all())
    below, above = x[:, :, FIRST - 16 : FIRST], y[:, :, 384:]
    assert float(above.square().mean() / below.square().mean()) == pytest.approx(1, rel=0.05)


@pytest.mark.parametrize("name", [*IN_WINDOWS, pytest.param("bpcnn", marks=pytest.mark.slow)])
def test_a_few_steps_bring_the_band_closer_than_the_mp3s(name: str) -> None:
    system, batch = built(name), falling()
    optimiser = torch.optim.AdamW(system.generator.parameters(), 3e-3, betas=system.betas, weight_decay=0.0)
    losses = []
    for _ in range(16):
        loss, terms = system.losses(batch)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(system.generator.parameters(), 1.0)
        optimiser.step()
        losses.append(loss.item())
    assert np.isfinite(losses).all()
    assert losses[-1] < 0.6 * losses[0]
    assert terms["l1"].item() < 0.8 * terms["l1_mp3"].item()


def test_the_critic_learns_and_pauses_when_it_is_far_ahead() -> None:
    system, batch = built("liu-unet"), falling()
    assert isinstance(system, LiuUnetSystem)
    optimiser = torch.optim.Adam(system.critic.parameters(), 3e-3, betas=system.critic_betas)
    losses = []
    for _ in range(60):
        loss = system.critic_loss(batch)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
        if losses[-1] == 0:
            break
    assert 0.5 < losses[0] < 1.0
    assert losses[-1] == 0 and losses[-2] < losses[0]


def test_what_is_not_known_or_far_below_the_loudest_does_not_count() -> None:
    torch.manual_seed(0)
    system = LiuRnnSystem(None, width=8, layers=1)

    def l1_mp3(batch: Batch) -> float:
        return float(system.losses(batch)[1]["l1_mp3"])

    assert l1_mp3(falling()) > 0.5
    assert l1_mp3(falling(trusted=0.74)) < 1e-3  # up to 16.3 kHz, where the MP3 still has all
    soft = falling()
    top = soft.target - soft.degraded
    assert l1_mp3(soft._replace(target=soft.degraded + 1e-6 * top)) < 0.02


def test_the_papers_width_can_be_built() -> None:
    with torch.device("meta"):
        network = LiuRnn(1500)
    recurrent = 4 * 1500 * (BINS + 1500 + 2) + 5 * 4 * 1500 * (3000 + 2)
    linear = 1500 * 1501 + BAND * 1501
    assert sum(each.numel() for each in network.parameters()) == recurrent + linear + 2


@pytest.mark.parametrize(("name", "most"), [("liu-rnn", 1_000_000), ("bpcnn", 50_000), ("liu-unet", 600_000)])
def test_a_configuration_builds_what_fits(name: str, most: int) -> None:
    system = built(name)
    assert isinstance(system, LiuSpectral)
    assert sum(each.numel() for each in system.generator.parameters()) < most
    assert config.load(name).frames == WINDOW + 2 * liu_band.CONTEXT


@pytest.mark.parametrize(
    "name",
    ["liu-rnn", "liu-unet", pytest.param("bpcnn", marks=pytest.mark.slow)],  # 165 steps, unrolled
)
def test_the_file_agrees_with_the_network(name: str, tmp_path: Path) -> None:
    system = built(name) if name != "bpcnn" else BpcnnSystem(None, width=2)
    path = tmp_path / f"{name}.onnx"
    contract = export.export(
        system.exported()[0], path, name=name, version="1", licence="MIT", trained_on="nothing"
    )
    x, noise = spectra(4 * WINDOW, rows=2)
    arrays = {"x": x.numpy(), "noise": noise.numpy()}
    got = Generator.load(path, "cpu").run(**{key: arrays[key] for key in contract.inputs})
    wanted = run(system.exported()[0].module, x, noise).numpy()
    np.testing.assert_allclose(got, wanted, atol=1e-4)
    assert path.stat().st_size < 4_000_000
