"""Hance's U-Net: what it gives, what it depends on, and that it learns."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from mp3fix.restore import Options, Restorer
from mp3fix.training import config, export
from mp3fix.training.examples import Batch
from mp3fix.training.networks.hance import CONTEXT, MULTIPLE, Hance
from mp3fix.training.systems.hance import HanceSystem

SPEC = HanceSystem.spec


def shaken() -> Hance:
    """As if it were trained: both heads do something."""
    torch.manual_seed(0)
    network = Hance(4).eval()
    nn.init.normal_(network.head.weight, 0, 0.05)
    return network


def magnitudes(frames: int, rows: int = 1) -> torch.Tensor:
    """Falling towards high frequencies, and nothing above 8.5 kHz but rounding."""
    generator = torch.Generator().manual_seed(1)
    slope = 10 ** (-2 * torch.linspace(0, 1, SPEC.bins))[:, None]
    x = 5 * slope * torch.randn(rows, 1, SPEC.bins, frames, generator=generator).abs()
    x[:, :, 400:] *= 1e-5
    return x


def falling(rows: int = 2, cut: float = 8500.0, trusted: float = 0.95) -> Batch:
    """Noise that falls towards high frequencies, and the same, softer and without its top."""
    generator = torch.Generator().manual_seed(0)
    length = 23 * SPEC.hop + SPEC.n_fft
    whole = torch.fft.rfft(0.1 * torch.randn(rows, length, generator=generator))
    hz = torch.linspace(0, SPEC.rate / 2, whole.shape[1])
    whole = whole * 10 ** (-5 * hz / SPEC.rate)
    target, degraded = (torch.fft.irfft(each, length) for each in (whole, 0.8 * whole * (hz < cut)))
    return Batch(degraded, target, torch.full((rows,), trusted), torch.zeros(rows))


@torch.no_grad()
def test_magnitudes_of_any_length_on_the_grid_come_out_as_magnitudes() -> None:
    network = shaken()
    for frames in (MULTIPLE, 5 * MULTIPLE):
        for level in (1e-9, 1e-3, 1.0, 1e6):
            x = level * magnitudes(frames, 2)
            y = network(x)
            assert y.shape == x.shape
            assert torch.isfinite(y).all()
            assert float(y.min()) >= 0
            assert torch.equal(y[:, :, -1:], x[:, :, -1:])
    assert float((y - x)[:, :, :-1].abs().max()) > 1e3


@torch.no_grad()
def test_an_untrained_network_is_the_mp3() -> None:
    x = magnitudes(2 * MULTIPLE)
    torch.testing.assert_close(Hance(4)(x), x, rtol=1e-6, atol=0)


@torch.no_grad()
def test_silence_stays_silence() -> None:
    x = magnitudes(64)
    x[..., 24:44] = 0
    y = shaken()(x)
    assert float(y[..., 28:40].abs().max()) == 0
    assert float(y[..., :20].abs().max()) > 0
    assert float(shaken()(torch.zeros_like(x)).abs().max()) == 0


@torch.no_grad()
def test_a_chunk_with_its_context_gives_what_the_whole_gives() -> None:
    network, x = shaken().double(), magnitudes(4 * CONTEXT).double()
    whole = network(x)
    for start in (CONTEXT + MULTIPLE, 2 * CONTEXT):
        stop = start + MULTIPLE
        chunk = network(x[..., start - CONTEXT : stop + CONTEXT])[..., CONTEXT:-CONTEXT]
        torch.testing.assert_close(chunk, whole[..., start:stop], rtol=1e-12, atol=1e-12)
        less = CONTEXT - MULTIPLE
        chunk = network(x[..., start - less : stop + less])[..., less:-less]
        assert (
            float((chunk - whole[..., start:stop]).abs().max()) > 1e-9
        )  # the context is no larger than need be


def test_the_bundled_configuration_is_small_and_starts_at_the_mp3s_error() -> None:
    loaded = config.load("hance")
    assert set(loaded.settings) == {"32k mono", "32k mono at 44.1 kHz"}
    system = loaded.build()
    assert sum(each.numel() for each in system.parameters()) < 0.9e6
    with torch.no_grad():
        assert float(system.losses(falling(rows=1))[1]["gain_db"]) == pytest.approx(0, abs=1e-3)


def test_it_learns_what_is_missing() -> None:
    torch.manual_seed(0)
    system, batch = HanceSystem(HanceSystem.Weights(), width=4), falling()
    optimizer = torch.optim.AdamW(system.parameters(), 2e-3)
    losses = []
    for _ in range(8):
        optimizer.zero_grad()
        loss, _ = system.losses(batch)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.7 * losses[0]


@torch.no_grad()
def test_unknown_frequencies_do_not_count() -> None:
    """Above what the recording is known to hold, and at the ends of an example."""
    system = HanceSystem(HanceSystem.Weights(), width=4)
    batch = falling(trusted=0.3)  # 6.6 kHz, below the cut
    assert float(system.losses(batch)[0]) == pytest.approx(0.2, abs=0.002)  # what is softer, and no more
    assert float(system.losses(batch._replace(trusted=torch.ones(2)))[0]) > 0.25


def test_the_exported_file_runs_as_its_contract_says(tmp_path: Path) -> None:
    system = HanceSystem(HanceSystem.Weights(), width=4)
    system.generator = shaken()
    (graph,) = system.exported()
    path = tmp_path / "hance.onnx"
    contract = export.export(graph, path, name="hance", version="1", licence="x", trained_on="nothing")
    assert (contract.domain, contract.context, contract.multiple) == ("magnitude", CONTEXT, MULTIPLE)
    assert export.weights_of(path).keys() == system.generator.state_dict().keys()
    samples = 0.1 * np.random.default_rng(0).standard_normal((2, 30000)).astype(np.float32)
    options = [Options(phase="neighbours", chunk_seconds=seconds) for seconds in (0.2, 9.0)]
    cut, whole = (Restorer(path, "cpu", 1).restore(samples, SPEC.rate, each) for each in options)
    assert np.abs(whole - samples).max() > 0.01
    assert np.abs(whole - cut).max() < 1e-5
