"""The program in this process: what it writes, prints and returns when all is well, or mostly."""

import io
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mutagen.flac
import networks
import numpy as np
import pytest
import runtimes
import soundfile
from programs import EXCERPT, Ended

from mp3fix import __version__
from mp3fix.cli import restoring
from mp3fix.files.decode import open_decoder
from mp3fix.generator import catalog

Call = Callable[..., Ended]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


def samples(path: Path | str) -> np.ndarray:
    return soundfile.read(path, dtype="float32", always_2d=True)[0]


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_song_with_the_bundled_generator(call: Call) -> None:
    ended = call(EXCERPT, "--duration", 2, "-o", "out.flac")
    assert ended == Ended(0, "", "")
    assert names(Path()) == ["out.flac"]
    facts = soundfile.info("out.flac")
    assert (facts.frames, facts.samplerate, facts.channels) == (88200, 44100, 2)
    spectrum = np.abs(np.fft.rfft(samples("out.flac"), axis=0))
    octave = slice(14000 * 2, 20000 * 2)  # two seconds: half a hertz a bin
    with open_decoder(EXCERPT) as decoder:
        before = next(decoder.blocks(88200))
    assert np.sum(spectrum[octave] ** 2) > 10 * np.sum(np.abs(np.fft.rfft(before.T, axis=0))[octave] ** 2)


def test_the_result_lies_beside_the_input(call: Call, song: Path, model: Path) -> None:
    assert call(song, "--model", model) == Ended(0, "", "")
    assert names(song.parent) == ["song.mp3", "song.restored.flac"]
    facts = soundfile.info(song.with_name("song.restored.flac"))
    assert (facts.frames, facts.subtype) == (88200, "PCM_24")


@pytest.mark.parametrize(
    ("options", "name", "subtype"),
    [
        (["-o", "x.wav"], "x.wav", "PCM_24"),
        (["-o", "x.wav", "--bits", "32f"], "x.wav", "FLOAT"),
        (["-o", "x.flac", "--bits", "16"], "x.flac", "PCM_16"),
        (["-o", "new/folder", "--format", "wav", "--bits", "16"], "new/folder/song.wav", "PCM_16"),
    ],
)
def test_formats(call: Call, song: Path, model: Path, options: list[str], name: str, subtype: str) -> None:
    assert call(song, "--model", model, *options).code == 0
    assert soundfile.info(name).subtype == subtype


def test_samples_are_those_of_their_seeds(call: Call, song: Path, model: Path) -> None:
    chosen = [song, "--model", model, "--format", "wav", "--bits", "32f"]
    assert call(*chosen, "--seed", 7, "--samples", 3, "-o", "out/").code == 0
    assert names(Path("out")) == ["song.seed7.wav", "song.seed8.wav", "song.seed9.wav"]
    call(*chosen, "--seed", 8, "-o", "one")
    assert np.array_equal(samples("one/song.wav"), samples("out/song.seed8.wav"))
    assert np.abs(samples("out/song.seed7.wav") - samples("out/song.seed9.wav")).max() > 1e-3


def test_without_a_seed_it_is_seed_0(call: Call, song: Path, model: Path) -> None:
    call(song, "--model", model, "-o", "a.flac")
    call(song, "--model", model, "-o", "b.flac", "--seed", 0)
    assert Path("a.flac").read_bytes() != b"" and np.array_equal(samples("a.flac"), samples("b.flac"))


