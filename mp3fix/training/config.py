"""A training configuration: a short TOML file that reads as the difference from a base."""

import inspect
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from mp3fix.errors import Mp3fixError
from mp3fix.training.losses import Weights
from mp3fix.training.networks.folded import Folded

FOLDER = Path(__file__).parent / "configs"


@dataclass(frozen=True)
class Config:
    """What one training run does.

    Attributes:
        name: of the generator.
        network: arguments of networks.folded.Folded.
        batch: examples a step.
        frames: STFT frames an example.
        minutes: training time; the learning rate falls to zero over it.
        rate: highest learning rate (AdamW).
        warmup: steps until it is reached.
        average: decay of the moving average of the weights.
        samples_share: share of crops with drum hits and loops.
        seed: of data and initial weights.
        validate_every: steps between validations and checkpoints.
        weights: of the loss terms (losses.Weights).
    """

    name: str
    network: dict[str, int]
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


def load(name: str | Path) -> Config:
    """Read a configuration by its file, or by its name among the bundled ones.

    Raises:
        Mp3fixError: no such file, no [network], or a key that is not known, is missing or has no number.
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
    arguments = inspect.signature(Folded).parameters
    _check_table(path, values, "network", set(arguments), (int,))
    for key, argument in arguments.items():
        if argument.default is argument.empty and key not in values["network"]:
            raise Mp3fixError(f"{path}: [network] has no {key!r}")
    _check_table(path, values, "weights", {each.name for each in fields(Weights)}, (int, float))
    return Config(**{"name": path.stem, **values})


def _check_table(
    path: Path, values: dict[str, Any], table: str, known: set[str], types: tuple[type, ...]
) -> None:
    """Refuse a table that is none, and keys or types in it that are not known."""
    entries = values.get(table, {})
    if not isinstance(entries, dict):
        raise Mp3fixError(f"{path}: {table!r} is not a table; write [{table}]")
    for key, value in entries.items():
        if key not in known:
            raise Mp3fixError(
                f"{path}: unknown key {key!r} in [{table}]; there are {', '.join(sorted(known))}"
            )
        if type(value) not in types:
            kind = "a whole number" if types == (int,) else "a number"
            raise Mp3fixError(f"{path}: {key!r} in [{table}] is not {kind}")


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
    merged = _values(path.parent / base)
    for key, value in values.items():
        merged[key] = {**merged[key], **value} if isinstance(merged.get(key), dict) else value
    return merged
