from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from mp3fix.evaluation.compared import Compared
from mp3fix.evaluation.excerpts import IDENTITY, SETTINGS
from mp3fix.evaluation.gates import GROUPS, Gate, judge
from mp3fix.evaluation.models import Model, full_precision
from mp3fix.evaluation.runner import MP3, Drawn, Score

MODEL = Model("net", Path("net.onnx"), "0", 0.5, True, 0)
ZERO, DEFAULT = "net texture 0", "net texture 0.5"
# What each group wants: SI-SDR at texture 0 and the default, LSD, MSE, ViSQOL.
WANTED = {
    "16k mono": (0.2, -1.5, 0.6, 1.0, 0.8),
    "24k mono": (0.2, -1.5, 0.6, 1.0, 0.8),
    "32k mono": (0.2, -1.5, 0.6, 1.0, 0.8),
    "32k stereo": (0.2, -1.5, 0.6, 1.0, 0.8),
    "48k stereo": (0.1, -0.5, 0.8, 1.0, 0.3),
    "48k mono": (0.1, -0.5, 0.8, 1.0, 0.3),
    "64k mono": (0.1, -0.5, 0.8, 1.0, 0.3),
    "64k stereo": (0.1, -0.5, 0.8, 1.0, 0.3),
    "96k mono": (0.0, -0.1, 0.95, 1.0, 0.0),
    "128k mono": (0.0, -0.1, 0.95, 1.0, 0.0),
    "96k stereo": (0.0, -0.1, 0.95, 1.0, 0.0),
    "128k stereo": (0.0, -0.1, 0.95, 1.0, 0.0),
    "V5 stereo": (0.0, -0.1, 0.95, 1.0, 0.0),
    "192k stereo": (-0.05, -0.1, 1.02, 1.02, -0.02),
    "320k stereo": (-0.05, -0.1, 1.02, 1.02, -0.02),
    "V2 stereo": (-0.05, -0.1, 1.02, 1.02, -0.02),
}
MEANS = ("SI-SDR, texture 0", "SI-SDR, default", "LSD, default", "MSE, default", "ViSQOL, default")


def scores(setting: str, by: float, pieces: int = 2) -> Iterator[Score]:
    """Scores that are better by `by` than what is wanted (worse for a negative one), in every measure."""
    zero, default, lsd, mse, visqol = WANTED[setting]
    for number in range(pieces):
        shift = 1.0 if number % 2 else -1.0  # pieces differ, but by the same in MP3 and restoration
        mp3 = {"si_sdr": 20 + shift, "lsd": 10 + shift, "mse": 2 + shift, "visqol": 3 + shift / 4}
        yield score(number, setting, MP3, mp3)
        yield score(number, setting, ZERO, {**mp3, "si_sdr": mp3["si_sdr"] + zero + by})
        yield score(
            number,
            setting,
            DEFAULT,
            {
                "si_sdr": mp3["si_sdr"] + default + by,
                "lsd": mp3["lsd"] * (lsd - by),
                "mse": mp3["mse"] * (mse - by),
                "visqol": mp3["visqol"] + visqol + by,
            },
        )


def score(number: int, setting: str, system: str, values: dict[str, float], cutoff: float = 21000) -> Score:
    return Score(f"piece {number}", cutoff, setting, system, values)


def judged(*given: Score) -> dict[str, Gate]:
    """Gates by what they judge, without the count of pieces."""
    return {gate.what.split(" (")[0]: gate for gate in judge(Compared(given), MODEL)}


def test_every_setting_has_one_group() -> None:
    grouped = [setting for limits in GROUPS.values() for setting in limits.settings]
    assert sorted(grouped) == sorted(WANTED) == sorted(SETTINGS.keys() - {IDENTITY})
    assert {setting: group for group in GROUPS for setting in GROUPS[group].settings}[
        "V5 stereo"
    ] == "96-128k"


@pytest.mark.parametrize("setting", WANTED)
def test_what_just_passes_holds_and_what_just_fails_does_not(setting: str) -> None:
    passes, fails = judged(*scores(setting, 1e-6)), judged(*scores(setting, -1e-6))
    for what, wanted in zip(MEANS, WANTED[setting], strict=True):
        assert passes[what].holds is True
        assert fails[what].holds is False
        assert passes[what].wanted == wanted
        assert passes[what].seen == pytest.approx(wanted, abs=1e-5)
    assert all(passes[what].setting == setting for what in passes)


