"""The report of an evaluation: scores as CSV, a Markdown file and its pictures."""

import csv
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from mp3fix.evaluation import figures, peer
from mp3fix.evaluation.coded import KBPS
from mp3fix.evaluation.compared import Compared
from mp3fix.evaluation.excerpts import IDENTITY, LOW, SECONDS
from mp3fix.evaluation.gates import Gate, judge
from mp3fix.evaluation.models import Model, full_precision
from mp3fix.evaluation.runner import CURVE, MP3, Drawn, Score
from mp3fix.evaluation.scoring import METRICS
from mp3fix.evaluation.seeds import spread
from mp3fix.evaluation.statistics import bootstrap, mean

CURVES = ("lsd", "level", "mse", "snr", "si_sdr", "visqol")  # shown by texture
DIGITS = dict.fromkeys(("mse", "stoi", "l1_magnitude"), 4)
DIGITS |= dict.fromkeys(("lsd_bel", "l1", "mr_stft", "visqol", "pesq", "odg", "di"), 3)

FOREWORD = """\
# Evaluation{quick}

{models} against the MP3 on {pieces} test pieces, an excerpt of {seconds} s each. {test_set}
In brackets: the first digits of the SHA-256 of each generator's file.

The MP3 is LAME's, mono at the rate it chooses by itself, stereo at 44.1 kHz; the recording is scaled by the codec's
gain. Every measure ends at the recording's own cut-off, at identity (the recording itself goes in) at 22.05 kHz;
LSD's floor is 100 dB below the strongest bin of the excerpt. Seed 0. Intervals: 95 %, paired bootstrap over pieces.
"""


