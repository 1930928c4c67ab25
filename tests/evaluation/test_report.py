import csv
import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mp3fix.evaluation import figures, report
from mp3fix.evaluation.compared import Compared
from mp3fix.evaluation.excerpts import IDENTITY, LOW
from mp3fix.evaluation.models import Model
from mp3fix.evaluation.runner import CURVE, MP3, Drawn, Score
from mp3fix.evaluation.scoring import METRICS

MODEL = Model("net 1/2", Path("net.onnx"), "0123456789abcdef", 0.5, True, 4)
SETTINGS = (*LOW, "128k stereo", IDENTITY)
PIECES = ("alto", "bass | drums")


def all_scores() -> list[Score]:
    """Scores one can compute by hand: the MP3's SI-SDR is 10 and 20, at texture t it gains t and t + 1; and so on."""
    scores = []
    for setting in SETTINGS:
        for number, piece in enumerate(PIECES):
            mp3 = {name: 1.0 for name in METRICS} | {
                "si_sdr": 10.0 + 10 * number,
                "lsd": 8.0,
                "odg": math.nan,
            }
            scores.append(Score(piece, 21000, setting, MP3, mp3))
            for texture in CURVE if setting in LOW else (0.0, 0.5):
                mine = mp3 | {
                    "si_sdr": mp3["si_sdr"] + texture + number,
                    "lsd": 8.0 - 4 * texture,
                    "visqol": 2.25,
                }
                scores.append(Score(piece, 21000, setting, MODEL.system(texture), mine))
    return scores


def all_draws() -> list[Drawn]:
    levels = np.random.default_rng(0).normal(0, 2, (20, 3)).tolist()
    profile = {
        "hz": [100.0, 1000.0, 9000.0],
        "original": [0.0, -10, -40],
        "mp3": [0.0, -10, -90],
        "seeds": levels,
    }
    values = {
        "lsd": [6.0] * 19 + [5.0],
        "mse": [0.5] * 20,
        "snr": [9.0] * 20,
        "best": 19,
        "best_scores": {"lsd": 5.0, "mse": 0.5, "visqol": 3.5, "snr": 9.0},
        "hz": [6000.0, 8000.0, 10000.0],
        "levels": levels,
        "halves": [levels, levels],
        "original": [0.0, 0.0, 0.0],
        "fixed": [[0.0] * 3] * 20,
        "profile": profile,
    }
    return [Drawn(piece, setting, MODEL.label, values) for setting in LOW for piece in PIECES]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report") / "out"
    folder.mkdir()
    picture = folder / "net-drums.png"
    picture.write_bytes(b"\x89PNG")
    report.write(all_scores(), all_draws(), [MODEL], folder, "All are listed.", {MODEL.label: [picture]})
    return folder


def rows(text: str, heading: str) -> list[list[str]]:
    """The table below a heading."""
    lines = text.split(f"{heading}\n", 1)[1].splitlines()
    start = next(k for k, line in enumerate(lines) if line.startswith("|"))
    table = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line.replace("\\|", "/").strip("|").split("|")])
    return table


