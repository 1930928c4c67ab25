"""Generators changed in their graphs: still protocol buffers with a sound contract, but of other nodes and numbers."""

import numpy as np
import onnx
from onnx import defs

_OPERATORS = sorted({schema.name for schema in defs.get_all_schemas() if not schema.domain})
_NUMBERS = (0, 1, -1, 2, 7, 2**31 - 1, -(2**31), 2**62, -(2**63))


def changed(data: bytes, random: np.random.Generator) -> bytes:
    """The model, changed in one to four places."""
    model = onnx.load_from_string(data)
    for _ in range(random.integers(1, 5)):
        nodes, weights = model.graph.node, model.graph.initializer
        if not nodes or not weights:
            break
        node = nodes[random.integers(len(nodes))]
        weight = weights[random.integers(len(weights))]
        number = _NUMBERS[random.integers(len(_NUMBERS))]
        what = random.integers(8)
        if what == 0:
            node.op_type = _OPERATORS[random.integers(len(_OPERATORS))]
        elif what == 1 and node.attribute:
            attribute = node.attribute[random.integers(len(node.attribute))]
            if attribute.ints:
                attribute.ints[random.integers(len(attribute.ints))] = number
            else:
                attribute.i = number
        elif what == 2 and weight.dims:
            weight.dims[random.integers(len(weight.dims))] = abs(number) % 2**63
        elif what == 3:
            weight.data_type = int(random.integers(25))
        elif what == 4:
            weight.raw_data = random.bytes(len(weight.raw_data))
        elif what == 5 and node.input:
            others = [name for each in nodes for name in each.output]
            node.input[random.integers(len(node.input))] = others[random.integers(len(others))]
        elif what == 6:
            nodes.remove(node)
        elif what == 7:
            model.opset_import[0].version = int(random.integers(1, 30))
    return model.SerializeToString()
