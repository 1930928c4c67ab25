"""Two smaller forms of an exported generator, made from its file and measured against it.

fp16: the large weights are stored as float16, and ONNX Runtime casts them up once, when it loads the file. So it
is half the size, as fast, and the same on every device. To calculate in float16 gains nothing on x86, where ONNX
Runtime has no such kernels and casts back to float32 by itself.

int8: the trunk's matrix products, two thirds of all the work, in 8 bits (static quantisation; the ranges of what
flows are measured on real spectra). What leads into the trunk and out of it stays float32.
"""

import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from mp3fix.generator.contract import Contract, read_contract
from mp3fix.generator.quiet import quiet
from mp3fix.generator.session import Generator, import_runtime
from mp3fix.training import corpus
from mp3fix.training.examples import Examples
from mp3fix.training.export import PREFIX, check_context, inputs_for, save, weights_of
from mp3fix.training.loop import held_out
from mp3fix.training.spectra import stft

Inputs = dict[str, np.ndarray]  # of a generator, by name

SPECTRA = 96  # examples of the validation pieces: half to measure ranges on, half to measure errors on
FRAMES = 128  # of each, and the context of a generator of spectra on both sides
SEED = 5
# Smaller tensors (biases, scales, norms) stay float32: all together 70 kB, and 25 dB of the error.
LARGE = 4096  # values
# The trunk's convolutions of one frame, which are matrix products.
PRODUCTS = re.compile(rf"{re.escape(PREFIX)}(enter|leave|trunk\.\d+\.(expand|reduce))\.weight")


@dataclass(frozen=True)
class Variant:
    """A form of a generator.

    Attributes:
        path: its file.
        snr: of what it changes in a spectrum against what the fp32 generator changes, with its default texture:
            mean over the spectra, dB.
        worst: the least of them, dB.
    """

    path: Path
    snr: float
    worst: float


def write_variants(source: Path, root: Path) -> Iterator[Variant]:
    """Write NAME-fp16.onnx and NAME-int8.onnx beside NAME.onnx.

    Args:
        source: a file that `export` wrote, fp32.
        root: a corpus, whose validation pieces are coded at the settings of training.

    Raises:
        ModelError: it is no such file.
        Mp3fixError: there is no corpus, or a form depends on more frames than the contract says.
    """
    contract = read_contract(source)
    weights_of(source)
    inputs = real_inputs(root, contract, SPECTRA)
    reference = Generator.load(source, "cpu")
    for precision in ("fp16", "int8"):
        model = onnx.load(source)
        if precision == "fp16":
            store_as_half(model)
        else:
            model = quantised(model, contract, inputs[::2])
        name = f"{contract.name}-{precision}"
        path = source.with_name(f"{name}.onnx")
        temporary = path.with_suffix(".part.onnx")
        try:
            save(model, temporary, replace(contract, name=name, precision=precision))
            runner = Generator.load(temporary, "cpu")
            check_context(runner)
            ratios = change_snr(reference, runner, inputs[1::2])
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        yield Variant(path, float(np.mean(ratios)), min(ratios))


def real_inputs(
    root: Path, contract: Contract, count: int, settings: Sequence[str] = (), identity_share: float = 0.12
) -> list[Inputs]:
    """What a generator hears of the corpus' validation pieces, always the same, each coded at a random setting.

    Without any such pieces, training pieces serve, never test pieces. Arguments are those of Examples.

    Returns:
        of each, x, (1, 2, F, T), and for a generator that takes them the maps of the bitstream.
    """
    spec = contract.stft
    held = held_out(root, corpus.load(root))
    context = 0 if contract.domain == "waveform" else contract.context
    length = (FRAMES + 2 * context - 1) * spec.hop + spec.n_fft
    maps = spec if contract.conditioning else None
    examples = iter(Examples(root, held, length, SEED, 0.0, settings, identity_share, spec.rate, maps))
    inputs = []
    for _ in range(count):
        example = next(examples)
        spectrum = stft(torch.from_numpy(example.degraded)[None], spec)
        told = {"conditioning": example.maps[None]} if maps else {}
        inputs.append({"x": torch.stack([spectrum.real, spectrum.imag], 1).numpy(), **told})
    return inputs


