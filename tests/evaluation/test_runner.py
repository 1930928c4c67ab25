from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from lab import generator, small_corpus

from mp3fix.errors import Mp3fixError
from mp3fix.evaluation import runner, scoring, work
from mp3fix.evaluation.cache import Cache
from mp3fix.evaluation.excerpts import IDENTITY, LOW, QUICK, SETTINGS, excerpts, pair
from mp3fix.evaluation.models import read_models
from mp3fix.evaluation.runner import MP3, gather, plan
from mp3fix.evaluation.work import Job
from mp3fix.restore import Restorer
from mp3fix.training import codec


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_corpus(tmp_path_factory.mktemp("lab") / "corpus", "b", "a", "c")


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """Restorations that were scored; the scores are as quick as they can be."""
    seen: list[np.ndarray] = []

    def score(pair: object, estimate: np.ndarray) -> dict[str, float]:
        seen.append(estimate)
        return {"lsd": float(np.abs(estimate).max())}

    monkeypatch.setattr(scoring, "score", score)
    return seen


def jobs_of(corpus: Path, folder: Path, *settings: str) -> list[Job]:
    models = read_models([generator(folder / "net.onnx", z=False)])
    return [job for job in plan(excerpts(corpus), models, quick=True) if job.setting in settings]


def silent(done: int, total: int, what: str) -> None:
    pass


def test_excerpts_are_ordered_by_name_and_limited(corpus: Path, tmp_path: Path) -> None:
    assert [excerpt.piece for excerpt in excerpts(corpus)] == ["a", "b", "c"]
    assert [excerpt.piece for excerpt in excerpts(corpus, 2)] == ["a", "b"]
    with pytest.raises(Mp3fixError, match="no corpus"):
        excerpts(tmp_path)


def test_versions_of_one_piece_are_told_apart(tmp_path: Path) -> None:
    names = [excerpt.piece for excerpt in excerpts(small_corpus(tmp_path / "two", "x", "x"))]
    assert names == ["x (x-0)", "x (x-1)"]


def test_pairs_are_aligned_and_of_one_level(corpus: Path) -> None:
    excerpt = excerpts(corpus)[0]
    for setting in ("32k mono", "128k stereo", "V2 stereo"):
        made = pair(excerpt, setting)
        assert made.reference.shape == made.degraded.shape == (1 + ("stereo" in setting), 88200)
        error = made.degraded - made.reference
        assert np.sum(error**2) < 0.1 * np.sum(made.reference**2)
        assert codec.codec_gain(made.reference, made.degraded) == pytest.approx(1, abs=1e-3)
        assert all(4000 < edge <= 21000 for edge in made.edges)
    same = pair(excerpt, IDENTITY)
    assert np.array_equal(same.reference, same.degraded)


def test_what_is_made_up_above_a_good_file_counts(corpus: Path) -> None:
    excerpt = replace(excerpts(corpus)[0], cutoff=12000)
    made = pair(excerpt, IDENTITY)
    air = 0.01 * np.cos(2 * np.pi * 18000 / 44100 * np.arange(88200), dtype=np.float32)
    assert scoring.fidelity(made, made.degraded[0])["snr"] == scoring.LIMIT_DB
    assert scoring.fidelity(made, made.degraded[0] + air)["snr"] < 40
    coded = replace(made, cutoff=excerpt.cutoff)
    assert scoring.fidelity(coded, made.degraded[0] + air)["snr"] > 60


def test_the_plan(corpus: Path, tmp_path: Path) -> None:
    models = read_models([generator(tmp_path / "net.onnx")])
    full, quick = plan(excerpts(corpus), models), plan(excerpts(corpus), models, quick=True)
    assert len(full) == 3 * len(SETTINGS) == 51 and len(quick) == 3 * len(QUICK)
    for job in full:
        kinds = [unit.kind for unit in job.units]
        assert kinds == ["scores"] * (6 if job.setting in LOW else 3) + ["draws"] * (job.setting in LOW)
    assert all(len(job.units) == 3 for job in quick)
    with_peaq = plan(excerpts(corpus), models, quick=True, peaq=Path(__file__))
    assert [unit.kind for unit in with_peaq[0].units] == ["scores"] * 3 + ["peaq"] * 3


