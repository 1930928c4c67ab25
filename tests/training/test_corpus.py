"""The corpus, made of tiny files: no network, no apt."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mp3fix.errors import Mp3fixError
from mp3fix.signal.cutoff import CutoffMeter
from mp3fix.signal.stft import StftSpec, stft
from mp3fix.training import corpus, parallel, recording
from mp3fix.training.testset import TEST

SONGS = Path("raw/fretsonfire-songs-sectoid/usr/share/games/fretsonfire/data/songs/sectoid")
KARTS = Path("raw/supertuxkart-data/usr/share/games/supertuxkart/data")


def low_passed(cutoff: float, seconds: float, rate: int = 44100) -> np.ndarray:
    """Noise up to a cut-off, float32 (n,)."""
    n = round(rate * seconds)
    spectrum = np.fft.rfft(np.random.default_rng(1).standard_normal(n))
    spectrum[round(cutoff * n / rate) :] = 0
    samples = np.fft.irfft(spectrum, n)
    return (0.5 * samples / np.abs(samples).max()).astype(np.float32)


def write(path: Path, seconds: float = 2.0, level: float = 1.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, level * low_passed(16000, seconds), 44100)
    return path


def named(split: str, pattern: str = "piece{}") -> str:
    """A name whose hash says so."""
    return next(name for k in range(500) if corpus.split_of(name := pattern.format(k)) == split)


def quiet(line: str) -> None:
    pass


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces of a second: quick to make."""
    monkeypatch.setattr(recording, "PIECE_SECONDS", 1.0)


@pytest.mark.parametrize("cutoff", [5500, 11250, 16000, 20000])
def test_the_cutoff_is_measured(cutoff: float) -> None:
    meter = CutoffMeter(StftSpec())
    meter.push(stft(low_passed(cutoff, 3.0)[np.newaxis], StftSpec()))
    assert meter.hz == pytest.approx(cutoff, abs=150)


def test_silence_has_no_cutoff() -> None:
    meter = CutoffMeter(StftSpec())
    meter.push(np.zeros((2, 5, 1025), np.complex64))
    assert meter.hz == 0.0


def test_a_ruling_sub_bass_is_no_cutoff() -> None:
    """A bass 40 dB above all else falls as steeply as an encoder's filter."""
    n = 3 * 44100
    faint = 0.01 * low_passed(18000, 3.0) / np.sqrt(1 + np.linspace(0, 1, n))
    bass = 0.8 * np.sin(2 * np.pi * 45 * np.arange(n) / 44100)
    assert corpus.cutoff((faint + bass).astype(np.float32)[np.newaxis].repeat(2, 0)) == pytest.approx(
        18000, abs=200
    )
    assert corpus.cutoff(np.zeros((2, n), np.float32)) == 0.0


