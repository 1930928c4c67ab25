"""A generator whose matrix products run in 8 bits, ranges found while it runs: dynamic quantisation.

For networks whose weights sit in matrix products, such as that of Deshpande & Abichandani (2021), who quantise theirs
so. Weights: 7 bits and a scale for each output, since sums of two products of 8 bits saturate on x86 CPUs without VNNI
(onnxruntime.ai/docs/performance/model-optimizations/quantization.html). What is multiplied: 8 bits, and a scale for
each row, which is a row of a frame. `onnxruntime.quantization.quantize_dynamic` takes one scale for all that is run at
once: then the output of a frame would depend on the loudest of its chunk, and chunks would have seams.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from mp3fix.errors import ModelError
from mp3fix.generator.contract import read_contract
from mp3fix.generator.session import Generator
from mp3fix.training.export import check_context, save
from mp3fix.training.variants import Inputs, change_snr

LEVELS = 127  # of what is multiplied, on each side of zero
WEIGHT_LEVELS = 63  # of the weights: 7 bits
ZERO = 128  # the unsigned value that stands for zero
TINY = 1e-20  # beside which a row is silent


@dataclass(frozen=True)
class Quantised:
    """A generator in 8 bits.

    Attributes:
        path: its file.
        share: of the fp32 file's size.
        snr: of what it changes in a spectrum against what the fp32 generator changes, mean over the spectra, dB.
    """

    path: Path
    share: float
    snr: float


def quantise(source: Path, inputs: Sequence[Inputs]) -> Quantised:
    """Write NAME-int8.onnx beside NAME.onnx.

    Args:
        source: a generator of complex spectra, fp32.
        inputs: to measure the error on; see variants.real_inputs.

    Raises:
        ModelError: it is no generator in fp32, or has no matrix product by weights.
        Mp3fixError: it depends on more frames than its contract says.
    """
    contract = read_contract(source)
    if contract.precision != "fp32":
        raise ModelError(f"{source}: its weights are {contract.precision} already")
    model = onnx.load(source)
    if not quantise_products(model):
        raise ModelError(f"{source}: no 8-bit form, since it has no matrix product by weights")
    name = f"{contract.name}-int8"
    path = source.with_name(f"{name}.onnx")
    temporary = path.with_suffix(".part.onnx")
    try:
        save(model, temporary, replace(contract, name=name, precision="int8"))
        runner = Generator.load(temporary, "cpu")
        check_context(runner)
        ratios = change_snr(Generator.load(source, "cpu"), runner, inputs)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return Quantised(path, path.stat().st_size / source.stat().st_size, float(np.mean(ratios)))


def quantise_products(model: onnx.ModelProto) -> int:
    """Put each product of anything by a matrix of weights in 8 bits, in place; returns how many there were."""
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    nodes: list[onnx.NodeProto] = []
    done = []
    for node in model.graph.node:
        if node.op_type == "MatMul" and node.input[1] in weights:
            values = numpy_helper.to_array(weights[node.input[1]])
            new_nodes, tensors = _product(node, values)
            nodes += new_nodes
            model.graph.initializer.extend(tensors)
            done.append(node.input[1])
        else:
            nodes.append(node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    left = {name for node in nodes for name in node.input}
    for name in set(done) - left:
        model.graph.initializer.remove(weights[name])
    return len(done)


def _product(
    node: onnx.NodeProto, weights: np.ndarray
) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """One product (..., I) by (I, O) in 8 bits."""
    scales = np.maximum(np.abs(weights).max(0), 1e-12) / WEIGHT_LEVELS
    rounded = np.round(weights / scales).astype(np.int8)
    x, y = node.input[0], node.output[0]

    def named(step: str) -> str:
        return f"{y}/{step}"

    constants = {
        "weights": rounded,
        "scales": (scales / LEVELS).astype(np.float32),
        "levels": np.array(LEVELS, np.float32),
        "tiny": np.array(TINY, np.float32),
        "middle": np.array(ZERO, np.float32),
        "zero": np.array(ZERO, np.uint8),
    }

    def steps() -> Iterator[onnx.NodeProto]:
        def step(kind: str, inputs: list[str], output: str, **attributes: Any) -> onnx.NodeProto:
            return helper.make_node(kind, inputs, [output], output, **attributes)

        yield step("Abs", [x], named("size"))
        yield step("ReduceMax", [named("size")], named("peak"), axes=[-1], keepdims=1)
        yield step("Max", [named("peak"), named("tiny")], named("range"))
        yield step("Div", [x, named("range")], named("share"))
        yield step("Mul", [named("share"), named("levels")], named("level"))
        yield step("Round", [named("level")], named("rounded"))
        yield step("Add", [named("rounded"), named("middle")], named("shifted"))
        yield step("Cast", [named("shifted")], named("eight"), to=TensorProto.UINT8)
        yield step("MatMulInteger", [named("eight"), named("weights"), named("zero")], named("sum"))
        yield step("Cast", [named("sum")], named("product"), to=TensorProto.FLOAT)
        yield step("Mul", [named("product"), named("range")], named("ranged"))
        yield step("Mul", [named("ranged"), named("scales")], y)

    tensors = [numpy_helper.from_array(value, named(name)) for name, value in constants.items()]
    return list(steps()), tensors
