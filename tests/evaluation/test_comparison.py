from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import networks
import numpy as np
import pytest
from lab import generator, small_corpus

from mp3fix.cli import lab
from mp3fix.errors import Mp3fixError
from mp3fix.evaluation import bench, comparison, comparison_claims, runner, scoring, work
from mp3fix.evaluation.compared import Compared
from mp3fix.evaluation.comparison import Results
from mp3fix.evaluation.comparison_cost import Cost
from mp3fix.evaluation.comparison_papers import (
    CLASSICAL,
    ELECTRONIC,
    NARROW,
    PAPERS,
    PLAIN,
    paper_of,
    what_is,
)
from mp3fix.evaluation.comparison_report import markdown
from mp3fix.evaluation.excerpts import excerpts, pair
from mp3fix.evaluation.models import Model, read_models
from mp3fix.evaluation.runner import MP3, Drawn, Score
from mp3fix.evaluation.scoring import METRICS
from mp3fix.generator import catalog
from mp3fix.signal.stft import StftSpec

OURS = Model("music", Path("music.onnx"), "1", 0.5, True, 4)
CATEGORIES = {"beats": "electronic", "organ": "solo", "strings": "orchestral", "song": "vocals"}


def model(label: str, drawn: bool = False) -> Model:
    return Model(label, Path(f"{label}.onnx"), label, None, drawn, 0)


def results(*scored: tuple[str, str, Mapping[str, float]], drawn: list[Drawn] | None = None) -> Results:
    """Scores of systems in views, the same for each piece; all else is 1."""
    models = [OURS]
    for _, system, _ in scored:
        if system != MP3 and not system.startswith("music"):
            models.append(model(system, drawn=any(each.model == system for each in drawn or [])))
    models = list({each.label: each for each in models}.values())
    scores = [
        Score(piece, 21000, view, system, {"lsd_bel": 1.0} | dict.fromkeys(METRICS, 1.0) | dict(values))
        for view, system, values in scored
        for piece in CATEGORIES
    ]
    costs = {
        each.label: Cost("complex", 1000, 1.5, 0.25, 50.0 - 10 * number, 4.0, f"budget of {each.label}")
        for number, each in enumerate(models)
    }
    return Results(models, Compared(scores), drawn or [], costs, CATEGORIES)


def lines_of(page: str, heading: str) -> list[list[str]]:
    """Cells of the tables under a heading."""
    part = page.split(f"\n{heading}\n", 1)[1]
    part = part.split("\n## ", 1)[0]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in part.splitlines() if "|" in line]


@pytest.fixture
def bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Our generator, and one of each kind of a paper's."""
    folder = tmp_path / "models"
    (folder / "literature").mkdir(parents=True)
    generator(folder / "music.onnx", z=False)
    for name, changes in {
        "hance": {"domain": "magnitude"},
        "srcnn": {"domain": "waveform"},
        "deshpande": {"stft": StftSpec(rate=22050)},
    }.items():
        networks.save(folder / "literature" / f"{name}.onnx", 0.01, name=name, **changes)
    monkeypatch.setattr(catalog, "directory", lambda: folder)
    return folder


