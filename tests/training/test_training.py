import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from mp3fix.errors import Mp3fixError
from mp3fix.generator.session import Generator
from mp3fix.signal import stft as plain
from mp3fix.training import config, corpus, export, loop, spectra
from mp3fix.training.examples import Examples, collate
from mp3fix.training.losses import Weights, energy_score, excess_distance, profile_score, relative_error
from mp3fix.training.networks.folded import Folded

TINY = {"bins": 1025, "width": 16, "hidden": 16, "blocks": 2, "fine": 4, "bands": 4, "z": 3}


def song(seconds: float) -> np.ndarray:
    t = np.arange(round(44100 * seconds)) / 44100
    tone = sum(np.sin(2 * np.pi * 220 * k * t) / k for k in range(1, 60))
    hiss = np.random.default_rng(0).standard_normal(len(t)) * 0.1 * (t % 0.5 < 0.1)
    return (0.2 * np.stack([tone + hiss, tone - hiss])).astype(np.float32)


def small_corpus(root: Path) -> Path:
    own = root / "own"
    own.mkdir()
    # A name whose hash says "train", and one that says "validation".
    names = {corpus.split_of(f"piece{k}"): f"piece{k}" for k in range(200)}
    for split in ("train", "validation", "test"):
        soundfile.write(own / f"{names[split]}.flac", song(31.0).T, 44100)
    soundfile.write(own / "hit.wav", song(0.4).T, 44100)
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


def test_an_untrained_network_is_nearly_the_identity_and_silence_stays() -> None:
    network = Folded(**TINY)
    x, noise, z = torch.randn(1, 2, 1025, 20), torch.randn(1, 2, 1025, 20), torch.randn(1, 3)
    y = network(x, noise, z, torch.ones(1))
    assert 0 < float((y - x).square().mean() / x.square().mean()) < 1e-4
    silent = network(torch.zeros_like(x), noise, z, torch.ones(1))
    assert float(silent.abs().max()) < 1e-6


def test_the_network_does_not_care_about_the_level() -> None:
    network = Folded(**TINY)
    with torch.no_grad():
        network.head.weight.normal_(0, 0.3)
    x, noise = 30 * torch.randn(1, 2, 1025, 20), torch.randn(1, 2, 1025, 20)
    z = torch.randn(1, 3)
    loud, soft = network(x, noise, z, torch.ones(1)), network(0.01 * x, noise, z, torch.ones(1))
    assert float((100 * soft - loud).abs().max() / loud.abs().max()) < 1e-3


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
        network.head.bias[4] = 0.0
        network.control.bias[3 * 64 :] = 0.0
    x, noise = torch.randn(1, 2, 1025, 40), torch.randn(1, 2, 1025, 40)
    estimate, one = network.estimate(x), torch.ones(1)
    plain, bright = (
        network.draw(estimate, noise, z, one) for z in (torch.zeros(1, 3), torch.tensor([[0.0, -2.0, 0.0]]))
    )
    torch.testing.assert_close(plain, estimate.spread * noise)
    assert float(network.draw(estimate, noise, torch.ones(1, 3), torch.zeros(1)).abs().max()) == 0
    drawn = (bright - plain)[:, :, :1024].square().mean(1).unflatten(1, (64, 16)).mean((0, 2))
    assert bool(
        (drawn[-8:].mean(0) > 10 * drawn[28:36].mean(0)).all()
    )  # an end of the curve against its zero


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
    x = torch.randn(4, 10000)
    y = x + 0.1 * torch.randn_like(x)
    assert relative_error(x, y, torch.ones(4)).tolist() == pytest.approx(4 * [-2], abs=0.05)
    assert relative_error(x, y, torch.full((4,), 0.3)).tolist() == pytest.approx(4 * [-2], abs=0.1)
    high = torch.fft.rfft(y - x)
    high[:, :4000] = 0
    above = x + torch.fft.irfft(high, 10000)
    assert float(relative_error(x, above, torch.full((4,), 0.7)).max()) < -5


