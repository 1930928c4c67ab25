"""The pictures of a report, as PNGs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mp3fix.evaluation.compared import Compared
from mp3fix.evaluation.excerpts import IDENTITY
from mp3fix.evaluation.models import Model
from mp3fix.evaluation.runner import CURVE, MP3, Drawn
from mp3fix.evaluation.statistics import mean

GREY, BLUE, ORANGE = "#8a8a8a", "#2f6fb0", "#d9822b"
SHOWN_SEEDS = 5


def violins(scores: Compared, model: Model, folder: Path) -> list[Path]:
    """LSD of MP3 and default texture, and what changes in SI-SDR and ViSQOL; one PNG each, settings side by side."""
    pictures = []
    lsd = [
        (MP3, GREY, _by_setting(scores, MP3, "lsd")),
        ("default texture", BLUE, _by_setting(scores, model.default, "lsd")),
    ]
    pictures.append(_violin(folder / f"{model.stem}-lsd.png", "LSD, dB", lsd, scores.settings))
    for metric, name in (("si_sdr", "change of SI-SDR, dB"), ("visqol", "change of ViSQOL")):
        settings = [setting for setting in scores.settings if setting != IDENTITY]
        series = [
            (
                label,
                colour,
                [_known(scores.changes(setting, system, metric).values()) for setting in settings],
            )
            for label, colour, system in (
                ("texture 0", ORANGE, model.zero),
                ("default texture", BLUE, model.default),
            )
        ]
        path = folder / f"{model.stem}-{metric.replace('_', '-')}.png"
        pictures.append(_violin(path, name, series, settings, zero=True))
    return pictures


def texture_curve(scores: Compared, model: Model, settings: Sequence[str], folder: Path) -> Path:
    """LSD, ViSQOL and SI-SDR against texture, a line a setting, the MP3 dashed."""
    plt = _pyplot()
    figure, axes = plt.subplots(1, 3, figsize=(11, 3.6), layout="constrained")
    for axis, (metric, name) in zip(
        axes, (("lsd", "LSD, dB"), ("visqol", "ViSQOL"), ("si_sdr", "SI-SDR, dB")), strict=True
    ):
        for setting, colour in zip(settings, (BLUE, ORANGE, "#4b9b5a"), strict=False):
            means = [mean(scores.values(setting, model.system(t), metric).values()) for t in CURVE]
            axis.plot(CURVE, means, "o-", color=colour, label=setting)
            axis.axhline(mean(scores.values(setting, MP3, metric).values()), color=colour, ls="--", lw=0.8)
        axis.set_xlabel("texture")
        axis.set_xticks(CURVE)
        axis.set_title(name, loc="left")
        _plain(axis)
    axes[0].legend(frameon=False, title="dashed: MP3")
    return _saved(figure, folder / f"{model.stem}-texture.png")


def profiles(drawn: Drawn, model: Model, folder: Path) -> Path:
    """Long-term frequency profiles of original, MP3 and a few seeds (figure 5 of Lattner & Nistal 2021)."""
    profile = drawn.values["profile"]
    khz = np.array(profile["hz"]) / 1000
    plt = _pyplot()
    figure, axis = plt.subplots(figsize=(9, 4.5), layout="constrained")
    for seed, levels in enumerate(profile["seeds"][:SHOWN_SEEDS]):
        axis.plot(khz, levels, color=BLUE, lw=0.9, alpha=0.8, label="seeds 0 to 4" if seed == 0 else None)
    axis.plot(khz, profile["mp3"], color=GREY, lw=1.6, label=MP3)
    axis.plot(khz, profile["original"], color="black", lw=1.6, label="original")
    levels = np.concatenate([profile["original"], *profile["seeds"]])
    axis.set_ylim(levels.max() - 100, levels.max() + 5)
    axis.set_xlim(0, khz[-1])
    axis.set_xlabel("kHz")
    axis.set_ylabel("long-term level, dB")
    axis.set_title(f"{drawn.model}: {drawn.piece}, {drawn.setting}", loc="left")
    axis.legend(frameon=False)
    _plain(axis)
    return _saved(figure, folder / f"{model.stem}-profiles.png")


def _by_setting(scores: Compared, system: str, metric: str) -> list[list[float]]:
    return [_known(scores.values(setting, system, metric).values()) for setting in scores.settings]


def _known(values: Any) -> list[float]:
    return [value for value in values if np.isfinite(value)]


def _violin(
    path: Path,
    name: str,
    series: Sequence[tuple[str, str, list[list[float]]]],
    settings: Sequence[str],
    zero: bool = False,
) -> Path:
    """Two series side by side at each setting: the left half of a violin and the right one, with their means."""
    plt = _pyplot()
    figure, axis = plt.subplots(figsize=(max(6.0, 0.85 * len(settings) + 1.5), 4.5), layout="constrained")
    if zero:
        axis.axhline(0, color="black", lw=0.8)
    for (label, colour, columns), side in zip(series, ("low", "high"), strict=True):
        at = [k for k, column in enumerate(columns) if column]
        # One value, or equal ones, have no density to draw: their mean says it all.
        wide = [k for k in at if np.ptp(columns[k]) > 1e-6]
        if wide:
            drawn = axis.violinplot(
                [columns[k] for k in wide], wide, widths=0.8, side=side, showextrema=False
            )
            for body in drawn["bodies"]:
                body.set(facecolor=colour, alpha=0.6, edgecolor="none")
        offset = -0.06 if side == "low" else 0.06
        axis.plot(
            [k + offset for k in at], [np.mean(columns[k]) for k in at], "o", color=colour, ms=4, label=label
        )
    axis.set_xticks(range(len(settings)), settings, rotation=35, ha="right")
    axis.set_title(f"{name} (dots: means over pieces)", loc="left")
    axis.legend(frameon=False)
    _plain(axis)
    return _saved(figure, path)


def _plain(axis: Any) -> None:
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(axis="y", lw=0.4, alpha=0.6)
    axis.set_axisbelow(True)


def _saved(figure: Any, path: Path) -> Path:
    figure.savefig(path, dpi=110)
    _pyplot().close(figure)
    return path


def _pyplot() -> Any:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    return plt
