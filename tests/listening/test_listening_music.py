"""From one's own music to a set."""

from pathlib import Path

import networks
import numpy as np
import pytest
import soundfile
from listeners import RATE, music

from mp3fix.errors import Mp3fixError
from mp3fix.listening.music import make_set
from mp3fix.listening.stimuli import read_set
from mp3fix.training import codec

pytestmark = pytest.mark.slow

SECONDS = 6.0


@pytest.fixture(scope="module")
def songs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A stereo song, and one in mono at another rate."""
    folder = tmp_path_factory.mktemp("music")
    paths = [folder / "one song.flac", folder / "two.wav"]
    soundfile.write(paths[0], music(SECONDS, 2, 1).T, RATE)
    soundfile.write(paths[1], music(SECONDS, 1, 2, 48000).T, 48000)
    return paths


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return networks.save(tmp_path_factory.mktemp("model") / "tiny.onnx", name="tiny")


def lag(first: np.ndarray, second: np.ndarray) -> int:
    n = 2 * len(first)
    cross = np.fft.irfft(np.fft.rfft(first, n).conj() * np.fft.rfft(second, n))
    late = int(np.argmax(cross))
    return late - n if late > n // 2 else late


def test_each_song_becomes_an_item(songs: list[Path], model: Path, tmp_path: Path) -> None:
    lines: list[str] = []
    make_set(songs, tmp_path, ["128k stereo"], [str(model)], None, 1.5, lines.append)
    assert len(lines) == 2 and "one song: reference, mp3, tiny" in lines[0]
    items, rate = read_set(tmp_path, [], 0, 15)
    assert [item.name for item in items] == ["one song", "two"] and rate == RATE
    for item in items:
        assert {x.shape for x in item.stimuli.values()} == {(2, round(1.5 * RATE))}
        reference, mp3, tiny = (item.stimuli[name] for name in ("reference", "mp3", "tiny"))
        assert lag(reference[0], mp3[0]) == 0
        assert not np.allclose(mp3, tiny, atol=1e-3)
    whole = soundfile.read(songs[0], dtype="float32")[0][:, 0]
    begin = (len(whole) - round(1.5 * RATE)) // 2
    cut = items[0].stimuli["reference"][0, 1000:-1000]  # without its fades
    assert np.corrcoef(cut, whole[begin + 1000 :][: len(cut)])[0, 1] > 0.9999


def test_excerpts_are_coded_within_the_song(
    songs: list[Path], model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two seconds before and after are coded and restored with them: an encoder's start is no excerpt's."""
    seconds = []
    real = codec.encode

    def encode(samples: np.ndarray, setting: codec.Setting) -> bytes:
        seconds.append(samples.shape[1] / RATE)
        return real(samples, setting)

    monkeypatch.setattr(codec, "encode", encode)
    for start in (None, 0.5, 4.5):
        make_set(songs[:1], tmp_path, ["64k stereo"], [str(model)], start, 1.5, print)
        assert soundfile.info(tmp_path / "one song" / "mp3.flac").frames == round(1.5 * RATE)
    assert seconds == pytest.approx([5.5, 4.0, 3.5], abs=1e-3)


def test_settings_are_items_of_their_own(songs: list[Path], model: Path, tmp_path: Path) -> None:
    make_set(songs[:1], tmp_path, ["64k mono", "V5 stereo"], [str(model)], 1.0, 1.0, print)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one song, 64k mono", "one song, V5 stereo"]
    channels = [soundfile.info(path / "mp3.flac").channels for path in sorted(tmp_path.iterdir())]
    assert channels == [1, 2]


def test_what_was_coded_before_is_told(model: Path, tmp_path: Path) -> None:
    spectrum = np.fft.rfft(music(3, 2, 3))
    spectrum[:, np.fft.rfftfreq(3 * RATE, 1 / RATE) > 16000] = 0
    dull = np.fft.irfft(spectrum, 3 * RATE)
    soundfile.write(tmp_path / "dull.wav", dull.T, RATE)
    lines: list[str] = []
    make_set([tmp_path / "dull.wav"], tmp_path / "set", ["64k stereo"], [str(model)], None, 1.0, lines.append)
    assert "is it lossless?" in lines[0]


def test_refusals(songs: list[Path], model: Path, tmp_path: Path) -> None:
    def refused(
        words: str, chosen: list[Path], setting: str = "64k mono", start: float | None = None
    ) -> None:
        with pytest.raises(Mp3fixError, match=words):
            make_set(chosen, tmp_path / "set", [setting], [str(model)], start, 5.0, print)

    refused("no setting '65k mono'; there are: 16k mono", songs, "65k mono")
    refused("too short for 5 s from 3 s on", songs, start=3.0)
    refused("another song is called two too", [songs[1], tmp_path / "two.flac"])
    other = networks.save(tmp_path / "mp3.onnx", name="mp3")
    with pytest.raises(Mp3fixError, match="cannot be called mp3"):
        make_set(songs, tmp_path / "set", ["64k mono"], [str(other)], None, 1.0, print)
    assert not (tmp_path / "set").exists()
