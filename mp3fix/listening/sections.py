"""The sections of report.md on what was found, a list of lines each."""

from mp3fix.listening.analysis import Abx, Ratings, Which
from mp3fix.listening.markdown import interval, number, p_value, plain, share, stated
from mp3fix.listening.results import LABELS

_LEAST = 6  # listeners: with fewer, Wilcoxon's p is never below 0.05


def ratings(rated: Ratings, method: str) -> list[str]:
    """Of a MOS or MUSHRA test: who was left out, systems, their differences, items."""
    lines = []
    if method == "mushra":
        lines += ["## Post-screening", ""]
        lines += [f"- {name} is left out: {why}." for name, why in rated.excluded.items()] or [
            "Nobody is left out."
        ]
        lines += [""]
    n = len(rated.listeners)
    lines += [
        "## Systems",
        "",
        f"Mean and its 95 % interval (Student's t) over the means of {n} listener{'s' * (n != 1)}; SD of these means, "
        "and of all ratings.",
        "",
        "| system | mean | 95 % interval | SD of listeners | SD of ratings | ratings |",
        "|---|---|---|---|---|---|",
    ]
    for system in rated.systems:
        whole, every = rated.overall[system], rated.spread[system]
        lines.append(
            f"| {plain(system)} | {whole.mean:.2f} | {interval(whole)} | {number(whole.sd)} | "
            f"{number(every.sd)} | {every.n} |"
        )
    lines += [
        "",
        *_tests(rated, method),
        "## Items",
        "",
        "Mean over listeners, with half its 95 % interval.",
        "",
    ]
    lines += [f"| item | {' | '.join(map(plain, rated.systems))} |", "|---" * (len(rated.systems) + 1) + "|"]
    for item in rated.items:
        cells = [rated.per_item[item, system] for system in rated.systems]
        shown = " | ".join(f"{each.mean:.2f} ± {number(each.high - each.mean)}" for each in cells)
        lines.append(f"| {plain(item)} | {shown} |")
    return [*lines, ""]


def _tests(rated: Ratings, method: str) -> list[str]:
    lines = ["## Differences", ""]
    if rated.omnibus is not None:
        test = rated.omnibus
        lines += [
            f"Friedman's test of all systems{' but the anchors' * (method == 'mushra')}: "
            f"χ²({test.df}) = {test.chi2:.2f}, {stated(test.p)}, Kendall's W = {test.w:.2f}.",
            "",
        ]
    lines += [
        "Pairs within listeners: Wilcoxon's signed-rank test, p corrected for the number of pairs by Holm; effect: "
        "rank-biserial correlation, 1 where every listener prefers the first.",
        "",
        "| first | second | difference | 95 % interval | effect | p | p (Holm) |",
        "|---|---|---|---|---|---|---|",
    ]
    for each in rated.comparisons:
        gap = each.paired.difference
        lines.append(
            f"| {plain(each.first)} | {plain(each.second)} | {gap.mean:+.2f} | {interval(gap)} | "
            f"{each.paired.effect:+.2f} | {p_value(each.paired.p)} | {p_value(each.p_holm)} |"
        )
    n = len(rated.listeners)
    if n < _LEAST:
        lines += [
            "",
            f"With {n} listener{'s' * (n != 1)}, p cannot be below {2 / 2**n:.2g} whatever they say; "
            f"{_LEAST} are the fewest with which it can be below 0.05.",
        ]
    if method == "mos":
        lines += [
            "",
            "Unpaired, each rating as if of another listener, as papers with MOS do (Welch's t; d: Cohen's). Ratings "
            "of one listener are alike, so that p is not to be taken literally:",
            "",
            "| first | second | difference | t | df | p | d |",
            "|---|---|---|---|---|---|---|",
        ]
        for each in rated.comparisons:
            welch = each.unpaired
            assert welch is not None
            lines.append(
                f"| {plain(each.first)} | {plain(each.second)} | {welch.difference:+.2f} | {number(welch.t)} | "
                f"{number(welch.df, 1)} | {p_value(welch.p)} | {number(welch.d)} |"
            )
    return [*lines, ""]


def abx(answered: Abx) -> list[str]:
    """Of an ABX test: how many answers were right, by listener and item."""
    first, second = map(plain, answered.systems)
    pooled = answered.pooled
    lines = [
        f"## Can {first} be told from {second}?",
        "",
        f"{pooled.right} of {pooled.n} answers were right: {share(pooled)}, one-sided binomial {stated(pooled.p)}. "
        "Guessing gives 50 %. Intervals are Clopper and Pearson's, 95 %.",
        "",
        "| listener | right | of | share, interval | p | p (Holm) |",
        "|---|---|---|---|---|---|",
    ]
    for name, (each, p) in answered.listeners.items():
        lines.append(
            f"| {name} | {each.right} | {each.n} | {share(each)} | {p_value(each.p)} | {p_value(p)} |"
        )
    lines += ["", "| item | right | of | share, interval |", "|---|---|---|---|"]
    lines += [
        f"| {plain(name)} | {each.right} | {each.n} | {share(each)} |"
        for name, each in answered.items.items()
    ]
    return [*lines, ""]


def which(told: Which) -> list[str]:
    """Of the three-way test: what was taken for what."""
    trials = int(told.confusion[0].sum())
    lines = [
        "## What was taken for what",
        "",
        f"{told.right} of {3 * trials} labels were right; guessing gives {trials}. "
        f"As many by guessing: {stated(told.p)} (exact; the three labels of a trial depend on each other).",
        "",
        f"| system | {' | '.join(f'called {label}' for label in LABELS)} | right, interval | p against 1 in 3 |",
        "|---" * (len(LABELS) + 3) + "|",
    ]
    for system, row in zip(told.systems, told.confusion, strict=True):
        found = told.found[system]
        lines.append(
            f"| {plain(system)} | {' | '.join(str(count) for count in row)} | {share(found)} | {p_value(found.p)} |"
        )
    mistaken = told.mistaken
    if mistaken.n:
        lines += [
            "",
            f"Where another than the lossless one was called lossless, it was the restoration in {mistaken.right} of "
            f"{mistaken.n} trials ({share(mistaken)}; against 1 in 2, {stated(mistaken.p)}).",
        ]
    lines += ["", "| listener | right labels | of | p | p (Holm) |", "|---|---|---|---|---|"]
    for name, (right, own, p, corrected) in told.listeners.items():
        lines.append(f"| {name} | {right} | {3 * own} | {p_value(p)} | {p_value(corrected)} |")
    return [*lines, ""]
