"""From weights to a generator's file: ONNX with the contract inside, checked before it is kept."""

import textwrap
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from torch import nn

from mp3fix.errors import ModelError, Mp3fixError
from mp3fix.generator.contract import KEY, Contract, read_contract
from mp3fix.generator.session import Generator
from mp3fix.signal.stft import StftSpec
from mp3fix.training import checkpoint
from mp3fix.training.networks.folded import BAND, Estimate, Folded, times_bands

SPEC = StftSpec()
TOLERANCE = 1e-4  # largest difference between torch and ONNX Runtime, relative to the largest value
EMPTY = 1e-12  # power of a bin, far below -200 dB re a full-scale sine
FRAMES = 192  # of the inputs that are compared and probed
PREFIX = "network."  # of the weights' names in the file


class Deterministic(nn.Module):
    """The estimate alone, without noise. Shape: (B, 2, F, T) -> (B, 2, F, T)."""

    def __init__(self, network: Folded) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The restoration."""
        return self.network.estimate(x).mean


class Stochastic(nn.Module):
    """The generator as it is shipped: takes the plain STFT of unit white noise, and the song-level vector.

    Args:
        network: with its weights.
        reach: scale of the vector. 1 spans all that the network, which hears a second, finds possible;
            less keeps every seed closer to what is likely.
        air: how loud the noise is, as a share, where the spectrum is otherwise empty. What is drawn between what
            the MP3 kept restores its level; where nothing is kept to be heard with it, a draw that is not needed is
            heard as hiss.
    """

    def __init__(self, network: Folded, reach: float, air: float) -> None:
        super().__init__()
        self.network, self.reach, self.air = network, reach, air

    def forward(
        self, x: torch.Tensor, noise: torch.Tensor, z: torch.Tensor, texture: torch.Tensor
    ) -> torch.Tensor:
        """One restoration, (B, 2, F, T)."""
        estimate = self._aired(self.network.estimate(x))
        return estimate.mean + self.network.draw(estimate, noise / SPEC.noise_rms, self.reach * z, texture)

    def _aired(self, estimate: Estimate) -> Estimate:
        kept, drawn = (
            (plane[:, :, :-1] * plane[:, :, :-1]).sum(1, keepdim=True).unflatten(2, (-1, BAND)).mean(3)
            for plane in (estimate.mean, estimate.spread)
        )
        share = 1 - (1 - self.air) * drawn / (drawn + kept + EMPTY)
        spread = times_bands(estimate.spread[:, :, :-1], share)
        return estimate._replace(spread=torch.cat([spread, estimate.spread[:, :, -1:]], 2))


def export(
    network: Folded,
    path: Path,
    *,
    name: str,
    version: str,
    licence: str,
    trained_on: str,
    texture: float | None,
    reach: float = 1.0,
    air: float = 1.0,
) -> Contract:
    """Write a generator's file.

    Args:
        network: with the weights to ship.
        path: of the .onnx file; replaced only when everything agrees.
        name, version, licence, trained_on: for the contract.
        texture: the default texture; None exports the deterministic estimate.
        reach, air: of the seeds and of the noise, see Stochastic.

    Returns:
        The contract, its context checked by a probe.

    Raises:
        Mp3fixError: ONNX Runtime's output differs from torch's, or the network reaches further than it says.
    """
    network = network.cpu().eval()
    drawn = texture is not None
    module = Stochastic(network, reach, air) if drawn else Deterministic(network)
    contract = Contract(
        name=name,
        version=version,
        licence=licence,
        trained_on=trained_on,
        kind="stochastic" if drawn else "deterministic",
        stft=SPEC,
        domain="complex",
        channels=1,
        noise=("spectrogram", "vector") if drawn else (),
        z_size=network.z if drawn else 0,
        texture=drawn,
        default_texture=0.0 if texture is None else texture,
        conditioning=(),
        unknown=0.0,
        context=0,
        multiple=1,
        precision="fp32",
    )
    temporary = path.with_suffix(".part.onnx")
    try:
        _write(module, temporary, contract)
        runner = Generator.load(temporary, "cpu")
        _compare(module, runner)
        check_context(runner, network.context)
        contract = replace(contract, context=network.context)
        save(onnx.load(temporary), temporary, contract)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return contract


def load_checkpoint(path: Path) -> tuple[Folded, dict[str, Any]]:
    """The network with the moving average of a run's weights, and what the checkpoint says of the run.

    Raises:
        Mp3fixError: there is none, it is broken, or its weights do not fit its configuration.
    """
    state = checkpoint.read(path)
    try:
        network = Folded(**state["config"]["network"])
    except (KeyError, TypeError):
        raise Mp3fixError(f"{path}: its network is not of this version of mp3fix") from None
    checkpoint.fill_all(network, state["average"], path)
    return network, state


def trained_on(state: dict[str, Any]) -> str:
    """What a generator was trained on, by its checkpoint, as one line; old checkpoints know no sources."""
    parts = [f"{state['step']} steps, {state['minutes']:.0f} min on {state['device']}"]
    if init := state.get("init"):
        parts.append(f"continued from {Path(init['file']).stem} {init['version']}")
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
    x = torch.randn(1, 2, SPEC.bins, FRAMES)
    inputs: tuple[torch.Tensor, ...] = (x,)
    if contract.noise:
        inputs = (x, torch.randn_like(x), torch.randn(1, contract.z_size), torch.ones(1))
    names = list(contract.inputs)
    free: dict[str, dict[int, str]] = {"z": {0: "batch"}, "texture": {}}
    free |= {name: {0: "batch", 3: "frames"} for name in ("x", "noise", "y")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Not folded: initialisers keep their names, so that training can go on from the file.
        torch.onnx.export(
            module,
            inputs,
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
    """What a generator takes beside spectra x, float32 (B, 2, F, T): a draw of noise and of z, if it draws."""
    if not contract.noise:
        return {"x": x}
    noise = rng.standard_normal(x.shape) * SPEC.noise_rms
    z = rng.standard_normal((len(x), contract.z_size))
    return {"x": x, "noise": noise.astype(np.float32), "z": z.astype(np.float32)}


def _inputs(contract: Contract, rng: np.random.Generator) -> dict[str, np.ndarray]:
    # Spectra fall towards high frequencies, so that all branches of the network are met.
    slope = 10 ** (-3 * np.linspace(0, 1, SPEC.bins))[:, None]
    x = (rng.standard_normal((1, 2, SPEC.bins, FRAMES)) * slope * 30).astype(np.float32)
    return inputs_for(x, contract, rng)


def check_context(runner: Generator, promised: int) -> None:
    """Probe what a generator's output depends on.

    Args:
        runner: the generator.
        promised: frames on each side, at most.

    Raises:
        Mp3fixError: it is seen to depend on more.
    """
    probed = _probe_context(runner)
    if probed > promised:
        raise Mp3fixError(f"the network reaches {probed} frames, not {promised} as it says: not exported")


def _compare(module: nn.Module, runner: Generator) -> None:
    arrays = _inputs(runner.contract, np.random.default_rng(0))
    tensors = [torch.from_numpy(array) for array in arrays.values()]
    texture: dict[str, float] = {}
    if runner.contract.texture:
        texture = {"texture": 0.7}
        tensors.append(torch.tensor([0.7]))
    with torch.no_grad():
        wanted = module(*tensors).numpy()
    got = runner.run(**arrays, **texture)  # type: ignore[arg-type]
    difference = float(np.abs(wanted - got).max() / np.abs(wanted).max())
    if difference > TOLERANCE:
        raise Mp3fixError(f"ONNX Runtime's output differs from torch's by {difference:.1e}: not exported")


def _probe_context(runner: Generator) -> int:
    """Frames on each side that an output is seen to depend on when one frame in the middle changes.

    What changes by less than a rounding error is not seen: a bound from below.
    """
    arrays = _inputs(runner.contract, np.random.default_rng(1))
    before = runner.run(**arrays)  # type: ignore[arg-type]
    arrays["x"] = arrays["x"].copy()
    middle = FRAMES // 2
    arrays["x"][..., middle] *= 2
    after = runner.run(**arrays)  # type: ignore[arg-type]
    touched = np.flatnonzero((before != after).any(axis=(0, 1, 2)))
    context = int(np.abs(touched - middle).max(initial=0))
    if context >= middle - 1:
        raise Mp3fixError(
            "the network depends on more frames than are probed; it would never have exact seams"
        )
    return context