def test_each_is_scored_where_its_band_exists(bundled: Path, tmp_path: Path) -> None:
    corpus = small_corpus(tmp_path / "corpus", "b", "a")
    extra = tmp_path / "extra"
    extra.mkdir()
    networks.save(extra / "mine.onnx", name="mine")
    models = comparison.present([], extra)
    assert [each.label for each in models] == ["music", "deshpande", "hance", "srcnn", "mine"]
    jobs = comparison.plan(excerpts(corpus), models)
    systems = {
        view: [unit.model.system(unit.texture, unit.phase) for unit in mine[0].units if unit.model]
        for view, mine in jobs.items()
    }
    ours, hance = ["music texture 0", "music texture 0.5"], ["hance", "hance, neighbours"]
    assert systems["64k mono"] == [*ours, *hance, "mine"]
    assert systems["128k stereo"] == [*ours, *hance, "srcnn", "mine"]
    assert systems["32k mono"] == [*ours, "deshpande", *hance, "mine", "music texture 0.5"]  # and 20 draws
    assert systems[NARROW] == [*ours, "deshpande"]
    assert {job.excerpt.cutoff for job in jobs[NARROW]} == {11025}
    assert {job.excerpt.cutoff for job in jobs["32k mono"]} == {21000}
    kinds = {view: {unit.kind for unit in mine[0].units} for view, mine in jobs.items()}
    assert kinds == {
        "16k mono": {"scores", "draws"},
        "32k mono": {"scores", "draws"},
        "64k mono": {"scores"},
        "128k stereo": {"scores"},
        NARROW: {"brief"},
    }
    quick = comparison.plan(excerpts(corpus), models, quick=True, peaq=Path(__file__))
    assert {unit.kind for mine in quick.values() for job in mine for unit in job.units} == {"brief", "peaq"}
    assert {unit.kind for unit in quick[NARROW][0].units} == {"brief"}


def test_the_quick_form_hears_each_kind_of_music(tmp_path: Path) -> None:
    chosen = excerpts(small_corpus(tmp_path / "corpus", *"abcdefg", seconds=0.5))
    kinds = ["vocals", "vocals", "solo", "drums", "electronic", "solo", "orchestral"]
    of_kinds = [replace(each, category=kind) for each, kind in zip(chosen, kinds, strict=True)]
    assert [each.piece for each in comparison.few(of_kinds)] == ["e", "c", "g", "a"]
    assert [each.piece for each in comparison.few(chosen)] == ["a", "b", "c", "d"]
    assert [each.piece for each in comparison.few(chosen[:2])] == ["a", "b"]


def test_no_corpus_is_told_before_the_work(bundled: Path, tmp_path: Path) -> None:
    with pytest.raises(Mp3fixError, match="no corpus"):
        lab.compare([], tmp_path / "none", None, tmp_path / "page.md", tmp_path / "cache", False, None)
    assert not (tmp_path / "cache").exists()


def test_a_papers_claim_holds_or_does_not() -> None:
    found = results(
        ("16k mono", MP3, {"lsd": 8.0, "mse": 0.5}),
        ("16k mono", "lattner", {"lsd": 7.0, "mse": 0.6}),
        ("32k mono", MP3, {}),
    )
    verdicts = comparison_claims.papers_claims(found, model("lattner"))
    assert [(each.view, each.metric, each.holds) for each in verdicts] == [
        ("16k mono", "lsd", True),
        ("16k mono", "mse", False),
        ("32k mono", "lsd", None),
        ("32k mono", "mse", None),
    ]
    assert (verdicts[0].seen, verdicts[0].theirs, verdicts[0].against) == (7.0, 8.0, MP3)
    assert comparison_claims.papers_claims(found, model("mine")) == []


@pytest.mark.parametrize(
    ("label", "what"),
    [
        ("srcnn-no-dense", "SRCNN without its fully-connected layers"),
        ("srcnn-int8", "the paper's SRCNN"),
        ("lattner-det", "the paper's generator"),
        ("lattner-det-int8", "the paper's generator"),
        ("liu-rnn-fp16", "the paper's RNN"),
        ("audio-sr-net", "compared there: Audio-SR-Net, small"),
        *(
            (own, "")
            for own in ("musicians", "cnn-mine", "liu-test", "liu", "hance2", "hance-detail", "my-cnn")
        ),
    ],
)
def test_forms_of_a_system_belong_to_its_paper(label: str, what: str) -> None:
    """And nothing else does, whatever its name begins with."""
    assert what_is(label) == what
    assert (paper_of(label) is None) == (not what)


def test_higher_is_better_for_a_signal_to_noise_ratio() -> None:
    found = results((NARROW, MP3, {"snr": 10.0}), (NARROW, "deshpande", {"snr": 11.0, "lsd_bel": 2.0}))
    verdicts = comparison_claims.papers_claims(found, model("deshpande"))
    assert [(each.metric, each.holds) for each in verdicts] == [("snr", True), ("lsd_bel", False)]