@pytest.mark.usefixtures("short")
def test_a_folder_of_ones_own_music_becomes_a_corpus(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    soundfile.write(own / "song.flac", np.stack([low_passed(16000, 3.0)] * 2, 1), 44100)
    soundfile.write(own / "lossy.ogg", low_passed(11000, 3.0), 44100)
    soundfile.write(own / "hit.wav", low_passed(20000, 0.5), 44100)
    soundfile.write(own / "old.wav", low_passed(4000, 3.0, 22050), 22050)  # no target at 44.1 kHz
    (own / "SOURCES.csv").write_text("file,licence\nhit.wav,CC0\n")
    lines: list[str] = []
    entries = corpus.build(tmp_path / "corpus", [own], lines.append)
    assert [(Path(entry.file).name, entry.kind, entry.lossless, entry.licence) for entry in entries] == [
        ("hit.wav", "samples", True, "CC0"),
        ("lossy.ogg", "music", False, "not stated"),
        ("song.flac", "music", True, "not stated"),
    ]
    assert entries[1].cutoff == pytest.approx(11000, abs=600)  # Vorbis leaks a little
    song = entries[2]
    assert song.cutoff == pytest.approx(16000, abs=150)
    assert corpus.pcm(tmp_path / "corpus", song).shape == (2, song.frames) == (2, 3 * 44100)
    assert corpus.load(tmp_path / "corpus") == entries
    assert any("old.wav: 22050 Hz" in line for line in lines)
    split = (tmp_path / "corpus" / "split.txt").read_text().splitlines()
    assert len(split) == 4 and f"{song.split}\tadded\tsong\t{song.file}" in split
    own_line = next(line for line in corpus.summary(entries).splitlines() if line.startswith("own"))
    assert own_line.split()[1:5] == ["3", "0.1", "0.0", "0.1"] and "CC0; not stated" in own_line


def test_the_summary_counts_by_split_and_category() -> None:
    hour = 3600 * corpus.RATE
    common = {"file": "", "piece": "", "source": "s", "licence": "MIT", "kind": "music", "lossless": True}
    entries = [
        corpus.Entry(**common, frames=hour, cutoff=20000, split="train", pcm="", category="vocals"),
        corpus.Entry(**common, frames=hour // 2, cutoff=9000, split="test", pcm="", category="drums"),
    ]
    rows = [line.split() for line in corpus.summary(entries).splitlines()]
    assert ["s", "2", "90.0", "60.0", "90.0", "MIT"] in rows
    assert ["train", "1", "1.00"] in rows and ["vocals", "1", "1.00"] in rows
    assert ["test", "1", "0.50"] in rows and ["drums", "1", "0.50"] in rows


def test_versions_and_renders_of_a_piece_share_it_and_so_a_split() -> None:
    assert corpus.piece_of(Path("a/farm_f.ogg")) == corpus.piece_of(Path("b/Farm.ogg"))
    assert corpus.piece_of(Path("joplin--piano.flac")) == corpus.piece_of(Path("joplin--guitar.flac"))
    splits = [corpus.split_of(f"piece {k}") for k in range(2000)]
    assert 0.11 < splits.count("test") / 2000 < 0.17
    assert splits == [corpus.split_of(f"piece {k}") for k in range(2000)]


@pytest.mark.usefixtures("short")
def test_stems_are_mixed_into_one_piece(tmp_path: Path) -> None:
    song = write(tmp_path / SONGS / "Feelings" / "song.ogg", 2.0, 0.3)
    write(tmp_path / SONGS / "Feelings" / "guitar.ogg", 2.0, 0.6)
    entries = corpus.build(tmp_path, [], quiet)
    assert [(Path(entry.file).name, entry.piece, entry.split) for entry in entries] == [
        ("Feelings", "feelings", "test")
    ]
    mixed = corpus.pcm(tmp_path, entries[0])[0, 5000:80000].astype(float) / 32768
    alone = soundfile.read(song)[0][5000:80000]
    gain = float(mixed @ alone / (alone @ alone))
    assert gain == pytest.approx(3.0, rel=0.03)  # 0.3 + 0.6 of the same noise


@pytest.mark.usefixtures("short")
def test_stems_beyond_full_scale_are_scaled_not_clipped(tmp_path: Path) -> None:
    for name in ("song.ogg", "guitar.ogg"):
        song = write(tmp_path / SONGS / "Loud" / name, 2.0, 1.9)
    stored = corpus.pcm(tmp_path, corpus.build(tmp_path, [], quiet)[0])[0].astype(float)
    alone = soundfile.read(song)[0]
    assert np.abs(stored).max() == 32767
    assert np.corrcoef(stored, alone)[0, 1] > 0.9999


@pytest.mark.usefixtures("short")
def test_effects_and_jingles_are_no_music(tmp_path: Path) -> None:
    write(tmp_path / KARTS / "library" / "steamLocomotive.ogg")
    write(tmp_path / KARTS / "sfx" / "crash.ogg")
    write(tmp_path / KARTS / "music" / "jingle.ogg", 0.7)
    kept = write(tmp_path / KARTS / "music" / "lava.ogg")
    entries = corpus.build(tmp_path, [], quiet)
    assert [tmp_path / "raw" / entry.file for entry in entries] == [kept]


@pytest.mark.usefixtures("short")
def test_the_test_list_wins_over_the_hash(tmp_path: Path) -> None:
    """Listed: test. Another version of it: left out. Not listed: never test, whatever the hash says."""
    assert corpus.split_of("the_hellespont") == "train"
    hashed = named("test")
    write(tmp_path / "raw/0ad-data/audio/music/The_Hellespont.ogg")
    write(tmp_path / KARTS / "music" / "farm.ogg")
    write(tmp_path / KARTS / "music" / "farm_f.ogg")
    write(tmp_path / KARTS / "music" / f"{hashed}.ogg")
    write(tmp_path / KARTS / "music" / f"{named('validation')}.ogg")
    entries = {Path(entry.file).stem: entry for entry in corpus.build(tmp_path, [], quiet)}
    assert {name: entry.split for name, entry in entries.items()} == {
        "The_Hellespont": "test",
        "farm": "test",
        hashed: "train",
        named("validation"): "validation",
    }
    assert (entries["The_Hellespont"].category, entries["farm"].category) == ("drums", "pop or rock")
    assert entries[hashed].category == "pop or rock"  # of its source


def test_the_test_list_covers_what_is_to_be_judged() -> None:
    categories = list(TEST.values())
    assert len(TEST) >= 15
    for category in ("vocals", "drums", "solo", "pop or rock", "orchestral"):
        assert categories.count(category) >= 3
    pieces = [corpus.piece_of(Path(key)) for key in TEST]
    assert len(set(pieces)) == len(pieces)
    assert "fretsonfire-songs-sectoid/Feelings" in TEST  # tests of the pipeline use a part of it


@pytest.mark.usefixtures("short")
def test_one_shots_train_whatever_their_name(tmp_path: Path) -> None:
    write(tmp_path / "own" / f"{named('test')}.wav", 0.5)
    write(tmp_path / "raw/hydrogen-drumkits/kit" / f"{named('test')}.flac", 0.5)
    splits = [entry.split for entry in corpus.build(tmp_path, [tmp_path / "own"], quiet)]
    assert splits == ["train", "train"]


@pytest.mark.usefixtures("short")
def test_a_moved_folder_keeps_its_split(tmp_path: Path) -> None:
    names = [named(split) for split in ("train", "validation", "test")]
    for name in names:
        write(tmp_path / "own" / "album" / f"{name}.wav")
    before = corpus.build(tmp_path / "corpus", [tmp_path / "own"], quiet)
    shutil.move(tmp_path / "own", tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "album").rename(tmp_path / "elsewhere" / "renamed")
    after = corpus.build(tmp_path / "corpus", [tmp_path / "elsewhere" / "renamed"], quiet)
    assert {entry.piece: entry.split for entry in before} == {
        name: split for name, split in zip(names, ("train", "validation", "test"), strict=True)
    }
    assert {entry.piece: entry.split for entry in after} == {entry.piece: entry.split for entry in before}


@pytest.mark.usefixtures("short")
def test_broken_files_are_named_and_left_out(tmp_path: Path) -> None:
    own = tmp_path / "own"
    good = write(own / "good.flac")
    (own / "cut.flac").write_bytes(good.read_bytes()[:30000])
    (own / "noise.wav").write_bytes(b"RIFF not at all")
    (own / "empty.ogg").touch()
    soundfile.write(own / "silent.wav", np.zeros(88200), 44100)
    not_a_number = np.full(88200, np.nan, np.float32)
    soundfile.write(own / "nan.wav", not_a_number, 44100, subtype="FLOAT")
    lines: list[str] = []
    entries = corpus.build(tmp_path / "corpus", [own], lines.append)
    assert [entry.piece for entry in entries if entry.piece != "cut"] == ["good"]
    for name in ("noise.wav", "empty.ogg", "silent.wav", "nan.wav"):
        told = [line for line in lines if name in line]
        assert len(told) == 1 and told[0].startswith("left out: ") and "\n" not in told[0]


@pytest.mark.usefixtures("short")
def test_an_interrupted_run_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own, root = tmp_path / "own", tmp_path / "corpus"
    for k in range(4):
        write(own / f"piece{k}.wav")
    read, decoded = recording._decode, []

    def interrupted(path: Path) -> np.ndarray:
        if len(decoded) == 2:
            raise KeyboardInterrupt
        decoded.append(path.name)
        return read(path)

    def counted(path: Path) -> np.ndarray:
        decoded.append(path.name)
        return read(path)

    monkeypatch.setattr(parallel, "available_cores", lambda: 1)
    monkeypatch.setattr(recording, "_decode", interrupted)
    with pytest.raises(KeyboardInterrupt):
        corpus.build(root, [own], quiet)
    assert [entry.piece for entry in corpus.load(root)] == ["piece0", "piece1"]
    monkeypatch.setattr(recording, "_decode", counted)
    entries = corpus.build(root, [own], quiet)
    assert decoded == [f"piece{k}.wav" for k in range(4)]
    assert [entry.piece for entry in entries] == [f"piece{k}" for k in range(4)]
    (root / "pcm" / entries[0].pcm).unlink()  # what is gone is made again
    assert corpus.build(root, [own], quiet) == entries
    assert decoded[4:] == ["piece0.wav"]
    changed = write(own / "piece1.wav", 3.0)
    os.utime(changed, (time.time() + 5, time.time() + 5))
    assert corpus.build(root, [own], quiet)[1].frames == 3 * 44100
    assert decoded[5:] == ["piece1.wav"]


@pytest.mark.usefixtures("short")
def test_several_files_at_a_time_are_the_same_corpus_and_none_is_made_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor lost when a file before them is interrupted, nor those that lie in two of the folders."""
    own = tmp_path / "own"
    folders = [own, own / "more"]
    for k in range(6):
        write(own / ("more" if k % 2 else "") / f"piece{k}.wav")
    read, decoded, others = recording._decode, [], threading.Event()

    def counted(path: Path) -> np.ndarray:
        decoded.append(path.name)
        if len(decoded) == 6:
            others.set()
        return read(path)

    def interrupted(path: Path) -> np.ndarray:
        if path.name == "piece0.wav":
            assert others.wait(60)
            raise KeyboardInterrupt
        return counted(path)

    monkeypatch.setattr(parallel, "available_cores", lambda: 1)
    one_by_one = corpus.build(tmp_path / "corpus", folders, quiet)
    monkeypatch.setattr(parallel, "available_cores", lambda: 3)
    monkeypatch.setattr(recording, "_decode", interrupted)
    decoded.append("piece0.wav")
    with pytest.raises(KeyboardInterrupt):
        corpus.build(tmp_path / "again", folders, quiet)
    assert len(corpus.load(tmp_path / "again")) == 5
    monkeypatch.setattr(recording, "_decode", counted)
    assert corpus.build(tmp_path / "again", folders, quiet) == one_by_one
    assert sorted(decoded[1:]) == [f"piece{k}.wav" for k in range(6)]


def test_what_is_done_in_order_goes_ahead_a_little_and_ends_with_whoever_takes_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parallel, "available_cores", lambda: 2)
    before, begun = set(threading.enumerate()), []

    def double(number: int) -> int:
        begun.append(number)
        return 2 * number

    assert list(parallel.in_order(double, range(50))) == [2 * k for k in range(50)]
    begun.clear()
    results = parallel.in_order(double, range(50))
    assert [next(results), next(results)] == [0, 2]
    results.close()
    assert len(begun) <= 2 + 4
    assert set(threading.enumerate()) == before


@pytest.mark.usefixtures("short")
def test_an_older_index_takes_up_new_lists(tmp_path: Path) -> None:
    write(tmp_path / KARTS / "music" / "lava.ogg")
    write(tmp_path / KARTS / "music" / "farm.ogg")
    corpus.build(tmp_path, [], quiet)
    index = json.loads((tmp_path / "index.json").read_text())
    for entry in index:
        del entry["category"]
        entry["split"] = "train"
    (tmp_path / "index.json").write_text(json.dumps(index))
    assert {entry.piece: entry.split for entry in corpus.build(tmp_path, [], quiet)} == {
        "lava": "train",
        "farm": "test",
    }


@pytest.mark.usefixtures("short")
def test_a_full_disk_is_told_and_what_is_done_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two"):
        write(tmp_path / "own" / f"{name}.wav")
    save = np.save

    def full(path: Path, samples: np.ndarray) -> None:
        if (tmp_path / "corpus" / "pcm").exists() and list((tmp_path / "corpus" / "pcm").iterdir()):
            raise OSError(28, "No space left on device")
        save(path, samples)

    monkeypatch.setattr(parallel, "available_cores", lambda: 1)
    monkeypatch.setattr(np, "save", full)
    with pytest.raises(Mp3fixError, match="No space left"):
        corpus.build(tmp_path / "corpus", [tmp_path / "own"], quiet)
    assert [entry.piece for entry in corpus.load(tmp_path / "corpus")] == ["one"]


@pytest.mark.usefixtures("short")
def test_half_a_file_goes_and_a_second_error_is_not_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "own" / "one.wav")

    def half(path: Path, samples: np.ndarray) -> None:
        Path(path).write_bytes(b"half of it")
        raise OSError("9 requested and 4 written")  # as NumPy says it

    def nothing(path: Path, text: str, **options: str) -> None:
        path.write_bytes(b"[")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", half)
    monkeypatch.setattr(Path, "write_text", nothing)
    with pytest.raises(Mp3fixError, match="9 requested and 4 written"):
        corpus.build(tmp_path / "corpus", [tmp_path / "own"], quiet)
    assert [path for path in (tmp_path / "corpus").rglob("*") if path.is_file()] == []


@pytest.mark.usefixtures("short")
def test_an_added_copy_of_a_test_piece_never_trains(tmp_path: Path) -> None:
    own = tmp_path / "own"
    assert corpus.split_of("the_hellespont") == "train"
    write(own / "The_Hellespont.flac")
    write(own / "Feelings" / "song.ogg")  # one stem of it
    write(own / "Other" / "song.ogg")
    write(tmp_path / "0ad-data" / "Taiko_1.ogg", 0.5)  # a part of it, short as a one-shot
    lines: list[str] = []
    entries = corpus.build(tmp_path / "corpus", [own, tmp_path / "0ad-data"], lines.append)
    assert [Path(entry.file).parent.name for entry in entries] == ["Other"]
    for name in ("The_Hellespont.flac", "Feelings/song.ogg"):
        assert sum(line.startswith("left out: ") and name in line for line in lines) == 1


@pytest.mark.usefixtures("short")
def test_renders_are_trusted_no_further_than_the_synthesiser(tmp_path: Path) -> None:
    samples = low_passed(22050, 2.0)
    for folder in ("raw/renders", "renders"):  # the second: a folder of one's own that is called so
        (tmp_path / folder).mkdir(parents=True)
        soundfile.write(tmp_path / folder / "ours--piano.flac", samples, 44100)
    rendered, own = corpus.build(tmp_path, [tmp_path / "renders"], quiet)
    assert rendered.cutoff == corpus.RENDERED_HZ == 21000
    assert own.cutoff > 21500


@pytest.mark.parametrize("index", ['[{"colour": 1}]', "[{", "[3]"])
def test_an_index_of_another_version_is_told(tmp_path: Path, index: str) -> None:
    (tmp_path / "index.json").write_text(index)
    with pytest.raises(Mp3fixError, match=r"index\.json: no index of this version") as caught:
        corpus.load(tmp_path)
    assert "\n" not in str(caught.value) and "__init__" not in str(caught.value)


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.write_text("no folder")])
def test_a_folder_that_is_none_is_refused(tmp_path: Path, make: Callable[[Path], object]) -> None:
    make(tmp_path / "music")
    with pytest.raises(Mp3fixError, match="no such folder"):
        corpus.build(tmp_path / "corpus", [tmp_path / "music"], quiet)


def test_the_program_takes_several_folders_and_needs_no_packages(tmp_path: Path) -> None:
    def lab(*arguments: str) -> subprocess.CompletedProcess[str]:
        program = [sys.executable, "-c", "from mp3fix.cli.lab import run; run()", "corpus"]
        command = [*program, str(tmp_path / "corpus"), "--no-packages", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=120)

    write(tmp_path / "one" / "a.wav", 0.5)
    write(tmp_path / "two" / "b.flac", 0.5)
    made = lab("--add", str(tmp_path / "one"), "--add", str(tmp_path / "two"))
    assert made.returncode == 0, made.stderr
    assert {"one", "two", "train"} <= {line.split()[0] for line in made.stdout.splitlines() if line.strip()}
    for arguments, words in (([], "no music found"), (["--add", "/nowhere"], "no such folder")):
        refused = lab(*arguments)
        assert refused.returncode == 1 and words in refused.stderr
        assert len(refused.stderr.splitlines()) == 1


def test_no_corpus_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(Mp3fixError, match="mp3fix-lab corpus"):
        corpus.load(tmp_path)
