import json
import os
import subprocess
import sys
import textwrap
from functools import partial

import networks
import numpy as np
import onnx
import pytest
import runtimes
from onnx import TensorProto, helper

from mp3fix.errors import DeviceError, ModelError
from mp3fix.generator.contract import KEY
from mp3fix.generator.session import Generator
from mp3fix.signal.stft import StftSpec

BOTH = ("spectrogram", "vector")
KINDS = {
    "complex": {},
    "complex, all inputs": {
        "noise": BOTH,
        "z_size": 3,
        "texture": True,
        "conditioning": ("error", "dead"),
        "multiple": 4,
    },
    "complex pair": {"channels": 2, "noise": ("spectrogram",)},
    "magnitude": {"domain": "magnitude"},
    "magnitude pair": {"domain": "magnitude", "channels": 2, "noise": ("spectrogram",), "texture": True},
    "waveform": {"domain": "waveform", "multiple": 8},
    "waveform pair": {"domain": "waveform", "channels": 2, "noise": BOTH, "z_size": 2, "texture": True},
    "half": {"precision": "fp16", "noise": ("spectrogram",), "texture": True},
}


def draw(contract, batch=1, length=48, seed=0):
    """Random values for each input but the texture."""
    rng = np.random.default_rng(seed)
    shapes = {
        name: [batch if axis == 0 else size or length for axis, size in enumerate(dims)]
        for name, dims in contract.inputs.items()
        if name != "texture"
    }
    return {name: rng.standard_normal(shape, np.float32) for name, shape in shapes.items()}


@pytest.fixture(params=KINDS)
def generator(request, tmp_path):
    return Generator.load(networks.save(tmp_path / "net.onnx", **KINDS[request.param]), "cpu")


def test_every_input_reaches_the_output(generator):
    inputs = draw(generator.contract)
    y = generator.run(**inputs)
    assert y.dtype == np.float32
    assert y.shape == inputs["x"].shape
    for name in inputs:
        assert not np.array_equal(y, generator.run(**inputs | {name: inputs[name] * 0.5})), name
    if generator.contract.texture:
        assert np.array_equal(y, generator.run(**inputs, texture=generator.contract.default_texture))
        assert not np.array_equal(y, generator.run(**inputs, texture=0.0))


