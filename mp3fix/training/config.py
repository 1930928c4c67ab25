"""A training configuration: a short TOML file that reads as the difference from a base."""

import inspect
import math
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, get_type_hints

import torch

from mp3fix.bitstream.maps import NAMES, UNKNOWN
from mp3fix.errors import Mp3fixError
from mp3fix.training.examples import SETTINGS, Batch
from mp3fix.training.systems import SYSTEMS, system_class
from mp3fix.training.systems.base import System

FOLDER = Path(__file__).parent / "configs"
KINDS = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "text",
    tuple[str, ...]: "a list of names",
}
COUNTS = ("batch", "frames", "warmup", "validate_every")  # at least 1


@dataclass(frozen=True)
class Config:
    """What one training run does.

    Attributes:
        name: of the generator.
        network: arguments of the system.
        system: what is trained, one of systems.SYSTEMS.
        settings: of the codec that examples are drawn from, by name; none: all of examples.SETTINGS.
        identity_share: share of examples that no codec has touched.
        batch: examples a step.
        frames: STFT frames an example.
        minutes: training time; the learning rate falls to zero over it.
        rate: highest learning rate (AdamW).
        warmup: steps until it is reached.
        average: decay of the moving average of the weights.
        samples_share: share of crops with drum hits and loops.
        seed: of data and initial weights.
        validate_every: steps between validations and checkpoints.
        weights: of the system's loss terms.
    """

    name: str
    network: dict[str, Any]
    system: str = "folded"
    settings: tuple[str, ...] = ()
    identity_share: float = 0.12
    batch: int = 8
    frames: int = 128
    minutes: float = 60.0
    rate: float = 1e-3
    warmup: int = 200
    average: float = 0.998
    samples_share: float = 0.25
    seed: int = 1
    validate_every: int = 500
    weights: dict[str, float] = field(default_factory=dict)

    def build(self) -> System:
        """The system, with new weights."""
        found = system_class(self.system)
        built: System = found(weights=found.Weights(**self.weights), **self.network)
        return built

    def length(self, system: System) -> int:
        """Samples of an example."""
        return (self.frames - 1) * system.spec.hop + system.spec.n_fft

    def checked(self) -> System:
        """The system, with new weights, once it has been seen to take examples of the configured length.

        Raises:
            Mp3fixError: it does not.
        """
        try:
            system = self.build()
            with torch.random.fork_rng(), torch.no_grad():
                noise = 0.1 * torch.randn(1, self.length(system))
                maps = torch.full((1, len(NAMES), system.spec.bins, self.frames), UNKNOWN)
                loss, _ = system.losses(Batch(noise, noise.flip(1), torch.ones(1), torch.ones(1), maps))
        except (RuntimeError, ValueError, IndexError, ZeroDivisionError) as error:
            reason = str(error).partition("\n")[0]
            raise Mp3fixError(
                f"{self.name}: [network] and frames = {self.frames} do not fit: {reason}"
            ) from None
        if not math.isfinite(loss.item()):
            raise Mp3fixError(f"{self.name}: frames = {self.frames} are too few for {self.system}")
        return system


def load(name: str | Path) -> Config:
    """Read a configuration by its file, or by its name among the bundled ones.

    Raises:
        Mp3fixError: no such file, no [network], or a key that is not known, is missing or has a value of another kind.
    """
    path = Path(name)
    if path.suffix != ".toml":
        path = FOLDER / f"{name}.toml"
    values = _values(path)
    unknown = set(values) - {each.name for each in fields(Config)}
    if unknown:
        raise Mp3fixError(f"{path}: unknown key {sorted(unknown)[0]!r}")
    if "network" not in values:
        raise Mp3fixError(f"{path}: no [network]; give it one, or a base that has one")
    for key, wanted in get_type_hints(Config).items():
        if key in values and wanted in KINDS:
            _check_kind(path, repr(key), values[key], wanted)
    for key in COUNTS:
        if values.get(key, 1) < 1:
            raise Mp3fixError(f"{path}: {key!r} is {values[key]}; at least 1 is needed")
    system = values.get("system", "folded")
    if system not in SYSTEMS:
        raise Mp3fixError(f"{path}: no system {system!r}; there are {', '.join(SYSTEMS)}")
    values["settings"] = tuple(values.get("settings", ()))
    names = [setting.name for setting, _ in SETTINGS]
    for setting in values["settings"]:
        if setting not in names:
            raise Mp3fixError(f"{path}: no codec setting {setting!r}; there are {', '.join(names)}")
    found = system_class(system)
    arguments = _arguments(found)
    _check_table(path, values, "network", {key: each.annotation for key, each in arguments.items()})
    for key, argument in arguments.items():
        if argument.default is argument.empty and key not in values["network"]:
            raise Mp3fixError(f"{path}: [network] has no {key!r}")
    _check_table(path, values, "weights", {each.name: float for each in fields(found.Weights)})
    return Config(**{"name": path.stem, **values})


def _arguments(system: type[System]) -> dict[str, inspect.Parameter]:
    """What a system takes beside its weights; what it passes on to its network as a whole, the network's."""
    found = dict(inspect.signature(system).parameters)
    del found["weights"]
    if any(each.kind is each.VAR_KEYWORD for each in found.values()):
        return dict(inspect.signature(get_type_hints(system)["generator"]).parameters)
    return found


def _check_table(path: Path, values: dict[str, Any], table: str, known: dict[str, type]) -> None:
    """Refuse a table that is none, and keys or types in it that are not known."""
    entries = values.get(table, {})
    if not isinstance(entries, dict):
        raise Mp3fixError(f"{path}: {table!r} is not a table; write [{table}]")
    for key, value in entries.items():
        if key not in known:
            raise Mp3fixError(
                f"{path}: unknown key {key!r} in [{table}]; there are {', '.join(sorted(known)) or 'none'}"
            )
        _check_kind(path, f"{key!r} in [{table}]", value, known[key])


def _check_kind(path: Path, what: str, value: Any, wanted: Any) -> None:
    """Refuse a value that is not of the wanted one of KINDS."""
    if wanted is float:
        right = type(value) in (int, float)
    elif wanted in (int, bool, str):
        right = type(value) is wanted
    else:
        right = type(value) is list and all(type(each) is str for each in value)
    if not right:
        raise Mp3fixError(f"{path}: {what} is not {KINDS[wanted]}")


def _values(path: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(path.read_text())
    except FileNotFoundError:
        names = ", ".join(sorted(each.stem for each in FOLDER.glob("*.toml")))
        raise Mp3fixError(f"{path}: no such configuration; bundled are {names}") from None
    except tomllib.TOMLDecodeError as error:
        raise Mp3fixError(f"{path}: {error}") from None
    base = values.pop("base", None)
    if base is None:
        return values
    _check_kind(path, "'base'", base, str)
    merged = _values(path.parent / base)
    for key, value in values.items():
        merged[key] = {**merged[key], **value} if isinstance(merged.get(key), dict) else value
    return merged
