"""From weights to a generator's file: ONNX with the contract inside, checked before it is kept."""

import textwrap
import warnings
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from torch import nn

from mp3fix.errors import ModelError, Mp3fixError
from mp3fix.generator.contract import KEY, Contract, read_contract
from mp3fix.generator.session import Generator
from mp3fix.training import checkpoint
from mp3fix.training.config import Config
from mp3fix.training.systems.base import Graph, System

TOLERANCE = 1e-4  # largest difference between torch and ONNX Runtime, relative to the largest value
FRAMES = 192  # of the inputs that are compared and probed, at least
SAMPLES = 32768  # the same for waveforms
COLOUR = 0.9  # nepers by which bins of an input differ, standard deviation
PREFIX = "network."  # of the weights' names in a file of ours


def export(graph: Graph, path: Path, *, name: str, version: str, licence: str, trained_on: str) -> Contract:
    """Write a generator's file.

    Args:
        graph: of a system, with the weights to ship.
        path: of the .onnx file; replaced only when everything agrees.
        name, version, licence, trained_on: for the contract.

    Returns:
        The contract.

    Raises:
        Mp3fixError: ONNX Runtime's output differs from torch's, or the network reaches further than it says.
    """
    module = graph.module.cpu().eval()
    contract = Contract(
        name=name, version=version, licence=licence, trained_on=trained_on, precision="fp32", **graph.fields
    )
    temporary = path.with_suffix(".part.onnx")
    try:
        _write(module, temporary, contract)
        runner = Generator.load(temporary, "cpu")
        _compare(module, runner)
        check_context(runner)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return contract


def load_checkpoint(path: Path) -> tuple[System, dict[str, Any]]:
    """The system, its generator with the moving average of a run's weights, and what the checkpoint says of the run.

    Raises:
        Mp3fixError: there is none, it is broken, or its weights do not fit its configuration.
    """
    state = checkpoint.read(path)
    known = {each.name for each in fields(Config)}
    try:
        system = Config(**{key: value for key, value in state["config"].items() if key in known}).build()
    except (KeyError, TypeError):
        raise Mp3fixError(f"{path}: its network is not of this version of mp3fix") from None
    checkpoint.fill_all(system.generator, state["average"], path)
    return system, state


def mean_with(network: nn.Module, path: Path) -> None:
    """Set a network's weights to the mean of them and of another generator's, from which its run has not gone far.

    Such a mean is often better than both (Wortsman et al. 2022, arXiv 2203.05482).

    Raises:
        ModelError: see `weights_of`.
        Mp3fixError: the other's weights do not fit the network.
    """
    own = {name: value.clone() for name, value in network.state_dict().items()}
    checkpoint.fill_all(network, weights_of(path), path)
    network.load_state_dict({name: 0.5 * (value + own[name]) for name, value in network.state_dict().items()})


def trained_on(state: dict[str, Any], other: Path | None = None) -> str:
    """What a generator was trained on, by its checkpoint, as one line; old checkpoints know no sources.

    Args:
        state: the checkpoint.
        other: the generator whose weights were averaged with the run's.
    """
    parts = [f"{state['step']} steps, {state['minutes']:.0f} min on {state['device']}"]
    if init := state.get("init"):
        parts.append(f"continued from {Path(init['file']).stem} {init['version']}")
    if other:
        parts.append(f"mean with {other.stem} {read_contract(other).version}")
    if sources := state.get("sources"):
        parts.append(", ".join(f"{source} {minutes:g} min" for source, minutes in sources.items()))
    # Folders of one's own may be many, and be called anything; a contract takes one line of some length.
    return textwrap.shorten("; ".join(parts), 2000, placeholder=" ...")


def weights_of(path: Path) -> dict[str, torch.Tensor]:
    """The weights in a generator's file made by `export`, to go on training from; float32, also those of fp16.

    Raises:
        ModelError: there is no such file, or it holds none, or holds them in 8 bits.
    """
    if read_contract(path).precision == "int8":
        raise ModelError(f"{path}: its weights are rounded to 8 bits; go on from those of the fp32 generator")
    weights = {
        tensor.name.removeprefix(PREFIX): torch.tensor(onnx.numpy_helper.to_array(tensor)).float()
        for tensor in onnx.load(path).graph.initializer
        if tensor.name.startswith(PREFIX)
    }
    if not weights:
        raise ModelError(f"{path}: holds no weights of this network")
    return weights


