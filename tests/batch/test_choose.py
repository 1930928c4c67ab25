"""--below: what is worth restoring, and what becomes of the rest."""

import os
from collections.abc import Callable
from pathlib import Path

import mp3s
import numpy as np
import pytest
import soundfile
from test_done import made

from mp3fix.batch import choose as module
from mp3fix.batch.choose import bitrate, choose, copy, is_copied
from mp3fix.batch.verdict import Rules, Verdict, after_a_look, at_once
from mp3fix.errors import DecodeError, EncodeError, OutputExistsError
from mp3fix.files import temporary
from mp3fix.files.decode import open_decoder

RATE = 44100
EXCERPT = Path(__file__).parents[1] / "data" / "excerpt.mp3"


def bright(channels: int = 2, seconds: float = 2) -> np.ndarray:
    """Music with treble up to the end, as cymbals and consonants have it."""
    frames = int(seconds * RATE)
    noise = np.random.default_rng(1).standard_normal((channels, frames))
    return mp3s.music(frames, RATE, channels) + 0.02 * noise.astype(np.float32)


def transcode(samples: np.ndarray, kbps: int, name: str = "x.flac") -> Path:
    """A lossless file of what an MP3 left."""
    Path("old.mp3").write_bytes(mp3s.lame(samples, RATE, kbps))
    with open_decoder(Path("old.mp3")) as decoder:
        kept = np.concatenate(list(decoder.blocks()), axis=1)
    soundfile.write(name, kept.T, RATE, "PCM_16")
    return Path(name)


def chosen(path: Path, below: int) -> bool:
    return choose(path, bitrate(path), below).restore


def test_a_low_bitrate_is_restored_and_a_high_one_is_not() -> None:
    for kbps in (64, 128, 192):
        Path("x.mp3").write_bytes(mp3s.lame(bright(), RATE, kbps))
        assert [chosen(Path("x.mp3"), below) for below in (48, kbps - 1, kbps)] == [False, False, True]
        assert choose(Path("x.mp3"), kbps, kbps).reason == f"{kbps} kbit/s"
    left = choose(Path("x.mp3"), 192, 128).reason
    assert left.startswith("192 kbit/s, its spectrum ends at 18.") and left.endswith(" kHz")


@pytest.mark.parametrize(("kbps", "less"), [(96, 80), (128, 96), (160, 128), (192, 160)])
def test_a_transcode_is_known_by_where_its_spectrum_ends(kbps: int, less: int) -> None:
    path = transcode(bright(), kbps)
    assert chosen(path, kbps) and not chosen(path, less)
    assert "like that of an MP3 of at most" in choose(path, 900, kbps).reason


def test_a_transcode_of_a_song_by_another_lame() -> None:
    """64 kbit/s, and its spectrum ends a little above 11.1 kHz."""
    with open_decoder(EXCERPT) as decoder:
        soundfile.write("x.flac", next(decoder.blocks(20 * RATE)).T, RATE, "PCM_16")
    assert choose(Path("x.flac"), 479, 64).restore and not choose(Path("x.flac"), 479, 56).restore


def test_a_transcode_of_one_channel() -> None:
    """LAME gives one channel the treble that two have at twice the bitrate."""
    path = transcode(bright(1), 64)
    assert chosen(path, 64) and not chosen(path, 48)
    assert chosen(transcode(bright(1), 48), 48)


def test_an_mp3_made_of_an_mp3() -> None:
    Path("first.mp3").write_bytes(mp3s.lame(bright(), RATE, 128))
    with open_decoder(Path("first.mp3")) as decoder:
        kept = np.concatenate(list(decoder.blocks()), axis=1)
    Path("x.mp3").write_bytes(mp3s.lame(kept, RATE, 320))
    assert chosen(Path("x.mp3"), 128) and not chosen(Path("x.mp3"), 96)


def darkened(order: float, corner: float) -> np.ndarray:
    """Music whose treble falls off by `order` times 6 dB an octave above a corner, in Hz."""
    spectrum = np.fft.rfft(bright(), axis=1)
    hz = np.fft.rfftfreq(bright().shape[1], 1 / RATE)
    return np.fft.irfft(spectrum / (1 + (hz / corner) ** 2) ** (order / 2), axis=1).astype(np.float32)


@pytest.mark.parametrize(
    "samples",
    [
        bright,
        lambda: darkened(2, 3000),  # an old tape
        lambda: darkened(8, 9000),  # 48 dB an octave
        lambda: darkened(16, 12000),
        lambda: mp3s.music(4 * RATE, RATE) * np.float32(0.003),  # so soft that 16 bits hide its treble
        lambda: np.zeros((2, RATE), np.float32),
        lambda: 0.5 * np.sin(2 * np.pi * 440 * np.arange(2 * RATE) / RATE).astype(np.float32)[None],
        lambda: bright()[:, :300],
    ],
    ids=["bright", "tape", "48 dB", "96 dB", "soft", "silence", "a tone", "a click"],
)
def test_what_never_was_an_mp3_is_left(samples: Callable[[], np.ndarray]) -> None:
    soundfile.write("x.flac", samples().T, RATE, "PCM_16")
    assert not choose(Path("x.flac"), 900, 192).restore