def test_the_csv_has_a_line_for_each_score(written: Path) -> None:
    with (written / "scores.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == len(all_scores())
    assert list(lines[0])[:4] == ["piece", "cutoff", "setting", "system"] and set(METRICS) <= lines[0].keys()
    assert lines[0]["piece"] == "alto" and lines[0]["si_sdr"] == "10" and lines[0]["odg"] == ""


def test_the_foreword_says_what_was_compared_on_what(written: Path) -> None:
    foreword = (written / "report.md").read_text().split("##")[0]
    assert "net 1/2 (0123456789ab) against the MP3 on 2 test pieces" in foreword
    assert "All are listed." in foreword


def test_what_is_no_judge_of_identity_is_named_with_its_figures(tmp_path: Path) -> None:
    gates = report.write(all_scores(), [], [MODEL], tmp_path, "", {}, coded=["alto"])
    said = (tmp_path / "report.md").read_text().split("## Means")[0].splitlines()[-2]
    assert said.startswith("Not judged at identity: alto, ") and "`--below 128`" in said
    # All measures of the MP3 are 1 but LSD, which texture 0.5 makes 6.
    assert said.endswith("Its SNR is 1.00 dB at texture 0 and 1.00 dB at the default, its LSD 6.00 dB.")
    assert [gate.piece for gate in gates if gate.setting == IDENTITY and gate.piece] == ["bass | drums"] * 2


def test_means_and_intervals(written: Path) -> None:
    table = {row[0]: row[1:] for row in rows((written / "report.md").read_text(), "### 128k stereo")}
    assert table[""] == ["MP3", "net 1/2 texture 0", "net 1/2 texture 0.5"]
    assert table["SI-SDR, dB"] == ["15.00", "15.50 (+0.50: +0.00 .. +1.00)", "16.00 (+1.00: +0.50 .. +1.50)"]
    assert table["LSD, dB"] == ["8.00", "8.00 (+0.00: +0.00 .. +0.00)", "6.00 (-2.00: -2.00 .. -2.00)"]
    assert table["PESQ"][1] == "1.000 (+0.000: +0.000 .. +0.000)"
    assert table["ODG"] == ["-", *["- (-: - .. -)"] * 2]


def test_the_gates_are_listed_with_what_was_seen(written: Path) -> None:
    table = rows((written / "report.md").read_text(), f"## Gates of {MODEL.label}")
    assert ["96-128k", "128k stereo", "SI-SDR, texture 0", ">= 0 dB", "0.500 dB", "yes"] in table
    assert [
        "96-128k",
        "128k stereo",
        "worst SI-SDR, texture 0",
        ">= -0.3 dB",
        "0.000 dB (alto)",
        "yes",
    ] in table
    assert ["16-32k", "16k mono", "LSD, default", "<= 0.6x", "0.750x", "**no**"] in table
    assert len({row[1] for row in table[2:]}) == len(SETTINGS)
    assert [
        "best of 20",
        "16k mono",
        "LSD, best of 20 minus texture 0",
        "< 0 dB",
        "-3.000 dB",
        "yes",
    ] in table
    halves = ["seeds", "64k mono", "correlation of the excerpt's halves", "> 0.8", "1.000", "yes"]
    assert halves in table


def test_pieces_one_by_one(written: Path) -> None:
    table = rows((written / "report.md").read_text(), "### SI-SDR minus the MP3's, dB: texture 0 / default")
    assert table[0] == ["", *SETTINGS[:-1]]
    assert table[2] == ["alto", *["+0.00 / +0.50"] * 4]
    assert table[3] == ["bass / drums", *["+1.00 / +1.50"] * 4]


def test_the_texture_curve_and_the_draws(written: Path) -> None:
    text = (written / "report.md").read_text()
    curve = rows(text, f"## {MODEL.label}, by texture")
    assert len(curve) == 2 + 3 * (1 + len(CURVE))
    assert [row[2] for row in curve[2:8]] == ["8.00", "8.00", "7.00", "6.00", "5.00", "4.00"]
    draws = rows(text, f"## {MODEL.label}, 20 draws")
    assert draws[2] == ["16k mono", "texture 0", "8.00", "1.0000", "2.250", "1.00"]
    assert draws[3] == ["16k mono", "mean of 20", "5.95", "0.5000", "-", "9.00"]
    assert draws[4] == ["16k mono", "best of 20*", "5.00", "0.5000", "3.500", "9.00"]
    assert draws[5][2] == "-3.00: -3.00 .. -3.00"
    assert "chosen against the original" in text
    seeds = rows(text, f"## {MODEL.label}, seeds")
    assert seeds[2][:2] == ["16k mono", "2"] and seeds[2][3:5] == ["0.00", "1.00"]


def test_every_picture_that_is_shown_exists(written: Path) -> None:
    shown = [
        line[4:-1] for line in (written / "report.md").read_text().splitlines() if line.startswith("![](")
    ]
    assert len(shown) == 6 and shown[-1] == "net-drums.png"
    for name in shown:
        assert (written / name).read_bytes().startswith(b"\x89PNG")


def test_a_quick_form_without_draws_has_no_such_parts(tmp_path: Path) -> None:
    few = [score for score in all_scores() if score.system in (MP3, MODEL.zero, MODEL.default)]
    gates = report.write(few, [], [MODEL], tmp_path, "", {}, quick=True)
    text = (tmp_path / "quick.md").read_text()
    assert "by texture" not in text and "draws" not in text and "seeds" not in text
    assert len(gates) == 4 * 7 + 6


def test_tables_of_one_piece_and_of_no_value_are_made(tmp_path: Path) -> None:
    values = json.loads('{"lsd": NaN}')
    lone = [Score("a", 9000, "16k mono", system, dict(values)) for system in (MP3, MODEL.zero, MODEL.default)]
    gates = report.write(lone, [], [MODEL], tmp_path, "", {})
    assert all(gate.holds is None for gate in gates)
    assert report.means(Compared(lone), "16k mono")[4] == "| LSD, dB | - | - (-: - .. -) | - (-: - .. -) |"


def test_a_quick_report_leaves_a_full_one_alone(written: Path, tmp_path: Path) -> None:
    shutil.copytree(written, tmp_path, dirs_exist_ok=True)
    full = {path: path.read_bytes() for path in tmp_path.iterdir()}
    few = [score for score in all_scores() if score.setting == LOW[0] and score.piece == "alto"]
    report.write(few, [], [MODEL], tmp_path, "", {}, quick=True)
    assert {path: path.read_bytes() for path in full} == full
    text = (tmp_path / "quick.md").read_text()
    shown = [line[4:-1] for line in text.splitlines() if line.startswith("![](")]
    assert shown and all((tmp_path / name).exists() and name.startswith("quick/") for name in shown)
    assert len((tmp_path / "quick.csv").read_text().splitlines()) == 1 + len(few)


def test_a_variant_beside_its_full_model_gets_gates_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "violins", lambda *_: [])
    variant = replace(MODEL, label=f"{MODEL.label}-fp16")
    few = [score for score in all_scores() if score.setting == LOW[0]]
    theirs = [
        replace(score, system=score.system.replace(MODEL.label, variant.label))
        for score in few
        if score.system != MP3
    ]
    report.write([*few, *theirs], [], [MODEL, variant], tmp_path, "", {}, quick=True)
    text = (tmp_path / "quick.md").read_text()
    own = [row for row in rows(text, f"## Gates of {variant.label}") if row[0] == "variant"]
    assert len(own) == 4 and all(row[4].startswith("0.000") and row[5] == "yes" for row in own)
    assert not [row for row in rows(text, f"## Gates of {MODEL.label}") if row[0] == "variant"]
