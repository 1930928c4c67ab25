"""What is in a page, read back from the file: the sound to the sample, the gains, the words."""

import base64
import io
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from mp3s import music

from mp3fix.errors import DecodeError, EncodeError, OutputExistsError
from mp3fix.report import excerpt, page, pagefile
from mp3fix.report.loudness import loudness
from mp3fix.report.page import Restoration, Subject, write_page
from mp3fix.report.pagefile import check_place

pytest.importorskip("jinja2", reason="needs the extra [page]")
pytest.importorskip("pyloudnorm", reason="needs the extra [page]")

RATE = 44100
SECONDS = 6
GAIN_DB = -3.0


@pytest.fixture(autouse=True, scope="module")
def short_pieces() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(page, "PIECE_SECONDS", 2)
        yield


@cache
def songs(scale: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """An original, and its restoration: with something more, in a file that is lowered. (2, n)"""
    before = music(SECONDS * RATE, RATE) * np.float32(scale)
    more = np.random.default_rng(1).standard_normal(before.shape).astype(np.float32) * np.float32(0.01)
    return before, (before + more) * np.float32(10 ** (GAIN_DB / 20))


def subject(folder: Path, scale: float = 1.0, begin: float = 0.0) -> Subject:
    before, after = songs(scale)
    original, restored = folder / "in.wav", folder / "out.flac"
    soundfile.write(original, before.T, RATE, "FLOAT")
    soundfile.write(restored, after[:, round(begin * RATE) :].T, RATE, "PCM_24")
    return Subject(
        original, "in.wav", [Restoration(restored, "Restored", GAIN_DB)], "tiny 1.0, seed 0", begin
    )


def facts_of(written: Path) -> Any:
    text = written.read_text(encoding="utf-8")
    found = re.search(r'id="facts" type="application/json">(.*?)</script>', text)
    assert found
    return json.loads(found[1])


def sound_of(written: Path, source: int) -> np.ndarray:
    """A source's sound, int16 (C, n)."""
    text = written.read_text(encoding="utf-8")
    for path in sorted(
        written.parent.glob("*_files/*.js"), key=lambda path: int(path.stem.rpartition("-")[2])
    ):
        name, content = re.findall(r'"([^"]*)"', path.read_text(encoding="ascii"))
        text += f'<script id="sound-{name}" type="text/plain">{content}</script>'
    found = re.findall(rf'id="sound-{source}-(\d+)" type="text/plain">([^<]*)<', text)
    assert [int(number) for number, _ in found] == list(range(len(found)))
    pieces = [soundfile.read(io.BytesIO(base64.b64decode(piece)), dtype="int16")[0] for _, piece in found]
    return np.concatenate(pieces).T


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Subject, pagefile.Written]:
    folder = tmp_path_factory.mktemp("page")
    about = subject(folder)
    return folder, about, write_page(folder / "out.html", about, 4.5)


def test_the_excerpt_is_the_middle_of_both_to_the_sample(made: Any) -> None:
    _, _, written = made
    first, frames = round(0.75 * RATE), round(4.5 * RATE)
    for source, wanted in enumerate(songs()):
        found = sound_of(written.page, source)
        assert found.shape == (2, frames)
        # Dither and rounding move a sample by less than two units.
        assert np.abs(found - wanted[:, first : first + frames] * 32768).max() < 2
    facts = facts_of(written.page)
    assert (facts["rate"], facts["frames"], facts["start"]) == (RATE, frames, 0.75)
    assert "4.5 s of the song from 0:00.8" in written.page.read_text()


def test_gains(made: Any) -> None:
    """The louder is lowered to the quieter; the difference is raised as far as it can be."""
    _, _, written = made
    before, after = (sound_of(written.page, source).astype(np.float32) / 32768 for source in (0, 1))
    lufs = [loudness(samples, RATE) for samples in (before, after)]
    original, restored, difference = facts_of(written.page)["sources"]
    assert lufs[1] < lufs[0]
    assert original["gain"] == pytest.approx(lufs[1] - lufs[0], abs=0.01) and restored["gain"] == 0
    assert [original["lufs"], restored["lufs"]] == pytest.approx(lufs, abs=0.01)
    between = after / np.float32(10 ** (GAIN_DB / 20)) - before
    raised = between * 10 ** (difference["gain"] / 20)
    assert difference["of"] == 1 and np.abs(raised).max() < 1.001
    assert loudness(raised, RATE) == pytest.approx(lufs[1], abs=0.05) or np.abs(raised).max() > 0.999