def test_examples_are_aligned_pairs_of_the_codec(tmp_path: Path) -> None:
    root = small_corpus(tmp_path)
    entries = [entry for entry in corpus.load(root) if entry.split == "train"]
    stream = iter(Examples(root, entries, 60000, seed=3, samples_share=0.3))
    examples = [next(stream) for _ in range(12)]
    degraded, target, trusted, allowed = collate(examples)
    assert degraded.shape == target.shape == (12, 60000)
    assert bool(((trusted > 0) & (trusted <= 1)).all())
    assert set(np.round(allowed.tolist(), 2)) <= {0.05, 0.35, 1.2}
    error = 10 * torch.log10((degraded - target).square().sum(1) / target.square().sum(1))
    assert float(error.max()) < -3  # misaligned by a sample or wrong in gain they would be far apart
    again = [next(iter(Examples(root, entries, 60000, seed=3, samples_share=0.3)))]
    np.testing.assert_array_equal(again[0].degraded, examples[0].degraded)


def test_configurations_read_as_differences(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text("batch = 4\n[network]\nwidth = 16\nbands = 4\n")
    (tmp_path / "mine.toml").write_text('base = "base.toml"\nminutes = 2\n[network]\nwidth = 32\n')
    mine = config.load(tmp_path / "mine.toml")
    assert (mine.name, mine.batch, mine.minutes, mine.network) == ("mine", 4, 2, {"width": 32, "bands": 4})
    assert config.load("music").network["bins"] == 1025
    (tmp_path / "bad.toml").write_text("colour = 1\n")
    with pytest.raises(Mp3fixError, match="colour"):
        config.load(tmp_path / "bad.toml")
    with pytest.raises(Mp3fixError, match="music"):
        config.load("nothing")


@pytest.mark.slow
def test_train_resume_export_restore(tmp_path: Path) -> None:
    """The lab in miniature: a corpus, a few steps, a resumed run, a generator's file that works."""
    root, run = small_corpus(tmp_path), tmp_path / "run"
    short = config.Config("tiny", TINY, batch=2, frames=40, minutes=0.02, validate_every=3, warmup=2)
    loop.train(short, root, run, lambda line: None)
    _, state = export.load_checkpoint(run / "checkpoint.pt")
    steps = state["step"]
    assert json.loads((run / "log.jsonl").read_text().splitlines()[-1])["step"] == steps
    lines: list[str] = []
    loop.train(replace(short, minutes=state["minutes"] + 0.02), root, run, lines.append)
    assert lines[0].startswith(f"continuing at step {steps}")
    network, state = export.load_checkpoint(run / "checkpoint.pt")
    assert state["step"] > steps
    common = {"version": "1", "licence": "CC0-1.0", "trained_on": "a test"}
    drawn = export.export(network, tmp_path / "tiny.onnx", name="tiny", texture=0.5, **common)
    export.export(network, tmp_path / "det.onnx", name="det", texture=None, **common)
    assert drawn.kind == "stochastic" and drawn.context == 4 + 1 + 2 * 3 + 1
    assert not list(tmp_path.glob("*.part.onnx"))
    network.context -= 3
    with pytest.raises(Mp3fixError, match="reaches"):
        export.export(network, tmp_path / "tiny.onnx", name="tiny", texture=0.5, **common)
    network.context += 3
    x = np.random.default_rng(0).standard_normal((1, 2, 1025, 30)).astype(np.float32)
    estimate = Generator.load(tmp_path / "det.onnx", "cpu").run(x)
    export.export(network, tmp_path / "near.onnx", name="near", texture=1.0, reach=0.25, **common)
    z = np.ones((1, 3), np.float32)
    wide, near = (
        Generator.load(tmp_path / name, "cpu").run(x, noise=x, z=vector, texture=1.0)
        for name, vector in (("tiny.onnx", z), ("near.onnx", 4 * z))
    )
    np.testing.assert_allclose(wide, near, atol=1e-6)
    silent = Generator.load(tmp_path / "tiny.onnx", "cpu").run(
        x, noise=x, z=np.ones((1, 3), np.float32), texture=0.0
    )
    np.testing.assert_allclose(estimate, silent, atol=1e-6)
    again = Folded(**TINY)
    again.load_state_dict(export.weights_of(tmp_path / "tiny.onnx"))
    for mine, theirs in zip(network.parameters(), again.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=0)
