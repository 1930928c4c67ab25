"""The comparison of all generators: which are scored where, and what came of it. See comparison_report."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from mp3fix.evaluation.compared import Compared
from mp3fix.evaluation.comparison_cost import Cost
from mp3fix.evaluation.comparison_papers import DRAWN, GROUPS, PLAIN, VIEWS, View, paper_of
from mp3fix.evaluation.excerpts import Excerpt
from mp3fix.evaluation.models import Model, base_name, read_models
from mp3fix.evaluation.runner import Drawn, Score, gather, textures
from mp3fix.evaluation.scoring import METRICS
from mp3fix.evaluation.work import Job, Unit
from mp3fix.generator.apply import Phase
from mp3fix.generator.catalog import DEFAULT, list_models

QUICK_PIECES = 4
NAMES = METRICS | {"lsd_bel": "LSD without the factor of ten"}
HIGHER = ("snr", "si_sdr", "visqol", "pesq", "stoi", "odg")  # better; of all others lower is
COST_NAMES = {"parameters": "parameters", "block_ms": "ms per 100 000 samples"}


@dataclass(frozen=True)
class Results:
    """All that was measured.

    Attributes:
        models: the default generator first.
        scores: by name of a view.
        drawn: many draws of stochastic generators.
        costs: by label.
        categories: kind of music of each piece.
    """

    models: Sequence[Model]
    scores: Compared
    drawn: Sequence[Drawn]
    costs: Mapping[str, Cost]
    categories: Mapping[str, str]

    @property
    def ours(self) -> Model:
        """The default generator."""
        return self.models[0]

    def is_ours(self, system: str) -> bool:
        """Whether a system, or a label, is of the default generator or a form of it, at any texture."""
        forms = [each for each in self.models if base_name(each.label) == self.ours.label]
        return any(system in (each.label, *systems_of(each)) for each in forms)

    def mean(self, view: str, system: str, metric: str, group: str = "") -> float:
        """Mean of a measure over the pieces of a group, "" for all; nan where nothing was measured."""
        pieces = [piece for piece in self.scores.pieces if self.belongs(piece, group)]
        return self.scores.mean(view, system, metric, pieces)

    def belongs(self, piece: str, group: str) -> bool:
        """Whether a piece belongs to a group of GROUPS; all belong to ""."""
        return not group or self.categories.get(piece) in GROUPS[group]

    def best_of_20(self, model: Model, view: str, metric: str) -> dict[str, float]:
        """The measure of each piece's draw of lowest LSD."""
        mine = [each for each in self.drawn if (each.model, each.setting) == (model.label, view)]
        return {each.piece: _with_bel(each.values["best_scores"]).get(metric, float("nan")) for each in mine}

    def deterministic(self, model: Model) -> str | None:
        """The deterministic form of a generator: NAME-det where there is one, else its texture 0."""
        labels = [each.label for each in self.models]
        if f"{model.label}-det" in labels:
            return f"{model.label}-det"
        return None if model.default_texture is None else model.zero


def present(named: Sequence[str], folder: Path | None) -> list[Model]:
    """The default generator, all that are bundled, those of a folder, and those named.

    Raises:
        ModelError: one is missing or broken.
    """
    bundled = [name for name, _, _ in list_models()]
    inside = sorted(folder.rglob("*.onnx")) if folder else []
    return read_models([DEFAULT, *bundled, *inside, *named])


def few(excerpts: Sequence[Excerpt]) -> list[Excerpt]:
    """QUICK_PIECES of all, each of another kind of music as far as there are kinds, those of GROUPS first."""
    grouped = [category for categories in GROUPS.values() for category in categories]
    kinds = [*grouped, *(each.category for each in excerpts if each.category not in grouped)]
    firsts = {kind: [each for each in excerpts if each.category == kind][:1] for kind in kinds}
    chosen = [piece for pieces in firsts.values() for piece in pieces]
    chosen += [each for each in excerpts if not any(each is other for other in chosen)]
    return chosen[:QUICK_PIECES]


def plan(
    excerpts: Sequence[Excerpt], models: Sequence[Model], quick: bool = False, peaq: Path | None = None
) -> dict[str, list[Job]]:
    """The jobs of a comparison, by name of a view. The quick form has no ViSQOL and no draws.

    The default generator, first of the models, is scored in all views; others where their paper says, or in
    the plain ones.
    """
    jobs = {}
    for name, view in VIEWS.items():
        systems: list[tuple[Model | None, float | None, Phase | None]] = [(None, None, None)]
        drawn = []
        for model in models:
            if model != models[0] and name not in views_of(model):
                continue
            systems += [(model, texture, phase) for texture in textures(model) for phase in model.phases]
            if model.drawn and name in DRAWN and not quick:
                drawn.append(Unit("draws", model, model.default_texture))
        kind: Literal["brief", "scores"] = "brief" if quick or view.high else "scores"
        units = [Unit(kind, model, texture, phase=phase) for model, texture, phase in systems]
        if peaq is not None and not view.high:
            units += [Unit("peaq", model, texture, peaq, phase) for model, texture, phase in systems]
        jobs[name] = [Job(_seen(each, view), view.setting, (*units, *drawn)) for each in excerpts]
    return jobs


def systems_of(model: Model) -> list[str]:
    """Names of the systems that a generator is scored as: at each texture, with phases found in each way."""
    return [model.system(texture, phase) for texture in textures(model) for phase in model.phases]


def views_of(model: Model) -> tuple[str, ...]:
    """Names of the views that a generator is scored in."""
    paper = paper_of(model.label)
    return paper.views if paper else PLAIN


def collect(
    jobs: Mapping[str, Sequence[Job]],
    folder: Path,
    models: Sequence[Model],
    costs: Mapping[str, Cost],
    excerpts: Iterable[Excerpt],
) -> Results:
    """The results of jobs that are done."""
    scores: list[Score] = []
    drawn: list[Drawn] = []
    for view, mine in jobs.items():
        found, draws = gather(mine, folder)
        scores += [replace(each, setting=view, values=_with_bel(each.values)) for each in found]
        drawn += draws
    categories = {each.piece: each.category for each in excerpts}
    return Results(models, Compared(scores), drawn, costs, categories)


def better(metric: str, mine: float, theirs: float) -> bool:
    """Whether one value of a measure is better than another."""
    return mine > theirs if metric in HIGHER else mine < theirs


def _seen(excerpt: Excerpt, view: View) -> Excerpt:
    return replace(excerpt, cutoff=min(excerpt.cutoff, view.high)) if view.high else excerpt


def _with_bel(values: Mapping[str, float]) -> dict[str, float]:
    """Deshpande & Abichandani's LSD is of logarithms, not of decibels: a tenth."""
    return {**values, "lsd_bel": values["lsd"] / 10} if "lsd" in values else dict(values)
