"""What a generator must reach before it is shipped: its scores judged, gate by gate and setting by setting."""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mp3fix.evaluation.compared import Compared
from mp3fix.evaluation.excerpts import IDENTITY
from mp3fix.evaluation.models import Model
from mp3fix.evaluation.runner import MP3, Drawn
from mp3fix.evaluation.seeds import spread
from mp3fix.evaluation.statistics import mean

FULL_BAND = 20500.0  # Hz: from 96 to 128 kbit/s only recordings that reach it tell the MP3's loss in LSD
VARIANT_DB, VARIANT_VISQOL = 0.05, 0.02  # how far the mean of a smaller variant may be from fp32
PIECE_SI_SDR, PIECE_VISQOL = -0.3, -0.1  # the most that any piece may lose


@dataclass(frozen=True)
class Limits:
    """The gates of a group of settings, all against the MP3: differences in dB and MOS, and ratios of means."""

    settings: tuple[str, ...]
    si_sdr_zero: float
    si_sdr: float
    lsd: float
    mse: float
    visqol: float
    reach: float = 0.0  # Hz: what a recording must reach for its LSD to count
    goal: str = ""  # beyond the MSE's gate


GROUPS = {
    "16-32k": Limits(
        ("16k mono", "24k mono", "32k mono", "32k stereo"), 0.2, -1.5, 0.6, 1.0, 0.8, goal=" (goal 0.7x)"
    ),
    "48-64k": Limits(("48k mono", "64k mono", "48k stereo", "64k stereo"), 0.1, -0.5, 0.8, 1.0, 0.3),
    "96-128k": Limits(
        ("96k mono", "128k mono", "96k stereo", "128k stereo", "V5 stereo"),
        0.0,
        -0.1,
        0.95,
        1.0,
        0.0,
        FULL_BAND,
    ),
    "192k, 320k, V2": Limits(("192k stereo", "320k stereo", "V2 stereo"), -0.05, -0.1, 1.02, 1.02, -0.02),
}


@dataclass(frozen=True)
class Gate:
    """One gate at one setting.

    Attributes:
        group: of settings.
        setting: the setting.
        what: is judged.
        wanted: the bound.
        at_least: whether it is a lower bound, else an upper one.
        seen: the figure; nan where there is nothing to judge.
        unit: of both: "dB", "x" for a ratio, or "".
        piece: whose figure it is; "" for a mean over pieces.
        strict: whether the bound itself is not enough.
    """

    group: str
    setting: str
    what: str
    wanted: float
    at_least: bool
    seen: float
    unit: str
    piece: str = ""
    strict: bool = False

    @property
    def holds(self) -> bool | None:
        """Whether it holds; None where there is nothing to judge."""
        if math.isnan(self.seen):
            return None
        if self.strict and self.seen == self.wanted:
            return False
        return self.seen >= self.wanted if self.at_least else self.seen <= self.wanted


def judge(
    scores: Compared,
    model: Model,
    drawn: Sequence[Drawn] = (),
    full: Model | None = None,
    coded: Collection[str] = (),
) -> Iterator[Gate]:
    """All gates of a generator, at the settings that it was scored at.

    Args:
        scores: of all systems.
        model: the generator.
        drawn: its draws; those of one setting are judged together.
        full: the fp32 model, if this is a variant of one.
        coded: pieces that are no judges of identity, see coded.py.
    """
    for setting in scores.settings:
        if setting == IDENTITY:
            yield from _identity(scores, model, coded)
        for group, limits in GROUPS.items():
            if setting in limits.settings:
                yield from _against_mp3(scores, model, group, limits, setting)
        if full is not None:
            yield from _against_full(scores, model, full, setting)
    for setting in dict.fromkeys(each.setting for each in drawn):
        mine = [each for each in drawn if each.setting == setting]
        yield from _seeds(setting, mine)
        yield from _best_of_20(scores, model, setting, mine)


def _against_mp3(scores: Compared, model: Model, group: str, limits: Limits, setting: str) -> Iterator[Gate]:
    def gain(what: str, system: str, metric: str, wanted: float, unit: str) -> Gate:
        seen = mean(scores.changes(setting, system, metric).values())
        return Gate(group, setting, what, wanted, True, seen, unit)

    def ratio(what: str, metric: str, wanted: float, reach: float = 0.0) -> Gate:
        mine, mp3 = (
            mean(scores.values(setting, system, metric, reach).values()) for system in (model.default, MP3)
        )
        return Gate(group, setting, what, wanted, False, mine / mp3 if mp3 else math.nan, "x")

    def worst(what: str, system: str, metric: str, wanted: float, unit: str) -> Gate:
        piece, seen = _worst(scores.changes(setting, system, metric))
        return Gate(group, setting, what, wanted, True, seen, unit, piece)

    yield gain("SI-SDR, texture 0", model.zero, "si_sdr", limits.si_sdr_zero, "dB")
    yield gain("SI-SDR, default", model.default, "si_sdr", limits.si_sdr, "dB")
    reaching = len(scores.values(setting, MP3, "lsd", limits.reach))
    counted = f" ({reaching} pieces reach {limits.reach / 1000:g} kHz)" if limits.reach else ""
    yield ratio(f"LSD, default{counted}", "lsd", limits.lsd, limits.reach)
    yield ratio(f"MSE, default{limits.goal}", "mse", limits.mse)
    yield gain("ViSQOL, default", model.default, "visqol", limits.visqol, "")
    yield worst("worst SI-SDR, texture 0", model.zero, "si_sdr", PIECE_SI_SDR, "dB")
    yield worst("worst ViSQOL, default", model.default, "visqol", PIECE_VISQOL, "")


