"""The parts of an .onnx file that are read before, or without, ONNX Runtime.

An .onnx file is one protocol buffer, a ModelProto. Walking its fields directly takes milliseconds where a
session takes a tenth of a second, and finds references to other files before anything follows them.
Field numbers: onnx.proto, https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

import mmap
import os
from collections.abc import Iterator
from pathlib import Path

from mp3fix.errors import ModelError

_LARGEST = 2**31 - 1  # bytes: the limit of a protocol buffer

_METADATA_PROPS = 14  # of ModelProto
_KEY, _VALUE = 1, 2  # of StringStringEntryProto

# Where tensors hide: message -> {field number: message}.
_INSIDE = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14  # of TensorProto


def open_model(path: Path) -> mmap.mmap:
    """The file's bytes, mapped.

    Raises:
        ModelError: when there is no such file, or it cannot be read or cannot be a model.
    """
    if os.path.isdir(path):
        raise ModelError(f"{path}: is a folder, not a generator (.onnx)")
    if os.path.exists(path) and not os.path.isfile(path):  # opening a named pipe would wait for ever
        raise ModelError(f"{path}: is not a regular file")
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            if size == 0:
                raise ModelError(f"{path}: the generator's file is empty")
            if size > _LARGEST:
                raise ModelError(f"{path}: too large for a self-contained .onnx file ({size} bytes)")
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except FileNotFoundError:
        raise ModelError(f"{path}: no such generator") from None
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: cannot read the generator: {error}") from None


def metadata(data: mmap.mmap | bytes, path: Path) -> dict[str, str]:
    """The model's metadata_props.

    Raises:
        ModelError: when the bytes are no ONNX model.
    """
    found = {}
    try:
        for number, value in _fields(memoryview(data)):
            if number == _METADATA_PROPS and isinstance(value, memoryview):
                entry = {n: bytes(v).decode() for n, v in _fields(value) if isinstance(v, memoryview)}
                found[entry.get(_KEY, "")] = entry.get(_VALUE, "")
    except ValueError:
        raise _not_onnx(path) from None
    return found


def refuse_external_data(data: mmap.mmap | bytes, path: Path) -> None:
    """Check that no tensor, in whichever subgraph or attribute, names another file (or address) as its data.

    Raises:
        ModelError: when one does, or when the bytes are no ONNX model.
    """
    waiting = [("model", memoryview(data))]  # a stack of its own: a hostile file nests deeper than Python
    try:
        while waiting:
            message, content = waiting.pop()
            for number, value in _fields(content):
                if message == "tensor":
                    if number == _EXTERNAL_DATA or (number == _DATA_LOCATION and value != 0):
                        raise ModelError(
                            f"{path}: its weights are in other files; export the generator self-contained"
                        )
                elif number in _INSIDE[message] and isinstance(value, memoryview):
                    waiting.append((_INSIDE[message][number], value))
    except ValueError:
        raise _not_onnx(path) from None


def _not_onnx(path: Path) -> ModelError:
    return ModelError(f"{path}: not an ONNX model, or damaged")


def _fields(content: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Number and value of each field of a message: bytes for strings and messages, else an int.

    Raises:
        ValueError: when the bytes are no message.
    """
    at, end = 0, len(content)
    while at < end:
        tag, at = _varint(content, at)
        if not 8 <= tag < 2**32:  # other readers cut longer tags to 32 bits, and so see another field
            raise ValueError("not a protocol buffer")
        kind = tag & 7
        if kind == 0:
            value, at = _varint(content, at)
            yield tag >> 3, value
            continue
        size = {1: 8, 5: 4}.get(kind)
        if kind == 2:
            size, at = _varint(content, at)
        if size is None or at + size > end:
            raise ValueError("not a protocol buffer")
        yield tag >> 3, content[at : at + size]
        at += size


def _varint(content: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at == len(content):
            break
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("not a protocol buffer")