def test_what_takes_the_mp3s_bits_is_also_scored_without_them(
    corpus: Path, tmp_path: Path, counted: list[np.ndarray]
) -> None:
    models = read_models([generator(tmp_path / "net.onnx", z=False, conditioning=("error", "short"))])
    full = plan(excerpts(corpus), models)
    assert {job.setting for job in full if any(unit.bare for unit in job.units)} == set(LOW)
    job = next(job for job in full if job.setting == "64k mono")
    chosen = [unit for unit in job.units if unit.kind == "scores" and unit.texture == 0.5]
    job = replace(job, units=tuple(chosen))
    runner.run([job], tmp_path / "cache", silent, workers=1)
    told, bare = counted
    assert np.abs(told - bare).max() > 1e-3
    made = pair(job.excerpt, job.setting)
    restorer = Restorer(tmp_path / "net.onnx", "cpu")
    assert np.abs(restorer.restore(made.degraded, codec.RATE) - bare).max() < 1e-5
    maps = made.maps(restorer.generator.contract.stft)
    assert np.abs(restorer.restore(made.degraded, codec.RATE, maps=maps) - told).max() < 1e-5
    scores, _ = gather([job], tmp_path / "cache")
    assert [score.system for score in scores] == ["net texture 0.5", "net texture 0.5, samples alone"]


def test_a_second_run_computes_nothing(
    corpus: Path, tmp_path: Path, counted: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = jobs_of(corpus, tmp_path, "128k stereo")
    told: list[tuple[int, int, str]] = []
    runner.run(jobs, tmp_path / "cache", lambda *line: told.append(line), workers=1)
    assert len(counted) == 9
    assert told[0] == (0, 3, "") and told[-1] == (3, 3, "128k stereo  c")
    monkeypatch.setattr(work, "pair", lambda *_: pytest.fail("encoded again"))
    runner.run(jobs, tmp_path / "cache", silent, workers=1)
    assert len(counted) == 9
    scores, _ = gather(jobs, tmp_path / "cache")
    assert [(score.piece, score.system) for score in scores[:3]] == [
        ("a", MP3),
        ("a", "net texture 0"),
        ("a", "net texture 0.5"),
    ]
    assert scores[0].values["lsd"] == float(np.abs(counted[0]).max())


def test_a_run_that_was_stopped_goes_on(corpus: Path, tmp_path: Path, counted: list[np.ndarray]) -> None:
    jobs = jobs_of(corpus, tmp_path, "128k stereo")

    def stop(done: int, total: int, what: str) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        runner.run(jobs, tmp_path / "cache", stop, workers=1)
    assert len(counted) == 6
    assert len(gather(jobs, tmp_path / "cache")[0]) == 6
    runner.run(jobs, tmp_path / "cache", silent, workers=1)
    assert len(counted) == 9


def test_results_depend_on_what_they_were_made_of(
    corpus: Path, tmp_path: Path, counted: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = jobs_of(corpus, tmp_path, "32k mono")[:1]
    runner.run(jobs, tmp_path / "cache", silent, workers=1)
    assert len(counted) == 3
    # Another generator under the same name: the MP3's scores stay.
    other = read_models([generator(tmp_path / "other.onnx", z=False, strength=0.02)])
    changed = [job for job in plan(excerpts(corpus), other, quick=True) if job.setting == "32k mono"][:1]
    runner.run(changed, tmp_path / "cache", silent, workers=1)
    assert len(counted) == 5
    monkeypatch.setattr(work, "version", lambda: "other code")
    runner.run(jobs, tmp_path / "cache", silent, workers=1)
    assert len(counted) == 8


def test_a_cached_result_is_whole_or_absent(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    assert cache.get({"a": 1}) is None
    cache.put({"a": 1, "b": 2}, {"x": float("inf")})
    assert cache.get({"b": 2, "a": 1}) == {"x": float("inf")}
    assert cache.get({"a": 1, "b": 3}) is None
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".json"]


def test_two_files_of_one_name_get_labels_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    first = generator(tmp_path / "net.onnx")
    second = generator(tmp_path / "x" / "net.onnx", strength=0.5)
    labels = [model.label for model in read_models([first, second, first])]
    assert labels[0] == "net" and labels[1].startswith("net ") and len(labels) == 2