def test_lius_claim_is_of_each_group() -> None:
    found = results(("128k stereo", MP3, {"l1": 0.5}), ("128k stereo", "srcnn", {"l1": 0.4}))
    values = {"beats": 0.7, "organ": 0.3, "strings": 0.4, "song": 9.0}
    scores = [
        Score(piece, 21000, "128k stereo", system, {"l1": value if system == "srcnn" else 0.5})
        for system in (MP3, "srcnn")
        for piece, value in values.items()
    ]
    found = replace(found, scores=Compared(scores))
    electronic, classical = comparison_claims.papers_claims(found, model("srcnn"))
    assert (electronic.seen, electronic.holds) == (0.7, False)
    assert (classical.seen, classical.holds) == (pytest.approx(0.35), True)
    assert ELECTRONIC in electronic.what and CLASSICAL in classical.what


@pytest.mark.parametrize(("best", "holds"), [(5.0, True), (6.5, False)])
def test_the_best_draw_against_the_deterministic_form(best: float, holds: bool) -> None:
    draw = Drawn(
        "organ", "16k mono", "lattner", {"best_scores": {"lsd": best, "mse": 0.1}, "lsd": [7.0, best]}
    )
    found = results(
        ("16k mono", MP3, {}),
        ("16k mono", "lattner", {}),
        ("16k mono", "lattner-det", {"lsd": 6.0, "mse": 0.1}),
        drawn=[draw],
    )
    verdicts = comparison_claims.papers_claims(found, model("lattner", drawn=True))
    judged = [each for each in verdicts if each.against == "lattner-det" and each.holds is not None]
    assert [(each.metric, each.holds) for each in judged] == [("lsd", holds), ("mse", False)]
    assert "best of 20" in judged[0].what and judged[0].seen == best
    assert ["16k mono", "lattner, best of 20", f"{best:.2f}"] in [
        row[:3] for row in lines_of(markdown(found, "", "page.md"), "## Best of 20 draws")
    ]


def test_ours_are_its_forms_alone() -> None:
    others = ["music-bands", "music-bands-det", "music 12ab34", "musical"]
    found = results(("16k mono", MP3, {}))
    found = replace(found, models=[OURS, *map(model, ["music-det", "music-int8", *others])])
    ours = ["music", "music texture 0", "music texture 0.5", "music-det", "music-int8"]
    assert [each for each in [MP3, *ours, *others] if found.is_ours(each)] == ours


def test_what_ours_must_win() -> None:
    found = results(
        ("16k mono", MP3, {"visqol": 2.0, "si_sdr": 9.0}),
        ("16k mono", "music texture 0", {"visqol": 2.0, "si_sdr": 9.5}),
        ("16k mono", "music texture 0.5", {"visqol": 3.0, "si_sdr": 8.0}),
        ("16k mono", "hance", {"visqol": 2.5, "si_sdr": 9.8}),
    )
    claims = {(each.view, each.metric): each for each in comparison_claims.our_claims(found)}
    visqol, si_sdr, speed = claims["16k mono", "visqol"], claims["16k mono", "si_sdr"], claims["all", ""]
    assert (visqol.system, visqol.against, visqol.holds) == ("music texture 0.5", "hance", True)
    assert (si_sdr.system, si_sdr.seen, si_sdr.against, si_sdr.holds) == (
        *("music texture 0", 9.5, "hance"),
        False,
    )
    assert (speed.seen, speed.against, speed.theirs, speed.holds) == (50, "hance", 40, True)
    slow = replace(found, costs=found.costs | {"music": replace(found.costs["music"], speed=39.0)})
    *_, speed = comparison_claims.our_claims(slow)
    assert not speed.holds and "faster: hance" in speed.what
    assert claims["64k mono", "visqol"].holds is None


