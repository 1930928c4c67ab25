"""The small spectrum of -v."""

import re
from typing import Any

import pytest

from mp3fix.cli.console import Console, summary
from mp3fix.report.terminal import spectrum

BEFORE = [-10.0, -20.0, -30.0, -40.0, -50.0, -50.0, -55.0, -60.0, *[-120.0] * 7]
AFTER = [-10.0, -20.0, -30.0, -45.0, -50.0, -50.0, -55.0, -60.0, *[-70.0] * 5, -120.0, -120.0]

OF_A_SONG = {
    "status": "restored",
    "outputs": ["x.flac"],
    "seconds": 1.0,
    "elapsed": 1.0,
    "bitrate_kbps": 64,
    "gain_db": 0.0,
    "decoder": "ffmpeg",
    "device": "cpu",
}


def record(**changes: Any) -> dict[str, Any]:
    bands = {"band_hz": 1500, "before_db": BEFORE, "after_db": AFTER}
    return {"spectrum": bands, "cutoff_before": 11200, "cutoff_after": 19400} | changes


def line(text: str, khz: str) -> str:
    return next(line for line in text.splitlines() if line.split()[:1] == [khz])


def test_it_fits_and_says_where_treble_came_to() -> None:
    text = spectrum(record(), "utf-8").plain
    lines = text.splitlines()
    assert len(lines) <= 16 and max(map(len, lines)) < 80
    khz = [float(line.split()[0]) for line in lines[1:]]
    assert khz == sorted(khz, reverse=True) and khz[-1] == 0
    assert "█" in line(text, "15.0") and "▒" not in line(text, "15.0")
    assert "▒" in line(text, "9.0") and "█" not in line(text, "9.0")
    assert "·" in line(text, "4.5")
    assert line(text, "10.5").endswith("◂ 11.2 before") and line(text, "18.0").endswith("◂ 19.4 after")
    bars = [len(re.sub(r"[^▒]", "", line)) for line in lines[1:]]
    assert bars == sorted(bars) and bars[0] < bars[-1]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "nonsense"])
def test_plain_signs_where_the_terminal_has_no_others(encoding: str) -> None:
    text = spectrum(record(), encoding).plain
    assert text.isascii() and "#" in line(text, "15.0") and line(text, "10.5").endswith("< 11.2 before")


def test_both_cut_offs_at_the_end_of_the_loudest_band() -> None:
    bands = {"band_hz": 1500, "before_db": [-0.0] * 15, "after_db": [-0.0] * 15}
    text = spectrum(record(spectrum=bands, cutoff_before=22050, cutoff_after=22050), "utf-8").plain
    assert max(map(len, text.splitlines())) < 80
    assert line(text, "21.0").endswith("22.1 before, 22.1 after")


def test_silence_has_no_bars_and_no_marks() -> None:
    bands = {"band_hz": 1500, "before_db": [-120.0] * 15, "after_db": [-120.0] * 15}
    text = spectrum(record(spectrum=bands, cutoff_before=0, cutoff_after=0), "utf-8").plain
    assert all(len(line.split()) == 1 for line in text.splitlines()[1:])
    assert summary(record(**OF_A_SONG)).endswith("cut-off 11.2 -> 19.4 kHz")
    silent = summary(record(**OF_A_SONG, cutoff_before=0, cutoff_after=0))
    assert silent.endswith("no cut-off: silence") and "kHz" not in silent


def test_a_narrow_terminal_cuts_lines_and_does_not_break_them(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    console = Console(False, True)
    console._terminal = True
    console.ended("x.mp3", record(**OF_A_SONG))
    _, *shown, _ = capfd.readouterr().err.splitlines()  # between what is said of the song
    assert len(shown) == 16 and max(map(len, shown)) <= 50


@pytest.mark.parametrize(
    ("quiet", "verbose", "terminal", "alone", "seen"),
    [
        (False, True, True, True, True),
        (True, True, True, True, False),
        (False, False, True, True, False),
        (False, True, False, True, False),
        (False, True, True, False, False),  # one of many: there are enough lines
    ],
)
def test_who_sees_it(
    quiet: bool, verbose: bool, terminal: bool, alone: bool, seen: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    console = Console(quiet, verbose)
    console._terminal = terminal
    console.ended("x.mp3", record(**OF_A_SONG), closing=alone)
    out, err = capfd.readouterr()
    assert out == "" and ("11.2 before" in err) is seen
