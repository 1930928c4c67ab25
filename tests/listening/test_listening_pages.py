import base64
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from listeners import RATE, music, write_set

from mp3fix.cli import lab
from mp3fix.errors import EncodeError, Mp3fixError, OutputExistsError
from mp3fix.listening.pages import Method, key_path, make
from mp3fix.listening.results import read_key
from mp3fix.listening.stimuli import Item, read_set
from mp3fix.report.loudness import loudness

LAB = [sys.executable, "-c", "from mp3fix.cli.lab import run; run()"]
ITEMS = ("elephant", "crocodile")


def items(*systems: str) -> list[Item]:
    return [Item(name, {system: music(seed=k + 9) for k, system in enumerate(systems)}, {}) for name in ITEMS]


def sounds(page: Path) -> dict[str, dict[str, str]]:
    """What the scripts of a page hand over: item -> stimulus -> base64."""
    texts = [path.read_text() for path in (page.parent / "sound").glob("*.js")]
    calls = [re.fullmatch(r"takeSound\((.*), (\{.*\})\);\n", text) for text in texts]
    return {json.loads(call[1]): json.loads(call[2]) for call in calls if call}


def decoded(text: str) -> tuple[np.ndarray, int]:
    samples, rate = soundfile.read(io.BytesIO(base64.b64decode(text)), always_2d=True)
    return samples.T, rate


def test_nothing_in_a_page_names_a_system(tmp_path: Path) -> None:
    systems = ("reference", "mp3", "zebra", "walrus")
    made = make(items(*systems), RATE, "mushra", tmp_path / "test", "Title")
    for path in [made.page, *(made.page.parent / "sound").iterdir()]:
        text = f"{path.name} {path.read_text()}"
        assert not re.search(r"zebra|walrus|elephant|crocodile|anchor35|anchor70", text)
    assert made.key.parent == tmp_path and made.key not in made.page.parent.rglob("*")
    assert set(read_key(made.key).systems) == {*systems, "anchor35", "anchor70"}
    lengths = {len(path.name) for path in (made.page.parent / "sound").iterdir()}
    assert len(lengths) == 1


def test_the_key_opens_what_the_page_holds(tmp_path: Path) -> None:
    given = [Item("song", {"reference": music(seed=1), "quiet": 0.1 * music(seed=2)}, {})]
    made = make(given, RATE, "mushra", tmp_path / "test", "Title")
    key = read_key(made.key)
    (item,) = key.items
    sound = sounds(made.page)[item]
    assert sound.keys() == key.stimuli[item].keys()
    for stimulus, system in key.stimuli[item].items():
        samples, rate = decoded(sound[stimulus])
        assert rate == RATE and samples.shape == (1, given[0].stimuli["reference"].shape[1])
        original = given[0].stimuli.get(system)
        if original is not None:
            assert loudness(samples, rate) == pytest.approx(made.lufs, abs=0.1)
            assert np.corrcoef(samples[0], original[0])[0, 1] > 0.999
    anchors = {system: decoded(sound[stimulus])[0] for stimulus, system in key.stimuli[item].items()}
    high = {name: high_share(anchors[name]) for name in ("reference", "anchor70", "anchor35")}
    assert high["reference"] > 0.1 and high["anchor70"] < 1e-4 and high["anchor35"] < 1e-4


def high_share(samples: np.ndarray) -> float:
    """Share of the energy above 9 kHz."""
    power = np.abs(np.fft.rfft(samples[0])) ** 2
    return float(power[np.fft.rfftfreq(samples.shape[1], 1 / RATE) > 9000].sum() / power.sum())


def test_two_tests_of_one_set_have_other_names(tmp_path: Path) -> None:
    first, second = (make(items("reference", "mp3"), RATE, "mos", tmp_path / name, "T") for name in "ab")
    keys = read_key(first.key), read_key(second.key)
    assert keys[0].test != keys[1].test and not keys[0].items.keys() & keys[1].items.keys()


