"""Tiny generators for tests, built without torch: `save("net.onnx", domain="magnitude", multiple=4)`.

Each keeps its contract honestly: the context is real (convolutions over time), the output depends on every
input it takes, and it starts from y = x. Silence without noise stays silence.
"""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from mp3fix.generator.contract import KEY, Contract
from mp3fix.signal.stft import StftSpec

SMALL = StftSpec(n_fft=256, win_length=256, hop=64)
_REACH = 2  # frames on each side of the convolution over time


def contract(**changes: Any) -> Contract:
    """A contract with small numbers; context follows from what it takes."""
    values: dict[str, Any] = {
        "name": "tiny",
        "version": "1.0",
        "licence": "MIT",
        "trained_on": "nothing",
        "stft": SMALL,
        "domain": "complex",
        "channels": 1,
        "noise": (),
        "z_size": 0,
        "texture": False,
        "default_texture": 0.5,
        "conditioning": (),
        "unknown": -1.0,
        "multiple": 1,
        "precision": "fp32",
    } | changes
    multiple = values["multiple"]
    values.setdefault("context", max(_REACH, multiple if multiple > 1 else 0))
    values.setdefault("kind", "stochastic" if values["noise"] else "deterministic")
    return Contract(**values)


def save(path: Path, strength: float = 1.0, **changes: Any) -> Path:
    """Write the generator of `contract(**changes)`; with strength 0 it gives exactly its input."""
    promised = contract(**changes)
    return write(path, model(promised, strength), promised.to_json())


def write(path: Path, model: onnx.ModelProto, text: str | None) -> Path:
    """Write a model with this text as its contract, or with none."""
    if text is not None:
        helper.set_model_props(model, {KEY: text})
    path.write_bytes(model.SerializeToString())
    return path


def model(contract: Contract, strength: float = 1.0) -> onnx.ModelProto:
    """The graph of a contract.

    y = x + s * (m * x [+ g * x] [+ texture * sigma * noise]), where m and sigma come from convolutions of
    sqrt(|x|) [and of the conditioning], and g from an hourglass over `multiple` frames; z scales m and sigma.
    """
    return _Graph(contract).build(strength)


class _Graph:
    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.type = np.float16 if contract.precision == "fp16" else np.float32
        self.rng = np.random.default_rng(1)
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.planar = contract.domain != "waveform"  # an axis of bins before the axis of time
        self.width = contract.outputs["y"][1] or 0

    def build(self, strength: float) -> onnx.ModelProto:
        features = self.add("Sqrt", self.add("Abs", "x"))
        change = self.add("Mul", "x", self.add("Tanh", self.convolve(features, 2 * _REACH + 1)))
        if self.contract.multiple > 1:
            change = self.add("Add", change, self.add("Mul", "x", self.hourglass(features)))
        if self.contract.conditioning:
            known = self.add("Sub", "conditioning", self.weight(np.array(self.contract.unknown)))
            maps = self.add("Tanh", self.mix(known, self.contract.inputs["conditioning"][1], self.width))
            change = self.add("Add", change, self.add("Mul", "x", maps))
        if "spectrogram" in self.contract.noise:
            sigma = self.add("Sigmoid", self.convolve(features, 2 * _REACH + 1))
            drawn = self.add("Mul", sigma, self.noise_like_x())
            if self.contract.texture:
                drawn = self.add("Mul", drawn, "texture")
            change = self.add("Add", change, drawn)
        if "vector" in self.contract.noise:
            projection = self.weight(self.rng.standard_normal((self.contract.z_size, 1)))
            colour = self.add("Tanh", self.add("MatMul", "z", projection))
            ones = self.weight(np.array([0, *[1] * (len(self.contract.outputs["y"]) - 1)]), np.int64)
            change = self.add("Mul", change, self.add("Exp", self.add("Reshape", colour, ones)))
        change = self.add("Mul", change, self.weight(np.array(strength)))
        self.nodes.append(helper.make_node("Add", ["x", change], ["y"]))
        return self.finish()

    def convolve(self, source: str, reach: int) -> str:
        """Each channel alone, and all alike, so that L = R stays L = R; three bins by `reach` frames."""
        kernel = np.abs(self.rng.standard_normal((1, 1, *([3] if self.planar else []), reach))) * 0.1
        pads = ([1] if self.planar else []) + [reach // 2]
        weights = self.weight(np.repeat(kernel, self.width, axis=0))
        return self.add("Conv", source, weights, group=self.width, pads=pads * 2)

    def hourglass(self, source: str) -> str:
        """Down to one frame in `multiple`, a convolution there, and up again."""
        size = [1] * self.planar + [self.contract.multiple]
        down = self.weight(np.full((self.width, 1, *size), 0.1 / self.contract.multiple))
        low = self.add("Conv", source, down, group=self.width, strides=size)
        middle = self.weight(np.full((self.width, 1, *[1] * self.planar, 3), 0.3))
        low = self.add("Conv", low, middle, group=self.width, pads=([0] * self.planar + [1]) * 2)
        up = self.weight(self.rng.random((1, 1, *size)).repeat(self.width, axis=0))
        return self.add("Tanh", self.add("ConvTranspose", low, up, group=self.width, strides=size))

    def mix(self, source: str, inputs: int, outputs: int) -> str:
        """A 1 x 1 convolution, the same for each output."""
        kernel = self.rng.standard_normal((1, inputs, *[1] * (1 + self.planar))) / inputs
        return self.add("Conv", source, self.weight(np.repeat(kernel, outputs, axis=0)))

    def noise_like_x(self) -> str:
        """The noise; for magnitudes its own, from the real and imaginary part of each channel."""
        if self.contract.domain != "magnitude":
            return "noise"
        pairs = np.kron(np.eye(self.width), [1.0, 1.0])[..., None, None]
        return self.add("Sqrt", self.add("Conv", self.add("Mul", "noise", "noise"), self.weight(pairs)))

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], **attributes))
        return name

    def weight(self, values: np.ndarray, dtype: Any = None) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(values, dtype or self.type), name))
        return name

    def finish(self) -> onnx.ModelProto:
        element = TensorProto.FLOAT16 if self.type is np.float16 else TensorProto.FLOAT
        values = {
            name: helper.make_tensor_value_info(name, element, _symbolic(dims))
            for name, dims in (self.contract.inputs | self.contract.outputs).items()
        }
        inputs = [values[name] for name in self.contract.inputs]
        graph = helper.make_graph(self.nodes, "tiny", inputs, [values["y"]], self.weights)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def _symbolic(dims: tuple[int | None, ...]) -> list[int | str]:
    return [("B" if axis == 0 else "T") if size is None else size for axis, size in enumerate(dims)]
