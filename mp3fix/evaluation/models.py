"""The generators that are compared."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mp3fix.generator.apply import Phase
from mp3fix.generator.catalog import find
from mp3fix.generator.contract import read_contract
from mp3fix.generator.session import Generator


@dataclass(frozen=True)
class Model:
    """What the evaluation must know of a generator.

    Attributes:
        label: its name, unique among those compared.
        path: its file.
        digest: SHA-256 of the file.
        default_texture: None where it has no texture: texture 0 and the default are then the same.
        drawn: whether its restorations depend on a seed.
        z_size: values of its song-level vector.
        told: whether it takes maps of the MP3's bitstream.
        phases: where its phases come from, None as it needs: one that gives magnitudes can be heard in several ways.
    """

    label: str
    path: Path
    digest: str
    default_texture: float | None
    drawn: bool
    z_size: int
    told: bool = False
    phases: tuple[Phase | None, ...] = (None,)

    def system(self, texture: float | None, phase: Phase | None = None) -> str:
        """Name of this generator at a texture, and with phases found in a way that is not its own."""
        name = self.label if texture is None else f"{self.label} texture {texture:g}"
        return f"{name}, {phase}" if phase else name

    @property
    def bare(self) -> str:
        """The system at the default texture where only the samples are there, as of a WAV made of the MP3."""
        return f"{self.default}, samples alone"

    @property
    def stem(self) -> str:
        """The label as the beginning of a file's name."""
        return re.sub(r"[^\w-]+", "-", self.label)

    @property
    def zero(self) -> str:
        """The system at texture 0."""
        return self.system(None if self.default_texture is None else 0.0)

    @property
    def default(self) -> str:
        """The system at the default texture."""
        return self.system(self.default_texture)


def read_models(names: Sequence[str | Path]) -> list[Model]:
    """The generators of these names or paths.

    Raises:
        ModelError: one is missing or broken.
    """
    found: list[Model] = []
    for name in names:
        path = find(name)
        contract = read_contract(path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if any(model.digest == digest for model in found):
            continue
        label = contract.name
        if any(model.label == label for model in found):
            label = f"{label} {digest[:6]}"
        texture = contract.default_texture if contract.texture else None
        phases: tuple[Phase | None, ...] = (None, "neighbours") if contract.domain == "magnitude" else (None,)
        told = bool(contract.conditioning)
        found.append(Model(label, path, digest, texture, bool(contract.noise), contract.z_size, told, phases))
    return found


def base_name(label: str) -> str:
    """The name that the forms of a generator share: NAME of NAME-det, NAME-fp16 and NAME-det-int8."""
    return re.sub(r"(-det)?(-fp16|-int8)?\Z", "", label)


def full_precision(model: Model, models: Sequence[Model]) -> Model | None:
    """The generator whose variant this is, by its name (NAME-fp16, NAME-int8); None if it is not among these."""
    name = re.fullmatch(r"(.+)-(fp16|int8)", model.label)
    return next((each for each in models if name and each.label == name[1]), None)


class FixedZ(Generator):
    """A generator that hears the same song-level vector for every seed, so that only its white noise differs.

    Attributes:
        z: float32 (z_size,), to be set before it runs.
    """

    z: np.ndarray

    def run(
        self,
        x: np.ndarray,
        noise: np.ndarray | None = None,
        z: np.ndarray | None = None,
        texture: float | None = None,
        conditioning: np.ndarray | None = None,
    ) -> np.ndarray:
        """As a generator's, with z in place of the seed's."""
        fixed = None if z is None else np.broadcast_to(self.z, z.shape)
        return super().run(x, noise, fixed, texture, conditioning)
