"""What a listening test says, as report.md, tables as CSV and a picture."""

from collections.abc import Sequence
from pathlib import Path

from mp3fix.errors import Mp3fixError
from mp3fix.files.names import system_reason
from mp3fix.listening import analysis, plots, tables
from mp3fix.listening.analysis import Abx, Ratings, Which
from mp3fix.listening.results import LABELS, Key, Result
from mp3fix.listening.statistics import Share, Summary
from mp3fix.listening.writing import write
from mp3fix.report.plotting import plotting

NAMES = {
    "mos": "Absolute category rating (MOS, 0 bad to 4 excellent)",
    "mushra": "MUSHRA (ITU-R BS.1534-3, 0 to 100)",
    "abx": "ABX",
    "which": "Which is lossless, MP3, restored",
}
_LEAST = 6  # listeners: with fewer, Wilcoxon's p is never below 0.05
PICTURE = "results.png"


def write_report(results: Sequence[Result], refused: Sequence[str], key: Key, out: Path) -> Path:
    """Analyse results and write report.md, answers.csv, for ratings systems.csv, and results.png into a folder.

    Raises:
        Mp3fixError: there is no result, or post-screening leaves none.
    """
    if not results:
        raise Mp3fixError("no result is left to analyse")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Mp3fixError(system_reason(error, str(out))) from error
    lines = [f"# {_plain(key.title)}", "", f"{NAMES[key.method]}, {_people(results, key)}.", ""]
    if key.method in ("mos", "mushra"):
        rated = analysis.ratings(results, key)
        if not rated.listeners:
            raise Mp3fixError(
                "post-screening leaves no listener: " + "; ".join(map(" ".join, rated.excluded.items()))
            )
        lines += _ratings(rated, key.method)
        write(out / "systems.csv", tables.systems(rated))
        with plotting():
            plots.ratings(rated, key.method, out / PICTURE)
    elif key.method == "abx":
        answered = analysis.abx(results, key)
        lines += _abx(answered)
        with plotting():
            plots.abx(answered, out / PICTURE)
    else:
        told = analysis.which(results, key)
        lines += _which(told)
        with plotting():
            plots.which(told, out / PICTURE)
    lines += [f"![results]({PICTURE})", ""]
    lines += _remarks(results, refused, key)
    write(out / "answers.csv", tables.answers(results, key))
    write(out / "report.md", "\n".join(lines).rstrip() + "\n")
    return out / "report.md"


def _people(results: Sequence[Result], key: Key) -> str:
    count = len(results)
    heard = sorted({result.heard_with for result in results if result.heard_with})
    by = {name: sum(result.heard_with == name for result in results) for name in heard}
    with_what = ", ".join(f"{_plain(name)} {n}" for name, n in by.items())
    items = len(key.items)
    return f"{count} listener{'s' * (count != 1)}, {items} item{'s' * (items != 1)}" + (
        f" (heard with: {with_what})" if with_what else ""
    )


def _ratings(rated: Ratings, method: str) -> list[str]:
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
            f"| {_plain(system)} | {whole.mean:.2f} | {_interval(whole)} | {_number(whole.sd)} | "
            f"{_number(every.sd)} | {every.n} |"
        )
    lines += [
        "",
        *_tests(rated, method),
        "## Items",
        "",
        "Mean over listeners, with half its 95 % interval.",
        "",
    ]
    lines += [f"| item | {' | '.join(map(_plain, rated.systems))} |", "|---" * (len(rated.systems) + 1) + "|"]
    for item in rated.items:
        cells = [rated.per_item[item, system] for system in rated.systems]
        shown = " | ".join(f"{each.mean:.2f} ± {_number(each.high - each.mean)}" for each in cells)
        lines.append(f"| {_plain(item)} | {shown} |")
    return [*lines, ""]


def _tests(rated: Ratings, method: str) -> list[str]:
    lines = ["## Differences", ""]
    if rated.omnibus is not None:
        test = rated.omnibus
        lines += [
            f"Friedman's test of all systems{' but the anchors' * (method == 'mushra')}: "
            f"χ²({test.df}) = {test.chi2:.2f}, {_is(test.p)}, Kendall's W = {test.w:.2f}.",
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
            f"| {_plain(each.first)} | {_plain(each.second)} | {gap.mean:+.2f} | {_interval(gap)} | "
            f"{each.paired.effect:+.2f} | {_p(each.paired.p)} | {_p(each.p_holm)} |"
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
                f"| {_plain(each.first)} | {_plain(each.second)} | {welch.difference:+.2f} | {_number(welch.t)} | "
                f"{_number(welch.df, 1)} | {_p(welch.p)} | {_number(welch.d)} |"
            )
    return [*lines, ""]


