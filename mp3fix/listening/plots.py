"""Pictures of listening tests; to be drawn within `plotting()`."""

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mp3fix.listening.analysis import Abx, Ratings, Which
from mp3fix.listening.results import LABELS
from mp3fix.listening.writing import write

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WORDS = ("Bad", "Poor", "Fair", "Good", "Excellent")
# Okabe & Ito 2008: readable by those who see few colours.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#666666")
_BOX_FROM = 5  # listeners; of fewer there is no box, their means are drawn themselves


def ratings(rated: Ratings, method: str, path: Path) -> None:
    """Boxes over the listeners' means with the mean and its interval; below, each item's means."""
    figure = _figure(
        max(6.4, 1.1 * len(rated.systems) + 1.5, 0.5 * len(rated.items) * len(rated.systems) / 2), 8.0
    )
    whole, items = figure.subplots(2, 1)
    places = np.arange(len(rated.systems))
    means = [rated.of(system) for system in rated.systems]
    if len(rated.listeners) >= _BOX_FROM:
        whole.boxplot(
            means,
            positions=places,
            widths=0.5,
            showfliers=False,
            medianprops={"color": "0.4"},
            **{each: {"color": "0.6"} for each in ("boxprops", "whiskerprops", "capprops")},
        )
    shift = np.random.default_rng(0)
    for place, system, own in zip(places, rated.systems, means, strict=True):
        each = rated.overall[system]
        colour = _COLOURS[place % len(_COLOURS)]
        whole.plot(place + shift.uniform(-0.15, 0.15, len(own)), own, ".", color=colour, alpha=0.5, ms=7)
        bar = np.nan_to_num(each.high - each.mean)
        whole.errorbar(place + 0.34, each.mean, bar, fmt="D", color=colour, ms=6, capsize=5, lw=2)
    whole.set_xticks(places, rated.systems)
    whole.set_title(
        "Listeners' means: each, quartiles, and the mean with its 95 % interval", loc="left", fontsize=10
    )
    at = np.arange(len(rated.items))
    for column, system in enumerate(rated.systems):
        each_item = [rated.per_item[item, system] for item in rated.items]
        bars = np.nan_to_num([each.high - each.mean for each in each_item])
        items.errorbar(
            at + (column - (len(rated.systems) - 1) / 2) * 0.8 / len(rated.systems),
            [each.mean for each in each_item],
            bars,
            fmt="o",
            ms=4,
            capsize=2,
            color=_COLOURS[column % len(_COLOURS)],
            label=system,
        )
    many = len(rated.items) > 3
    items.set_xticks(at, rated.items, rotation=20 if many else 0, ha="right" if many else "center")
    items.set_title("Items: mean over listeners with its 95 % interval", loc="left", fontsize=10)
    handles = items.get_legend_handles_labels()
    figure.legend(
        *handles, ncols=min(6, len(rated.systems)), fontsize=8, loc="outside lower center", frameon=False
    )
    for axes in (whole, items):
        _scale(axes, method)
    _save(figure, path)


def _scale(axes: "object", method: str) -> None:
    top = 4 if method == "mos" else 100
    axes.set_ylim(-0.03 * top, 1.05 * top)  # type: ignore[attr-defined]
    ticks = np.arange(5) if method == "mos" else np.arange(0, 101, 20)
    axes.set_yticks(ticks)  # type: ignore[attr-defined]
    axes.grid(axis="y", color="0.9")  # type: ignore[attr-defined]
    axes.set_axisbelow(True)  # type: ignore[attr-defined]
    right = axes.secondary_yaxis("right")  # type: ignore[attr-defined]
    right.set_yticks(ticks if method == "mos" else np.arange(10, 100, 20), WORDS)
    right.tick_params(length=0, labelsize=8, labelcolor="0.4")
    axes.set_ylabel("MOS" if method == "mos" else "MUSHRA score")  # type: ignore[attr-defined]


def abx(answered: Abx, path: Path) -> None:
    """Share of right answers: each listener, and all."""
    rows = [*((name, each) for name, (each, _) in answered.listeners.items()), ("all", answered.pooled)]
    figure = _figure(6.4, 1.6 + 0.32 * len(rows))
    axes = figure.subplots()
    for place, (name, each) in enumerate(reversed(rows)):
        bars = [[each.share - each.low], [each.high - each.share]]
        colour = _COLOURS[1 if name == "all" else 0]
        axes.errorbar(
            each.share, place, xerr=bars, fmt="D" if name == "all" else "o", color=colour, capsize=4
        )
    axes.set_yticks(range(len(rows)), [name for name, _ in reversed(rows)])
    axes.axvline(0.5, color="0.5", ls="--", lw=1)
    axes.set_xlim(0, 1)
    axes.set_xlabel("share of right answers, 95 % interval; dashed: guessing")
    axes.set_title(" or ".join(answered.systems), loc="left", fontsize=10)
    _save(figure, path)


def which(told: Which, path: Path) -> None:
    """The table of what was taken for what."""
    figure = _figure(5.2, 3.8)
    axes = figure.subplots()
    trials = max(1, int(told.confusion[0].sum()))
    axes.imshow(told.confusion / trials, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(told.confusion):
        dark = count > 0.5 * trials
        text = f"{count}\n{count / trials:.0%}"
        axes.text(column, row, text, ha="center", va="center", color="white" if dark else "black")
    axes.set_xticks(range(3), [f"called\n{label.replace('mp3', 'MP3')}" for label in LABELS])
    axes.set_yticks(range(3), told.systems)
    axes.set_title(f"{trials} trials; guessing gives 33 %", loc="left", fontsize=10)
    _save(figure, path)


def _figure(width: float, height: float) -> "Figure":
    from matplotlib.figure import Figure

    return Figure(figsize=(min(width, 16), height), layout="constrained")


def _save(figure: "Figure", path: Path) -> None:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=130)
    write(path, file.getvalue())
