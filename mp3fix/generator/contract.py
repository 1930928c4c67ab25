"""The contract of a generator: what the pipeline must know about an .onnx file.

It travels in the file's metadata_props as one JSON object under KEY. Every field is required, so that no file
means something else once a default changes; a new field is a new SCHEMA.
"""

import json
import math
from dataclasses import asdict, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from mp3fix.bitstream.maps import Name
from mp3fix.errors import ModelError
from mp3fix.generator import onnx_file
from mp3fix.signal.stft import StftSpec

KEY = "mp3fix"
SCHEMA = 1

Dims = tuple[int | None, ...]  # of a graph input or output; None: any size

_LONGEST_TEXT = 4000  # characters
_LONGEST_JSON = 100_000
_LONGEST_REACH = 60  # seconds, of context and of multiple
_TYPES = {str: "text", int: "a whole number", float: "a number", bool: "true or false", tuple: "a list"}
# Smallest and largest value of the numbers, by name.
_RANGES = {
    "rate": (8000, 384000),
    "n_fft": (2, 65536),
    "win_length": (2, 65536),
    "hop": (1, 65536),
    "z_size": (0, 4096),
    "default_texture": (0.0, 1.0),
    "context": (0, math.inf),
    "multiple": (1, math.inf),
}


@dataclass(frozen=True)
class Contract:
    """What a generator is and what it takes.

    Attributes:
        name, version, licence, trained_on: who it is; one line of text each.
        kind: "stochastic" draws from the noise it is given, "deterministic" takes none.
        stft: the transform it was trained with; of a waveform generator only the rate counts.
        domain: "complex" takes and gives real and imaginary parts, "magnitude" magnitudes (phase is then the
            pipeline's task), "waveform" samples. All linear: the graph does its own feature scaling.
        channels: 1 (channels go through the batch) or 2 (a pair at a time).
        noise: "spectrogram" (noise like the input), "vector" (z, one for a song), both or none.
        z_size: values of z; 0 without "vector".
        texture: whether the graph takes the scalar that scales the noise spectrogram.
        default_texture: what the user hears unless asked otherwise, 0..1.
        conditioning: the maps it takes of the MP3's bitstream (bitstream/maps.py), in the order of the input's axis.
        unknown: the value of a map where nothing is known.
        context: frames (of a waveform generator: samples) on each side of a chunk that its output depends on. Each
            chunk comes with as many; what the graph gives for them is not used, and it may fail without them.
        multiple: chunks start and end on absolute multiples of this many frames (samples).
        precision: of the weights.
    """

    name: str
    version: str
    licence: str
    trained_on: str
    kind: Literal["deterministic", "stochastic"]
    stft: StftSpec
    domain: Literal["complex", "magnitude", "waveform"]
    channels: Literal[1, 2]
    noise: tuple[Literal["spectrogram", "vector"], ...]
    z_size: int
    texture: bool
    default_texture: float
    conditioning: tuple[Name, ...]
    unknown: float
    context: int
    multiple: int
    precision: Literal["fp32", "fp16", "int8"]

    def __post_init__(self) -> None:
        """Check what no single type can.

        Raises:
            ValueError: beginning with the field's name.
        """
        _check_ranges(asdict(self))
        rules = {
            "kind": (self.kind == "stochastic") == bool(self.noise),
            "noise": len(set(self.noise)) == len(self.noise),
            "z_size": (self.z_size > 0) == ("vector" in self.noise),
            "texture": not self.texture or "spectrogram" in self.noise,
            "conditioning": len(set(self.conditioning)) == len(self.conditioning)
            and not (self.conditioning and self.domain == "waveform"),
        }
        for field, holds in rules.items():
            if not holds:
                raise ValueError(f"{field}: {getattr(self, field)!r} contradicts the other fields")
        hop = 1 if self.domain == "waveform" else self.stft.hop
        for field in ("context", "multiple"):
            if getattr(self, field) * hop > _LONGEST_REACH * self.stft.rate:
                raise ValueError(f"{field}: more than {_LONGEST_REACH} seconds")

    @property
    def inputs(self) -> dict[str, Dims]:
        """Name and dimensions of each input of the graph, (B, ...), with None where any size goes.

        x and the noise are (B, channels x parts, F, T), or (B, channels, n) in the waveform domain; the parts
        of a channel are its real and imaginary part, or its magnitude. Noise spectra are always complex.
        The maps are (B, channels x maps, F, T).
        """
        taken = {"x": self._like_input(2 if self.domain == "complex" else 1)}
        if "spectrogram" in self.noise:
            taken["noise"] = self._like_input(2)
        if "vector" in self.noise:
            taken["z"] = (None, self.z_size)
        if self.texture:
            taken["texture"] = (1,)
        if self.conditioning:
            taken["conditioning"] = (None, self.channels * len(self.conditioning), self.stft.bins, None)
        return taken

    @property
    def outputs(self) -> dict[str, Dims]:
        """Name and dimensions of the graph's output: y, shaped like x."""
        return {"y": self.inputs["x"]}

    def _like_input(self, parts: int) -> Dims:
        if self.domain == "waveform":
            return (None, self.channels, None)
        return (None, parts * self.channels, self.stft.bins, None)

    def to_json(self) -> str:
        """The value of KEY."""
        return json.dumps({"schema": SCHEMA, **asdict(self)})

    @classmethod
    def from_json(cls, text: str, path: Path) -> "Contract":
        """Read the value of KEY.

        Raises:
            ModelError: naming the field that is missing, unknown, of the wrong type or out of range.
        """
        try:
            values = json.loads(text)
        except (ValueError, RecursionError):
            raise ModelError(f"{path}: the generator's contract is not JSON") from None
        if not isinstance(values, dict):
            raise ModelError(f"{path}: the generator's contract is not a JSON object")
        schema = values.pop("schema", None)
        if type(schema) is not int or schema != SCHEMA:
            raise ModelError(
                f"{path}: contract field schema: {_shown(schema)}, but this mp3fix reads {SCHEMA}; "
                "use another version of either"
            )
        try:
            return _read(values, cls, "")
        except ValueError as error:
            raise ModelError(f"{path}: contract field {error}") from None


