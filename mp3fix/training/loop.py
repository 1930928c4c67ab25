"""The training loop: batches in, checkpoints and a log out."""

import json
import math
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from types import FrameType

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader

from mp3fix.errors import Mp3fixError
from mp3fix.generator.contract import read_contract
from mp3fix.generator.devices import available_cores
from mp3fix.training import checkpoint, corpus
from mp3fix.training.config import Config
from mp3fix.training.examples import Batch, Example, Examples, collate
from mp3fix.training.export import weights_of
from mp3fix.training.systems.base import System

Report = Callable[[str], None]


def train(
    config: Config,
    root: Path,
    run: Path,
    report: Report,
    init: Path | None = None,
    threads: int | None = None,
) -> None:
    """Train by `config` on the corpus at `root`; write run/checkpoint.pt and run/log.jsonl. Resumes.

    The checkpoint says what it was trained on: `sources`, minutes of training material by source, of all sessions;
    and `init`, the file it started from and the version in its contract, or None.

    Args:
        config: what to do.
        root: folder of the corpus.
        run: folder of this run; an existing checkpoint there is continued.
        report: takes progress lines.
        init: a generator's file whose weights to start from.
        threads: of PyTorch on the CPU; None: one for each core.

    Raises:
        Mp3fixError: no corpus, or no music to train on in it; numbers of the configuration, weights or a checkpoint
            that do not fit each other; or the gradient is no longer finite.
        KeyboardInterrupt: after Ctrl-C, which ends the step and saves; a second one stops at once.
    """
    entries = corpus.load(root)
    training = _training(root, entries)
    if threads:
        torch.set_num_threads(threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(config.seed)
    system = config.checked().to(device)
    network = system.generator
    step, spent = 0, 0.0
    sources, origin = _minutes(training), None
    path = run / "checkpoint.pt"
    resumed = checkpoint.read(path, device) if path.exists() else None
    if resumed is not None:
        _check_same(resumed["config"], config, path)
        checkpoint.fill_all(network, resumed["network"], path)
        if init is not None:
            report(f"{path} is continued; the weights to start from are not used")
    elif init is not None:
        origin = _start(network, init, report)
    average = {key: value.detach().clone() for key, value in network.state_dict().items()}
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=config.rate, betas=system.betas, weight_decay=system.weight_decay
    )
    critic = system.critic
    critic_optimiser = None
    if critic is not None:
        critic_optimiser = torch.optim.Adam(critic.parameters(), lr=config.rate, betas=system.critic_betas)
    if resumed is not None:
        optimiser.load_state_dict(resumed["optimiser"])
        if critic is not None and critic_optimiser is not None:
            checkpoint.fill_all(critic, resumed["critic"], path)
            critic_optimiser.load_state_dict(resumed["critic_optimiser"])
        average, step, spent = resumed["average"], resumed["step"], resumed["minutes"]
        # What was trained on before counts, even if it is no longer in the corpus.
        sources, origin = resumed.get("sources", {}) | sources, resumed.get("init")
        report(f"continuing at step {step}, {spent:.1f} of {config.minutes} minutes")
    run.mkdir(parents=True, exist_ok=True)

    def save() -> None:
        state = {
            "config": asdict(config),
            "network": network.state_dict(),
            "optimiser": optimiser.state_dict(),
            "average": average,
            "step": step,
            "minutes": spent,
            "device": torch.cuda.get_device_name() if device.type == "cuda" else "CPU",
            "sources": sources,
            "init": origin,
        }
        if critic is not None and critic_optimiser is not None:
            state |= {"critic": critic.state_dict(), "critic_optimiser": critic_optimiser.state_dict()}
        checkpoint.write(path, state)

    # A GPU waits for LAME: all the cores feed it. A CPU shares them.
    workers = max(1, available_cores() - 1 if device.type == "cuda" else available_cores() // 2)
    length = config.length(system)
    batches = _batches(config, root, training, step, workers, length, system)
    validation = _validation(config, root, entries, length, system)
    recent: list[float] = []
    stop = _Stop()
    while spent < config.minutes and not stop.asked:
        began = time.monotonic()
        for each in (optimiser, critic_optimiser):
            for group in each.param_groups if each is not None else ():
                group["lr"] = _rate(config, step, spent)
        if critic is not None and critic_optimiser is not None:
            batch = next(batches).to(device)
            _update(critic_optimiser, critic, system.critic_loss(batch), f"{run}: step {step}, the critic")
        batch = next(batches).to(device)
        loss, _ = system.losses(batch)
        _update(optimiser, network, loss, f"{run}: step {step}")
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
            figures = _validate(config, system, average, validation, device)
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
            save()
    stop.end()
    if stop.asked:
        save()
        report(f"stopped at step {step}; {path} is saved, run again to go on")
        raise KeyboardInterrupt


class _Stop:
    """Takes Ctrl-C as a wish: half a step must not be saved. A second Ctrl-C stops at once."""

    def __init__(self) -> None:
        self.asked = False
        self._before = signal.signal(signal.SIGINT, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        self.end()

    def end(self) -> None:
        """Ctrl-C is again what it was before."""
        signal.signal(signal.SIGINT, self._before)


def held_out(root: Path, entries: list[corpus.Entry]) -> list[corpus.Entry]:
    """Pieces of the corpus at `root` to validate with; where there are none, those of training, never of test.

    Raises:
        Mp3fixError: there is neither.
    """
    for split in ("validation", "train"):
        pieces = [entry for entry in entries if entry.split == split and entry.kind == "music"]
        if pieces:
            return pieces
    raise Mp3fixError(f"{root}: the corpus has no music for training or validation; add some with --add")


def _training(root: Path, entries: list[corpus.Entry]) -> list[corpus.Entry]:
    training = [entry for entry in entries if entry.split == "train"]
    if not training:
        raise Mp3fixError(f"{root}: the corpus has no training files")
    if all(entry.kind == "samples" for entry in training):
        raise Mp3fixError(
            f"{root}: all {len(training)} training files are one-shots; add music of more than 30 s with --add"
        )
    return training


def _minutes(entries: list[corpus.Entry]) -> dict[str, float]:
    """Minutes by source, one decimal."""
    frames: dict[str, int] = {}
    for entry in entries:
        frames[entry.source] = frames.get(entry.source, 0) + entry.frames
    return {source: round(count / corpus.RATE / 60, 1) for source, count in sorted(frames.items())}


def _check_same(before: dict, config: Config, path: Path) -> None:
    """Refuse to go on with what is another generator."""
    for what, old, new in (
        ("name", before["name"], config.name),
        ("system", before.get("system", "folded"), config.system),
        ("network", before["network"], config.network),
    ):
        if old != new:
            raise Mp3fixError(f"{path}: its {what} is {old}, not {new} as configured; choose another --run")


def _start(network: nn.Module, init: Path, report: Report) -> dict[str, str]:
    """Take a generator's weights to start from; returns its file's name and the version in its contract."""
    missing, surplus = checkpoint.fill(network, weights_of(init), init)
    if missing:
        report(f"not among the weights to start from: {', '.join(missing)}")
    if surplus:
        report(f"not used of the weights to start from: {', '.join(surplus)}")
    return {"file": init.name, "version": read_contract(init).version}


def _rate(config: Config, step: int, spent: float) -> float:
    """Learning rate: linear warm-up, then half a cosine over the time there is."""
    warm = min(1.0, (step + 1) / config.warmup)
    return config.rate * warm * 0.5 * (1 + math.cos(math.pi * min(1.0, spent / config.minutes)))


def _update(optimiser: torch.optim.Optimizer, network: nn.Module, loss: torch.Tensor, where: str) -> None:
    """One step down the gradient, whose norm is limited to 1; none where it is zero, as of a critic that pauses."""
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    if not math.isfinite(norm.item()):
        raise Mp3fixError(f"{where}: the gradient is not finite; lower the learning rate")
    if norm > 0:  # else Adam would go on as before, and forget how large gradients are
        optimiser.step()


def _batches(
    config: Config,
    root: Path,
    training: list[corpus.Entry],
    step: int,
    workers: int,
    length: int,
    system: System,
) -> Iterator[Batch]:
    # A continued run must not see the same examples again.
    seed = config.seed + 1000 * (step + 1)
    examples = Examples(
        root,
        training,
        length,
        seed,
        config.samples_share,
        config.settings,
        config.identity_share,
        system.spec.rate,
        system.spec if system.takes_maps else None,
    )
    loader = DataLoader(
        examples,
        batch_size=config.batch,
        collate_fn=collate,
        num_workers=workers,
        prefetch_factor=4,
        worker_init_fn=_ignore_interrupt,
    )
    return iter(loader)


def _ignore_interrupt(worker: int) -> None:
    """A terminal sends Ctrl-C to workers too; the step that is being made still needs them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _validation(
    config: Config,
    root: Path,
    entries: list[corpus.Entry],
    length: int,
    system: System,
) -> list[Example]:
    """Sixty-four fixed examples of held-out pieces."""
    held = held_out(root, entries)
    rate, maps = system.spec.rate, system.spec if system.takes_maps else None
    stream = iter(Examples(root, held, length, 0, 0.0, config.settings, config.identity_share, rate, maps))
    return [next(stream) for _ in range(64)]


@torch.no_grad()
def _validate(
    config: Config,
    system: System,
    average: dict[str, torch.Tensor],
    examples: list[Example],
    device: torch.device,
) -> dict[str, float]:
    """The terms of the averaged weights, mean over the examples."""
    sums: dict[str, float] = {}
    with torch.random.fork_rng(), system.averaged(average):
        torch.manual_seed(0)
        for start in range(0, len(examples), config.batch):
            batch = collate(examples[start : start + config.batch]).to(device)
            _, terms = system.losses(batch)
            for key, value in terms.items():
                sums[key] = sums.get(key, 0.0) + value.item() * len(batch.target) / len(examples)
    return {f"val_{key}": round(value, 4) for key, value in sums.items()}