def change_snr(reference: Generator, runner: Generator, inputs: Sequence[Inputs]) -> list[float]:
    """For each of some inputs, how closely one generator's output minus input follows another's, dB."""
    ratios = []
    for number, given in enumerate(inputs):
        x = given["x"]
        drawn: dict[str, Any] = inputs_for(x, reference.contract, np.random.default_rng(number)) | given
        wanted, got = (each.run(**drawn).astype(np.float64) for each in (reference, runner))
        power = np.sum((wanted - x) ** 2)
        if power:  # digital silence is left as it is
            ratios.append(float(10 * np.log10(power / (np.sum((wanted - got) ** 2) + 1e-30 * power))))
    return ratios


def store_as_half(model: onnx.ModelProto) -> None:
    """Store the large weights as float16, in place. They keep their names, so that training can go on from them."""
    casts = []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.size > LARGE:
            tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), tensor.name))
            full = f"{tensor.name}.float32"
            _rename_input(model, tensor.name, full)
            casts.append(helper.make_node("Cast", [tensor.name], [full], full, to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _rename_input(model: onnx.ModelProto, old: str, new: str) -> None:
    for node in model.graph.node:
        for index, name in enumerate(node.input):
            if name == old:
                node.input[index] = new


def quantised(model: onnx.ModelProto, contract: Contract, inputs: Sequence[Inputs]) -> onnx.ModelProto:
    """The model with the trunk's products in 8 bits, ranges measured on real inputs."""
    import_runtime()
    from onnxruntime import quantization

    class Reader(quantization.CalibrationDataReader):
        """Feeds the inputs. Ranges depend on nothing else: noise and z come in after the trunk."""

        def __init__(self) -> None:
            self.left = iter(inputs)

        def get_next(self) -> dict[str, np.ndarray] | None:
            given = next(self.left, None)
            if given is None:
                return None
            texture = {"texture": np.ones(1, np.float32)} if contract.texture else {}
            return inputs_for(given["x"], contract, np.random.default_rng(0)) | given | texture

    products = _as_products(model)
    with tempfile.TemporaryDirectory() as folder, quiet():  # it advises to fuse layers first: nothing to fuse
        path = Path(folder) / "int8.onnx"
        quantization.quantize_static(
            model,
            path,
            Reader(),
            op_types_to_quantize=["MatMul"],
            nodes_to_quantize=products,
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            # 7 bits of weight. With 8, sums of two products saturate on x86 CPUs without VNNI, and the result would
            # depend on the CPU: onnxruntime.ai/docs/performance/model-optimizations/quantization.html
            reduce_range=True,
            extra_options={"OpTypesToExcludeOutputQuantization": ["MatMul"]},
        )
        return onnx.load(path)


def _as_products(model: onnx.ModelProto) -> list[str]:
    """Make the trunk's 1x1 convolutions matrix products, in place, and return their names.

    A quantised product gives float32, a quantised convolution 8 bits, which would cost 13 dB.
    """
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    nodes, products = [], []
    for node in model.graph.node:
        if node.op_type != "Conv" or not PRODUCTS.fullmatch(node.input[1]):
            nodes.append(node)
            continue
        x, weight, bias = node.input
        tensor = tensors[weight]
        values = numpy_helper.to_array(tensor)[:, :, 0].T
        tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(values), weight))
        turned, product, sum_ = (f"{node.name}/{step}" for step in ("turned", "product", "sum"))
        nodes += [
            helper.make_node("Transpose", [x], [turned], turned, perm=[0, 2, 1]),
            helper.make_node("MatMul", [turned, weight], [product], product),
            helper.make_node("Add", [product, bias], [sum_], sum_),
            helper.make_node("Transpose", [sum_], [node.output[0]], node.name, perm=[0, 2, 1]),
        ]
        products.append(product)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return products