def save_csv(scores: Sequence[Score], path: Path) -> None:
    """One line for each piece, setting and system; a column for each measure, empty where it has no value."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["piece", "cutoff", "setting", "system", *METRICS])
        for score in scores:
            values = [score.values.get(name, math.nan) for name in METRICS]
            shown = ["" if math.isnan(value) else f"{value:.6g}" for value in values]
            writer.writerow([score.piece, f"{score.cutoff:.0f}", score.setting, score.system, *shown])


def write(
    scores: Sequence[Score],
    drawn: Sequence[Drawn],
    models: Sequence[Model],
    folder: Path,
    test_set: str,
    spectrograms: Mapping[str, Sequence[Path]],
    quick: bool = False,
    coded: Collection[str] = (),
) -> list[Gate]:
    """Write a report into a folder.

    Args:
        scores, drawn: the results.
        models: the generators.
        folder: for scores.csv, report.md and the pictures; of the quick form quick.csv, quick.md and quick/, so
            that it never takes the place of a full report.
        test_set: a sentence on what the pieces are, for the foreword.
        spectrograms: pictures in the folder to be shown, by the generator's label.
        quick: whether this is the quick form.
        coded: pieces that are no judges of identity, see coded.py.

    Returns:
        all gates of all generators.
    """
    pictures = folder / "quick" if quick else folder
    pictures.mkdir(parents=True, exist_ok=True)
    save_csv(scores, folder / ("quick.csv" if quick else "scores.csv"))
    compared = Compared(scores)
    draws = {model.label: [each for each in drawn if each.model == model.label] for model in models}
    gates = {
        model.label: list(judge(compared, model, draws[model.label], full_precision(model, models), coded))
        for model in models
    }
    lines = [
        FOREWORD.format(
            quick=", quick form: few pieces and settings" if quick else "",
            models=", ".join(f"{model.label} ({model.digest[:12]})" for model in models),
            pieces=len(compared.pieces),
            seconds=SECONDS,
            test_set=test_set,
        )
    ]
    for model in models:
        lines += [f"## Gates of {model.label}", "", *gates_table(gates[model.label]), ""]
        lines += [line for piece in coded for line in _not_judged(compared, model, piece)]
    lines += ["## Means", "", *(line for setting in compared.settings for line in means(compared, setting))]
    for model in models:
        lines += _of_model(compared, draws[model.label], model, folder, pictures)
        if model.label in spectrograms:
            lines += [f"## {model.label}, spectrograms", ""]
            lines += [_picture(path, folder) for path in spectrograms[model.label]]
            lines += [""]
    (folder / ("quick.md" if quick else "report.md")).write_text(
        "\n".join(lines).rstrip() + "\n", encoding="utf-8"
    )
    return [gate for each in gates.values() for gate in each]


def gates_table(gates: Sequence[Gate]) -> list[str]:
    """Each gate: wanted, seen, and whether it holds; how many do on top."""
    failed = sum(gate.holds is False for gate in gates)
    judged = sum(gate.holds is not None for gate in gates)
    rows = []
    for gate in gates:
        sign = (">" if gate.at_least else "<") + ("" if gate.strict else "=")
        unit = gate.unit if gate.unit in ("", "x") else f" {gate.unit}"
        seen = "nothing to judge" if gate.holds is None else f"{gate.seen:.3f}{unit}"
        piece = f" ({gate.piece})" if gate.piece else ""
        holds = {True: "yes", False: "**no**", None: "-"}[gate.holds]
        rows.append(
            [gate.group, gate.setting, gate.what, f"{sign} {gate.wanted:g}{unit}", seen + piece, holds]
        )
    return [
        f"{judged - failed} of {judged} hold.",
        "",
        *table(["group", "setting", "gate", "wanted", "seen", "holds"], rows),
    ]


def _not_judged(scores: Compared, model: Model, piece: str) -> list[str]:
    """What became of a piece that does not count at identity, and why it does not."""

    def seen(system: str, metric: str) -> str:
        return number(scores.values(IDENTITY, system, metric).get(piece, math.nan), metric)

    return [
        f"Not judged at identity: {piece}, whose spectrum ends like that of an MP3 of at most {KBPS} kbit/s, which "
        f"`--below {KBPS}` restores. Its SNR is {seen(model.zero, 'snr')} dB at texture 0 and "
        f"{seen(model.default, 'snr')} dB at the default, its LSD {seen(model.default, 'lsd')} dB.",
        "",
    ]


def means(scores: Compared, setting: str) -> list[str]:
    """The table of one setting: the MP3 beside each system, and how it differs from it."""
    systems, metrics = scores.systems(setting), scores.metrics(setting)
    rows = []
    for metric in (name for name in METRICS if name in metrics):
        row = [METRICS[metric]]
        for system in systems:
            cell = number(mean(scores.values(setting, system, metric).values()), metric)
            if system != MP3:
                interval = bootstrap(scores.changes(setting, system, metric).values())
                shown = [number(each, metric, "+") for each in (interval.mean, interval.low, interval.high)]
                cell += f" ({shown[0]}: {shown[1]} .. {shown[2]})"
            row.append(cell)
        rows.append(row)
    return [f"### {setting}", "", *table(["", *systems], rows), ""]


def per_piece(scores: Compared, model: Model) -> Iterator[str]:
    """What changes in each piece at each setting, a table a measure."""
    settings = [setting for setting in scores.settings if setting != IDENTITY]
    for title, metric, systems in (
        ("SI-SDR minus the MP3's, dB: texture 0 / default", "si_sdr", (model.zero, model.default)),
        ("ViSQOL minus the MP3's: default", "visqol", (model.default,)),
        ("LSD minus the MP3's, dB: default", "lsd", (model.default,)),
    ):
        changes = [[scores.changes(setting, system, metric) for system in systems] for setting in settings]
        rows = [
            [piece, *(" / ".join(number(c.get(piece, math.nan), "", "+") for c in each) for each in changes)]
            for piece in scores.pieces
        ]
        yield from (f"### {title}", "", *table(["", *settings], rows), "")


def curve(scores: Compared, model: Model, settings: Sequence[str]) -> list[str]:
    """The texture curve as a table."""
    rows = []
    for setting in settings:
        for name in (MP3, *(model.system(texture) for texture in CURVE)):
            cells = [number(mean(scores.values(setting, name, metric).values()), metric) for metric in CURVES]
            rows.append([setting, name, *cells])
    return table(["setting", "", *(METRICS[metric] for metric in CURVES)], rows)


def best_of(scores: Compared, drawn: Sequence[Drawn], model: Model) -> list[str]:
    """The best draw beside texture 0, and the mean over the draws where that is known."""
    names = ("lsd", "mse", "visqol", "snr")
    rows = []
    for setting in dict.fromkeys(each.setting for each in drawn):
        mine = [each for each in drawn if each.setting == setting]
        best = {name: {each.piece: each.values["best_scores"][name] for each in mine} for name in names}
        zero = {name: scores.values(setting, model.zero, name) for name in names}
        everyone = [
            number(mean(value for each in mine for value in each.values.get(name, [])), name)
            for name in names
        ]
        rows += [
            [setting, "texture 0", *(number(mean(zero[name].values()), name) for name in names)],
            [setting, "mean of 20", *everyone],
            [setting, "best of 20*", *(number(mean(best[name].values()), name) for name in names)],
        ]
        cells = []
        for name in names:
            pieces = best[name].keys() & zero[name].keys()
            interval = bootstrap(best[name][piece] - zero[name][piece] for piece in sorted(pieces))
            shown = [number(each, name, "+") for each in (interval.mean, interval.low, interval.high)]
            cells.append(f"{shown[0]}: {shown[1]} .. {shown[2]}")
        rows.append([setting, "best minus texture 0", *cells])
    return [
        *table(["setting", "", *(METRICS[name] for name in names)], rows),
        "",
        "\\* chosen against the original, by LSD: no one who restores a file can choose so.",
    ]


def seeds(drawn: Sequence[Drawn]) -> list[str]:
    """How much the seeds differ, as a table."""
    rows = []
    for setting in dict.fromkeys(each.setting for each in drawn):
        s = spread([each for each in drawn if each.setting == setting])
        figures_ = [
            f"{value:.2f}" if math.isfinite(value) else "-" for value in (s.seeds, s.white, s.halves, s.error)
        ]
        rows.append([setting, str(s.pieces), *figures_])
    return table(
        [
            "setting",
            "pieces",
            "SD over seeds, dB",
            "SD at one z, dB",
            "halves' correlation",
            "level error, dB",
        ],
        rows,
    )


def _of_model(
    scores: Compared, drawn: Sequence[Drawn], model: Model, folder: Path, pictures: Path
) -> list[str]:
    lines = _beside_the_peer(scores, model)
    lines += [f"## {model.label}, piece by piece", "", *per_piece(scores, model)]
    lines += [_picture(path, folder) for path in figures.violins(scores, model, pictures)]
    textures = {model.system(texture) for texture in CURVE}
    settings = [setting for setting in LOW if textures <= set(scores.systems(setting))]
    if settings and model.default_texture is not None:
        picture = figures.texture_curve(scores, model, settings, pictures)
        lines += ["", f"## {model.label}, by texture", "", *curve(scores, model, settings), ""]
        lines += [_picture(picture, folder)]
    if drawn:
        lines += ["", f"## {model.label}, 20 draws", "", *best_of(scores, drawn, model)]
    if drawn and model.z_size:
        # One piece at 32 kbit/s, the one with the most to regenerate.
        widest = max(
            (each for each in drawn if each.setting == LOW[1]), key=lambda each: len(each.values["hz"])
        )
        lines += [
            "",
            f"## {model.label}, seeds",
            "",
            "Long-term 1/3-octave levels above the MP3's cut-off over 20 seeds at the default texture: their standard",
            "deviation; the same at one z, where only the white noise differs; the correlation of their deviations",
            "in the two halves of the excerpt; beside them the rms error of the draws' mean level. Wanted: 1 to 4 dB,",
            "no more than the level error, more than 3 times that at one z, and a correlation above 0.8.",
            "",
            *seeds(drawn),
            "",
            _picture(figures.profiles(widest, model, pictures), folder),
        ]
    return [*lines, ""]


def _beside_the_peer(scores: Compared, model: Model) -> list[str]:
    rows = peer.rows(scores, model)
    if not rows:
        return []
    head = ["SI-SDR, dB / LSD above -80 dB / ViSQOL", "MP3", model.default, "MP3 of Apollo's clips", "Apollo"]
    return [
        f"## {model.label}, pop and rock in stereo",
        "",
        "Means over the mixes of bands, beside what the strongest open peer, Apollo (Li & Luo 2024), reaches on its",
        "own demonstration clips. Those are other pieces by another encoder: compare each with its own MP3.",
        "",
        *table(head, rows),
        "",
    ]


def _picture(path: Path, folder: Path) -> str:
    """A link from a file in the folder."""
    return f"![]({path.relative_to(folder).as_posix()})"


def number(value: float, metric: str, sign: str = "") -> str:
    """A value with the digits of its measure, "-" for none."""
    return f"{value:{sign}.{DIGITS.get(metric, 2)}f}" if math.isfinite(value) else "-"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a Markdown table."""
    lines = [list(head), ["---"] * len(head), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]
