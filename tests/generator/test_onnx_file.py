import os

import networks
import onnx
import pytest
from onnx import TensorProto, helper

from mp3fix.errors import ModelError
from mp3fix.generator import onnx_file
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
    "subgraph": graph([helper.make_node("If", ["x"], ["y"], then_branch=graph([constant(external())]))]),
    "list of subgraphs": graph([helper.make_node("Any", [], ["y"], all=[graph(weights=[external()])])]),
    "sparse initializer": helper.make_graph(
        [], "g", [], [], sparse_initializer=[onnx.SparseTensorProto(values=external(), dims=[1])]
    ),
    "sparse attribute": graph(
        [helper.make_node("Constant", [], ["c"], sparse_value=onnx.SparseTensorProto(indices=external()))]
    ),
}


@pytest.mark.parametrize("place", HIDING_PLACES)
def test_weights_in_other_files_are_found(place):
    data = helper.make_model(HIDING_PLACES[place]).SerializeToString()
    with pytest.raises(ModelError, match="its weights are in other files"):
        onnx_file.refuse_external_data(data, "a.onnx")


def test_weights_in_other_files_are_found_in_functions():
    function = helper.make_function("d", "f", [], ["c"], [constant(external())], [])
    data = helper.make_model(graph(), functions=[function]).SerializeToString()
    with pytest.raises(ModelError, match="its weights are in other files"):
        onnx_file.refuse_external_data(data, "a.onnx")


def test_a_location_without_a_list_counts_too():
    tensor = external()
    del tensor.external_data[:]
    data = helper.make_model(graph(weights=[tensor])).SerializeToString()
    with pytest.raises(ModelError, match="its weights are in other files"):
        onnx_file.refuse_external_data(data, "a.onnx")


def test_tags_that_other_readers_cut_to_32_bits_are_refused():
    # Field 7 (the graph) with a 33rd bit set: C++ protobuf drops that bit.
    with pytest.raises(ModelError, match="not an ONNX model"):
        onnx_file.refuse_external_data(b"\xba\x80\x80\x80\x10\x00", "a.onnx")


def test_self_contained_models_pass(tmp_path):
    path = networks.save(tmp_path / "a.onnx", channels=2, noise=("vector",), z_size=2, multiple=2)
    onnx_file.refuse_external_data(onnx_file.open_model(path), path)


def test_deep_nesting_is_walked():
    inner = graph([constant(external())]).SerializeToString()
    for _ in range(1500):  # a subgraph in an attribute of a node of a graph; Python would recurse too deep
        for tag in (b"\x32", b"\x2a", b"\x0a"):  # attribute.g, node.attribute, graph.node
            inner = tag + varint(len(inner)) + inner
    with pytest.raises(ModelError, match="its weights are in other files"):
        onnx_file.refuse_external_data(b"\x3a" + varint(len(inner)) + inner, "a.onnx")


def varint(value):
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + varint(rest) if rest else bytes([low])


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
