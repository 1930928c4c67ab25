"""The fp16 and int8 forms of a generator, and what a generator's file is good for beside running."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import networks
import numpy as np
import onnx
import pytest
import soundfile
import torch
from onnx import TensorProto, numpy_helper

from mp3fix.cli.lab import export as export_run
from mp3fix.errors import ModelError, Mp3fixError
from mp3fix.generator.contract import Contract, read_contract
from mp3fix.generator.session import Generator
from mp3fix.signal.stft import StftSpec
from mp3fix.training import checkpoint, config, corpus, export, variants
from mp3fix.training.losses import Weights
from mp3fix.training.networks.folded import Folded
from mp3fix.training.systems.base import Graph
from mp3fix.training.systems.folded import Dials, FoldedSystem

SMALL = {"bins": 1025, "width": 32, "hidden": 48, "blocks": 2, "fine": 4, "bands": 4, "z": 3, "far": 1}
COMMON = {"version": "1", "licence": "CC0-1.0", "trained_on": "a test"}
PRODUCTS = 2 + 2 * 3  # into the trunk, out of it, and two a block


@pytest.fixture(scope="module")
def network() -> Folded:
    """One that changes something: an untrained network is nearly the identity."""
    torch.manual_seed(1)
    network = Folded(**SMALL)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.02 * torch.randn_like(parameter)
        network.head.weight.normal_(0, 0.1)
    return network


def graph_of(network: Folded) -> Graph:
    system = FoldedSystem(Weights(), **SMALL)
    system.generator, system.dials = network, Dials(texture=0.5, reach=1.0, air=1.0)
    return system.exported()[0]


@pytest.fixture(scope="module", autouse=True)
def few_spectra() -> Iterator[None]:
    real = variants.real_inputs

    def few(root: Path, contract: Contract, count: int, *rest: Any) -> list[dict[str, np.ndarray]]:
        return real(root, contract, min(count, 12), *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(variants, "real_inputs", few)
        yield


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of one piece, which is for validation."""
    root = tmp_path_factory.mktemp("corpus")
    (root / "own").mkdir()
    name = next(f"piece{k}" for k in range(200) if corpus.split_of(f"piece{k}") == "validation")
    t = np.arange(31 * 44100) / 44100
    tone = sum(np.sin(2 * np.pi * 220 * k * t) / k for k in range(1, 60))
    hiss = np.random.default_rng(0).standard_normal(len(t)) * (t % 0.5 < 0.1)
    soundfile.write(root / "own" / f"{name}.flac", 0.2 * np.stack([tone, tone + 0.3 * hiss], 1), 44100)
    corpus.build(root, [root / "own"], lambda line: None)
    return root


@pytest.fixture(scope="module")
def made(network: Folded, music: Path, tmp_path_factory: pytest.TempPathFactory) -> list[variants.Variant]:
    source = tmp_path_factory.mktemp("models") / "tiny.onnx"
    export.export(graph_of(network), source, name="tiny", **COMMON)
    return list(variants.write_variants(source, music))


def test_variants_keep_the_contract_and_nearly_the_output(made: list[variants.Variant]) -> None:
    folder = made[0].path.parent
    names = {"tiny.onnx", "tiny-fp16.onnx", "tiny-int8.onnx"}
    assert {path.name for path in folder.iterdir()} == names
    plain = read_contract(folder / "tiny.onnx")
    for variant, precision in zip(made, ("fp16", "int8"), strict=True):
        contract = read_contract(variant.path)
        assert (contract.name, contract.precision) == (f"tiny-{precision}", precision)
        assert (contract.context, contract.inputs) == (plain.context, plain.inputs)
        graph = onnx.load(variant.path).graph
        for value in (*graph.input, *graph.output):
            assert value.type.tensor_type.elem_type == TensorProto.FLOAT
    half, eight = made
    assert half.worst > 50 and half.snr > half.worst
    assert 20 < eight.worst < eight.snr < half.worst
    assert half.path.stat().st_size < (folder / "tiny.onnx").stat().st_size - 30000


