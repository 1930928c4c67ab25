"""Whether seeds are alternatives one can hear: the levels above the cut-off, over many draws."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mp3fix.evaluation.runner import Drawn
from mp3fix.evaluation.statistics import mean


@dataclass(frozen=True)
class Spread:
    """How much the draws at one setting differ, mean over pieces and 1/3-octave bands above the MP3's cut-off.

    Attributes:
        pieces: with such bands.
        seeds: standard deviation over seeds of the long-term level, dB.
        white: the same where z is that of the first seed and only the white noise differs, dB.
        halves: correlation between the excerpt's halves of the levels' deviation from the mean over seeds.
        error: rms over bands of the draws' mean level minus the original's, dB: the model's own level error.
            Of the mean, since the draws' own spread is what it is compared with.
    """

    pieces: int
    seeds: float
    white: float
    halves: float
    error: float


def spread(drawn: Sequence[Drawn]) -> Spread:
    """The spread of the draws of several pieces at one setting; nan where no piece has a band."""
    each = [_spread(piece.values) for piece in drawn if piece.values["hz"]]
    columns = zip(*each, strict=True) if each else [()] * 4
    return Spread(len(each), *(mean(column) for column in columns))


def _spread(values: dict) -> tuple[float, float, float, float]:
    levels, original = np.array(values["levels"]), np.array(values["original"])
    halves = [np.array(half) - np.mean(half, axis=0) for half in values["halves"]]
    white = _deviation(np.array(values["fixed"])) if values["fixed"] else float("nan")
    error = float(np.sqrt(np.mean((levels.mean(0) - original) ** 2)))
    return _deviation(levels), white, _correlation(halves[0].ravel(), halves[1].ravel()), error


def _deviation(levels: np.ndarray) -> float:
    """Standard deviation over seeds of levels (seeds, bands), mean over bands."""
    return float(levels.std(0, ddof=1).mean())


def _correlation(x: np.ndarray, y: np.ndarray) -> float:
    """Pearson's; nan for constants."""
    norm = float(np.linalg.norm(x) * np.linalg.norm(y))
    return float(x @ y) / norm if norm > 1e-12 else float("nan")
