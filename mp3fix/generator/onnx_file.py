"""The parts of an .onnx file that are read before, or without, ONNX Runtime.

An .onnx file is one protocol buffer, a ModelProto. Walking its fields directly takes milliseconds where a
session takes a tenth of a second, and finds what is not to be run before anything runs it.
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

# What is walked: message -> {field number: message}.
_INSIDE = {
    "model": {7: "graph"},
    "graph": {1: "node", 5: "tensor"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 10: "tensor"},
    "tensor": {},
}
# What no network needs that is run from start to end. A loop may take for ever, functions that call functions
# grow without end, and what is sparse in the file is not in memory.
_REFUSED = {
    ("model", 20): "training steps",
    ("model", 25): "functions",
    ("graph", 15): "sparse weights",
    ("attribute", 6): "loops or branches",
    ("attribute", 11): "loops or branches",
    ("attribute", 22): "sparse weights",
    ("attribute", 23): "sparse weights",
}
_NODE_DOMAIN = 7
_DOMAINS = (b"", b"ai.onnx")  # of ONNX's own operators
_MOST_PARTS = 50_000  # nodes, attributes and tensors: large networks have a tenth of it
_DIMS, _EXTERNAL_DATA, _DATA_LOCATION = 1, 13, 14  # of TensorProto
_VALUES_A_BYTE = 4  # two bits are the least that a value takes


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


def refuse_unsafe(data: mmap.mmap | bytes, path: Path) -> None:
    """Check, before ONNX Runtime sees it, that a model is one graph of ONNX's own operators with its weights.

    What it computes, how long that takes and how much memory, cannot be told from its bytes: see session.

    Raises:
        ModelError: when a tensor names another file (or address) as its data, or claims more values than it
            holds; when there are loops, branches, functions, training steps, sparse weights, operators of
            others, or too many parts; or when the bytes are no ONNX model.
    """
    parts = 0
    waiting = [("model", memoryview(data))]
    try:
        while waiting:
            message, content = waiting.pop()
            for number, value in _fields(content):
                if (message, number) in _REFUSED:
                    raise ModelError(
                        f"{path}: its graph has {_REFUSED[message, number]}; export the generator without"
                    )
                if message == "node" and number == _NODE_DOMAIN and value not in _DOMAINS:
                    raise ModelError(
                        f"{path}: its graph needs operators of {_name(value)}; only ONNX's own are run"
                    )
                if number in _INSIDE[message] and isinstance(value, memoryview):
                    waiting.append((_INSIDE[message][number], value))
                    parts += 1
                    if parts > _MOST_PARTS:
                        raise ModelError(f"{path}: its graph has more than {_MOST_PARTS} parts")
            if message == "tensor":
                _check_tensor(content, path)
    except ValueError:
        raise _not_onnx(path) from None


def _check_tensor(content: memoryview, path: Path) -> None:
    """Check that a tensor has its values with it."""
    values, most = 1, _VALUES_A_BYTE * len(content)
    for number, value in _fields(content):
        if number == _EXTERNAL_DATA or (number == _DATA_LOCATION and value != 0):
            raise ModelError(f"{path}: its weights are in other files; export the generator self-contained")
        if number == _DIMS:
            for size in [value] if isinstance(value, int) else _varints(value):
                values *= size
                if values > most:
                    raise ModelError(
                        f"{path}: a weight claims more values than it holds; the file is damaged"
                    )


def _name(value: int | memoryview) -> str:
    """A name in a hostile file, fit for a terminal."""
    return ascii(bytes(value).decode("utf-8", "replace"))[:60] if isinstance(value, memoryview) else "?"


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


def _varints(content: memoryview) -> Iterator[int]:
    """The numbers of a packed field."""
    at = 0
    while at < len(content):
        value, at = _varint(content, at)
        yield value


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
