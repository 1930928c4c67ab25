"""What a worker process does: one piece at one setting, by all systems, each result kept as it comes."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from mp3fix.evaluation import peaq, scoring
from mp3fix.evaluation.cache import Cache
from mp3fix.evaluation.draws import SEEDS, draws
from mp3fix.evaluation.excerpts import Excerpt, Pair, pair
from mp3fix.evaluation.models import FixedZ, Model
from mp3fix.evaluation.version import version
from mp3fix.generator.apply import Phase
from mp3fix.restore import Options, Restorer
from mp3fix.training.corpus import RATE


@dataclass(frozen=True)
class Unit:
    """One result.

    Attributes:
        kind: all measures, all but ViSQOL, ODG and DI, or many draws.
        model: None is the MP3 itself.
        texture: None where the generator has none.
        peaq: the program, for the kind "peaq".
        phase: where phases come from; None: as the generator needs.
        bare: whether the MP3's bits are kept from the generator.
    """

    kind: Literal["scores", "brief", "peaq", "draws"]
    model: Model | None
    texture: float | None = None
    peaq: Path | None = None
    phase: Phase | None = None
    bare: bool = False


@dataclass(frozen=True)
class Job:
    """All results of one piece at one setting."""

    excerpt: Excerpt
    setting: str
    units: tuple[Unit, ...]

    def key(self, unit: Unit) -> dict[str, Any]:
        """All that a result depends on."""
        key = {
            "version": version(),
            "kind": unit.kind,
            "excerpt": self.excerpt.digest,
            "cutoff": self.excerpt.cutoff,
            "setting": self.setting,
            "model": unit.model.digest if unit.model else None,
            "texture": unit.texture,
            "seed": list(SEEDS) if unit.kind == "draws" else 0,
            "peaq": _digest(unit.peaq) if unit.peaq else None,
        }
        return key | ({"phase": unit.phase} if unit.phase else {}) | ({"bare": True} if unit.bare else {})


def missing(job: Job, folder: Path) -> bool:
    """Whether a result of a job is not yet kept in a folder."""
    cache = Cache(folder)
    return any(cache.get(job.key(unit)) is None for unit in job.units)


def work(job: Job, folder: Path) -> None:
    """Compute what is missing of a job, and keep it in a folder."""
    cache, made = Cache(folder), pair(job.excerpt, job.setting)
    for unit in job.units:
        if cache.get(job.key(unit)) is None:
            cache.put(job.key(unit), _compute(made, unit))


def _compute(made: Pair, unit: Unit) -> dict[str, Any]:
    if unit.kind == "draws":
        assert unit.model is not None
        fixed = _fixed(unit.model.path) if unit.model.z_size else None
        return draws(made, _restorer(unit.model.path).generator, fixed)
    estimate = made.degraded
    if unit.model is not None:
        restorer = _restorer(unit.model.path)
        options = Options(texture=unit.texture, phase=unit.phase)
        maps = None if unit.bare else made.maps(restorer.generator.contract.stft)
        estimate = restorer.restore(made.degraded, RATE, options, maps)
    if unit.kind == "peaq":
        assert unit.peaq is not None
        odg, di = peaq.measure(unit.peaq, made.reference, estimate, RATE)
        return {"odg": odg, "di": di}
    if unit.kind == "brief":
        return scoring.score(made, estimate, brief=True)
    return scoring.score(made, estimate)


# One thread each, on the CPU: every core has a worker of its own, and figures do not depend on the machine's GPU.
@lru_cache(maxsize=4)
def _restorer(path: Path) -> Restorer:
    return Restorer(path, "cpu", threads=1)


@lru_cache(maxsize=1)
def _fixed(path: Path) -> FixedZ:
    generator = FixedZ.load(path, "cpu", threads=1)
    assert isinstance(generator, FixedZ)
    return generator


@lru_cache(maxsize=1)
def _digest(program: Path) -> str:
    return hashlib.sha256(program.read_bytes()).hexdigest()
