from pathlib import Path

import networks
import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from mp3fix.evaluation import bench, comparison_cost
from mp3fix.evaluation.models import read_models
from mp3fix.signal.stft import StftSpec


def save(path: Path, nodes: list, weights: dict[str, np.ndarray], **changes: object) -> Path:
    """A generator of these nodes, with its contract."""
    contract = networks.contract(**changes)
    values = {
        name: helper.make_tensor_value_info(name, TensorProto.FLOAT, networks._symbolic(dims))
        for name, dims in (contract.inputs | contract.outputs).items()
    }
    constants = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "counted", [values["x"]], [values["y"]], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return networks.write(path, model, contract.to_json())


def floats(*shape: int) -> np.ndarray:
    return np.full(shape, 0.01, np.float32)


def test_convolutions_counted_by_hand(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Conv", ["x", "a"], ["low"], strides=[1, 4]),  # 2 -> 6 maps, one frame in 4
        helper.make_node("Conv", ["low", "b"], ["mixed"], group=2, pads=[1, 0, 1, 0]),  # 3 bins, 3 of 6 maps
        helper.make_node("ConvTranspose", ["mixed", "c"], ["y"], strides=[1, 4]),  # 6 -> 2 maps
    ]
    weights = {"a": floats(6, 2, 1, 4), "b": floats(6, 3, 3, 1), "c": floats(6, 2, 1, 4)}
    path = save(tmp_path / "conv.onnx", nodes, weights, multiple=4)
    # Each of 129 bins, for one frame in 4: 2 x 6 x 4, then 6 x 3 x 3, then 6 x 2 x 4.
    assert comparison_cost.gmac(path) == pytest.approx(129 * (48 + 54 + 48) * 44100 / 64 / 4 / 1e9, rel=1e-9)
    assert comparison_cost.parameters(path) == 48 + 54 + 48


def test_products_and_shapes_that_the_graph_computes(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Transpose", ["x"], ["frames"], perm=[0, 3, 1, 2]),  # (B, T, 2, F)
        helper.make_node("Shape", ["frames"], ["shape"]),
        helper.make_node("MatMul", ["frames", "in"], ["few"]),  # 129 -> 16
        helper.make_node("Reshape", ["few", "flat"], ["rows"]),  # (2 B T, 16)
        helper.make_node("Gemm", ["rows", "out"], ["many"], transB=1),  # 16 -> 129
        helper.make_node("Reshape", ["many", "shape"], ["again"]),
        helper.make_node("Transpose", ["again"], ["y"], perm=[0, 2, 3, 1]),
    ]
    weights = {"in": floats(129, 16), "out": floats(129, 16), "flat": np.array([-1, 16])}
    path = save(tmp_path / "products.onnx", nodes, weights)
    assert comparison_cost.gmac(path) == pytest.approx(2 * 2 * 129 * 16 * 44100 / 64 / 1e9, rel=1e-9)
    assert comparison_cost.parameters(path) == 2 * 129 * 16  # the shape is no weight


def test_a_recurrence_over_samples(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Transpose", ["x"], ["steps"], perm=[2, 0, 1]),  # (n, B, 1)
        helper.make_node("LSTM", ["steps", "w", "r"], ["h"], hidden_size=1),
        helper.make_node("Squeeze", ["h", "one"], ["flat"]),
        helper.make_node("Transpose", ["flat"], ["y"], perm=[1, 2, 0]),
    ]
    weights = {"w": floats(1, 4, 1), "r": floats(1, 4, 1), "one": np.array([1])}
    path = save(tmp_path / "lstm.onnx", nodes, weights, domain="waveform")
    # Four gates, each of the input and of the state, 44100 times a second; the context does not count.
    assert comparison_cost.gmac(path) == pytest.approx(8 * 44100 / 1e9, rel=1e-9)


@pytest.mark.parametrize("domain", ["complex", "magnitude", "waveform"])
def test_the_cost_of_one_channel_in_each_domain(
    domain: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "RUNS", 1)
    monkeypatch.setattr(bench, "LEAST_SECONDS", 0)
    one, pair = (
        networks.save(tmp_path / f"{n}.onnx", 0.1, domain=domain, channels=n, name=f"net{n}") for n in (1, 2)
    )
    found = comparison_cost.costs(read_models([one, pair]))
    assert list(found) == ["net1", "net2"]
    assert found["net1"].domain == domain and found["net1"].gmac > 0
    assert found["net1"].gmac == pytest.approx(
        found["net2"].gmac
    )  # of each channel, though they come in pairs
    assert found["net1"].megabytes == one.stat().st_size / 1e6
    for cost in found.values():
        assert cost.speed > 1 and cost.block_ms == pytest.approx(1e8 / 44100 / cost.speed)


def test_speed_is_of_what_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison_cost, "fastest", lambda stages: [0.5] * len(stages))
    for stft in (StftSpec(), StftSpec(rate=22050)):
        path = networks.save(tmp_path / "net.onnx", stft=stft, context=40)
        (cost,) = comparison_cost.costs(read_models([path])).values()
        assert cost.speed == pytest.approx(6, rel=0.01)  # chunks of about 3 s
        assert cost.block_ms == pytest.approx(1000 * 100_000 / stft.rate / 6, rel=0.01)