def test_a_difference_of_one_click_is_raised_to_full_scale_only(tmp_path: Path) -> None:
    before = music(RATE, RATE)
    after = before.copy()
    after[:, RATE // 2] += 0.25
    for name, samples in (("in.wav", before), ("out.wav", after)):
        soundfile.write(tmp_path / name, samples.T, RATE, "FLOAT")
    about = Subject(tmp_path / "in.wav", "in.wav", [Restoration(tmp_path / "out.wav", "Restored")], "tiny")
    difference = facts_of(write_page(tmp_path / "out.html", about, 1).page)["sources"][2]
    assert difference["gain"] == pytest.approx(12.04, abs=0.02)


def test_what_passes_full_scale_is_lowered_alike(tmp_path: Path) -> None:
    about = subject(tmp_path, scale=4.0)
    written = write_page(tmp_path / "out.html", about, 2)
    before, after = (sound_of(written.page, source) for source in (0, 1))
    assert 32700 < np.abs(before.astype(int)).max() <= 32767
    wanted = songs(4.0)
    first = 2 * RATE
    for found, samples in zip((before, after), wanted, strict=True):
        piece = np.clip(samples, -1, 1) if samples is wanted[1] else samples  # the FLAC had to clip
        scale = np.abs(before.astype(int)).max() / np.abs(wanted[0][:, first : first + 2 * RATE]).max()
        assert np.abs(found - piece[:, first : first + 2 * RATE] * scale).max() < 5
    assert "All of it is lowered by" in written.page.read_text()


def test_a_preview_begins_where_it_begins(tmp_path: Path) -> None:
    written = write_page(tmp_path / "out.html", subject(tmp_path, begin=2.0), 3)
    found = sound_of(written.page, 0)
    assert np.abs(found - songs()[0][:, 2 * RATE : 5 * RATE] * 32768).max() < 2
    assert facts_of(written.page)["start"] == 2


def test_another_rate(tmp_path: Path) -> None:
    """An original of 22.05 kHz beside its restoration of 44.1 kHz: no shift."""
    time = np.arange(4 * RATE) / RATE
    slow = (0.5 * np.sin(2 * np.pi * 440 * time[::2])).astype(np.float32)
    soundfile.write(tmp_path / "in.wav", slow, RATE // 2, "FLOAT")
    soundfile.write(tmp_path / "out.flac", 0.5 * np.sin(2 * np.pi * 440 * time), RATE, "PCM_24")
    about = Subject(tmp_path / "in.wav", "in.wav", [Restoration(tmp_path / "out.flac", "Restored")], "tiny")
    written = write_page(tmp_path / "out.html", about, 2)
    before, after = (sound_of(written.page, source).astype(int) for source in (0, 1))
    assert before.shape == after.shape == (2 * RATE,) and np.abs(before - after).max() < 20


def test_silence_and_a_moment(tmp_path: Path) -> None:
    for name, samples in (("silence", np.zeros(2 * RATE)), ("moment", 0.1 * np.ones(RATE // 10))):
        path = tmp_path / f"{name}.wav"
        soundfile.write(path, samples, RATE, "FLOAT")
        about = Subject(path, name, [Restoration(path, "Restored")], "tiny")
        written = write_page(tmp_path / f"{name}.html", about, 30)
        facts = facts_of(written.page)
        assert facts["target"] is None and [each["gain"] for each in facts["sources"]] == [0, 0, 0]
        silent = "<dt>Cut-off</dt><dd>none: silence</dd>" in written.page.read_text(encoding="utf-8")
        assert silent == (name == "silence")


def test_words_are_escaped_and_the_policy_is_strict(tmp_path: Path) -> None:
    about = subject(tmp_path)
    evil = '</script><script>alert(1)</script><img src=x onerror=alert(1)>"&'
    names = [Restoration(about.restorations[0].path, evil)]
    written = write_page(tmp_path / "out.html", Subject(about.input, evil, names, evil), 1)
    text = written.page.read_text(encoding="utf-8")
    assert "<script>alert" not in text and "<img" not in text
    assert facts_of(written.page)["sources"][1]["name"] == evil
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy.startswith("default-src 'none';") and "unsafe" not in policy and "*" not in policy
    assert not re.search(r"""(src|href)=["'](?!data:)""", text)
    nonce = facts_of(written.page)["identity"]
    assert all(f'nonce="{nonce}"' in tag or "text/plain" in tag for tag in re.findall("<script[^>]*>", text))


def test_tags_name_the_song(tmp_path: Path) -> None:
    from mutagen.wave import WAVE

    about = subject(tmp_path)
    file = WAVE(about.input)
    file.add_tags()
    from mutagen.id3 import TIT2, TPE1

    file.tags.add(TIT2(encoding=3, text="Ötzi & <Co>"))
    file.tags.add(TPE1(encoding=3, text="Die 3"))
    file.save()
    text = write_page(tmp_path / "out.html", about, 1).page.read_text(encoding="utf-8")
    assert "<h1>Ötzi &amp; &lt;Co&gt;</h1>" in text and "Die 3</p>" in text and "tiny 1.0, seed 0" in text


def test_a_long_page_has_a_folder_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pagefile, "LARGEST", 10_000)
    about = subject(tmp_path)
    out = tmp_path / "a page.html"
    first = write_page(out, about, 4)
    folder = tmp_path / "a page_files"
    assert first.folder == folder and len(list(folder.iterdir())) == 4
    assert first.size == pytest.approx(sum(path.stat().st_size for path in (out, *folder.iterdir())), abs=500)
    assert sound_of(out, 1).shape == (2, 4 * RATE)
    assert 'type="text/plain"' not in out.read_text() and "a page_files" in out.read_text()
    (folder / "notes.txt").write_text("mine")
    second = write_page(out, about, 2)  # another excerpt: its files replace those of the first
    assert {path.name.partition("-")[0] for path in folder.glob("*.js")} == {facts_of(out)["identity"]}
    assert second.folder == folder and len(list(folder.glob("*.js"))) == 2
    monkeypatch.setattr(pagefile, "LARGEST", 100_000_000)
    assert write_page(out, about, 2).folder is None
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]


def test_a_file_where_the_folder_should_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    about = subject(tmp_path)
    beside = tmp_path / "out_files"
    beside.write_text("mine")
    assert write_page(tmp_path / "out.html", about, 1).folder is None  # which needs none
    (tmp_path / "out.html").unlink()
    monkeypatch.setattr(pagefile, "LARGEST", 10_000)
    with pytest.raises(
        EncodeError, match=r"out_files is in the way: .* a folder .* move it, .* --page-seconds"
    ):
        write_page(tmp_path / "out.html", about, 1)
    assert beside.read_text() == "mine" and not (tmp_path / "out.html").exists()


def test_the_size_is_stated(made: Any) -> None:
    _, _, written = made
    assert written.size == written.page.stat().st_size
    assert f"as 16-bit FLAC: {written.size / 1e6:.1f} MB" in written.page.read_text()


def test_only_its_own_pages_are_replaced(tmp_path: Path) -> None:
    about = subject(tmp_path)
    out = tmp_path / "out.html"
    write_page(out, about, 1)
    write_page(out, about, 1)
    out.write_text("<!doctype html><p>Mine")
    for attempt in (lambda: check_place(out, False), lambda: write_page(out, about, 1)):
        with pytest.raises(OutputExistsError, match=r"out\.html exists; use --force"):
            attempt()
    assert out.read_text() == "<!doctype html><p>Mine"
    write_page(out, about, 1, overwrite=True)
    assert facts_of(out)["frames"] == RATE
    with pytest.raises(EncodeError, match="is a folder"):
        check_place(tmp_path, True)


def test_nothing_is_left_of_what_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    about = subject(tmp_path)
    there = set(tmp_path.iterdir())
    monkeypatch.setattr(pagefile, "LARGEST", 10_000)

    def full(path: Path) -> None:
        if path.name.startswith(".out.html"):  # once the sound is written
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("mp3fix.files.temporary.sync", full)
    with pytest.raises(EncodeError, match=r"out\.html cannot be written: No space left"):
        write_page(tmp_path / "out.html", about, 1)
    assert set(tmp_path.iterdir()) == there


def test_a_page_that_is_there_still_plays_when_it_fails_to_be_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = subject(tmp_path)
    monkeypatch.setattr(pagefile, "LARGEST", 10_000)
    out = write_page(tmp_path / "out.html", about, 1).page
    there = {path: path.is_file() and path.read_bytes() for path in tmp_path.rglob("*")}

    def interrupted(path: Path) -> None:
        if path.name.startswith(".out.html"):
            raise KeyboardInterrupt

    monkeypatch.setattr("mp3fix.files.temporary.sync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_page(out, about, 1)
    assert {path: path.is_file() and path.read_bytes() for path in tmp_path.rglob("*")} == there


def test_what_no_page_can_play(tmp_path: Path) -> None:
    path = tmp_path / "in.wav"
    soundfile.write(path, np.zeros((100, 3)), RATE)
    about = Subject(path, "in.wav", [Restoration(path, "Restored")], "tiny")
    with pytest.raises(EncodeError, match="one or two channels, not 3"):
        write_page(tmp_path / "out.html", about, 1)
    soundfile.write(path, np.zeros(100), 70001)
    with pytest.raises(EncodeError, match="70001 Hz"):
        write_page(tmp_path / "out.html", about, 1)
    path.write_text("no music")
    with pytest.raises(DecodeError, match=r"in\.wav"):
        write_page(tmp_path / "out.html", about, 1)


def test_pieces_join(tmp_path: Path) -> None:
    samples = excerpt.as_16_bits(songs()[0][:, : 3 * RATE], 1.0)
    found = [
        soundfile.read(io.BytesIO(piece), dtype="int16")[0].T
        for piece in excerpt.pieces(samples, RATE, RATE - 7)
    ]
    assert [piece.shape[1] for piece in found] == [RATE - 7, RATE - 7, RATE - 7, 21]
    assert np.array_equal(np.concatenate(found, axis=1), samples)


def test_clock() -> None:
    assert [page.clock(seconds) for seconds in (0, 59.96, 61.25, 3600)] == [
        "0:00.0",
        "1:00.0",
        "1:01.2",
        "60:00.0",
    ]