def test_a_single_piece_that_loses_is_named() -> None:
    given = list(scores("128k stereo", 0.5, pieces=10))
    base = {each.system: each.values for each in given if each.piece == "piece 0"}
    for loss_zero, loss_visqol, holds in ((0.299, 0.099, True), (0.301, 0.101, False)):
        loser = [
            score(99, "128k stereo", MP3, base[MP3]),
            score(99, "128k stereo", ZERO, {"si_sdr": base[MP3]["si_sdr"] - loss_zero}),
            score(99, "128k stereo", DEFAULT, {**base[DEFAULT], "visqol": base[MP3]["visqol"] - loss_visqol}),
        ]
        gates = judged(*given, *loser)
        for what in ("worst SI-SDR, texture 0", "worst ViSQOL, default"):
            assert gates[what].holds is holds
            assert gates[what].piece == "piece 99"
        assert gates["SI-SDR, texture 0"].holds and gates["ViSQOL, default"].holds


def test_lsd_from_96_to_128_counts_full_band_recordings_only() -> None:
    dull = [
        score(number, setting, system, {"lsd": lsd}, cutoff=20000)
        for setting in ("96k stereo", "192k stereo")
        for number in (7, 8)
        for system, lsd in ((MP3, 1.0), (ZERO, 1.0), (DEFAULT, 100.0))
    ]
    assert judged(*scores("96k stereo", 0.1), *dull[:6])["LSD, default"].holds is True
    assert judged(*scores("192k stereo", 0.1), *dull[6:])["LSD, default"].holds is False
    assert judged(*dull[:6])["LSD, default"].holds is None


@pytest.mark.parametrize(
    ("system", "metric", "passing", "failing", "what"),
    [
        (ZERO, "snr", 50.0, 49.9, "SNR, texture 0"),
        (DEFAULT, "snr", 40.0, 39.9, "SNR, default"),
        (DEFAULT, "lsd", 0.3, 0.31, "LSD, default"),
        (DEFAULT, "visqol", 4.6, 4.59, "ViSQOL, default"),
    ],
)
def test_identity_is_judged_absolutely(
    system: str, metric: str, passing: float, failing: float, what: str
) -> None:
    def gates(value: float) -> dict[str, Gate]:
        same = {"snr": 120.0, "lsd": 0.0, "visqol": 4.73}
        values = {MP3: same, ZERO: dict(same), DEFAULT: dict(same)}
        values[system][metric] = value
        return judged(*(score(0, IDENTITY, name, each) for name, each in values.items()))

    assert len(gates(passing)) == 6
    assert all(gate.holds for gate in gates(passing).values())
    failed = [gate.what for gate in gates(failing).values() if not gate.holds]
    assert failed == ([what, f"worst {what}"] if metric == "snr" else [what])


def test_one_good_file_that_is_harmed_is_named() -> None:
    given = [
        score(number, IDENTITY, system, {"snr": snr})
        for system, values in ((MP3, (120, 120)), (ZERO, (90, 49)), (DEFAULT, (39, 90)))
        for number, snr in enumerate(values)
    ]
    gates = judged(*given)
    assert gates["SNR, texture 0"].holds and gates["SNR, default"].holds
    harmed = [gates[f"worst SNR, {which}"] for which in ("texture 0", "default")]
    assert [(gate.holds, gate.seen, gate.piece) for gate in harmed] == [
        (False, 49, "piece 1"),
        (False, 39, "piece 0"),
    ]


def test_what_was_an_mp3_before_is_no_judge_of_identity() -> None:
    given = [
        score(number, IDENTITY, system, {"snr": snr, "lsd": lsd})
        for system in (MP3, ZERO, DEFAULT)
        for number, (snr, lsd) in enumerate(((90.0, 0.1), (20.0, 9.0)))
    ]
    assert not all(gate.holds for gate in judged(*given).values() if gate.holds is not None)
    spared = {gate.what: gate for gate in judge(Compared(given), MODEL, coded=["piece 1"])}
    assert spared["LSD, default"].seen == 0.1 and spared["worst SNR, texture 0"].seen == 90
    elsewhere = list(judge(Compared(scores("16k mono", -1)), MODEL, coded=["piece 0", "piece 1"]))
    assert len(elsewhere) == 7 and not any(gate.holds for gate in elsewhere)


def test_a_generator_without_texture_is_judged_by_its_one_system() -> None:
    model = Model("plain", Path("plain.onnx"), "0", None, False, 0)
    given = [
        score(0, "320k stereo", MP3, {"si_sdr": 30.0}),
        score(0, "320k stereo", "plain", {"si_sdr": 29.92}),
    ]
    gates = {gate.what: gate.holds for gate in judge(Compared(given), model)}
    assert (gates["SI-SDR, texture 0"], gates["SI-SDR, default"]) == (False, True)