def test_only_what_is_above_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "measure", None)
    assert choose(Path("x.mp3"), 128, 128).restore


def test_a_bitrate_that_nobody_knows() -> None:
    path = transcode(bright(), 64)
    assert choose(path, None, 128).restore
    soundfile.write("y.flac", bright().T, RATE, "PCM_16")
    left = choose(Path("y.flac"), None, 128)
    assert not left.restore and "nobody knows" in left.reason


def test_no_music() -> None:
    Path("x.mp3").write_text("words " * 100)
    for path in ("x.mp3", "gone.mp3"):
        with pytest.raises(DecodeError, match=path):
            bitrate(Path(path))


def test_a_copy_is_the_file_with_its_time() -> None:
    Path("a").write_bytes(os.urandom(1000))
    os.utime("a", (1e9, 1e9))
    os.chmod("a", 0o640)
    assert not is_copied(Path("a"), Path("b"))
    copy(Path("a"), Path("b"), overwrite=False)
    assert Path("b").read_bytes() == Path("a").read_bytes()
    assert Path("b").stat().st_mtime == 1e9 and is_copied(Path("a"), Path("b"))
    assert sorted(os.listdir()) == ["a", "b"]
    assert Path("b").stat().st_mode & 0o777 == 0o666 & ~_umask()
    Path("a").write_bytes(bytes(1000))  # now
    assert not is_copied(Path("a"), Path("b"))
    os.utime("a", (1e9, 1e9))
    Path("a").write_bytes(bytes(999))
    os.utime("a", (1e9, 1e9))
    assert not is_copied(Path("a"), Path("b"))


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_copy_of_what_cannot_be_written_to() -> None:
    """As files from a CD are: only root could open a copy like them to put it on the disk."""
    Path("a").write_bytes(bytes(10))
    os.chmod("a", 0o444)
    copy(Path("a"), Path("b"), overwrite=False)
    assert os.stat("b").st_mode & 0o200


def test_a_copy_is_whole_or_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("a").write_bytes(bytes(1000))
    Path("there").write_text("mine")
    with pytest.raises(OutputExistsError, match="--force"):
        copy(Path("a"), Path("there"), overwrite=False)

    def fail(made: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mp3fix.files.temporary.sync", fail)
    with pytest.raises(EncodeError, match="b cannot be written: No space left"):
        copy(Path("a"), Path("b"), overwrite=False)
    with pytest.raises(EncodeError):
        copy(Path("a"), Path("there"), overwrite=True)
    assert sorted(os.listdir()) == ["a", "there"] and Path("there").read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("gone", "no such file"),
        ("folder", r"cannot be read \(Is a directory\)"),
        ("/proc/self/mem", r"cannot be read \(Input/output error\)"),  # opens, and then cannot be read
    ],
)
def test_a_source_that_cannot_be_read_is_told_by_its_own_name(name: str, reason: str) -> None:
    if name.startswith("/proc") and not os.path.exists(name):
        pytest.skip("needs Linux's /proc")
    Path("folder").mkdir()
    with pytest.raises(DecodeError, match=f"^{name}: {reason}$"):
        copy(Path(name), Path("b"), overwrite=False)
    assert os.listdir() == ["folder"]


def test_a_source_that_changes_while_it_is_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """A download that goes on, or a tag editor."""
    Path("a").write_bytes(bytes(1000))
    Path("b").write_text("mine")
    create = temporary.create

    def meanwhile(target: Path) -> Path:
        with open("a", "ab") as file:
            file.write(b"more")
        return create(target)

    monkeypatch.setattr(temporary, "create", meanwhile)
    with pytest.raises(DecodeError, match=r"^a: it changed while it was read"):
        copy(Path("a"), Path("b"), overwrite=True)
    assert sorted(os.listdir()) == ["a", "b"] and Path("b").read_text() == "mine"


ONE, TWO = "1" * 16, "2" * 16


