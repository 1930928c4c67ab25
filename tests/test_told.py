"""A generator that takes maps of the bitstream hears the MP3's own bits, at the right time, or that there are none."""

from pathlib import Path

import mp3s
import networks
import numpy as np
import pytest
from pipeline import read, written

from mp3fix.bitstream.maps import UNKNOWN
from mp3fix.errors import DecodeError
from mp3fix.files import mp3maps
from mp3fix.files.decode import open_decoder
from mp3fix.files.mp3maps import FileBytes, bitstream_maps
from mp3fix.restore import Options, Restorer
from mp3fix.song import Target, restore_file

RATE = 44100
KINDS = {
    "one channel": {},
    "pairs": {"channels": 2},
    # Mild: far from any sound's magnitudes, phases are found by chance, and rounding decides.
    "magnitudes, on a grid": {"domain": "magnitude", "multiple": 8, "strength": 0.1},
}


@pytest.fixture(params=KINDS, ids=str)
def restorer(request: pytest.FixtureRequest, tmp_path: Path) -> Restorer:
    taken = {"conditioning": ("short", "zeros", "error"), "noise": ("spectrogram",)}
    return Restorer(networks.save(tmp_path / "told.onnx", **taken, **KINDS[request.param]), "cpu")


def song(folder: Path, seconds: float = 3.2, rate: int = RATE, kbps: int = 64, name: str = "in.mp3") -> Path:
    path = folder / name
    path.write_bytes(mp3s.lame(mp3s.music(round(seconds * rate), rate), rate, kbps))
    return path


def restored(path: Path, restorer: Restorer, target: Target | None = None, **options) -> np.ndarray:
    out = path.with_name("out.wav")
    target = target or Target(bits="32f", overwrite=True)
    restore_file(path, out, restorer=restorer, options=Options(**options), target=target)
    return read(out)


def decoded(path: Path) -> np.ndarray:
    with open_decoder(path) as decoder:
        return np.concatenate(list(decoder.blocks()), axis=1)


def test_a_file_is_restored_by_its_own_bits(restorer: Restorer, tmp_path: Path) -> None:
    path = song(tmp_path)
    told = restored(path, restorer)
    with open_decoder(path) as decoder, FileBytes(path) as data:
        maps = bitstream_maps(decoder, data, restorer.generator.contract.stft)
        by_hand = restorer.restore(decoded(path), RATE, maps=maps)
        again = restorer.restore(decoded(path), RATE, maps=maps)
    assert maps is not None and np.array_equal(by_hand, again)
    assert np.abs(told - by_hand).max() <= 1e-6
    # Without them the same samples come out otherwise, as those of a WAV do.
    samples = decoded(path)
    bare = restored(written(tmp_path, samples, RATE), restorer)
    assert np.abs(bare - restorer.restore(samples, RATE)).max() <= 1e-6
    assert np.abs(told - bare).max() > 0.005


@pytest.mark.parametrize("rate", [RATE, 22050, 48000])
def test_chunks_and_previews_change_nothing(restorer: Restorer, rate: int, tmp_path: Path) -> None:
    path = song(tmp_path, rate=rate)
    whole = restored(path, restorer, chunk_seconds=1e6)
    for seconds in (3.0, 0.4):
        assert np.abs(restored(path, restorer, chunk_seconds=seconds) - whole).max() <= 1e-5
    part = restored(path, restorer, Target(bits="32f", start=2.1, duration=0.5, overwrite=True))
    outer = max(rate, RATE)
    start = round(2.1 * outer)
    assert np.abs(part - whole[:, start : start + round(0.5 * outer)]).max() <= 1e-5


