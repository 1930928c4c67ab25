"""What a generator costs: parameters, bytes, multiplications and time, of the network alone."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from mp3fix.evaluation.bench import chunk_of, fastest, random_inputs
from mp3fix.evaluation.models import Model
from mp3fix.generator.contract import Contract, read_contract
from mp3fix.generator.devices import available_cores
from mp3fix.generator.session import Generator, import_runtime

CORES = 2
BLOCK = 100_000  # samples, the unit of Deshpande & Abichandani's times

_CONVOLUTIONS = ("Conv", "ConvInteger")
_PRODUCTS = ("MatMul", "MatMulInteger", "Gemm")
_RECURRENT = ("LSTM", "GRU", "RNN")
COUNTED = (*_CONVOLUTIONS, "ConvTranspose", *_PRODUCTS, *_RECURRENT)
_WEIGHTS = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.INT8, TensorProto.UINT8)


@dataclass(frozen=True)
class Cost:
    """What one generator costs.

    Attributes:
        domain: what it takes and gives.
        parameters: values of its weights, fixed filters and tables among them.
        megabytes: of its file.
        gmac: 10^9 multiply-accumulates for each second of one channel.
        speed: times real time of one channel, or of a pair's two channels counted one by one, on CORES cores.
        block_ms: milliseconds for BLOCK samples of one channel, at the generator's own rate.
        trained_on: the contract's word.
    """

    domain: str
    parameters: int
    megabytes: float
    gmac: float
    speed: float
    block_ms: float
    trained_on: str


def costs(models: Sequence[Model]) -> dict[str, Cost]:
    """The cost of each generator, by label. They take turns, so that what else the machine does disturbs all alike."""
    contracts = [read_contract(model.path) for model in models]
    speeds = _speeds([model.path for model in models], contracts)
    return {
        model.label: Cost(
            contract.domain,
            parameters(model.path),
            model.path.stat().st_size / 1e6,
            gmac(model.path),
            speed,
            1000 * BLOCK / contract.stft.rate / speed,
            contract.trained_on,
        )
        for model, contract, speed in zip(models, contracts, speeds, strict=True)
    }


def parameters(path: Path) -> int:
    """Values of all weights in a file; sizes, indices and single constants do not count."""
    weights = onnx.load(path).graph.initializer
    return sum(math.prod(each.dims) for each in weights if each.dims and each.data_type in _WEIGHTS)


def gmac(path: Path) -> float:
    """10^9 multiply-accumulates for each further second of one channel, of convolutions, products and recurrences.

    What a longer chunk takes more, so that the context of a chunk does not count: it depends on the chunk's length.
    """
    contract = read_contract(path)
    kept, context, seconds = chunk_of(contract)
    first, second = (multiplications(path, contract, times * kept + 2 * context) for times in (1, 2))
    return (second - first) / seconds / contract.channels / 1e9


def multiplications(path: Path, contract: Contract, length: int) -> int:
    """Multiply-accumulates of one row of so many frames (samples).

    Shapes are those that ONNX Runtime finds when it runs: many are computed by the graph itself.
    """
    model = onnx.load(path)
    nodes = [node for node in model.graph.node if node.op_type in COUNTED]
    names = {name for node in nodes for name in (*node.input[:3], node.output[0]) if name}
    for number, name in enumerate(sorted(names)):
        shape = f"mp3fix_shape_{number}"
        model.graph.node.append(helper.make_node("Shape", [name], [shape]))
        model.graph.output.append(helper.make_tensor_value_info(shape, TensorProto.INT64, [None]))
    outputs = [f"mp3fix_shape_{number}" for number in range(len(names))]
    runtime = import_runtime()
    options = runtime.SessionOptions()
    options.intra_op_num_threads = CORES
    session = runtime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    found = session.run(outputs, _feed(model, contract, length)) if names else []
    shapes = {name: tuple(map(int, shape)) for name, shape in zip(sorted(names), found, strict=True)}
    return sum(_multiplications(node, shapes) for node in nodes)


def _feed(model: Any, contract: Contract, length: int) -> dict[str, np.ndarray]:
    given = random_inputs(contract, 1, length)
    if contract.texture:
        given["texture"] = np.array([contract.default_texture])
    types = {each.name: each.type.tensor_type.elem_type for each in model.graph.input}
    return {name: value.astype(helper.tensor_dtype_to_np_dtype(types[name])) for name, value in given.items()}


def _multiplications(node: Any, shapes: dict[str, tuple[int, ...]]) -> int:
    x, weights = shapes[node.input[0]], shapes[node.input[1]]
    y = shapes[node.output[0]] if node.output[0] else ()
    if node.op_type in _CONVOLUTIONS:
        return math.prod(y) * math.prod(weights[1:])
    if node.op_type == "ConvTranspose":
        return math.prod(x) * math.prod(weights[1:])
    if node.op_type in _RECURRENT:  # x is (steps, batch, values), or with layout 1 (batch, steps, values)
        return x[0] * x[1] * (math.prod(weights) + math.prod(shapes[node.input[2]]))
    turned = any(each.name == "transA" and each.i for each in node.attribute)
    return math.prod(y) * x[0 if turned else -1]


def _speeds(paths: Sequence[Path], contracts: Sequence[Contract]) -> list[float]:
    stages, seconds = [], []
    for path, contract in zip(paths, contracts, strict=True):
        kept, context, each = chunk_of(contract)
        generator = Generator.load(path, "cpu", min(CORES, available_cores()))
        stages.append(partial(generator.run, **random_inputs(contract, 1, kept + 2 * context)))
        seconds.append(each * contract.channels)
    return [length / taken for length, taken in zip(seconds, fastest(stages), strict=True)]