def test_verdicts_on_what_is_there() -> None:
    source, out = Path("song.mp3"), Path("out.flac")
    source.write_bytes(mp3s.lame(bright(seconds=1), RATE, 128))
    os.utime(source, (1e9, 1e9))

    def verdict(**rules: bool) -> Verdict:
        found = at_once(source, [out], [ONE], Rules(**rules))
        assert found is not None
        return found

    assert verdict() == Verdict("restore") == at_once(source, [], [], Rules())
    made(out, ONE)
    assert verdict().action == verdict(library=True).action == "skip"
    again = Verdict("restore", overwrite=True)
    assert verdict(force=True) == again
    made(out, TWO)
    assert verdict().action == "refuse" and "out.flac exists, and was made" in verdict().reason
    assert "--force" in verdict().reason
    assert (verdict(library=True).action, verdict(library=True).overwrite) == ("restore", True)
    out.write_text("mine")
    for library in (False, True):
        refused = verdict(library=library)
        assert refused.action == "refuse" and "was not made by this command; --force" in refused.reason
    assert verdict(force=True) == again


def test_verdicts_on_draws_of_which_some_are_missing() -> None:
    """They share one gain, so all are made; what is no draw of this command stays."""
    source, outs = Path("song.mp3"), [Path("1.flac"), Path("2.flac"), Path("3.flac")]
    source.write_bytes(mp3s.lame(bright(seconds=1), RATE, 64))
    os.utime(source, (1e9, 1e9))
    prints = [ONE, TWO, "3" * 16]
    made(outs[1], TWO)
    for rules in (Rules(), Rules(library=True)):
        found = at_once(source, outs, prints, rules)
        assert found is not None and (found.action, found.overwrite) == ("restore", True)
        assert found.reason == "2 of 3 draws are missing, and all are made anew: they share one gain"
    below = after_a_look(source, outs, None, prints, Rules(below=128))
    assert below == found
    made(outs[0], ONE)
    found = at_once(source, outs, prints, Rules())
    assert found is not None and found.reason.startswith("1 of 3 draws is missing")
    outs[2].write_text("mine")
    found = at_once(source, outs, prints, Rules())
    assert found is not None and found.action == "refuse"
    assert found.reason.startswith("3.flac exists, and was not made by this command")
    made(outs[2], ONE)
    found = at_once(source, outs, prints, Rules())
    assert found is not None and found.reason.startswith("3.flac exists, and was made from another input")


def test_verdicts_with_below() -> None:
    low, high = Path("low.mp3"), Path("high.mp3")
    low.write_bytes(mp3s.lame(bright(seconds=1), RATE, 64))
    high.write_bytes(mp3s.lame(bright(seconds=1), RATE, 320))
    out, place = Path("out.flac"), Path("copies.mp3")
    rules = Rules(library=True, below=128)

    def verdict(source: Path, copies: bool = True, rules: Rules = rules) -> Verdict:
        assert at_once(source, [out], [ONE], rules) is None
        return after_a_look(source, [out], place if copies else None, [ONE], rules)

    assert verdict(low) == Verdict("restore", "64 kbit/s")
    assert verdict(high).action == "copy" and verdict(high).reason.startswith(
        "320 kbit/s, its spectrum ends at "
    )
    assert verdict(high, copies=False).action == "leave"
    copy(high, place, overwrite=False)
    assert verdict(high) == Verdict("skip", "is copied", copied=True)
    assert verdict(high, rules=Rules(True, True, 128)).overwrite
    assert verdict(high, rules=Rules(False, True, 320)).action == "restore"
    place.write_text("mine")
    assert verdict(high).action == "refuse" and "copies.mp3 exists" in verdict(high).reason
    out.write_text("mine")
    assert verdict(low).action == "refuse" and verdict(high, copies=False).action == "leave"
    made(out, ONE)
    assert at_once(high, [out], [ONE], rules) == Verdict("skip", "is done")


def test_a_copy_of_a_source_that_has_changed_since() -> None:
    """Touched, it is the same still. Retagged it is not, and what is there may be anybody's: it is told what to do."""
    source, out, place = Path("high.mp3"), Path("out.flac"), Path("out/high.mp3")
    source.write_bytes(mp3s.lame(bright(seconds=1), RATE, 320))
    os.utime(source, (1e9, 1e9))
    place.parent.mkdir()
    copy(source, place, overwrite=False)
    os.utime(source)
    rules = Rules(library=True, below=128)
    assert after_a_look(source, [out], place, [ONE], rules) == Verdict("skip", "is copied", copied=True)
    with open(source, "r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"!")
    verdict = after_a_look(source, [out], place, [ONE], rules)
    assert verdict.action == "refuse" and verdict.reason.startswith("out/high.mp3 exists, and differs from ")
    assert "if it is an old copy, remove it" in verdict.reason and "--force" in verdict.reason


def test_a_copy_takes_the_place_of_a_restoration_of_ours() -> None:
    """When --below came later than the first run, and input and output have one name."""
    soundfile.write("song.flac", bright(seconds=1).T, RATE, "PCM_16")
    out = Path("out/song.flac")
    out.parent.mkdir()
    made(out, TWO)
    verdict = after_a_look(Path("song.flac"), [out], out, [ONE], Rules(library=True, below=128))
    assert (verdict.action, verdict.overwrite) == ("copy", True)