def test_what_is_told_is_told_of_the_right_time(tmp_path: Path) -> None:
    """Where the short blocks are is where the attack is, with a gapless tag and without."""
    samples = 0.05 * mp3s.music(4 * RATE, RATE)
    burst = np.random.default_rng(1).uniform(-0.8, 0.8, 300)
    samples[:, 2 * RATE : 2 * RATE + 300] += burst.astype(np.float32)
    for name, data in (
        ("lame", mp3s.lame(samples, RATE, 128)),
        ("tag", mp3s.tagged(samples, RATE, tmp_path)),
    ):
        path = tmp_path / f"{name}.mp3"
        path.write_bytes(data)
        heard = decoded(path)
        attack = np.argmax(np.abs(heard[0])) / networks.SMALL.hop
        frames = np.arange(heard.shape[1] // networks.SMALL.hop)
        with open_decoder(path) as decoder, FileBytes(path) as data:
            maps = bitstream_maps(decoder, data, networks.SMALL)
            assert maps is not None
            short = maps.planes(networks.SMALL.hop * frames)[0, 3, 0, 200:-200]
        centre = 200 + np.sum(short * np.arange(len(short))) / short.sum()
        assert abs(centre - attack) < 576 / networks.SMALL.hop


def damaged(data: bytes) -> bytes:
    return data[:20000] + b"\0" * 700 + data[20700:]


def test_a_damaged_file_is_restored_as_if_nothing_were_known(restorer: Restorer, tmp_path: Path) -> None:
    path = song(tmp_path)
    path.write_bytes(damaged(path.read_bytes()))
    told = restored(path, restorer)
    assert np.abs(told - restorer.restore(decoded(path), RATE)).max() <= 1e-6


def test_a_file_that_becomes_shorter_tells_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mp3maps, "_AHEAD", 1000)
    path = song(tmp_path)
    with open_decoder(path) as decoder, FileBytes(path) as data:
        maps = bitstream_maps(decoder, data, networks.SMALL)
        assert maps is not None
        path.write_bytes(path.read_bytes()[:5000])
        assert (maps.planes(64.0 * np.arange(20) + 2.5 * RATE) == UNKNOWN).all()
    path.unlink()
    with pytest.raises(DecodeError, match="cannot be read"):
        FileBytes(path)


def test_a_file_that_is_removed_meanwhile_is_restored_by_all_its_bits(
    restorer: Restorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = restored(song(tmp_path), restorer)
    monkeypatch.setattr(mp3maps, "_AHEAD", 1000)
    path, out = song(tmp_path), tmp_path / "gone.wav"

    def remove(done: float, of: float | None) -> None:
        path.unlink(missing_ok=True)

    options, target = Options(chunk_seconds=0.5), Target(bits="32f")
    restore_file(path, out, restorer=restorer, options=options, target=target, progress=remove)
    assert not path.exists()
    np.testing.assert_allclose(read(out), whole, atol=1e-5)


@pytest.mark.parametrize("left", [0, 5000, None])
def test_a_file_that_is_written_anew_or_cut_meanwhile_is_told(
    restorer: Restorer, left: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever lies where the frames were: no traceback, and the end says that it changed."""
    monkeypatch.setattr(mp3maps, "_AHEAD", 1000)
    path = song(tmp_path, seconds=20)
    size = path.stat().st_size

    def rewrite(done: float, of: float | None) -> None:
        path.write_bytes(np.random.default_rng(0).bytes(size)[:left])

    with pytest.raises(DecodeError, match="changed while it was read"):
        restore_file(
            path,
            tmp_path / "out.wav",
            restorer=restorer,
            options=Options(chunk_seconds=0.5),
            progress=rewrite,
        )


@pytest.mark.parametrize("first", ["mono", "stereo"])
def test_a_first_frame_of_other_channels_is_no_trouble(
    restorer: Restorer, first: str, tmp_path: Path
) -> None:
    """The song begins with one frame of another file, as files cut by players do."""
    both = {
        "mono": mp3s.lame(mp3s.music(2 * RATE, RATE, 1), RATE, 64),
        "stereo": mp3s.lame(mp3s.music(2 * RATE, RATE, 2), RATE, 64),
    }
    rest = both["stereo" if first == "mono" else "mono"]
    path = tmp_path / "in.mp3"
    path.write_bytes(both[first][:208] + rest)
    told = restored(path, restorer)
    assert told.shape[1] > 2 * RATE and np.isfinite(told).all()


def test_maps_of_other_channels_are_refused(tmp_path: Path) -> None:
    restorer = Restorer(networks.save(tmp_path / "told.onnx", conditioning=("zeros",)), "cpu")
    path = song(tmp_path)
    with open_decoder(path) as decoder, FileBytes(path) as data:
        maps = bitstream_maps(decoder, data, networks.SMALL)
        with pytest.raises(ValueError, match="maps of 2 channels, but 1 "):
            restorer.restore(decoded(path)[:1], RATE, maps=maps)


def test_bytes_are_the_files_wherever_they_are_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "bytes"
    content = np.random.default_rng(0).bytes(3_000_000)
    path.write_bytes(content)
    places = [(0, 3), (10, 20), (1_048_570, 1_048_580), (5, 2_900_000), (2_999_990, 3_000_000), (7, 9)]
    with FileBytes(path) as data:
        for start, stop in places:
            assert data[start:stop] == content[start:stop]
