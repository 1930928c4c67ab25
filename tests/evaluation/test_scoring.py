import numpy as np
import pytest

from mp3fix.evaluation import perceptual, scoring
from mp3fix.evaluation.excerpts import Pair

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def heard(monkeypatch: pytest.MonkeyPatch) -> list[tuple[np.ndarray, np.ndarray]]:
    """What the models of hearing are given; they are slow, and tested by themselves."""
    given: list[tuple[np.ndarray, np.ndarray]] = []

    def visqol(reference: np.ndarray, estimate: np.ndarray) -> float:
        given.append((reference, estimate))
        return 3.0

    monkeypatch.setattr(perceptual, "visqol", visqol)
    monkeypatch.setattr(perceptual, "pesq", lambda x, y: 2.0)
    monkeypatch.setattr(perceptual, "stoi", lambda x, y: 0.5)
    return given


def band(low: float, high: float, frames: int = 44100) -> np.ndarray:
    """White noise between two frequencies, (1, frames)."""
    spectrum = np.fft.rfft(RNG.standard_normal(frames))
    hz = np.fft.rfftfreq(frames, 1 / 44100)
    spectrum[(hz < low) | (hz > high)] = 0
    return np.fft.irfft(spectrum, frames)[np.newaxis].astype(np.float32)


def test_the_recording_itself_is_perfect() -> None:
    recording = band(50, 15000)
    scores = scoring.score(Pair(recording, recording, 15000), recording)
    assert set(scores) == set(scoring.METRICS) - {"odg", "di"}
    assert scores["snr"] == scores["si_sdr"] == 120
    for name in ("lsd", "lsd_below", "lsd_80", "level", "mse", "l1", "mr_stft"):
        assert scores[name] == 0
    assert np.isnan(scores["lsd_above"])  # nothing was cut


def test_nothing_above_the_recordings_cutoff_counts(heard: list[tuple[np.ndarray, np.ndarray]]) -> None:
    recording, beyond = band(50, 12000), 0.5 * band(13000, 20000)
    scores = scoring.score(Pair(recording, recording, 12000), recording + beyond)
    assert max(scores[name] for name in ("lsd", "lsd_below", "lsd_80", "level", "mr_stft")) < 0.1
    assert scores["l1"] < 0.01 and scores["mse"] < 1e-3
    assert scores["snr"] > 80
    ((reference, estimate),) = heard
    np.testing.assert_allclose(reference, estimate, atol=1e-4)


def test_lsd_is_split_at_the_mp3s_cutoff() -> None:
    low, high = band(50, 8000), band(8000, 16000)
    pair = Pair(low + high, low, 16000)
    assert pair.edges[0] == pytest.approx(8000, abs=100)
    scores = scoring.score(pair, low + high / 2)
    assert scores["lsd_above"] == pytest.approx(6, abs=0.3)
    assert scores["lsd_below"] < 0.7  # leakage at the edge
    assert scores["lsd_below"] < scores["lsd"] < scores["lsd_above"]


def test_channels_are_averaged_and_silent_ones_left_out() -> None:
    recording = np.concatenate([band(50, 15000), band(50, 15000)])
    one = scoring.score(Pair(recording[:1], recording[:1], 15000), recording[:1] / 2)
    estimate = np.stack([recording[0] / 2, recording[1]])
    both = scoring.score(Pair(recording, recording, 15000), estimate)
    assert both["lsd"] == pytest.approx(one["lsd"] / 2, rel=1e-6)
    recording[1] = 0
    silent = scoring.score(Pair(recording, recording, 15000), np.stack([recording[0] / 2, recording[1]]))
    assert silent["lsd"] == pytest.approx(one["lsd"])
    assert silent["snr"] == pytest.approx(one["snr"])


def test_brief_scores_leave_out_visqol_alone(heard: list[tuple[np.ndarray, np.ndarray]]) -> None:
    recording = band(50, 15000)
    pair = Pair(recording, recording, 15000)
    brief, whole = scoring.score(pair, recording / 2, brief=True), scoring.score(pair, recording / 2)
    assert whole.keys() - brief.keys() == {"visqol"} and len(heard) == 1
    assert all(brief[name] == whole[name] for name in ("lsd", "l1_magnitude", "pesq", "stoi"))
