"""docs/comparison.md: the tables of a comparison, computed from its results."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from mp3fix.evaluation.comparison import COST_NAMES, NAMES, Results, systems_of
from mp3fix.evaluation.comparison_claims import Verdict, best_system, our_claims, papers_claims
from mp3fix.evaluation.comparison_papers import GROUPS, PAPERS, PLAIN, VIEWS, Paper, paper_of, what_is
from mp3fix.evaluation.excerpts import SECONDS
from mp3fix.evaluation.models import Model
from mp3fix.evaluation.report import number, table
from mp3fix.evaluation.runner import MP3
from mp3fix.evaluation.statistics import mean

SHOWN = (
    *("lsd", "lsd_bel", "mse", "snr", "si_sdr", "l1", "l1_magnitude"),
    *("visqol", "pesq", "stoi", "odg", "di"),
)
DRAWN = ("lsd", "mse", "snr", "visqol")

FOREWORD = """\
# Every system of the literature, on the same pieces

    mp3fix-lab compare --corpus work/corpus --out {name}     # or: make compare

writes this page; it trains nothing. {systems} generators against the MP3 on {pieces} test pieces, an excerpt of
{seconds} s each. {test_set}

The MP3 is LAME's, at the rate it chooses by itself. Every measure ends at the recording's own cut-off, or at 11.025
kHz where that is said; LSD's floor is 100 dB below the strongest bin of the excerpt. Seed 0. Means over pieces; the
best of each column is bold. A generator is scored where its band exists: those of papers where the paper's method
applies, all others at all settings. The phases of generators that give magnitudes are found by Griffin-Lim, or where
that is said from their neighbours.{quick}
"""
QUICK = " This is the quick form: few pieces, no ViSQOL, no draws."


def markdown(results: Results, test_set: str, name: str, quick: bool = False) -> str:
    """The whole page.

    Args:
        results: what was measured.
        test_set: a sentence on what the pieces are.
        name: of the page's file, for the command.
        quick: whether this is the quick form.
    """
    foreword = FOREWORD.format(
        name=name,
        systems=len(results.models),
        pieces=len(results.scores.pieces),
        seconds=SECONDS,
        test_set=test_set,
        quick=QUICK if quick else "",
    )
    parts = [
        [foreword],
        ["## Where ours wins and where it loses", "", *_wins(results)],
        ["## Claims", "", *_claims(results)],
        *(_view(results, view) for view in VIEWS if view in results.scores.settings),
        ["## Cost", "", *_costs(results)],
        *([["## Best of 20 draws", "", *_draws(results)]] if results.drawn else []),
        ["## The papers' own tables", "", *_liu_groups(results)],
        *(_headline(results, paper) for paper in PAPERS),
        ["## What each is, and what it was trained on", "", *_budgets(results)],
    ]
    return "\n".join(line for part in parts for line in (*part, "")).rstrip() + "\n"


def _wins(results: Results) -> list[str]:
    """Our better form against the best of all others, a row a measure."""
    views = [view for view in PLAIN if view in results.scores.settings]
    rows = []
    for metric in _known(results, views):
        if metric == "lsd_bel":  # a tenth of another row
            continue
        row = [NAMES[metric]]
        for view in views:
            values = {s: results.mean(view, s, metric) for s in results.scores.systems(view)}
            mine = best_system({s: v for s, v in values.items() if results.is_ours(s)}, metric)
            best = best_system(values, metric)
            place = f"{number(values[mine], metric)} ({mine})" if mine else "-"
            if mine and mine != best:
                place = f"**lost**: {place} against {number(values[best], metric)} ({best})"
            elif mine:
                place = f"won: {place}"
            row.append(place)
        rows.append(row)
    return [
        f"The better form of {results.ours.label} in each measure against the best of all others, the MP3 too.",
        "",
        *table(["", *views], rows),
    ]


def _claims(results: Results) -> list[str]:
    ours = list(our_claims(results))
    lines = [
        f"What {results.ours.label} must win: ViSQOL at the default texture, SI-SDR at texture 0, speed.",
        f"{_count(ours)}",
        "",
        *_verdicts(ours),
    ]
    for paper in PAPERS:
        for model in _of(results, paper):
            verdicts = papers_claims(results, model)
            lines += [
                "",
                f"### {model.label}",
                "",
                f"{paper.title}: {what_is(model.label)}. {_count(verdicts)}",
                "",
            ]
            lines += _verdicts(verdicts)
    return lines


def _count(verdicts: Sequence[Verdict]) -> str:
    judged = [each for each in verdicts if each.holds is not None]
    if not judged:
        return "Nothing to judge."
    return f"{sum(each.holds is True for each in judged)} of {len(judged)} hold."


def _verdicts(verdicts: Sequence[Verdict]) -> list[str]:
    rows = [
        [
            each.view,
            each.what,
            f"{number(each.seen, each.metric)} ({each.system})",
            f"{number(each.theirs, each.metric)} ({each.against})",
            {True: "yes", False: "**no**", None: "-"}[each.holds],
        ]
        for each in verdicts
    ]
    return table(["setting", "measure", "seen", "against", "holds"], rows)


def _view(results: Results, view: str) -> list[str]:
    systems, metrics = results.scores.systems(view), _known(results, [view])
    columns = []
    for metric in metrics:
        values = {system: results.mean(view, system, metric) for system in systems}
        best = best_system(values, metric)
        columns.append([_bold(number(values[s], metric), s == best) for s in systems])
    rows = [[system, *cells] for system, *cells in zip(systems, *columns, strict=True)]
    return [f"## {view}", "", *table(["", *(NAMES[metric] for metric in metrics)], rows)]


def _costs(results: Results) -> list[str]:
    rows = [
        [
            label,
            cost.domain,
            f"{cost.parameters:,}",
            f"{cost.megabytes:.1f}",
            f"{cost.gmac:.2f}",
            f"{cost.speed:.0f}",
            f"{cost.block_ms:.1f}",
        ]
        for label, cost in results.costs.items()
    ]
    return [
        "The network alone, one channel. Parameters: all values of its weights, fixed filters among them. GMAC: of "
        "convolutions, matrix products and recurrences, what each further second of audio takes. Times on 2 cores, "
        "in chunks of 3 s with their context; milliseconds for 100 000 samples at the generator's own rate.",
        "",
        *table(
            ["", "domain", "parameters", "MB", "GMAC/s", "times real time", COST_NAMES["block_ms"]],
            rows,
        ),
    ]


def _draws(results: Results) -> list[str]:
    """Each stochastic generator's best draw beside its deterministic form, as Lattner & Nistal compare them."""
    rows = []
    for view in dict.fromkeys(each.setting for each in results.drawn):
        for model in results.models:
            best = {metric: results.best_of_20(model, view, metric) for metric in DRAWN}
            if not best["lsd"]:
                continue
            fixed = results.deterministic(model)
            if fixed is not None:
                rows.append([view, fixed, *(number(results.mean(view, fixed, m), m) for m in DRAWN)])
            rows.append([view, f"{model.label}, mean of 20", *(_mean_draw(results, model, view))])
            rows.append(
                [view, f"{model.label}, best of 20", *(number(mean(best[m].values()), m) for m in DRAWN)]
            )
    return [
        *table(["setting", "", *(NAMES[metric] for metric in DRAWN)], rows),
        "",
        "The best draw is chosen against the original, by LSD: no one who restores a file can choose so.",
    ]


