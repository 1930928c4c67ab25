"""Pictures of the material on which such generators are known to fail, to be looked at.

Lattner & Nistal 2021 (Electronics 10, 1349) name the faults of theirs: phantom percussion, sustained hiss on solo
instruments, exaggerated sibilants.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mp3fix.evaluation.excerpts import Excerpt, pair
from mp3fix.evaluation.models import Model
from mp3fix.restore import Restorer
from mp3fix.signal.stft import StftSpec, stft
from mp3fix.training.corpus import RATE

SECONDS = 5.0
RANGE_DB = 90.0
SETTINGS = ("32k mono", "64k stereo")


def draw(excerpts: Sequence[Excerpt], model: Model, folder: Path) -> list[Path]:
    """Original, MP3 and restoration of a piece of each category, and of a fade into silence; PNGs.

    Raises:
        ModelError: the generator cannot be loaded.
        OSError: the folder cannot be written to.
    """
    restorer = Restorer(model.path, "cpu")
    shown = {**_shown(excerpts), "fade": faded(excerpts[0])}
    pictures = []
    for name, excerpt in shown.items():
        rows = []
        for setting in SETTINGS:
            made = pair(excerpt, setting)
            restored = restorer.restore(made.degraded, RATE, maps=made.maps(restorer.generator.contract.stft))
            systems = {"original": made.reference, f"MP3, {setting}": made.degraded, "restored": restored}
            rows.append({title: _decibels(samples[0]) for title, samples in systems.items()})
        path = folder / f"{model.stem}-{name.replace(' ', '-')}.png"
        pictures.append(_picture(path, f"{name}: {excerpt.piece}", rows))
    return pictures


def _shown(excerpts: Sequence[Excerpt]) -> dict[str, Excerpt]:
    """The first piece of each category; of solo pieces the first for a piano: hiss shows in its decays."""
    first: dict[str, Excerpt] = {}
    for excerpt in sorted(excerpts, key=lambda each: each.category == "solo" and not _is_piano(each)):
        first.setdefault(excerpt.category or "piece", excerpt)
    return first


def _is_piano(excerpt: Excerpt) -> bool:
    """Whether a solo piece is for piano, as far as its name tells."""
    name = excerpt.piece.lower()
    return "polonaise" in name or "piano" in name


def faded(excerpt: Excerpt) -> Excerpt:
    """The excerpt falling by 80 dB over the seconds that are shown, then silent for the last of them."""
    count = round(SECONDS * RATE)
    start = (excerpt.pcm.shape[1] - count) // 2
    gain = np.zeros(excerpt.pcm.shape[1])
    gain[:start] = 1
    fade = count - RATE
    gain[start : start + fade] = 10 ** (-80 * np.linspace(0, 1, fade) / 20)
    pcm = np.round(excerpt.pcm * gain).astype(np.int16)
    return Excerpt(f"{excerpt.piece}, faded out", excerpt.cutoff, pcm, excerpt.category)


def _decibels(samples: np.ndarray) -> np.ndarray:
    """Levels of the middle of an excerpt in dB, (F, T)."""
    start = (len(samples) - round(SECONDS * RATE)) // 2
    frames = stft(samples[None, start : start + round(SECONDS * RATE)], StftSpec())[0]
    return 20 * np.log10(np.abs(frames).T + 1e-6)


def _picture(path: Path, title: str, rows: list[dict[str, np.ndarray]]) -> Path:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    columns = len(rows[0])
    figure, axes = plt.subplots(
        len(rows),
        columns,
        figsize=(4 * columns, 2.6 * len(rows)),
        sharex=True,
        sharey=True,
        layout="constrained",
    )
    top = max(levels.max() for row in rows for levels in row.values())
    image: Any = None
    for row, line in zip(rows, axes, strict=True):
        for axis, (name, levels) in zip(line, row.items(), strict=True):
            image = axis.imshow(
                levels - top,
                origin="lower",
                aspect="auto",
                cmap="magma",
                vmin=-RANGE_DB,
                vmax=0,
                extent=(0, SECONDS, 0, RATE / 2000),
            )
            axis.set_title(name, loc="left", fontsize=10)
        line[0].set_ylabel("kHz")
    for axis in axes[-1]:
        axis.set_xlabel("seconds")
    figure.suptitle(title, fontsize=11)
    figure.colorbar(image, ax=axes, label="dB", shrink=0.8)
    figure.savefig(path, dpi=75)
    plt.close(figure)
    return path
