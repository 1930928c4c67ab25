from pathlib import Path

import numpy as np
import pytest
from lab import generator, small_corpus

from mp3fix.evaluation import perceptual, scoring
from mp3fix.evaluation.draws import SEEDS, draws
from mp3fix.evaluation.excerpts import excerpts, pair
from mp3fix.evaluation.models import FixedZ
from mp3fix.evaluation.runner import Drawn
from mp3fix.evaluation.seeds import spread
from mp3fix.generator.session import Generator
from mp3fix.restore import Options, Restorer


@pytest.fixture(autouse=True)
def no_visqol(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(perceptual, "visqol", lambda x, y: 3.0)


def test_draws_of_a_generator_with_z(tmp_path: Path) -> None:
    path = generator(tmp_path / "net.onnx")
    made = pair(excerpts(small_corpus(tmp_path / "corpus", "a", seconds=1.5))[0], "16k mono")
    fixed = FixedZ.load(path, "cpu", 1)
    assert isinstance(fixed, FixedZ)
    values = draws(made, Generator.load(path, "cpu", 1), fixed)
    assert len(values["lsd"]) == len(values["mse"]) == len(values["snr"]) == len(SEEDS) == 20
    # Each is what the seed gives by itself, and the best is the one of lowest LSD, scored in full.
    for seed in (0, values["best"]):
        alone = Restorer(path, "cpu", 1).restore(made.degraded, 44100, Options(seeds=(seed,)))
        assert scoring.fidelity(made, alone[0])["lsd"] == pytest.approx(values["lsd"][seed], abs=1e-6)
    assert values["lsd"][values["best"]] == min(values["lsd"]) == pytest.approx(values["best_scores"]["lsd"])
    assert len(values["hz"]) == np.shape(values["levels"])[1] == len(values["original"])
    assert values["hz"][0] == pytest.approx(made.edges[0])
    # The vector colours the level here, by far more than the white noise does.
    found = spread([Drawn("a", "16k mono", "net", values)])
    assert found.seeds > 5 * found.white > 0
    assert found.halves > 0.9


def test_draws_of_one_without(tmp_path: Path) -> None:
    made = pair(excerpts(small_corpus(tmp_path / "corpus", "a", seconds=1.5))[0], "16k mono")
    values = draws(made, Generator.load(generator(tmp_path / "net.onnx", z=False), "cpu", 1), None)
    assert values["fixed"] is None
    assert np.isnan(spread([Drawn("a", "16k mono", "net", values)]).white)


def test_the_spread_of_known_levels() -> None:
    rng = np.random.default_rng(0)
    offsets = rng.standard_normal((20, 1))
    offsets = 2 * (offsets - offsets.mean()) / offsets.std(ddof=1)
    tilt = np.array([[-1.0, 0.0, 1.0]])
    values = {
        "hz": [6000.0, 8000.0, 10000.0],
        "levels": (offsets + tilt - 3).tolist(),
        "halves": [(offsets + tilt).tolist(), (3 * offsets - tilt).tolist()],
        "fixed": (0.25 * offsets + tilt).tolist(),
        "original": tilt[0].tolist(),
    }
    found = spread(
        [Drawn("a", "16k mono", "net", values), Drawn("b", "16k mono", "net", {**values, "hz": []})]
    )
    assert found.pieces == 1
    assert (found.seeds, found.white) == (pytest.approx(2), pytest.approx(0.5))
    assert (found.halves, found.error) == (pytest.approx(1), pytest.approx(3))