def read_contract(path: Path) -> Contract:
    """The contract of an .onnx file, read without ONNX Runtime.

    Raises:
        ModelError: when the file is no generator, or its contract is broken.
    """
    return contract_of(onnx_file.open_model(path), path)


def contract_of(data: Any, path: Path) -> Contract:
    """The contract in the bytes of an .onnx file; path is for messages.

    Raises:
        ModelError: as read_contract.
    """
    text = onnx_file.metadata(data, path).get(KEY)
    if text is None:
        raise ModelError(f"{path}: an ONNX model, but not a generator: its metadata has no {KEY!r}")
    if len(text) > _LONGEST_JSON:
        raise ModelError(f"{path}: the generator's contract has more than {_LONGEST_JSON} characters")
    return Contract.from_json(text, path)


def _read(value: Any, wanted: Any, field: str) -> Any:
    """A value of JSON as an instance of a type; else a ValueError that begins with the field's name."""
    if is_dataclass(wanted):
        return _read_fields(value, wanted, field)
    if get_origin(wanted) is tuple and isinstance(value, list):
        return tuple(_read(item, get_args(wanted)[0], field) for item in value)
    if get_origin(wanted) is Literal:
        choices = get_args(wanted)
        if not any(type(value) is type(choice) and value == choice for choice in choices):
            raise ValueError(f"{field}: {_shown(value)} is not {' or '.join(map(str, choices))}")
        return value
    if wanted is float and type(value) is int and abs(value) < 2**53:
        value = float(value)
    if type(value) is not wanted or (wanted is float and not math.isfinite(value)):
        raise ValueError(f"{field}: {_shown(value)} is not {_TYPES[get_origin(wanted) or wanted]}")
    if wanted is str and not (0 < len(value) <= _LONGEST_TEXT and value.isprintable()):
        raise ValueError(f"{field}: must be one line of printable text")
    return value


def _read_fields(values: Any, wanted: Any, prefix: str) -> Any:
    """A JSON object as an instance of a dataclass."""
    if not isinstance(values, dict):
        raise ValueError(f"{prefix}: {_shown(values)} is not an object")
    where = f"{prefix}." if prefix else ""
    types = get_type_hints(wanted)
    names = [field.name for field in fields(wanted)]
    for unknown in values.keys() - set(names):
        raise ValueError(f"{where}{_shown(unknown)}: not known to schema {SCHEMA}")
    for missing in (name for name in names if name not in values):
        raise ValueError(f"{where}{missing}: missing")
    read = {name: _read(values[name], types[name], f"{where}{name}") for name in names}
    if not prefix:
        return wanted(**read)
    _check_ranges(read, where)  # before the class computes with them
    try:
        return wanted(**read)
    except ValueError as error:
        raise ValueError(f"{prefix}: {error}") from None


def _check_ranges(values: dict[str, Any], where: str = "") -> None:
    for name, value in values.items():
        low, high = _RANGES.get(name, (-math.inf, math.inf))
        if name in _RANGES and not low <= value <= high:
            raise ValueError(f"{where}{name}: {value} is not in {low}..{high}")


def _shown(value: Any) -> str:
    """A value of a hostile file, fit for a terminal."""
    text = ascii(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