def drawn(
    seeds: float = 2.0,
    white: float = 0.5,
    error: float = 3.0,
    halves: float = 0.9,
    lsd: float = 9.0,
    mse: float = 1.0,
    visqol: float = 3.5,
) -> Drawn:
    """Draws of one piece whose levels have these standard deviations, error and correlation."""
    x, y = np.random.default_rng(0).standard_normal((2, 20))
    x, y = x - x.mean(), y - y.mean()
    y -= x * (x @ y) / (x @ x)
    x, y = (each[:, None] / each.std(ddof=1) for each in (x, y))
    values = {
        "hz": [6000.0],
        "levels": (seeds * x + error).tolist(),
        "halves": [x.tolist(), (halves * x + np.sqrt(1 - halves**2) * y).tolist()],
        "fixed": (white * x).tolist(),
        "original": [0.0],
        "best_scores": {"lsd": lsd, "mse": mse, "visqol": visqol},
    }
    return Drawn("piece 0", "32k mono", "net", values)


@pytest.mark.parametrize(
    ("changed", "failing"),
    [
        ({}, []),
        ({"seeds": 0.9, "white": 0.1}, ["SD of levels over seeds >= 1"]),
        ({"seeds": 4.1, "error": 5.0}, ["SD of levels over seeds <= 4"]),
        ({"error": 1.9}, ["SD of levels over seeds / level error <= 1"]),
        ({"white": 0.7}, ["SD of levels over seeds / SD at one z >= 3"]),
        ({"halves": 0.79}, ["correlation of the excerpt's halves >= 0.8"]),
        ({"lsd": 10.0}, ["LSD, best of 20 minus texture 0 <= 0"]),
        ({"mse": 2.1}, ["MSE, best of 20 minus texture 0 <= 0"]),
        ({"visqol": 3.0}, ["ViSQOL, best of 20 minus texture 0 >= 0"]),
    ],
)
def test_draws_are_judged(changed: dict[str, float], failing: list[str]) -> None:
    zero = score(0, "32k mono", ZERO, {"lsd": 10.0, "mse": 2.0, "visqol": 3.0})
    gates = [
        gate
        for gate in judge(Compared([zero]), MODEL, [drawn(**changed)])
        if gate.group in ("seeds", "best of 20")
    ]
    assert len(gates) == 8 and {gate.setting for gate in gates} == {"32k mono"}
    failed = [
        f"{gate.what} {'>=' if gate.at_least else '<='} {gate.wanted:g}" for gate in gates if not gate.holds
    ]
    assert failed == failing


def test_draws_without_a_song_level_vector_have_no_one_z_to_judge() -> None:
    values = {**drawn().values, "fixed": None}
    gates = judge(Compared([]), MODEL, [Drawn("piece 0", "32k mono", "net", values)])
    unjudged = [gate.what for gate in gates if gate.holds is None]
    assert "SD of levels over seeds / SD at one z" in unjudged and len(unjudged) == 4


@pytest.mark.parametrize("setting", ["16k mono", IDENTITY])
def test_a_variant_is_judged_by_how_far_it_is_from_the_full_model(setting: str) -> None:
    variant = Model("net-int8", Path("net-int8.onnx"), "1", 0.5, True, 0)
    assert full_precision(variant, [variant, MODEL]) == MODEL
    assert full_precision(MODEL, [variant, MODEL]) is None
    assert full_precision(variant, [variant]) is None

    def gates(zero: float, si_sdr: float, lsd: float, visqol: float) -> list[Gate]:
        base = {"si_sdr": 20.0, "lsd": 10.0, "visqol": 3.0}
        default = {"si_sdr": 20 + si_sdr, "lsd": 10 + lsd, "visqol": 3 + visqol}
        given = [
            score(0, setting, ZERO, base),
            score(0, setting, DEFAULT, base),
            score(0, setting, variant.zero, {**base, "si_sdr": 20 + zero}),
            score(0, setting, variant.default, default),
        ]
        found = judge(Compared(given), variant, full=MODEL)
        return [gate for gate in found if gate.group == "variant"]

    assert [gate.holds for gate in gates(-0.049, 0.049, -0.049, 0.019)] == [True] * 4
    # Too far is too far on either side.
    assert [gate.holds for gate in gates(-0.051, 0.051, -0.051, 0.021)] == [False] * 4
    assert [gate.holds for gate in gates(0, 0, 0, -0.021)] == [True] * 3 + [False]
