"""Scores: what is played, and what happens where nothing can play it."""

import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mp3fix.training import render
from mp3fix.training.scores import ENSEMBLES, RENDERS, WORKS, Ensemble
from mp3fix.training.testset import TEST

CHORD = [(0.0, 1.0, 60, 0), (0.0, 1.0, 67, 1), (1.0, 2.0, 64, 0)]


def parsed(midi: bytes) -> tuple[list[tuple[int, int]], int]:
    """(channel, pitch) of the notes in a format 0 file, and its length in ticks; checks its form on the way."""
    assert midi[:4] == b"MThd" and midi[14:18] == b"MTrk"
    (length,) = struct.unpack(">I", midi[18:22])
    track, at, notes, ticks = midi[22:], 0, [], 0
    assert len(track) == length
    while at < length:
        wait = track[at] & 0x7F
        while track[at] & 0x80:
            at += 1
            wait = wait << 7 | track[at] & 0x7F
        at, ticks = at + 1, ticks + wait
        status = track[at]
        if status == 0xFF:
            assert track[at:] == b"\xff\x2f\x00"
            return notes, ticks
        if status & 0xF0 == 0x90:
            notes.append((status & 0xF, track[at + 1]))
        at += 2 if status & 0xF0 == 0xC0 else 3
    raise AssertionError("no end of track")


def note_ons(midi: bytes) -> list[tuple[int, int]]:
    return parsed(midi)[0]


def test_the_last_notes_have_time_to_die_away() -> None:
    """Longer than 127 ticks: numbers of two bytes are right too."""
    for seconds in (0.05, 2.0, 40.0):
        midi = render.midi_file([(0.0, seconds, 60, 0)], ENSEMBLES["piano"], np.random.default_rng(0))
        assert parsed(midi)[1] / render.TICKS == pytest.approx(seconds + render.TAIL, abs=0.1)


def test_each_part_has_its_channels_and_unisons() -> None:
    ensemble = Ensemble(((40,), (48, 43)), "orchestral")
    midi = render.midi_file(CHORD, ensemble, np.random.default_rng(0))
    assert sorted(note_ons(midi)) == [(0, 60), (0, 64), (1, 67), (2, 67)]
    assert (
        midi.count(bytes([0xC0, 40])) == midi.count(bytes([0xC1, 48])) == midi.count(bytes([0xC2, 43])) == 1
    )


def test_more_parts_than_programs_share_the_last() -> None:
    notes = [(0.0, 1.0, 60 + part, part) for part in range(12)]
    on = note_ons(render.midi_file(notes, ENSEMBLES["quartet"], np.random.default_rng(0)))
    assert sorted(pitch for _, pitch in on) == list(range(60, 72))
    assert render.DRUMS not in {channel for channel, _ in on}


def test_a_kit_plays_along_to_the_end() -> None:
    notes = [(0.0, 20.0, 60, 0)]
    drums = [
        pitch
        for channel, pitch in note_ons(render.midi_file(notes, ENSEMBLES["rock"], np.random.default_rng(0)))
        if channel == render.DRUMS
    ]
    assert drums.count(38) >= 18  # two snares a bar of 2.14 s
    assert max(beat[1] for beat in render.drum_beat(20.0, np.random.default_rng(0))) < 20.5


def test_the_same_name_gives_the_same_file() -> None:
    twice = [render.midi_file(CHORD, ENSEMBLES["trio"], np.random.default_rng(5)) for _ in range(2)]
    assert twice[0] == twice[1]
    assert twice[0] != render.midi_file(CHORD, ENSEMBLES["trio"], np.random.default_rng(6))


def test_the_list_names_works_and_ensembles_that_exist() -> None:
    assert len(set(RENDERS)) == len(RENDERS)
    for work, ensemble in RENDERS:
        assert work in WORKS and ensemble in ENSEMBLES


def test_test_renders_share_no_work_with_training() -> None:
    tested = {key.removeprefix("renders/").partition("--")[0] for key in TEST if key.startswith("renders/")}
    assert len(tested) >= 3
    for work in tested:
        assert sum(name == work for name, _ in RENDERS) == 1
    files = [file for name, _ in RENDERS for file in WORKS[name].files if name in tested]
    others = {file for name, _ in RENDERS for file in WORKS[name].files if name not in tested}
    assert not others & set(files)


@pytest.mark.parametrize("lack", ["fluidsynth", "sound font of csound-soundfont", "music21"])
def test_what_is_missing_is_said_and_nothing_rendered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lack: str
) -> None:
    for name, path in render.SOUND_FONTS.items():
        font = tmp_path / path
        font.parent.mkdir(parents=True)
        if lack != f"sound font of {name}":
            font.touch()
    monkeypatch.setattr(shutil, "which", lambda name: None if lack == "fluidsynth" else "/bin/true")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if lack == "music21" else True)
    lines: list[str] = []
    render.render_all(tmp_path, lines.append)
    assert len(lines) == 1 and lack in lines[0] and f"{len(RENDERS)} pieces fewer" in lines[0]
    assert not (tmp_path / "raw" / "renders").exists()


def test_what_is_rendered_already_needs_nothing(tmp_path: Path) -> None:
    (tmp_path / "raw" / "renders").mkdir(parents=True)
    (tmp_path / "raw" / "renders" / "joplin-maple-leaf--piano.flac").touch()
    lines: list[str] = []
    render.render_all(tmp_path, lines.append, [("joplin-maple-leaf", "piano")])
    assert lines == []


def test_a_score_becomes_notes_in_seconds() -> None:
    pytest.importorskip("music21")
    notes = list(render.score_notes(WORKS["chopin-mazurka-6-2"]))
    assert {note[3] for note in notes} == {0, 1}  # two hands
    assert all(0 <= onset < end < render.LONGEST and 21 <= pitch <= 108 for onset, end, pitch, _ in notes)
    # 72 bars of three quarters and their upbeat at 132 a minute
    assert max(end for _, end, _, _ in notes) == pytest.approx(72 * 3 * 60 / 132, abs=2)


def test_parts_of_a_score_can_be_chosen() -> None:
    pytest.importorskip("music21")
    assert {note[3] for note in render.score_notes(WORKS["beethoven-18-1-solo"])} == {0}


SOUND_FONTS = [Path("/usr/share/sounds/sf2/FluidR3_GM.sf2"), Path("/usr/share/sounds/sf2/default-GM.sf2")]
FONT = next((path for path in SOUND_FONTS if path.exists()), None)


@pytest.mark.skipif(FONT is None or not shutil.which("fluidsynth"), reason="no fluidsynth or sound font")
def test_fluidsynth_renders_the_same_twice(tmp_path: Path) -> None:
    assert FONT is not None
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        render.render(CHORD, ENSEMBLES["rock"], tmp_path / folder / "chord--rock.flac", FONT)
    first, rate = soundfile.read(tmp_path / "a" / "chord--rock.flac")
    assert rate == 44100 and first.shape[1] == 2
    assert np.abs(first).max() == pytest.approx(render.PEAK, abs=1e-3)
    assert 2 + render.TAIL - 0.5 < first.shape[0] / 44100 < 15
    assert np.array_equal(first, soundfile.read(tmp_path / "b" / "chord--rock.flac")[0])
