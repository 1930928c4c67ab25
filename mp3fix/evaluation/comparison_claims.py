"""What is claimed, judged: by the papers about the MP3, and of the default generator about all others."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from mp3fix.evaluation.comparison import NAMES, Results, better
from mp3fix.evaluation.comparison_papers import PLAIN, Claim, paper_of
from mp3fix.evaluation.models import Model
from mp3fix.evaluation.runner import MP3
from mp3fix.evaluation.statistics import mean


@dataclass(frozen=True)
class Verdict:
    """One claim of one system, judged.

    Attributes:
        system: whose.
        view: where.
        what: the measure, and the group of pieces.
        metric: key of the measure, for its digits; "" for the speed.
        seen: the system's mean.
        against: whose mean it is compared with.
        theirs: that mean.
        holds: None where there is nothing to compare.
    """

    system: str
    view: str
    what: str
    metric: str
    seen: float
    against: str
    theirs: float
    holds: bool | None


def papers_claims(results: Results, model: Model) -> list[Verdict]:
    """The claims of a generator's paper; those on many draws only for a stochastic one with a deterministic form."""
    paper = paper_of(model.label)
    verdicts = []
    for claim in paper.claims if paper else ():
        if not claim.best_of_20:
            verdicts.append(_against_mp3(results, model, claim))
        elif model.drawn:
            verdicts.append(_best_of_20(results, model, claim))
    return verdicts


def our_claims(results: Results) -> Iterator[Verdict]:
    """That the default generator wins in ViSQOL at its default texture, in SI-SDR at texture 0, and in speed."""
    ours = results.ours
    for metric, system in (("visqol", ours.default), ("si_sdr", ours.zero)):
        for view in PLAIN:
            others = [each for each in results.scores.systems(view) if not results.is_ours(each)]
            seen = results.mean(view, system, metric)
            yield _won(view, metric, system, seen, {o: results.mean(view, o, metric) for o in others})
    speeds = {label: cost.speed for label, cost in results.costs.items() if not results.is_ours(label)}
    best = max(speeds, key=lambda label: speeds[label], default="")
    mine = results.costs[ours.label].speed
    faster = [label for label, speed in speeds.items() if speed > mine]
    what = "times real time" + (f" (faster: {', '.join(faster)})" if faster else "")
    theirs = speeds.get(best, math.nan)
    yield Verdict(ours.label, "all", what, "", mine, best or "no other", theirs, not faster if best else None)


def best_system(values: dict[str, float], metric: str) -> str:
    """Whose value of a measure is best; "" where nobody has one."""
    known = {system: value for system, value in values.items() if math.isfinite(value)}
    best = ""
    for system, value in known.items():
        if not best or better(metric, value, known[best]):
            best = system
    return best


def _won(view: str, metric: str, system: str, seen: float, others: dict[str, float]) -> Verdict:
    best = best_system(others, metric)
    theirs = others.get(best, math.nan)
    holds = better(metric, seen, theirs) if math.isfinite(seen) and best else None
    return Verdict(system, view, NAMES[metric], metric, seen, best or "no other", theirs, holds)


def _against_mp3(results: Results, model: Model, claim: Claim) -> Verdict:
    seen, mp3 = (
        results.mean(claim.view, system, claim.metric, claim.group) for system in (model.default, MP3)
    )
    what = NAMES[claim.metric] + (f", {claim.group} pieces" if claim.group else "")
    return _judged(model.default, claim, what, seen, MP3, mp3)


def _best_of_20(results: Results, model: Model, claim: Claim) -> Verdict:
    """Over the pieces that have both."""
    system = results.deterministic(model)
    best = results.best_of_20(model, claim.view, claim.metric)
    theirs = results.scores.values(claim.view, system, claim.metric) if system else {}
    both = best.keys() & theirs.keys()
    seen, other = (mean(values[piece] for piece in both) for values in (best, theirs))
    what = f"{NAMES[claim.metric]}, best of 20"
    return _judged(model.label, claim, what, seen, system or "no deterministic form", other)


def _judged(system: str, claim: Claim, what: str, seen: float, against: str, theirs: float) -> Verdict:
    known = math.isfinite(seen) and math.isfinite(theirs)
    holds = better(claim.metric, seen, theirs) if known else None
    return Verdict(system, claim.view, what, claim.metric, seen, against, theirs, holds)