def test_one_file_holds_all(tmp_path: Path) -> None:
    made = make(items("reference", "mp3"), RATE, "abx", tmp_path / "test", "T", 2, one_file=True)
    assert [path.name for path in made.page.parent.iterdir()] == ["index.html"]
    text = made.page.read_text()
    policy = re.search(r'Policy" content="([^"]*)"', text)
    assert text.count('takeSound("') == 2 and policy and "file:" not in policy[1]
    assert made.trials == 4 and made.megabytes == pytest.approx(made.page.stat().st_size / 1e6)


def test_a_title_is_text(tmp_path: Path) -> None:
    title = "</title><script>alert(1)</script>{{POLICY}}"
    text = make(items("reference", "mp3"), RATE, "mos", tmp_path / "test", title).page.read_text()
    assert "<script>alert" not in text and text.count("{{POLICY}}") == 2  # title and data, as text


def test_an_old_key_is_never_lost(tmp_path: Path) -> None:
    out = tmp_path / "test"
    make(items("reference", "mp3"), RATE, "mos", out, "T")
    before = key_path(out).read_bytes()
    with pytest.raises(OutputExistsError, match="need their key"):
        make(items("reference", "mp3"), RATE, "mos", out, "T")
    assert key_path(out).read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["test", "test.key.json"]


def test_what_cannot_be_written_is_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(EncodeError, match="test: No space left"):
        make(items("reference", "mp3"), RATE, "mos", tmp_path / "new" / "test", "T")
    assert list((tmp_path / "new").iterdir()) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(EncodeError, match="file"):
        make(items("reference", "mp3"), RATE, "mos", tmp_path / "file" / "test", "T")


@pytest.mark.parametrize(
    ("method", "systems", "words"),
    [
        ("mushra", ("mp3", "ours"), "needs reference"),
        ("mushra", ("reference",), "a system to be rated"),
        ("mushra", ("reference", *"abcdefghij"), "more than 12 stimuli"),
        ("abx", ("reference", "mp3", "ours"), "compares two systems"),
        ("which", ("reference", "mp3"), "one restoration"),
        ("which", ("reference", "ours", "theirs"), "one restoration"),
    ],
)
def test_systems_that_a_method_cannot_compare(
    method: Method, systems: tuple[str, ...], words: str, tmp_path: Path
) -> None:
    with pytest.raises(Mp3fixError, match=words):
        make(items(*systems), RATE, method, tmp_path / "test", "T")
    assert list(tmp_path.iterdir()) == []


def test_practice_alone_is_no_test(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set", ("practice",), ("reference", "mp3"))
    found, rate = read_set(folder, [], 0, 15)
    with pytest.raises(Mp3fixError, match="all items are for practice"):
        make(found, rate, "mos", tmp_path / "test", "T")


@pytest.mark.slow
def test_the_program(tmp_path: Path) -> None:
    write_set(tmp_path / "set", ITEMS, ("reference", "mp3", "ours"))

    def listen(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*LAB, "listen", *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=120
        )

    made = listen("make", "set", "-o", "test", "--method", "abx", "--system", "mp3", "--system", "ours")
    assert (made.returncode, made.stderr) == (0, "")
    assert "test/index.html" in made.stdout and "4 trials a listener" in made.stdout
    again = listen("make", "set", "-o", "test", "--method", "mos", "--repeats", "3")
    assert again.returncode == 2 and "--repeats is for ABX" in again.stderr
    (tmp_path / "r.json").write_text("[]")
    analysed = listen("analyse", "r.json", "--key", "test.key.json", "-o", "out")
    assert analysed.returncode == 1 and "left out: r.json: no result" in analysed.stderr
    assert "Traceback" not in analysed.stderr and not (tmp_path / "out").exists()


def test_what_is_missing_is_told_with_its_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        lab.importlib.util, "find_spec", lambda name: None if name in ("scipy", "torch") else True
    )
    monkeypatch.setattr(sys, "argv", ["mp3fix-lab", "listen", "make", "set"])
    with pytest.raises(SystemExit) as caught:
        lab.run()
    assert caught.value.code == 1
    assert capsys.readouterr().err == "mp3fix-lab: scipy not installed; pip install 'mp3fix[listen]'\n"
