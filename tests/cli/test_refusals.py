"""What cannot be done: an exit code, a clear line or three, nothing printed and nothing left behind."""

import errno
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path

import mp3s
import networks
import pytest
from programs import Ended

Call = Callable[..., Ended]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def tree() -> dict[str, bytes | None]:
    """All there is, with contents."""
    return {str(path): path.read_bytes() if path.is_file() else None for path in sorted(Path().rglob("*"))}


def refused(call: Call, code: int, word: str, *arguments: object) -> None:
    before = tree()
    ended = call(*arguments)
    assert (ended.code, ended.out) == (code, "")
    assert 1 <= len(ended.err.splitlines()) <= 3 and ended.err.startswith("mp3fix: ")
    assert word in ended.err
    assert tree() == before


@pytest.mark.parametrize(
    ("word", "options"),
    [
        ("--nonsense", ["--nonsense"]),
        ("-x", ["-x"]),
        ("--seed", ["--seed", "-1"]),
        ("--seed", ["--seed", "1.5"]),
        ("largest seed", ["--seed", str(2**63)]),
        ("largest seed", ["--seed", str(2**63 - 1), "--samples", "2"]),
        ("--samples", ["--samples", "0"]),
        ("--samples", ["--samples", "101"]),
        ("sample", ["--samples", "2", "-o", "-"]),
        ("--texture 0", ["--samples", "2", "--texture", "0"]),
        ("--mix 0", ["--samples", "2", "--mix", "0"]),
        ("texture", ["--texture", "1.1"]),
        ("mix", ["--mix", "nan"]),
        ("gain", ["--gain", "nan"]),
        ("gain", ["--gain", "100"]),
        ("--rate", ["--rate", "100"]),
        ("WAV can", ["--rate", "70001"]),
        ("--threads", ["--threads", "0"]),
        ("auto, cpu, cuda", ["--device", "gpu"]),
        ("auto, cpu, cuda", ["--device", "cuda:x"]),
        ("--fast", ["--fast", "--device", "cpu"]),
        ("tcp://host:8786", ["--scheduler", "host"]),
        ("tcp://host:8786", ["--scheduler", "tcp://:8786"]),
        ("tcp://host:8786", ["--scheduler", "host:port"]),
        ("tcp://host:8786", ["--scheduler", "[::1:8786"]),
        ("--bits", ["--bits", "8"]),
        ("--format", ["--format", "mp3"]),
        ("--phase", ["--phase", "guess"]),
        ("WAV", ["--bits", "32f", "-o", "x.flac"]),
        ("not a time", ["--start", "soon", "--dry-run"]),
        ("not a time", ["--duration", "-3"]),
        ("--duration 0", ["--duration", "0"]),
        ("--json", ["--json", "-o", "-"]),
        ("leave it out", ["--below", "128", "-o", "-"]),
        ("leave it out", ["--below", "128", "--others", "copy", "-o", "-", "--dry-run"]),
        ("without --below", ["--others", "copy", "-o", "out"]),
        ("without --below", ["--others", "copy", "--dry-run"]),
        ("needs a folder", ["--below", "128", "--others", "copy", "-o", "x.flac"]),
        ("one input", ["song.mp3", "-o", "-"]),
        ("one input", ["-", "-o", "out"]),
        (".flac", ["-o", "x.mp3"]),
        ("neither", ["-o", "song.txt"]),
        ("empty", ["-o", ""]),
        ("become", ["music/song.mp3", "-o", "out"]),
    ],
)
def test_wrong_usage(call: Call, song: Path, model: Path, word: str, options: list[str]) -> None:
    Path("song.txt").touch()
    refused(call, 2, word, song, "--model", model, *options)


def test_no_input(call: Call) -> None:
    refused(call, 2, "input")


def test_several_samples_of_a_deterministic_generator(call: Call, song: Path, deterministic: Path) -> None:
    refused(call, 2, "deterministic", song, "--model", deterministic, "--samples", 2)
    refused(call, 2, "texture", song, "--model", deterministic, "--texture", 1)


def test_phases_that_a_generator_cannot_give(call: Call, song: Path) -> None:
    refused(
        call,
        2,
        "neighbours",
        song,
        "--phase",
        "complex",
        "--model",
        networks.save(Path("m.onnx"), domain="magnitude"),
    )
    waveform = networks.save(Path("w.onnx"), domain="waveform")
    for phase in ("complex", "griffinlim", "neighbours"):
        refused(call, 2, "--phase", song, "--phase", phase, "--model", waveform)


def test_the_output_is_the_input(call: Call, song: Path, model: Path) -> None:
    wav = song.rename(song.with_suffix(".wav"))
    Path("link.wav").symlink_to(wav)
    refused(call, 2, "overwrite", wav, "-f", "-o", wav, "--model", model)
    refused(call, 2, "overwrite", wav, "-f", "-o", "link.wav", "--model", model)
    refused(call, 2, "overwrite", "link.wav", "-f", "-o", wav, "--model", model)


