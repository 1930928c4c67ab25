"""The training loop: batches in, checkpoints and a log out."""

import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader

from mp3fix.errors import Mp3fixError
from mp3fix.generator.devices import available_cores
from mp3fix.signal.stft import StftSpec
from mp3fix.training import corpus
from mp3fix.training.config import Config
from mp3fix.training.examples import Example, Examples, collate
from mp3fix.training.losses import Weights, energy_score, relative_error
from mp3fix.training.networks.folded import Folded
from mp3fix.training.spectra import istft, stft

SPEC = StftSpec()
EDGE = 8 * SPEC.hop  # samples at both ends of an example that lack context: not part of the loss

Report = Callable[[str], None]


def train(
    config: Config,
    root: Path,
    run: Path,
    report: Report,
    init: dict[str, torch.Tensor] | None = None,
    threads: int | None = None,
) -> None:
    """Train by `config` on the corpus at `root`; write run/checkpoint.pt and run/log.jsonl. Resumes.

    Args:
        config: what to do.
        root: folder of the corpus.
        run: folder of this run; an existing checkpoint there is continued.
        report: takes progress lines.
        init: weights to start from.
        threads: of PyTorch on the CPU; None: one for each core.

    Raises:
        Mp3fixError: no corpus, or the loss is no longer finite.
    """
    entries = corpus.load(root)
    if threads:
        torch.set_num_threads(threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(config.seed)
    network = Folded(**config.network).to(device)
    if init is not None:
        network.load_state_dict(init)
    average = {key: value.detach().clone() for key, value in network.state_dict().items()}
    optimiser = torch.optim.AdamW(network.parameters(), lr=config.rate, betas=(0.9, 0.98), weight_decay=0.01)
    step, spent = 0, 0.0
    run.mkdir(parents=True, exist_ok=True)
    checkpoint = run / "checkpoint.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device, weights_only=True)
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        average, step, spent = state["average"], state["step"], state["minutes"]
        if init is not None:
            report(f"{checkpoint} is continued; the weights to start from are not used")
        report(f"continuing at step {step}, {spent:.1f} of {config.minutes} minutes")
    batches = _batches(config, root, entries, step)
    validation = _validation(config, root, entries)
    weights = Weights(**config.weights)
    recent: list[float] = []
    while spent < config.minutes:
        began = time.monotonic()
        degraded, target, trusted = (part.to(device) for part in next(batches))
        for group in optimiser.param_groups:
            group["lr"] = _rate(config, step, spent)
        loss, _ = _losses(network, degraded, target, trusted, weights)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        if not math.isfinite(norm.item()):
            raise Mp3fixError(f"{run}: the gradient is not finite at step {step}; lower the learning rate")
        optimiser.step()
        decay = min(config.average, (step + 1) / (step + 10))
        with torch.no_grad():
            for key, value in network.state_dict().items():
                average[key].lerp_(value, 1 - decay)
        step += 1
        recent.append(loss.item())
        # A run that was suspended for a while did not train meanwhile.
        spent += min(time.monotonic() - began, 30.0) / 60
        if step % 50 == 0:
            report(f"step {step}  {spent:5.1f} min  loss {np.mean(recent[-50:]):.4f}")
        if step % config.validate_every == 0 or spent >= config.minutes:
            figures = _validate(config, average, validation, device, weights)
            line = {
                "step": step,
                "minutes": round(spent, 2),
                "loss": round(float(np.mean(recent)), 4),
                **figures,
            }
            recent.clear()
            with (run / "log.jsonl").open("a") as log:
                log.write(json.dumps(line) + "\n")
            report("  ".join(f"{key} {value}" for key, value in line.items()))
            _save(
                checkpoint,
                {
                    "config": asdict(config),
                    "network": network.state_dict(),
                    "optimiser": optimiser.state_dict(),
                    "average": average,
                    "step": step,
                    "minutes": spent,
                    "device": torch.cuda.get_device_name() if device.type == "cuda" else "CPU",
                },
            )


def _rate(config: Config, step: int, spent: float) -> float:
    """Learning rate: linear warm-up, then half a cosine over the time there is."""
    warm = min(1.0, (step + 1) / config.warmup)
    return config.rate * warm * 0.5 * (1 + math.cos(math.pi * min(1.0, spent / config.minutes)))


def _losses(
    network: Folded, degraded: torch.Tensor, target: torch.Tensor, trusted: torch.Tensor, weights: Weights
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """The loss of a batch, and its parts by name."""
    spectrum = stft(degraded, SPEC)
    x = torch.stack([spectrum.real, spectrum.imag], 1)
    mean, spread = network.estimate(x)
    noises = [stft(torch.randn_like(degraded), SPEC) / SPEC.noise_rms for _ in range(2)]
    estimate = torch.complex(mean[:, 0], mean[:, 1])
    # The draws differ from the mean by noise only: one inverse transform each.
    parts = [istft(each, SPEC) for each in (estimate, spread[:, 0] * noises[0], spread[:, 0] * noises[1])]
    # Examples at one level: a loss that depends on gain would learn loud music only.
    level = target.square().mean(-1, keepdim=True).sqrt() + 1e-4
    y, n1, n2 = (part[:, EDGE:-EDGE] / level for part in parts)
    wanted = target[:, EDGE:-EDGE] / level
    score = energy_score(wanted, y + n1, y + n2, trusted, weights)
    at_zero = relative_error(wanted, y, trusted)
    draw = relative_error(wanted, y + n1, trusted)
    loss = score + weights.mean * at_zero + weights.draw * draw
    return loss, {"score": score, "mean": at_zero, "draw": draw}


def _batches(
    config: Config, root: Path, entries: list[corpus.Entry], step: int
) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    training = [entry for entry in entries if entry.split == "train"]
    if not training:
        raise Mp3fixError(f"{root}: the corpus has no training files")
    length = (config.frames - 1) * SPEC.hop + SPEC.n_fft
    # A continued run must not see the same examples again.
    examples = Examples(root, training, length, config.seed + 1000 * (step + 1), config.samples_share)
    workers = max(1, available_cores() // 2)
    loader = DataLoader(
        examples, batch_size=config.batch, collate_fn=collate, num_workers=workers, prefetch_factor=4
    )
    return iter(loader)


def _validation(config: Config, root: Path, entries: list[corpus.Entry]) -> list[Example]:
    """Thirty-two fixed examples of validation pieces."""
    held = [entry for entry in entries if entry.split == "validation"] or entries
    length = (config.frames - 1) * SPEC.hop + SPEC.n_fft
    stream = iter(Examples(root, held, length, seed=0, samples_share=0.0))
    return [next(stream) for _ in range(32)]


@torch.no_grad()
def _validate(
    config: Config,
    average: dict[str, torch.Tensor],
    examples: list[Example],
    device: torch.device,
    weights: Weights,
) -> dict[str, float]:
    """Loss terms of the averaged weights, and the gain in SNR of the estimate without noise, in dB."""
    network = Folded(**config.network).to(device).eval()
    network.load_state_dict(average)
    sums: dict[str, float] = {}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for start in range(0, len(examples), config.batch):
            degraded, target, trusted = (
                part.to(device) for part in collate(examples[start : start + config.batch])
            )
            _, parts = _losses(network, degraded, target, trusted, weights)
            level = target.square().mean(-1, keepdim=True).sqrt() + 1e-4
            before = relative_error(
                (target / level)[:, EDGE:-EDGE], (degraded / level)[:, EDGE:-EDGE], trusted
            )
            parts["snr_gain"] = 10 * (before - parts["mean"])
            for key, value in parts.items():
                sums[key] = sums.get(key, 0.0) + value.item() * len(degraded) / len(examples)
    return {f"val_{key}": round(value, 4) for key, value in sums.items()}


def _save(path: Path, state: dict[str, Any]) -> None:
    """Write a checkpoint whole or not at all."""
    temporary = path.with_suffix(".tmp")
    torch.save(state, temporary)
    temporary.replace(path)