def _mean_draw(results: Results, model: Model, view: str) -> Iterator[str]:
    mine = [each for each in results.drawn if (each.model, each.setting) == (model.label, view)]
    for metric in DRAWN:
        yield number(mean(value for each in mine for value in each.values.get(metric, [])), metric)


def _liu_groups(results: Results) -> list[str]:
    """Which pieces are in Liu's two groups."""
    lines = ["Liu's groups are, of these test pieces:", ""]
    for group in GROUPS:
        pieces = [piece for piece in results.scores.pieces if results.belongs(piece, group)]
        lines.append(f"- {group}: {', '.join(pieces) or 'none'}")
    return lines


def _headline(results: Results, paper: Paper) -> list[str]:
    """A paper's table in its own shape: the MP3, the paper's systems, ours."""
    labels = [model.label for model in _of(results, paper)]
    rows = []
    for view in (view for view in paper.table if view in results.scores.settings):
        for system in results.scores.systems(view):
            model = _model(results, system)
            if model is None or model.label in labels or results.is_ours(system):
                cells = [_cell(results, view, system, model, *column) for column in paper.columns]
                rows.append([view, system, *cells])
    heads = [
        NAMES.get(metric, COST_NAMES.get(metric, metric)) + (f", {group}" if group else "")
        for metric, group in paper.columns
    ]
    return [
        f"### {paper.title}",
        "",
        f"{paper.data} {paper.figures}",
        "",
        *table(["setting", "", *heads], rows),
    ]


def _cell(results: Results, view: str, system: str, model: Model | None, metric: str, group: str) -> str:
    if metric not in COST_NAMES:
        return number(results.mean(view, system, metric, group), metric)
    if model is None:
        return "-"
    value = asdict(results.costs[model.label])[metric]
    return f"{value:,}" if isinstance(value, int) else f"{value:.1f}"


def _budgets(results: Results) -> list[str]:
    rows = [[label, what_is(label), cost.trained_on] for label, cost in results.costs.items()]
    return [
        "As their files say; the cards in [models](../models/README.md) say more. That a claim does not hold is a "
        "result for this width and this budget.",
        "",
        *table(["", "", "trained on"], rows),
    ]


def _of(results: Results, paper: Paper) -> list[Model]:
    return [model for model in results.models if paper_of(model.label) is paper]


def _model(results: Results, system: str) -> Model | None:
    """The generator of a system; None for the MP3."""
    if system == MP3:
        return None
    return next(m for m in results.models if system in systems_of(m))


def _known(results: Results, views: Sequence[str]) -> list[str]:
    """Measures that some system has a value of."""
    there = {
        metric
        for view in views
        for metric in results.scores.metrics(view)
        for system in results.scores.systems(view)
        if math.isfinite(results.mean(view, system, metric))
    }
    return [metric for metric in SHOWN if metric in there]


def _bold(text: str, best: bool) -> str:
    return f"**{text}**" if best else text