def test_context_is_enough_and_needed(generator):
    """The middle, run with `context` on each side, is the whole song's; with less it is not."""
    contract = generator.contract
    multiple, context = contract.multiple, contract.context
    inputs = draw(contract, length=16 * multiple + 4 * context)
    whole = generator.run(**inputs)
    start, stop = -(-context // multiple) * multiple + 2 * multiple, 10 * multiple

    def kept(context):
        reach = -(-context // multiple) * multiple
        cut = {
            name: value if value.ndim == 2 else value[..., start - reach : stop + reach]
            for name, value in inputs.items()
        }
        return np.abs(generator.run(**cut)[..., reach : reach + stop - start] - whole[..., start:stop]).max()

    tolerance = 1e-2 if contract.precision == "fp16" else 1e-5
    assert kept(context) <= tolerance
    assert kept(context - multiple) > tolerance


def test_threads_and_batch_change_no_bit(tmp_path):
    path = networks.save(tmp_path / "net.onnx", stft=StftSpec(), **KINDS["complex, all inputs"])
    one, two = (Generator.load(path, "cpu", threads) for threads in (1, 2))
    inputs = draw(one.contract, batch=4, length=160)
    y = two.run(**inputs)
    assert np.array_equal(one.run(**inputs), y)
    for row in range(4):
        alone = {name: value[row : row + 1] for name, value in inputs.items()}
        assert np.array_equal(one.run(**alone)[0], y[row])
        assert np.array_equal(two.run(**alone)[0], y[row])


def test_unknown_is_what_no_conditioning_means(tmp_path):
    generator = Generator.load(networks.save(tmp_path / "a.onnx", conditioning=("error", "dead")), "cpu")
    inputs = draw(generator.contract)
    unknown = np.full_like(inputs["conditioning"], generator.contract.unknown)
    assert np.array_equal(generator.run(inputs["x"]), generator.run(inputs["x"], conditioning=unknown))


def test_inputs_are_checked(tmp_path):
    generator = Generator.load(networks.save(tmp_path / "a.onnx", noise=("vector",), z_size=3), "cpu")
    inputs = draw(generator.contract)
    with pytest.raises(ValueError, match=r"takes x, z, but was given x$"):
        generator.run(inputs["x"])
    with pytest.raises(ValueError, match="takes x, z, but was given x, noise, z"):
        generator.run(**inputs, noise=inputs["x"])
    with pytest.raises(ValueError, match=r"x: shape .* takes \(any, 2, 129, any\)"):
        generator.run(inputs["x"][:, :1], z=inputs["z"])
    with pytest.raises(ValueError, match="threads"):
        Generator.load(generator.path, "cpu", 0)


# Files that break the contract, or worse.


def breaking(tmp_path, change, **contract):
    """A generator after `change(model)`, loaded."""
    promised = networks.contract(**contract)
    model = networks.model(promised)
    change(model)
    return Generator.load(networks.write(tmp_path / "bad.onnx", model, promised.to_json()), "cpu")


def dims(value):
    return value.type.tensor_type.shape.dim


def test_contracts_the_graph_does_not_keep(tmp_path):
    def refused(change, match, **contract):
        with pytest.raises(ModelError, match=match) as caught:
            breaking(tmp_path, change, **contract)
        assert "bad.onnx: " in str(caught.value)
        assert str(caught.value).count("\n") < 3

    quiet = networks.model(networks.contract())

    def fix(axis, size):
        return lambda model: setattr(dims(model.graph.input[0])[axis], "dim_value", size)

    refused(fix(3, 560), r"input x: is \(any, 2, 129, 560\), but its contract says \(any, 2, 129, any\)")
    refused(fix(0, 1), r"input x: is \(1, 2, 129, any\)")
    refused(fix(3, 2**62), r"input x: is")
    refused(lambda m: m.CopyFrom(quiet), "promises the input noise, but its graph has none", noise=BOTH[:1])
    extra = helper.make_tensor_value_info("extra\x1b", TensorProto.FLOAT, [1])
    refused(lambda m: m.graph.input.append(extra), r"has the input 'extra\\x1b', which its contract")
    refused(lambda m: setattr(m.graph.output[0].type.tensor_type, "elem_type", 11), "bad.onnx")
    refused(lambda m: m.graph.output.append(m.graph.input[0]), "has the output 'x', which its contract")
    refused(lambda m: m.graph.node.pop(), "ONNX Runtime cannot load it")
    refused(lambda m: m.graph.node.add(op_type="Evil", output=["e"]), "ONNX Runtime cannot load it: .*Evil")


def test_types_other_than_float_are_refused(tmp_path):
    values = [
        helper.make_tensor_value_info(name, TensorProto.DOUBLE, ["B", 2, 129, "T"]) for name in ("x", "y")
    ]
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", values[:1], values[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path = networks.write(tmp_path / "double.onnx", model, networks.contract().to_json())
    with pytest.raises(ModelError, match=r"input x: is tensor\(double\), must be float32 or float16"):
        Generator.load(path, "cpu")


def test_huge_weights_are_refused(tmp_path):
    def huge(model):
        model.graph.initializer[0].dims[:] = [2**40, 2**20]

    with pytest.raises(ModelError, match=r"bad\.onnx: a weight claims more values than it holds"):
        breaking(tmp_path, huge)


def test_weights_in_other_files_are_refused(tmp_path):
    """Even if they are there: what a generator does must not depend on its neighbours."""

    def move(model):
        weight = model.graph.initializer[0]
        (tmp_path / "weights.bin").write_bytes(weight.raw_data)
        weight.ClearField("raw_data")
        weight.data_location = TensorProto.EXTERNAL
        weight.external_data.add(key="location", value="weights.bin")

    with pytest.raises(ModelError, match=r"bad\.onnx: its weights are in other files"):
        breaking(tmp_path, move)


def test_damaged_files_give_an_error_or_work(tmp_path):
    """No byte of a model can crash the program."""
    content = networks.save(tmp_path / "net.onnx", noise=BOTH, z_size=2).read_bytes()
    rng = np.random.default_rng(5)
    path = tmp_path / "damaged.onnx"
    refused = 0
    for trial in range(150):
        damaged = bytearray(content)
        if trial < 50:
            del damaged[len(content) * trial // 50 :]
        else:
            damaged[rng.integers(len(content))] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        try:
            Generator.load(path, "cpu")
        except ModelError as error:
            refused += 1
            assert str(error).startswith(f"{path}: ")
            assert len(str(error)) < 400 + len(str(path))
    assert refused >= 50


def test_the_name_does_not_change_the_format(tmp_path):
    """Only ONNX is checked for references to other files, so only ONNX is loaded, whatever a file's name."""
    path = networks.save(tmp_path / "net.ort")
    assert Generator.load(path, "cpu").contract.name == "tiny"


def test_outputs_are_checked(tmp_path):
    def cut(model):  # fewer frames than promised: only a run can tell
        model.graph.node[-1].output[0] = "full"
        for name, value in (("from", [0]), ("to", [-1]), ("axes", [3])):
            model.graph.initializer.append(onnx.numpy_helper.from_array(np.array(value), name))
        model.graph.node.append(helper.make_node("Slice", ["full", "from", "to", "axes"], ["y"]))

    generator = breaking(tmp_path, cut)
    with pytest.raises(ModelError, match=r"bad\.onnx: gave an output of shape \(1, 2, 129, 47\)"):
        generator.run(**draw(generator.contract))


def test_overflow_is_no_silent_noise(tmp_path):
    generator = Generator.load(networks.save(tmp_path / "half.onnx", precision="fp16"), "cpu")
    x = np.full((1, 2, 129, 16), 60000, np.float32)
    with pytest.raises(ModelError, match="no finite numbers"):
        generator.run(x)


def test_failures_of_a_run_name_the_file(tmp_path):
    generator = Generator.load(networks.save(tmp_path / "net.onnx", multiple=4), "cpu")
    with pytest.raises(ModelError, match=r"net\.onnx: failed on cpu: .*broadcast"):
        generator.run(np.ones((1, 2, 129, 6), np.float32))  # 6 frames do not survive the hourglass


# Devices.


@pytest.mark.parametrize("device", ["tpu", "", "cuda:", "cuda:x", "cpu:0", "CUDA", "auto:1", "cuda:-1"])
def test_unknown_devices_list_the_known(tmp_path, device):
    with pytest.raises(DeviceError, match="there are auto, cpu, cuda and cuda:N"):
        Generator.load(networks.save(tmp_path / "net.onnx"), device)


@pytest.fixture
def machine(monkeypatch):
    return partial(runtimes.install, monkeypatch)


def test_a_gpu_is_used_and_said(tmp_path, machine, capfd):
    runtime = machine("works")
    path = networks.save(tmp_path / "net.onnx")
    assert Generator.load(path, "auto").device == "cuda:0"
    assert Generator.load(path, "cuda").device == "cuda:0"
    assert Generator.load(path, "cuda:2").device == "cuda:2"
    options = runtime.asked[-1][0][1]
    assert options["device_id"] == 2
    assert options["use_tf32"] == 0
    assert Generator.load(path, "cuda", fast=True).device == "cuda:0"
    assert runtime.asked[-1][0][1] == options | {"device_id": 0, "use_tf32": 1}
    assert Generator.load(path, "cpu").device == "cpu"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [("raises", "CUDA failure 100: no CUDA-capable device is detected"), ("silent", "no libcudnn")],
)
def test_an_explicit_gpu_never_falls_back(tmp_path, machine, capfd, outcome, reason):
    machine(outcome)
    path = networks.save(tmp_path / "net.onnx")
    with pytest.raises(DeviceError) as caught:
        Generator.load(path, "cuda:1")
    first, second = str(caught.value).split("\n")
    assert first == f"cuda:1: cannot use the GPU: {reason}"
    assert "mp3fix[cuda]" in second
    assert Generator.load(path, "auto").device == "cpu"
    assert capfd.readouterr() == ("", "")


def test_a_broken_model_is_not_the_gpus_fault(tmp_path, machine):
    machine("works")
    with pytest.raises(ModelError, match="ONNX Runtime cannot load it"):
        path = networks.save(tmp_path / "net.onnx")
        model = onnx.load(path)
        model.graph.node.pop()
        Generator.load(networks.write(path, model, networks.contract().to_json()), "cuda")


def test_a_gpu_that_runs_out_of_memory_is_a_device_error(tmp_path, machine):
    machine("runs out")
    generator = Generator.load(networks.save(tmp_path / "net.onnx"), "cuda")
    with pytest.raises(DeviceError, match=r"failed on cuda:0: CUDA failure 2: out of memory$"):
        generator.run(**draw(generator.contract))


# The process around it.


def run_python(code, home, *arguments):
    """A fresh interpreter, with nothing in its environment that makes ONNX Runtime behave otherwise."""
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True)


def test_nothing_is_printed_and_nobody_is_told(tmp_path):
    """Neither messages, nor ONNX Runtime's telemetry, which would leave its cache in the home folder."""
    home = tmp_path / "home"
    home.mkdir()
    path = networks.save(tmp_path / "net.onnx")
    code = """
        import sys, time
        from mp3fix.errors import DeviceError, ModelError
        from mp3fix.generator.session import Generator
        good, bad = sys.argv[1:]
        Generator.load(good)
        for path, device in ((good, "cuda:7"), (bad, "cpu"), (bad, "cuda:7")):
            try:
                Generator.load(path, device)
            except (DeviceError, ModelError) as error:
                assert "cannot use the GPU: \\n" not in str(error)  # it says why
        """
    model = onnx.load(path)
    unused = onnx.numpy_helper.from_array(np.zeros(3, np.float32), "unused")  # worth a warning
    model.graph.initializer.append(unused)
    path.write_bytes(model.SerializeToString())
    model.graph.node.pop()
    bad = networks.write(tmp_path / "bad.onnx", model, networks.contract().to_json())
    done = run_python(code, home, path, bad)
    assert (done.stdout, done.stderr) == ("", "")
    assert [entry.name for entry in home.iterdir() if entry.name != ".nv"] == []  # CUDA's own cache


def test_contract_is_read_from_the_file_that_runs(tmp_path):
    path = networks.save(tmp_path / "net.onnx", name="mine", trained_on="a, b")
    generator = Generator.load(path, "cpu")
    assert generator.contract.name == "mine"
    assert generator.path == path
    props = {prop.key: prop.value for prop in onnx.load(path).metadata_props}
    assert json.loads(props[KEY])["trained_on"] == "a, b"