def test_only_large_weights_are_rounded_to_float16(network: Folded, made: list[variants.Variant]) -> None:
    rounded = export.weights_of(made[0].path)
    for name, values in network.state_dict().items():
        wanted = values.half().float() if values.numel() > 4096 else values
        torch.testing.assert_close(rounded[name], wanted, rtol=0, atol=0)
    Folded(**SMALL).load_state_dict(rounded)  # training can go on from it


def test_only_the_trunk_is_quantised_and_cannot_saturate(made: list[variants.Variant]) -> None:
    graph = onnx.load(made[1].path).graph
    eight = [t for t in graph.initializer if t.data_type == TensorProto.INT8 and len(t.dims) == 2]
    assert len(eight) == PRODUCTS
    for tensor in eight:
        # Two products of 8 bits unsigned and 7 signed fit into 16.
        assert 32 < np.abs(numpy_helper.to_array(tensor).astype(int)).max() <= 64
    scales = {t.name: t.dims for t in graph.initializer if t.name.endswith("weight_scale")}
    assert len(scales) == PRODUCTS and all(dims[0] >= 32 for dims in scales.values())  # one a channel
    with pytest.raises(ModelError, match="8 bits"):
        export.weights_of(made[1].path)


def test_the_same_weights_give_the_same_bytes(
    network: Folded, music: Path, made: list[variants.Variant], tmp_path: Path
) -> None:
    source = tmp_path / "tiny.onnx"
    export.export(graph_of(network), source, name="tiny", **COMMON)
    again = [source, *(variant.path for variant in variants.write_variants(source, music))]
    for path in again:
        assert path.read_bytes() == (made[0].path.parent / path.name).read_bytes(), path.name


def test_the_error_is_measured_on_what_is_changed(tmp_path: Path) -> None:
    full, weak = (
        Generator.load(
            networks.save(tmp_path / f"{name}.onnx", strength, stft=StftSpec()),
            "cpu",
        )
        for name, strength in (("full", 1.0), ("weak", 0.9))
    )
    x = 10 * np.random.default_rng(0).standard_normal((1, 2, 1025, 20), np.float32)
    assert variants.change_snr(full, weak, [{"x": x}, {"x": 0.1 * x}]) == pytest.approx([20, 20], abs=0.01)
    assert variants.change_snr(full, full, [{"x": x}]) == pytest.approx([300])


def test_other_generators_have_no_variants(music: Path, tmp_path: Path) -> None:
    source = networks.save(tmp_path / "other.onnx", stft=StftSpec())
    with pytest.raises(ModelError, match="no weights of this network"):
        list(variants.write_variants(source, music))
    assert [path.name for path in tmp_path.iterdir()] == ["other.onnx"]


def run_of(name: str, folder: Path, **network: int) -> Path:
    """A run of a published system, which changes something."""
    settings = replace(config.load(name), name="tiny", network=network)
    generator = settings.build().generator
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    weights = generator.state_dict()
    state = {"config": asdict(settings), "network": weights, "average": weights, "optimiser": {}}
    checkpoint.write(folder / "checkpoint.pt", state | {"step": 1, "minutes": 1.0, "device": "CPU"})
    return folder


def test_a_published_system_has_its_8_bit_form(
    music: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.manual_seed(0)
    run = run_of("deshpande", tmp_path, blocks=1, maps=64)
    export_run(run, models=tmp_path, variants=True, corpus=music)
    assert read_contract(tmp_path / "tiny-int8.onnx").precision == "int8"
    assert not (tmp_path / "tiny-fp16.onnx").exists()
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{tmp_path / 'tiny.onnx'}: context 4 frames, 1 steps")
    assert second.startswith(f"{tmp_path / 'tiny-int8.onnx'}: ") and "SNR" in second


def test_a_system_without_matrix_products_has_none(
    music: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = run_of("wavenet", tmp_path, channels=2)
    with pytest.raises(Mp3fixError, match="no 8-bit form"):
        export_run(run, models=tmp_path, variants=True, corpus=music)
    assert "context 511 samples" in capsys.readouterr().out
    assert not (tmp_path / "tiny-int8.onnx").exists()
