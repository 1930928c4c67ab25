from pathlib import Path

import numpy as np
import pytest
import soundfile
from listeners import RATE, music, write_set

from mp3fix.errors import Mp3fixError
from mp3fix.listening.anchors import EDGES, anchor, response
from mp3fix.listening.stimuli import PEAK_DBFS, TARGET_LUFS, Item, level, read_set
from mp3fix.report.loudness import loudness
from mp3fix.signal.levels import from_db, peak


def test_a_set_is_read_by_name(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set", ("b", "a", "Practice 1"), ("reference", "mp3", "ours"))
    (folder / "a" / "notes.txt").write_text("not audio")
    items, rate = read_set(folder, [], 0, 15)
    assert rate == RATE
    assert [item.name for item in items] == ["Practice 1", "a", "b"] and items[0].practice
    assert all(sorted(item.stimuli) == ["mp3", "ours", "reference"] for item in items)
    some, _ = read_set(folder, ["mp3", "ours"], 0, 15)
    assert list(some[0].stimuli) == ["mp3", "ours"]


def test_excerpts_are_cut_alike_and_do_not_click(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set", ("a",), ("reference", "mp3"))
    whole = soundfile.read(folder / "a" / "reference.wav", dtype="float32")[0]
    items, rate = read_set(folder, [], 0.25, 1.0)
    cut = items[0].stimuli["reference"][0]
    begin = round(0.25 * rate)
    assert len(cut) == rate
    np.testing.assert_allclose(cut[1000:-1000], whole[begin + 1000 : begin + rate - 1000], atol=1e-6)
    assert np.abs(cut[[0, -1]]).max() < 1e-4 < np.abs(whole[[begin, begin + rate - 1]]).max()


def test_other_rates_are_resampled_without_a_shift(tmp_path: Path) -> None:
    folder = tmp_path / "set" / "a"
    folder.mkdir(parents=True)
    for rate, name in ((44100, "reference"), (22050, "mp3")):
        tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(2 * rate) / rate)
        soundfile.write(folder / f"{name}.wav", tone, rate)
    items, rate = read_set(tmp_path / "set", [], 0, 15)
    assert rate == 44100
    first, second = items[0].stimuli.values()
    np.testing.assert_allclose(first[:, 2000:-2000], second[:, 2000:-2000], atol=1e-3)


def broken(folder: Path, what: str) -> None:
    item = folder / "a"
    sound = music()
    if what == "channels":
        soundfile.write(item / "mp3.wav", np.repeat(sound, 2, 0).T, RATE)
    elif what == "length":
        soundfile.write(item / "mp3.wav", sound[:, : round(1.4 * RATE)].T, RATE)
    elif what == "missing":
        (item / "mp3.wav").unlink()
    elif what == "twice":
        soundfile.write(item / "mp3.flac", sound.T, RATE)
    elif what == "anchor":
        soundfile.write(item / "anchor35.wav", sound.T, RATE)
    elif what == "surround":
        for name in ("reference", "mp3"):
            soundfile.write(item / f"{name}.wav", np.repeat(sound, 6, 0).T, RATE)


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (
            "channels",
            "mp3.wav: has 2 channels, reference.wav has 1|reference.wav: has 1 channels, mp3.wav has 2",
        ),
        ("length", "is 1.40 s long|is 1.60 s long"),
        ("missing", "has no mp3"),
        ("twice", "mp3.wav: mp3.flac is of that system too"),
        ("anchor", "anchor35 is the name of an anchor"),
        ("surround", "6 channels"),
    ],
)
def test_files_that_do_not_fit_are_named(tmp_path: Path, what: str, words: str) -> None:
    folder = write_set(tmp_path / "set", ("a", "b"), ("reference", "mp3"))
    broken(folder, what)
    with pytest.raises(Mp3fixError, match=words):
        read_set(folder, [], 0, 15)


def test_what_is_no_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Mp3fixError, match="no folders"):
        read_set(tmp_path, [], 0, 15)
    with pytest.raises(Mp3fixError, match="No such file"):
        read_set(tmp_path / "none", [], 0, 15)
    (tmp_path / "empty").mkdir()
    with pytest.raises(Mp3fixError, match="no audio files"):
        read_set(tmp_path, [], 0, 15)
    folder = write_set(tmp_path / "set", ("a",), ("reference", "mp3"))
    with pytest.raises(Mp3fixError, match="no system 'ours'; there are: mp3, reference"):
        read_set(folder, ["ours"], 0, 15)
    with pytest.raises(Mp3fixError, match="less than 1 s is left"):
        read_set(folder, [], 1.0, 15)


def test_all_are_equally_loud() -> None:
    sound = music(channels=2)
    items, lufs = level(
        [Item("a", {"x": sound, "y": 0.1 * sound}, {}), Item("b", {"x": 2 * sound}, {})], RATE
    )
    assert lufs == TARGET_LUFS
    for item in items:
        for system, samples in item.stimuli.items():
            assert loudness(samples, RATE) == pytest.approx(TARGET_LUFS, abs=0.05)
            assert samples.dtype == np.float32 and system in item.gains_db
    assert items[0].gains_db["y"] - items[0].gains_db["x"] == pytest.approx(20, abs=0.05)


def test_one_peak_lowers_all() -> None:
    sound = music()
    clicks = sound.copy()
    clicks[0, 5000] = 30.0
    items, lufs = level([Item("a", {"x": sound, "y": clicks}, {}), Item("b", {"x": sound}, {})], RATE)
    assert lufs < TARGET_LUFS - 3
    assert peak(items[0].stimuli["y"]) == pytest.approx(from_db(PEAK_DBFS), rel=1e-3)
    assert loudness(items[1].stimuli["x"], RATE) == pytest.approx(lufs, abs=0.05)


def test_silence_cannot_be_levelled() -> None:
    with pytest.raises(Mp3fixError, match="song: mp3 is silent"):
        level([Item("song", {"mp3": np.zeros((1, 2 * RATE), np.float32)}, {})], RATE)


@pytest.mark.parametrize("rate", [32000, 44100, 48000])
@pytest.mark.parametrize("edge", EDGES.values())
def test_anchors_filter_as_the_recommendation_asks(edge: float, rate: int) -> None:
    taps = response(edge, rate)
    np.testing.assert_array_equal(taps, taps[::-1])
    spectrum = 20 * np.log10(np.abs(np.fft.rfft(taps, 1 << 16)) + 1e-12)
    hz = np.fft.rfftfreq(1 << 16, 1 / rate)
    assert np.abs(spectrum[hz <= edge]).max() < 0.1
    assert spectrum[hz >= edge * 4 / 3.5].max() < -25
    assert spectrum[hz >= edge * 4.5 / 3.5].max() < -50


def test_anchors_are_not_late() -> None:
    t = np.arange(RATE) / RATE
    low, high = 0.1 * np.sin(2 * np.pi * 1000 * t), 0.1 * np.sin(2 * np.pi * 9000 * t)
    both = np.stack([low + high, low]).astype(np.float32)
    made = anchor(both, RATE, EDGES["anchor70"])
    assert made.shape == both.shape
    np.testing.assert_allclose(made[:, 3000:-3000], np.stack([low, low])[:, 3000:-3000], atol=2e-4)