def _identity(scores: Compared, model: Model, coded: Collection[str]) -> Iterator[Gate]:
    """Absolute: what came in was the recording itself, without loss."""
    for what, system, metric, wanted, at_least, unit in (
        ("SNR, texture 0", model.zero, "snr", 50.0, True, "dB"),
        ("SNR, default", model.default, "snr", 40.0, True, "dB"),
        ("LSD, default", model.default, "lsd", 0.3, False, "dB"),
        ("ViSQOL, default", model.default, "visqol", 4.6, True, ""),
    ):
        values = scores.values(IDENTITY, system, metric)
        lossless = {piece: value for piece, value in values.items() if piece not in coded}
        yield Gate(IDENTITY, IDENTITY, what, wanted, at_least, mean(lossless.values()), unit)
        if metric == "snr":  # a mean may hide one good file that is harmed
            piece, lowest = _worst(lossless)
            yield Gate(IDENTITY, IDENTITY, f"worst {what}", wanted, at_least, lowest, unit, piece)


def _against_full(scores: Compared, model: Model, full: Model, setting: str) -> Iterator[Gate]:
    """A variant's means against those of the fp32 model: nearer is asked for, better is not."""
    zero, default = (model.zero, full.zero), (model.default, full.default)
    for what, (mine, theirs), metric, wanted, unit in (
        ("SI-SDR, texture 0", zero, "si_sdr", VARIANT_DB, "dB"),
        ("SI-SDR, default", default, "si_sdr", VARIANT_DB, "dB"),
        ("LSD, default", default, "lsd", VARIANT_DB, "dB"),
        ("ViSQOL, default", default, "visqol", VARIANT_VISQOL, ""),
    ):
        apart = abs(mean(scores.changes(setting, mine, metric, theirs).values()))
        yield Gate("variant", setting, f"{what}: apart from {full.label}", wanted, False, apart, unit)


def _seeds(setting: str, drawn: Sequence[Drawn]) -> Iterator[Gate]:
    """Whether seeds are alternatives one can hear, and not more than the model's own doubt."""
    found = spread(drawn)
    what = "SD of levels over seeds"
    yield Gate("seeds", setting, what, 1.0, True, found.seeds, "dB")
    yield Gate("seeds", setting, what, 4.0, False, found.seeds, "dB")
    over_error = _over(found.seeds, found.error)
    yield Gate("seeds", setting, f"{what} / level error", 1.0, False, over_error, "x")
    over_white = _over(found.seeds, found.white)
    yield Gate("seeds", setting, f"{what} / SD at one z", 3.0, True, over_white, "x", strict=True)
    yield Gate(
        "seeds", setting, "correlation of the excerpt's halves", 0.8, True, found.halves, "", strict=True
    )


def _best_of_20(scores: Compared, model: Model, setting: str, drawn: Sequence[Drawn]) -> Iterator[Gate]:
    """Whether the best draw is better than texture 0; both means are over the pieces that have both."""
    for name, metric, at_least, unit in (
        ("LSD", "lsd", False, "dB"),
        ("MSE", "mse", False, ""),
        ("ViSQOL", "visqol", True, ""),
    ):
        zero = scores.values(setting, model.zero, metric)
        gained = mean(
            each.values["best_scores"][metric] - zero[each.piece] for each in drawn if each.piece in zero
        )
        what = f"{name}, best of 20 minus texture 0"
        yield Gate("best of 20", setting, what, 0.0, at_least, gained, unit, strict=True)


def _over(value: float, by: float) -> float:
    """A ratio of two sizes; infinite over nothing."""
    if by == 0:
        return math.inf if value else math.nan
    return value / by


def _worst(values: Mapping[str, float]) -> tuple[str, float]:
    """The piece of the lowest value; ("", nan) for none."""
    known = {piece: value for piece, value in values.items() if not math.isnan(value)}
    piece = min(known, key=lambda piece: known[piece], default="")
    return piece, known.get(piece, math.nan)