def test_the_page_of_two_generators() -> None:
    found = results(
        ("32k mono", MP3, {"l1_magnitude": 0.5, "lsd": 20.0, "si_sdr": 9.0}),
        ("32k mono", "music texture 0", {"l1_magnitude": 0.45, "lsd": 21.0, "si_sdr": 9.5}),
        ("32k mono", "music texture 0.5", {"l1_magnitude": 0.48, "lsd": 9.0, "si_sdr": 8.0}),
        ("32k mono", "hance", {"l1_magnitude": 0.4, "lsd": 15.0, "si_sdr": 8.5}),
    )
    page = markdown(found, "All of it.", "docs/comparison.md")
    head, _, *rows = lines_of(page, "## 32k mono")
    lsd, magnitudes = head.index("LSD, dB"), head.index("L1 of magnitudes")
    assert [row[0] for row in rows] == [MP3, "music texture 0", "music texture 0.5", "hance"]
    assert [row[lsd] for row in rows] == ["20.00", "21.00", "**9.00**", "15.00"]
    assert rows[-1][magnitudes] == "**0.4000**"
    wins = {row[0]: row[1] for row in lines_of(page, "## Where ours wins and where it loses")}
    assert wins["LSD, dB"] == "won: 9.00 (music texture 0.5)"
    assert wins["L1 of magnitudes"] == "**lost**: 0.4500 (music texture 0) against 0.4000 (hance)"
    claims = lines_of(page, "## Claims")
    assert ["32k mono", "L1 of magnitudes", "0.4000 (hance)", "0.5000 (MP3)", "yes"] in claims
    cost = lines_of(page, "## Cost")
    assert cost[2] == ["music", "complex", "1,000", "1.5", "0.25", "50", "4.0"]
    assert "- classical: organ, strings" in page and "- electronic: beats" in page
    assert all(paper.title in page and paper.figures in page for paper in PAPERS)
    budgets = lines_of(page, "## What each is, and what it was trained on")
    assert budgets[2:] == [
        ["music", "", "budget of music"],
        ["hance", "the article's U-Net", "budget of hance"],
    ]
    assert "All of it." in page and "nan" not in page


def test_a_second_run_takes_everything_from_the_cache(
    bundled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []

    def score(pair: object, estimate: np.ndarray, brief: bool = False) -> dict[str, float]:
        seen.append(brief)
        return dict.fromkeys(METRICS, float(np.abs(estimate).max()))

    monkeypatch.setattr(scoring, "score", score)
    monkeypatch.setattr(runner, "available_cores", lambda: 1)
    monkeypatch.setattr(bench, "RUNS", 1)
    monkeypatch.setattr(bench, "LEAST_SECONDS", 0)
    corpus = small_corpus(tmp_path / "corpus", "a", seconds=1.0)
    page, cache = tmp_path / "docs" / "comparison.md", tmp_path / "cache"

    def compare() -> str:
        lab.compare([], corpus, None, page, cache, quick=True, peaq=None)
        return page.with_name("comparison-quick.md").read_text()

    first = compare()
    assert len(seen) == 26 and all(seen)  # five or six in each plain view, four in the narrow one
    assert not page.exists()
    assert all(f"## {view}" in first for view in (*PLAIN, NARROW))
    assert len(lines_of(first, "## Cost")) == 2 + 4
    monkeypatch.setattr(work, "pair", lambda *_: pytest.fail("encoded again"))
    again = compare()
    assert len(seen) == 26
    assert lines_of(again, "## 32k mono") == lines_of(first, "## 32k mono")


def test_magnitudes_are_heard_with_both_kinds_of_phases(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[np.ndarray] = []
    monkeypatch.setattr(scoring, "score", lambda pair, estimate, brief: heard.append(estimate) or {})
    made = pair(excerpts(small_corpus(tmp_path / "corpus", "a", seconds=1.0))[0], "32k mono")
    (net,) = read_models([networks.save(tmp_path / "net.onnx", 0.5, domain="magnitude")])
    for phase in net.phases:
        work._compute(made, work.Unit("brief", net, phase=phase))
    assert len(heard) == 2 and not np.array_equal(*heard)