def _abx(answered: Abx) -> list[str]:
    first, second = map(_plain, answered.systems)
    pooled = answered.pooled
    lines = [
        f"## Can {first} be told from {second}?",
        "",
        f"{pooled.right} of {pooled.n} answers were right: {_share(pooled)}, one-sided binomial {_is(pooled.p)}. "
        "Guessing gives 50 %. Intervals are Clopper and Pearson's, 95 %.",
        "",
        "| listener | right | of | share, interval | p | p (Holm) |",
        "|---|---|---|---|---|---|",
    ]
    for name, (each, p) in answered.listeners.items():
        lines.append(f"| {name} | {each.right} | {each.n} | {_share(each)} | {_p(each.p)} | {_p(p)} |")
    lines += ["", "| item | right | of | share, interval |", "|---|---|---|---|"]
    lines += [
        f"| {_plain(name)} | {each.right} | {each.n} | {_share(each)} |"
        for name, each in answered.items.items()
    ]
    return [*lines, ""]


def _which(told: Which) -> list[str]:
    trials = int(told.confusion[0].sum())
    lines = [
        "## What was taken for what",
        "",
        f"{told.right} of {3 * trials} labels were right; guessing gives {trials}. "
        f"As many by guessing: {_is(told.p)} (exact; the three labels of a trial depend on each other).",
        "",
        f"| system | {' | '.join(f'called {label}' for label in LABELS)} | right, interval | p against 1 in 3 |",
        "|---" * (len(LABELS) + 3) + "|",
    ]
    for system, row in zip(told.systems, told.confusion, strict=True):
        found = told.found[system]
        lines.append(
            f"| {_plain(system)} | {' | '.join(str(count) for count in row)} | {_share(found)} | {_p(found.p)} |"
        )
    mistaken = told.mistaken
    if mistaken.n:
        lines += [
            "",
            f"Where another than the lossless one was called lossless, it was the restoration in {mistaken.right} of "
            f"{mistaken.n} trials ({_share(mistaken)}; against 1 in 2, {_is(mistaken.p)}).",
        ]
    lines += ["", "| listener | right labels | of | p | p (Holm) |", "|---|---|---|---|---|"]
    for name, (right, own, p, corrected) in told.listeners.items():
        lines.append(f"| {name} | {right} | {3 * own} | {_p(p)} | {_p(corrected)} |")
    return [*lines, ""]


def _remarks(results: Sequence[Result], refused: Sequence[str], key: Key) -> list[str]:
    lines = []
    said = [
        (result.participant, key.items[trial.item], trial.comment)
        for result in results
        for trial in result.trials
        if trial.comment
    ]
    said += [(result.participant, "all", result.comment) for result in results if result.comment]
    if said:
        lines += ["## Comments", ""]
        lines += [f"- {name}, {_plain(item)}: {_plain(text)}" for name, item, text in said] + [""]
    if refused:
        lines += ["## Files left out", "", *(f"- {_plain(line)}" for line in refused), ""]
    return lines


def _plain(text: str) -> str:
    """Text that Markdown shows as it is, whoever wrote it."""
    return "".join(f"&#{ord(c)};" if c in "\\`*_{}[]<>&|#!~$" else c for c in text)


def _number(value: float, digits: int = 2) -> str:
    return "–" if value != value else f"{value:.{digits}f}"


def _interval(each: Summary) -> str:
    return "–" if each.low != each.low else f"{each.low:.2f} to {each.high:.2f}"


def _share(each: Share) -> str:
    if not each.n:
        return "–"
    return f"{100 * each.share:.0f} % ({100 * each.low:.0f} to {100 * each.high:.0f})"


def _is(p: float) -> str:
    """As `_p` in a sentence: p = 0.012, p < 0.0001."""
    shown = _p(p)
    return f"p {shown}" if shown.startswith("<") else f"p = {shown}"


def _p(p: float) -> str:
    if p != p:
        return "–"
    return "< 0.0001" if p < 0.0001 else f"{p:.4f}" if p < 0.01 else f"{p:.3f}"
