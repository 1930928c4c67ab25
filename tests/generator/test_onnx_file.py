import os

import networks
import onnx
import pytest
from onnx import TensorProto, helper

from mp3fix.errors import ModelError
from mp3fix.generator import catalog, onnx_file
from mp3fix.generator.contract import KEY, read_contract


def external(name="w"):
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[1])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/hostname")
    return tensor


def constant(tensor):
    return helper.make_node("Constant", [], ["c"], value=tensor)


def graph(nodes=(), weights=()):
    return helper.make_graph(nodes, "g", [], [], weights)


def test_reads_the_metadata_that_onnx_wrote(tmp_path):
    model = networks.model(networks.contract())
    props = {"a": "", "ключ": "Wert\0\n" * 100, KEY: "x"}
    helper.set_model_props(model, props)
    path = networks.write(tmp_path / "a.onnx", model, None)
    assert onnx_file.metadata(onnx_file.open_model(path), path) == props


def test_an_onnx_model_without_contract_is_no_generator(tmp_path):
    path = networks.write(tmp_path / "a.onnx", networks.model(networks.contract()), None)
    with pytest.raises(ModelError, match=r"a\.onnx: an ONNX model, but not a generator"):
        read_contract(path)


HIDING_PLACES = {
    "initializer": graph(weights=[external()]),
    "constant": graph([constant(external())]),
    "list of tensors": graph([helper.make_node("Any", [], ["c"], all=[external()])]),
}


def refused(model, match):
    with pytest.raises(ModelError, match=match) as caught:
        onnx_file.refuse_unsafe(model if isinstance(model, bytes) else model.SerializeToString(), "a.onnx")
    assert str(caught.value).startswith("a.onnx: ") and "\n" not in str(caught.value)


@pytest.mark.parametrize("place", HIDING_PLACES)
def test_weights_in_other_files_are_found(place):
    refused(helper.make_model(HIDING_PLACES[place]), "its weights are in other files")


def test_a_location_without_a_list_counts_too():
    tensor = external()
    del tensor.external_data[:]
    refused(helper.make_model(graph(weights=[tensor])), "its weights are in other files")


def sparse():
    values = helper.make_tensor("v", TensorProto.FLOAT, [1], [1.0])
    return onnx.SparseTensorProto(values=values, dims=[10**12])


NOT_NEEDED = {
    "If": (graph([helper.make_node("If", ["x"], ["y"], then_branch=graph())]), "loops or branches"),
    "Loop": (graph([helper.make_node("Loop", ["x"], ["y"], body=graph())]), "loops or branches"),
    "list of subgraphs": (graph([helper.make_node("Any", [], ["y"], all=[graph()])]), "loops or branches"),
    "sparse weight": (helper.make_graph([], "g", [], [], sparse_initializer=[sparse()]), "sparse weights"),
    "sparse constant": (
        graph([helper.make_node("Constant", [], ["c"], sparse_value=sparse())]),
        "sparse weights",
    ),
    "operator of others": (
        graph([helper.make_node("A", [], ["c"], domain="e\x1bvil")]),
        r"of 'e\\x1bvil'; only",
    ),
    "operator of Microsoft": (
        graph([helper.make_node("A", [], ["c"], domain="com.microsoft")]),
        "only ONNX's",
    ),
    "many nodes": (graph([helper.make_node("Relu", ["x"], ["y"])] * 50_001), "more than 50000 parts"),
}


@pytest.mark.parametrize("kind", NOT_NEEDED)
def test_what_no_network_needs_is_refused(kind):
    content, match = NOT_NEEDED[kind]
    refused(helper.make_model(content), match)


def test_functions_and_training_are_refused():
    function = helper.make_function("d", "f", [], ["c"], [], [])
    refused(helper.make_model(graph(), functions=[function]), "functions")
    model = helper.make_model(graph())
    model.training_info.add()
    refused(model, "training steps")


@pytest.mark.parametrize("dims", [[10**12], [2**40, 2**40], [-1], [2**62] * 10_000, [101]])
@pytest.mark.parametrize("place", ["initializer", "constant"])
def test_weights_that_are_not_there_are_refused(dims, place):
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=dims, raw_data=bytes(4))
    content = graph(weights=[tensor]) if place == "initializer" else graph([constant(tensor)])
    refused(helper.make_model(content), "claims more values than it holds")


def test_tags_that_other_readers_cut_to_32_bits_are_refused():
    # Field 7 (the graph) with a 33rd bit set: C++ protobuf drops that bit.
    refused(b"\xba\x80\x80\x80\x10\x00", "not an ONNX model")


def test_self_contained_models_pass(tmp_path):
    path = networks.save(tmp_path / "a.onnx", channels=2, noise=("vector",), z_size=2, multiple=2)
    onnx_file.refuse_unsafe(onnx_file.open_model(path), path)
    for _, bundled, _ in catalog.list_models():
        onnx_file.refuse_unsafe(onnx_file.open_model(bundled), bundled)


def test_a_long_contract_is_refused(tmp_path):
    path = networks.write(tmp_path / "a.onnx", networks.model(networks.contract()), "[" * 200_000)
    with pytest.raises(ModelError, match="more than 100000 characters"):
        read_contract(path)


@pytest.mark.parametrize(
    "content", [b"\xff" * 100, b"RIFF....WAVE", b"\x00" * 50, b"\x0a\xff\xff\xff\xff\x0f"]
)
def test_garbage_is_no_onnx(tmp_path, content):
    path = tmp_path / "a.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"a\.onnx: not an ONNX model, or damaged$"):
        read_contract(path)


def test_files_that_cannot_be_models(tmp_path):
    (tmp_path / "empty.onnx").touch()
    with pytest.raises(ModelError, match=r"empty\.onnx: .* is empty"):
        read_contract(tmp_path / "empty.onnx")
    with pytest.raises(ModelError, match="is a folder"):
        read_contract(tmp_path)
    with pytest.raises(ModelError, match="no such generator"):
        read_contract(tmp_path / "none.onnx")
    with pytest.raises(ModelError, match="cannot read"):
        read_contract(tmp_path / "empty.onnx" / "below.onnx")
    with (tmp_path / "huge.onnx").open("wb") as file:
        file.truncate(2**31 + 10)
    with pytest.raises(ModelError, match="too large"):
        read_contract(tmp_path / "huge.onnx")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_a_named_pipe_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "pipe.onnx")
    with pytest.raises(ModelError, match="not a regular file"):
        read_contract(tmp_path / "pipe.onnx")
