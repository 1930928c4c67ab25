"""Graphs that ask for more memory than there is: an error, and the machine goes on."""

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import networks
import numpy as np
import pytest
from onnx import helper, numpy_helper

TESTS = Path(__file__).parents[1]


def bomb(path, nodes, weights):
    """A generator that adds the largest of something huge to its output."""
    promised = networks.contract()
    model = networks.model(promised)
    model.graph.node[-1].output[0] = "sound"
    for name, values in weights.items():
        model.graph.initializer.append(numpy_helper.from_array(np.asarray(values), name))
    for kind, inputs, output, attributes in nodes:
        model.graph.node.append(helper.make_node(kind, inputs, [output], **attributes))
    model.graph.node.append(helper.make_node("ReduceMax", ["huge"], ["most"], keepdims=0))
    model.graph.node.append(helper.make_node("Add", ["sound", "most"], ["y"]))
    return networks.write(path, model, promised.to_json())


def doubled(first, axis, times):
    names = [first, *(f"d{number}" for number in range(times - 1)), "huge"]
    return [("Concat", [a, a], b, {"axis": axis}) for a, b in pairwise(names)]


BOMBS = {
    "a size in the file": ([("ConstantOfShape", ["size"], "huge", {})], {"size": np.array([10**12])}),
    "a product of two weights": (
        [("MatMul", ["column", "row"], "huge", {})],
        {"column": np.ones((10**5, 1), np.float32), "row": np.ones((1, 10**5), np.float32)},
    ),
    "a constant doubled while it is loaded": (doubled("four", 0, 40), {"four": np.ones(4, np.float32)}),
    "an input doubled while it runs": (
        [("Flatten", ["x"], "flat", {"axis": 0}), *doubled("flat", 1, 30)],
        {},
    ),
    "an input tiled": (
        [("Tile", ["x", "times"], "huge", {})],
        {"times": np.array([1, 1, 10**4, 10**5])},
    ),
}
PROGRAM = """
import sys
import numpy as np
from memory import peak
from mp3fix.errors import ModelError
from mp3fix.generator import arena
arena.most_bytes = lambda: 500_000_000
from mp3fix.generator.session import Generator
try:
    Generator.load(sys.argv[1], "cpu", 1).run(np.zeros((1, 2, 129, 64), np.float32))
except ModelError as error:
    print(error)
print(peak())
"""


@pytest.mark.parametrize("kind", BOMBS)
def test_a_memory_bomb_is_an_error(kind, tmp_path):
    path = bomb(tmp_path / "bomb.onnx", *BOMBS[kind])
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(TESTS.parent), str(TESTS)])}
    command = [sys.executable, "-c", PROGRAM, str(path)]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    error, most = said.splitlines()
    assert error.startswith(f"{path}: ")
    assert int(most) < 900_000_000
