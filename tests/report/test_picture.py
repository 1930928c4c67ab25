"""Pictures before and after: what is on them, and how they are written."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mp3s import music
from pipeline import written

from mp3fix.errors import DecodeError, EncodeError, OutputExistsError
from mp3fix.report import marks
from mp3fix.report.picture import Shown, View, _figure, draw
from mp3fix.report.plotting import plotting
from mp3fix.report.spectra import measure

ROOT = Path(__file__).parents[2]
RATE = 44100


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """A second of music that ends at 8 kHz."""
    samples = music(RATE, RATE)
    spectrum = np.fft.rfft(samples)
    spectrum[:, 8000:] = 0
    low = 0.5 * np.fft.irfft(spectrum).astype(np.float32)
    return Shown(written(tmp_path_factory.mktemp("before"), low, RATE), "before", "before")


@pytest.fixture(scope="module")
def after(tmp_path_factory: pytest.TempPathFactory) -> list[Shown]:
    """Two draws of what is above."""
    folder = tmp_path_factory.mktemp("after")
    files = [written(folder, music(RATE, RATE, seed=seed), RATE, f"{seed}.wav") for seed in (0, 1)]
    return [Shown(path, f"after: seed {seed}", f"seed {seed}") for seed, path in enumerate(files)]


def figure(files: list[Shown], view: View, start: float = 0.0) -> Any:
    measured = [measure(file.path, channels=view.channels) for file in files]
    with plotting():
        return _figure("heading", files, measured, view, start)


def spectrograms(figure: Any) -> list[Any]:
    return [axis for axis in figure.axes if axis.images]


def words(axis: Any) -> list[str]:
    return [text.get_text() for text in axis.texts]


def test_before_and_after_on_one_scale(before: Shown, after: list[Shown]) -> None:
    drawn = figure([before, after[0]], View())
    upper, lower = spectrograms(drawn)
    assert [axis.get_title(loc="left") for axis in (upper, lower)] == ["before", "after: seed 0"]
    assert words(upper) == ["8.0 kHz"] and words(lower) == []  # which has no cut-off
    assert upper.images[0].get_clim() == lower.images[0].get_clim()
    assert upper.get_ylim() == lower.get_ylim() and upper.get_xlim() == lower.get_xlim() == (0, 1)
    darkest = upper.images[0].get_clim()[0]
    treble = slice(round(0.5 * 512), round(0.9 * 512))  # 11 to 20 kHz
    middle = slice(10, 30)  # of a second
    assert np.mean(upper.images[0].get_array()[treble, middle] > darkest) < 0.01
    assert np.mean(lower.images[0].get_array()[treble, middle] > darkest) > 0.99
    labels = {text.get_text() for axis in drawn.axes if axis.get_legend() for text in axis.get_legend().texts}
    assert labels == {"before", "seed 0"}


def test_all_draws_in_one_picture(before: Shown, after: list[Shown]) -> None:
    drawn = figure([before, *after], View("mel"))
    assert [axis.get_title(loc="left") for axis in spectrograms(drawn)] == [
        "before",
        "after: seed 0",
        "after: seed 1",
    ]
    legends = [axis.get_legend() for axis in drawn.axes if axis.get_legend()]
    assert [[text.get_text() for text in legend.texts] for legend in legends] == [
        ["before", "seed 0", "seed 1"]
    ]
    colours = [line.get_color() for axis in drawn.axes if axis.get_legend() for line in axis.lines]
    assert len(set(colours)) == 2


def test_every_channel(before: Shown, after: list[Shown]) -> None:
    titles = [
        axis.get_title(loc="left") for axis in spectrograms(figure([before, after[0]], View("log", "all")))
    ]
    assert titles == ["before, left", "after: seed 0, left", "before, right", "after: seed 0, right"]


def test_times_are_those_of_the_song(before: Shown, after: list[Shown]) -> None:
    """Of a preview too; minutes where seconds would be hard to read."""
    axis = spectrograms(figure([before, after[0]], View(), start=90))[-1]
    ticks = [text.get_text() for text in axis.get_xticklabels()]
    assert (ticks[0], ticks[-1], axis.get_xlabel()) == ("1:30.0", "1:31.0", "time, m:ss")
    axis = spectrograms(figure([before, after[0]], View()))[-1]
    assert [text.get_text() for text in axis.get_xticklabels()][:2] == ["0", "0.1"]


@pytest.mark.parametrize(
    "suffix", [".png", *(pytest.param(suffix, marks=pytest.mark.slow) for suffix in (".svg", ".pdf"))]
)
def test_a_picture_says_what_it_is_of(suffix: str, before: Shown, after: list[Shown], tmp_path: Path) -> None:
    picture = tmp_path / f"x{suffix}"
    draw(picture, "$heading$", before, after[:1], View(), mark="0123,4567:mel:all")
    assert marks.read(picture) == "0123,4567:mel:all"
    data = picture.read_bytes()
    with pytest.raises(OutputExistsError, match="--force"):
        draw(picture, "another", before, after[:1], View())
    assert picture.read_bytes() == data
    draw(picture, "$heading$", before, after[:1], View(), mark="0123,4567:mel:all", overwrite=True)
    assert picture.read_bytes() == data, "equal pictures are equal files"
    assert os.listdir(tmp_path) == [picture.name]


def test_what_mp3fix_did_not_draw(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(300000))
    assert marks.read(tmp_path / "x.png") is None
    assert marks.read(tmp_path / "none.png") is None and marks.read(tmp_path) is None


def test_nothing_is_left_of_what_fails(before: Shown, after: list[Shown], tmp_path: Path) -> None:
    with pytest.raises(EncodeError, match="cannot be written"):
        draw(tmp_path / "none" / "x.png", "", before, after, View())
    (tmp_path / "text.flac").write_text("no music")
    with pytest.raises(DecodeError, match=r"text\.flac"):
        draw(tmp_path / "x.png", "", before, [Shown(tmp_path / "text.flac", "", "")], View())
    assert os.listdir(tmp_path) == ["text.flac"]


HOSTILE = """
import os
import sys
from pathlib import Path
from mp3fix.report.picture import Shown, View, draw
path = Path(sys.argv[1])
heading = "$x_{1$ 日本語 \\u0645 \\U0001f600 \\x00" + "y" * 300
draw(Path(sys.argv[2]), heading, Shown(path, "$a", "_b"), [Shown(path, "c$", "d")], View())
assert "matplotlib.pyplot" not in sys.modules
assert os.listdir(os.environ["TMPDIR"]) == []  # already: workers end without Python's own end
"""


def test_whatever_the_environment_is(before: Shown, tmp_path: Path) -> None:
    """No display, no such backend, a home that is a file, a style that is broken, signs that no font has."""
    home, spool, style = tmp_path / "home", tmp_path / "spool", tmp_path / "style"
    home.touch()
    spool.mkdir()
    style.mkdir()
    (style / "matplotlibrc").write_text("text.usetex: true\nnonsense\nimage.cmap: nonsense\n")
    environment = {
        name: value for name, value in os.environ.items() if name not in ("DISPLAY", "MPLCONFIGDIR")
    }
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        environment.pop(name, None)
    ours = {"MPLBACKEND": "nonsense", "HOME": str(home), "TMPDIR": str(spool), "PYTHONPATH": str(ROOT)}
    ours["MATPLOTLIBRC"] = str(style)
    script = [sys.executable, "-W", "error", "-c", HOSTILE, str(before.path), str(tmp_path / "x.png")]
    ran = subprocess.run(
        script, env=environment | ours, capture_output=True, text=True, timeout=100, cwd=tmp_path
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert marks.read(tmp_path / "x.png") == "" and os.listdir(spool) == []