def _write(module: nn.Module, path: Path, contract: Contract) -> None:
    arrays = _inputs(contract, np.random.default_rng(2))
    names = list(contract.inputs)
    arrays |= {"texture": np.ones(1, np.float32)} if contract.texture else {}
    inputs = [torch.from_numpy(arrays[name]) for name in names]
    time = len(contract.inputs["x"]) - 1
    free: dict[str, dict[int, str]] = {"z": {0: "batch"}, "texture": {}}
    free |= {name: {0: "batch", time: "frames"} for name in ("x", "noise", "conditioning", "y")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Not folded: initialisers keep their names, so that training can go on from the file.
        torch.onnx.export(
            module,
            tuple(inputs),
            str(path),
            input_names=names,
            output_names=["y"],
            dynamic_axes={name: free[name] for name in [*names, "y"]},
            opset_version=17,
            do_constant_folding=False,
            dynamo=False,
        )
    save(onnx.load(path), path, contract)


def save(model: onnx.ModelProto, path: Path, contract: Contract) -> None:
    """Write a graph with its contract."""
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, {KEY: contract.to_json()})
    onnx.save(model, path)


def inputs_for(x: np.ndarray, contract: Contract, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """What a generator takes beside its input x, float32 (B, P, F, T) or (B, C, n): a draw of noise, z and maps."""
    inputs = {"x": x}
    if "spectrogram" in contract.noise:
        wave = contract.domain == "waveform"
        shape = x.shape if wave else (len(x), 2 * contract.channels, *x.shape[2:])
        noise = rng.standard_normal(shape) * (1 if wave else contract.stft.noise_rms)
        inputs["noise"] = noise.astype(np.float32)
    if "vector" in contract.noise:
        inputs["z"] = rng.standard_normal((len(x), contract.z_size)).astype(np.float32)
    if contract.conditioning:
        shape = (len(x), contract.channels * len(contract.conditioning), *x.shape[2:])
        inputs["conditioning"] = rng.random(shape).astype(np.float32)
    return inputs


def _inputs(contract: Contract, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Inputs as the pipeline gives them: they start and end on the grid."""
    wave = contract.domain == "waveform"
    # Room for more context than is promised, so that it would be seen.
    least = max(SAMPLES if wave else FRAMES, 5 * contract.context + 2 * contract.multiple)
    length = -(-least // contract.multiple) * contract.multiple
    if wave:
        x = 0.2 * rng.standard_normal((1, contract.channels, length))
    else:
        # Spectra fall towards high frequencies, some bins are louder than others, and the highest are empty, so that
        # all branches of a network are met: what asks how tonal a sound is, or what it lacks, is deaf to white noise.
        bins = contract.stft.bins
        slope = 10 ** (-3 * np.linspace(0, 1, bins)) * np.exp(rng.normal(0, COLOUR, bins))
        slope[bins // 2 :] = 0
        slope = slope[:, None]
        parts = contract.channels * (2 if contract.domain == "complex" else 1)
        x = rng.standard_normal((1, parts, bins, length)) * slope * 30
        if contract.domain == "magnitude":
            x = np.abs(x)
    return inputs_for(x.astype(np.float32), contract, rng)


def check_context(runner: Generator) -> None:
    """Probe that a generator's output depends on no more than its contract says.

    All of its inputs beyond the context of a block in the middle is silenced: no bit of the block may change. Then it
    is cut away, since a graph may treat the ends of what it is given in another way.

    Raises:
        Mp3fixError: one does.
    """
    contract = runner.contract
    arrays = _inputs(contract, np.random.default_rng(1))
    before = runner.run(**arrays)  # type: ignore[arg-type]
    first = before.shape[-1] // 2 // contract.multiple * contract.multiple
    last = first + contract.multiple
    for name in ("x", "conditioning"):
        if name in arrays:
            arrays[name] = arrays[name].copy()
            arrays[name][..., : first - contract.context] = 0
            arrays[name][..., last + contract.context :] = 0
    after = runner.run(**arrays)  # type: ignore[arg-type]
    reach = -(-contract.context // contract.multiple) * contract.multiple
    cut = {
        name: each if each.ndim == 2 else each[..., first - reach : last + reach]
        for name, each in arrays.items()
    }
    kept = after[..., first:last]
    changed = (before[..., first:last] != kept).any()
    if not changed:
        alone = runner.run(**cut)[..., reach : reach + contract.multiple]  # type: ignore[arg-type]
        changed = np.abs(alone - kept).max() > TOLERANCE * np.abs(kept).max()
    if changed:
        unit = "samples" if contract.domain == "waveform" else "frames"
        raise Mp3fixError(
            f"the network reaches further than the {contract.context} {unit} that it says: not exported"
        )


def _compare(module: nn.Module, runner: Generator) -> None:
    arrays = _inputs(runner.contract, np.random.default_rng(0))
    texture = {"texture": 0.7} if runner.contract.texture else {}
    given = arrays | {name: np.array([value], np.float32) for name, value in texture.items()}
    tensors = [torch.from_numpy(given[name]) for name in runner.contract.inputs]
    with torch.no_grad():
        wanted = module(*tensors).numpy()
    got = runner.run(**arrays, **texture)  # type: ignore[arg-type]
    difference = float(np.abs(wanted - got).max() / np.abs(wanted).max())
    if difference > TOLERANCE:
        raise Mp3fixError(f"ONNX Runtime's output differs from torch's by {difference:.1e}: not exported")