def test_standard_output_is_a_terminal(
    call: Call, song: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    refused(call, 2, "terminal", song, "--model", model, "-o", "-")


BAD_INPUTS = {
    "missing": lambda path: None,
    "a folder": lambda path: path.mkdir(),
    "empty": lambda path: path.touch(),
    "a text": lambda path: path.write_text("no music, but words\n" * 50),
    "tags without audio": lambda path: path.write_bytes(mp3s.id3v2() + mp3s.id3v1()),
    "noise": lambda path: path.write_bytes(b"\0\1\2\3\4\5\6\7" * 5000),
    "a dangling link": lambda path: path.symlink_to("nowhere.mp3"),
    "a pipe": lambda path: os.mkfifo(path),
}


@pytest.mark.parametrize("kind", BAD_INPUTS)
def test_a_bad_input(call: Call, model: Path, kind: str) -> None:
    BAD_INPUTS[kind](Path("in.mp3"))
    for options in (["-o", "out/"], ["-o", "-"], ["--info"], ["--dry-run"]):
        refused(call, 1, "in.mp3: ", "in.mp3", "--model", model, *options)


@pytest.mark.parametrize(
    ("content", "word"),
    [(b"", "standard input is empty"), (b"words " * 99, "standard input: is a text file")],
)
def test_a_bad_standard_input(
    call: Call, model: Path, content: bytes, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    refused(call, 1, word, "-", "-o", "x.flac", "--model", model)


def test_standard_input_is_not_chosen(call: Call, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no file that could be left as it is, and nobody knows its bitrate."""
    monkeypatch.setattr("sys.stdin", None)
    refused(call, 2, "--below", "-", "-o", "x.flac", "--below", 128, "--model", model)


def test_standard_input_is_closed(call: Call, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    refused(call, 1, "standard input is closed", "-", "-o", "x.flac", "--model", model)


def test_a_preview_behind_the_end(call: Call, song: Path, model: Path) -> None:
    for output in ("out/", "-"):
        refused(call, 1, "--start", song, "--start", "1:00", "-o", output, "--model", model)


@pytest.mark.parametrize(
    "output",
    [
        "file/x.flac",  # below a file: not even root can write there
        "file/x",
        "file/x/y.wav",
        "/proc/x.flac",
        "/proc/x/",
        f"{'long' * 70}.flac",
        f"new/{'long' * 70}/",
        "taken.flac/",
    ],
)
def test_no_place_for_the_output(call: Call, song: Path, model: Path, output: str) -> None:
    Path("file").touch()
    Path("taken.flac/song.flac").mkdir(parents=True)
    refused(call, 1, "", song, "--model", model, "-f", "-o", output)


def test_a_name_that_becomes_too_long_is_told_before_work(call: Call, song: Path, model: Path) -> None:
    long = song.rename(song.with_name("x" * 251 + ".mp3"))
    refused(call, 1, "--name", long, "--model", model, "-o", "out", "--dry-run")


def test_a_folder_made_for_nothing_is_removed(call: Call, model: Path) -> None:
    Path("bad.mp3").write_text("no music")
    refused(call, 1, "bad.mp3", "bad.mp3", "--model", model, "-o", "some/new/folder")
    refused(call, 1, "bad.mp3", "bad.mp3", "--model", model, "-o", "some/new/file.flac")


def test_no_such_generator(call: Call, song: Path) -> None:
    """What is typed cannot be: no work was begun that could fail."""
    Path("folder.onnx").mkdir()
    for name in ("speech", "/", "folder.onnx/"):
        refused(call, 2, "no", song, "--model", name)
    refused(call, 2, "music, music-det", song, "--model", "speech")
    refused(call, 2, "nowhere.onnx", song, "--model", "nowhere.onnx")


def test_a_broken_generator(call: Call, song: Path, model: Path) -> None:
    Path("text.onnx").write_text("no generator")
    Path("half.onnx").write_bytes(model.read_bytes()[:500])
    promised = networks.contract(noise=("spectrogram",))
    other = networks.model(networks.contract())
    networks.write(Path("liar.onnx"), other, promised.to_json())
    for name in ("text.onnx", "half.onnx", "liar.onnx"):
        refused(call, 1, name, song, song.with_name("other.mp3"), "--model", name, "-o", "out")


def test_errors_of_the_system(call: Call, song: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong with one song is told in a line, with the file that it concerns."""

    for name, told in (None, f"{song}: "), ("disk\n", r"disk\n: "):

        def fail(*arguments: object, name: str | None = name) -> None:
            raise OSError(errno.EIO, "Input/output error", name)

        monkeypatch.setattr("mp3fix.batch.work.restore_song", fail)
        refused(call, 1, f"{told}Input/output error", song, "--model", model, "-o", "out")