def test_dials(call: Call, song: Path, model: Path) -> None:
    """Each option arrives where it belongs."""

    def restored(*options: object) -> np.ndarray:
        assert call(song, "--model", model, "-fo", "x.wav", "--bits", "32f", *options).code == 0
        return samples("x.wav")

    with open_decoder(song) as decoder:
        decoded = np.concatenate(list(decoder.blocks()), axis=1).T
    usual = restored()
    assert np.abs(usual - decoded).max() > 1e-3
    assert np.array_equal(restored("--mix", 0), decoded)
    assert np.allclose(restored("--gain", -6.0206), usual / 2, atol=1e-6)
    assert np.abs(restored("--texture", 0) - usual).max() > 1e-3
    assert np.abs(restored("--phase", "griffinlim", "--duration", 0.5) - usual[:22050]).max() > 1e-3
    assert np.allclose(restored("--start", "0:00.5", "--duration", 1), usual[22050:66150], atol=1e-5)
    assert np.allclose(restored("--threads", 1, "--device", "cpu"), usual, atol=1e-5)
    assert restored("--rate", 48000).shape == (96000, 2)
    assert soundfile.info("x.wav").samplerate == 48000


def test_tf32_is_for_those_who_ask(
    call: Call, song: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = runtimes.install(monkeypatch, "works")
    for options, tf32 in ((), 0), (("--fast",), 1):
        assert call(song, "--model", model, "--device", "cuda", "-f", *options).code == 0
        assert runtime.asked[-1][0][1]["use_tf32"] == tf32


def test_tags_and_date(call: Call, song: Path, model: Path) -> None:
    os.utime(song, (1e9, 1e9))
    call(song, "--model", model, "-o", "a.flac", "--preserve-time")
    call(song, "--model", model, "-o", "b.flac", "--no-tags")
    kept = mutagen.flac.FLAC("a.flac")
    assert kept["title"] == ["A title"] and kept["mp3fix_seed"] == ["0"]
    assert mutagen.flac.FLAC("b.flac").keys() == ["mp3fix_job"]  # no tag of the song
    assert Path("a.flac").stat().st_mtime == 1e9 != Path("b.flac").stat().st_mtime


def test_an_existing_file_is_only_overwritten_by_force(call: Call, song: Path, model: Path) -> None:
    Path("x.flac").write_text("mine")
    refused = call(song, "--model", model, "-o", "x.flac")
    assert (refused.code, refused.out) == (1, "")
    assert "x.flac" in refused.err and "--force" in refused.err
    assert Path("x.flac").read_text() == "mine" and names(Path()) == ["music", "x.flac"]
    assert call(song, "--model", model, "-o", "x.flac", "-f").code == 0
    assert soundfile.info("x.flac").frames == 88200


def test_one_bad_input_does_not_stop_the_others(call: Call, song: Path, model: Path) -> None:
    Path("bad.mp3").write_text("no music")
    second = song.with_name("second.mp3")
    second.write_bytes(song.read_bytes())
    ended = call(song, "bad.mp3", second, "--model", model, "-o", "out", "--json")
    assert ended.code == 1
    reason, summary = ended.err.splitlines()
    assert reason.startswith("mp3fix: bad.mp3: ") and summary.startswith(
        "mp3fix: 2 restored, 1 failed; 0.1 min"
    )
    records = {record["input"]: record for record in lines(ended.out)}  # in the order in which they end
    first, failed, last = (records[name] for name in (str(song), "bad.mp3", str(second)))
    assert [first["status"], failed["status"], last["status"]] == ["restored", "failed", "restored"]
    assert first["outputs"] == ["out/song.flac"] and first["seconds"] == 2.0 and first["seeds"] == [0]
    assert first["model"] == str(model) and first["device"] == "cpu" and first["bitrate_kbps"] > 0
    assert failed["error"] in ended.err
    assert names(Path("out")) == ["second.flac", "song.flac"]


def test_warnings(call: Call, song: Path, model: Path) -> None:
    song.write_bytes(song.read_bytes()[:-10000])
    loud = call(song, "--model", model, "-o", "a.flac", "--json")
    assert loud.code == 0 and "missing" in loud.err and loud.err.startswith("mp3fix: warning: ")
    assert "missing" in lines(loud.out)[0]["warnings"][0]
    assert call(song, "--model", model, "-o", "b.flac", "-q") == Ended(0, "", "")


def test_a_seed_for_a_deterministic_generator_warns_once(call: Call, song: Path, deterministic: Path) -> None:
    second = song.with_name("second.mp3")
    second.write_bytes(song.read_bytes())
    ended = call(song, second, "--model", deterministic, "--seed", 3, "-o", "out")
    assert ended.code == 0 and ended.err.count("--seed") == 1 == ended.err.count("warning")
    assert call(song, "--model", deterministic, "-o", "x.wav") == Ended(0, "", "")


def test_verbose_tells_of_each_song(call: Call, song: Path, model: Path) -> None:
    told = call(song, "--model", model, "-o", "x.flac", "-v").err
    assert told.startswith("x.flac: 2.0 s of audio") and "cut-off" in told and "cpu" in told


def test_a_dry_run_writes_nothing(call: Call, song: Path, model: Path) -> None:
    chosen = [song, "gone.mp3", "--model", model, "--samples", 2, "-o", "out", "--dry-run"]
    ended = call(*chosen)
    assert ended.code == 1
    assert ended.err == "mp3fix: gone.mp3: no such file\nmp3fix: 1 to restore, 1 would fail\n"
    assert ended.out == f"{song} -> out/song.seed0.flac\n{song} -> out/song.seed1.flac\n"
    planned, failed = lines(call(*chosen, "--json").out)
    assert planned["status"] == "planned"
    assert planned["outputs"] == ["out/song.seed0.flac", "out/song.seed1.flac"]
    assert failed["status"] == "failed"
    assert names(Path()) == ["music"] and names(song.parent) == ["song.mp3"]


def test_a_dry_run_leaves_standard_input_alone(call: Call, model: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("sys.stdin", None)
    ended = call("-", "-o", "x.flac", "--model", model, "--dry-run")
    assert ended == Ended(0, "standard input -> x.flac\n", "")


ODD = [
    "-leading.mp3",
    "100%s {0}.mp3",
    "two\nlines.mp3",
    "[red]no markup[bold].mp3",
    "byte\udcff.mp3",
    "日本.mp3",
]


@pytest.mark.parametrize("name", ODD)
def test_odd_names(call: Call, song: Path, model: Path, name: str) -> None:
    os.rename(song, name)
    ended = call("--model", model, "--json", "-v", "--", name)
    assert ended.code == 0 and ended.err.count("\n") == 2
    record = lines(ended.out)[0]
    assert record["input"] == name and os.path.exists(record["outputs"][0])
    again = call("--model", model, "--json", "--", name)
    assert again.code == 0 and lines(again.out)[0]["status"] == "skipped"
    Path(record["outputs"][0]).write_text("mine")
    refused = call("--model", model, "--json", "--", name)
    assert refused.code == 1 and lines(refused.out)[0]["status"] == "failed"
    assert refused.err.count("\n") == 1
    told = call("--info", "--", name)
    assert told.code == 0 and all(line.startswith("  ") for line in told.out.splitlines()[1:])


def test_info(call: Call) -> None:
    ended = call("--info", EXCERPT)
    assert (ended.code, ended.err) == (0, "")
    told = dict(line.split(maxsplit=1) for line in ended.out.splitlines()[1:])
    assert told["codec"] == "MP3"
    assert told["bitrate"] == "64 kbit/s (CBR)"
    assert told["rate"] == "44100 Hz"
    assert told["channels"] == "2 (joint stereo)"
    assert told["encoder"].startswith("Lavc")
    assert told["duration"] == "0:30.00"
    assert re.fullmatch(r"1[01]\.\d kHz \(measured\)", told["cut-off"])


def test_info_as_json(call: Call) -> None:
    soundfile.write("silence.wav", np.zeros((8000, 1)), 8000)
    ended = call("--info", EXCERPT, "nothing.mp3", "silence.wav", "--json")
    assert ended.code == 1 and ended.err == "mp3fix: nothing.mp3: no such file\n"
    music, failed, silence = lines(ended.out)
    assert music["codec"] == "MP3" and music["bitrate_mode"] == "CBR" and 10000 < music["cutoff"] < 12000
    assert failed == {"input": "nothing.mp3", "status": "failed", "error": "nothing.mp3: no such file"}
    assert silence["cutoff"] == 0 and silence["duration"] == 1.0 and silence["encoder"] is None
    assert "silence" in call("--info", "silence.wav").out.splitlines()[-1]


def test_list_models(call: Call) -> None:
    told = call("--list-models")
    assert told.code == 0 and told.out.startswith("music (default)") and "deterministic" in told.out
    listed = lines(call("--list-models", "--json").out)
    assert listed[0]["name"] == "music" and {model["kind"] for model in listed} == {
        "stochastic",
        "deterministic",
    }
    assert all(os.path.isfile(model["path"]) and model["licence"] for model in listed)
    # A corpus has many sources: on a screen their list is cut, in JSON it is whole.
    assert max(map(len, told.out.splitlines())) <= 104 and "wesnoth" in listed[0]["trained_on"]


def test_systems_of_papers_are_listed_apart(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "models" / "literature").mkdir(parents=True)
    for name in ("music", "music-det", "literature/liu"):
        networks.save(tmp_path / "models" / f"{name}.onnx", name=name)
    monkeypatch.setattr(catalog, "directory", lambda: tmp_path / "models")
    ours, _, theirs = call("--list-models").out.partition("\nSystems of published papers")
    assert ours.startswith("music (default)  ") and "music-det  " in ours and "liu" not in ours
    assert "\nliu  1.0  deterministic, complex\n" in theirs and "music" not in theirs
    listed = lines(call("--list-models", "--json").out)
    assert [model["name"] for model in listed] == ["music", "music-det", "literature/liu"]
    assert set(listed[2]) == {"name", "version", "kind", "domain", "licence", "trained_on", "path"}


def test_version(call: Call) -> None:
    assert call("--version") == Ended(0, f"mp3fix {__version__}\n", "")


def test_help(call: Call) -> None:
    told = call("--help").out
    assert "Examples:" in told and "Exit codes: 0" in told and "[default: music]" in told
    assert max(map(len, told.splitlines())) <= 80
    for option in ("--output", "--seed", "--device", "--dry-run", "--show-completion"):
        assert option in told


def test_ten_channels_fit_into_a_wav(call: Call, model: Path) -> None:
    soundfile.write("ten.wav", np.random.default_rng(0).uniform(-0.1, 0.1, (8000, 10)), 8000)
    assert call("ten.wav", "--model", model, "-o", "out.wav").code == 0
    assert soundfile.info("out.wav").channels == 10
    for options in ([], ["--dry-run"]):
        refused = call("ten.wav", "--model", model, "-o", "out.flac", *options)
        assert refused.code == 1 and "WAV" in refused.err and not os.path.exists("out.flac")
    assert call("ten.wav", "missing.mp3", "--model", model, "-o", "out").code == 1


def test_the_folder_of_a_file_is_made(call: Call, song: Path, model: Path) -> None:
    assert call(song, "--model", model, "-o", "new/folder/x.flac").code == 0
    assert os.listdir("new/folder") == ["x.flac"]


def test_another_run_removes_the_new_folder_of_a_song_from_a_pipe(
    call: Call, song: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it does when it has found nothing to put in; the song was read from the pipe already."""
    real, removed = restoring.restore_song, []

    def restore(*arguments: Any) -> Any:
        if not removed:
            os.rmdir("new")
            removed.append("new")
        return real(*arguments)

    monkeypatch.setattr(restoring, "restore_song", restore)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(song.read_bytes())))
    assert call("-", "-o", "new/x.flac", "--model", model) == Ended(0, "", "")
    assert removed and names(Path("new")) == ["x.flac"]
