"""What is left when something goes wrong: no file, no thread, no decoder."""

import io
import threading

import numpy as np
import pytest
from mp3s import lame, music
from mutagen.flac import FLAC
from pipeline import EXCERPT, loud, read, restorer, together, written

from mp3fix import DecodeError, EncodeError, ModelError, Mp3fixError, OutputExistsError
from mp3fix.files.decode import Decoder
from mp3fix.restore import Options
from mp3fix.song import Target, restore_file, restore_song


def test_an_existing_file_is_overwritten_only_if_that_was_asked_for(tmp_path):
    path = written(tmp_path, music(3000, 44100), 44100)
    out = tmp_path / "o.seed8.flac"
    out.write_bytes(b"precious")
    with pytest.raises(OutputExistsError, match=r"o\.seed8\.flac exists"):
        together(path, tmp_path / "o.flac", (7, 8))
    assert out.read_bytes() == b"precious"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["in.wav", "o.seed8.flac"]
    together(path, tmp_path / "o.flac", (7, 8), overwrite=True)
    assert FLAC(out).info.total_samples == 3000


@pytest.mark.parametrize("overwrite", [True, False])
def test_the_output_is_never_the_input(tmp_path, overwrite):
    path = written(tmp_path, music(3000, 44100), 44100)
    content = path.read_bytes()
    (tmp_path / "link.wav").symlink_to(path)
    for out in (path, tmp_path / "link.wav", tmp_path / "." / "in.wav"):
        with pytest.raises(EncodeError, match="would overwrite the input"):
            restore_file(path, out, restorer=restorer(), target=Target(overwrite=overwrite))
    assert path.read_bytes() == content


@pytest.mark.parametrize("name", ["o.mp3", "o", "o.ogg"])
def test_only_flac_and_wav_are_written(tmp_path, name):
    with pytest.raises(EncodeError, match=r"must end in \.flac or \.wav"):
        restore_file(written(tmp_path, music(3000, 44100), 44100), tmp_path / name, restorer=restorer())


@pytest.fixture
def closed(monkeypatch):
    """Decoders that have been closed."""
    closed = []
    original = Decoder.close

    def close(self):
        closed.append(self)
        original(self)

    monkeypatch.setattr(Decoder, "close", close)
    return closed


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
@pytest.mark.parametrize(("name", "bits"), [("o.flac", "16"), ("o.wav", "32f")])
def test_an_exception_in_the_middle_leaves_nothing(tmp_path, closed, error, name, bits):
    before = set(threading.enumerate())

    def progress(done, total):
        assert total == pytest.approx(30)
        if done > 2:
            assert len(list(tmp_path.iterdir())) == 2  # so there is something to leave behind
            raise error

    with pytest.raises(error) as caught:
        restore_file(
            EXCERPT,
            tmp_path / name,
            restorer=restorer(),
            options=Options(seeds=(7, 8), chunk_seconds=0.5),
            target=Target(bits=bits),
            progress=progress,
        )
    # Now, and not only when the traceback has gone.
    assert set(threading.enumerate()) == before
    assert not list(tmp_path.iterdir())
    assert closed
    assert caught.value.__traceback__ is not None


def test_a_failing_network_leaves_nothing(tmp_path, closed, monkeypatch):
    before = set(threading.enumerate())
    runs = []
    original = restorer().generator.run

    def run(*arguments, **others):
        runs.append(1)
        if len(runs) > 6:
            raise ModelError("the network failed")
        return original(*arguments, **others)

    monkeypatch.setattr(restorer().generator, "run", run)
    with pytest.raises(ModelError, match="the network failed"):
        restore_file(EXCERPT, tmp_path / "o.flac", restorer=restorer(), options=Options(chunk_seconds=0.5))
    assert set(threading.enumerate()) == before
    assert not list(tmp_path.iterdir())
    assert closed


@pytest.mark.parametrize("content", [b"", b"not audio at all" * 100])
def test_what_is_no_audio_leaves_nothing(tmp_path, content):
    (tmp_path / "in.mp3").write_bytes(content)
    with pytest.raises(Mp3fixError, match=r"in\.mp3"):
        restore_file(tmp_path / "in.mp3", tmp_path / "o.flac", restorer=restorer())
    assert [each.name for each in tmp_path.iterdir()] == ["in.mp3"]


def test_a_damaged_mp3_is_restored_as_far_as_it_goes_and_said_so(tmp_path):
    data = lame(music(3 * 44100, 44100), 44100)
    (tmp_path / "in.mp3").write_bytes(data[: len(data) // 2] + bytes(5000) + data[len(data) // 2 + 5000 :])
    result = restore_file(tmp_path / "in.mp3", tmp_path / "o.flac", restorer=restorer())
    assert result.warnings
    assert read(tmp_path / "o.flac").shape[1] / 44100 == pytest.approx(3, abs=0.6)


# --- pipes


def test_a_pipe_gets_what_a_file_gets(tmp_path):
    path = written(tmp_path, loud(60000), 44100)
    together(path, tmp_path / "o.wav", (7,), bits="32f")
    pipe = io.BytesIO()
    result = restore_song(path, pipe, restorer(), Options(seeds=(7,)), Target(bits="32f"))
    assert (result.outputs, result.seconds, result.warnings) == ((), 60000 / 44100, [])
    pipe.seek(0)
    assert np.array_equal(read(pipe), read(tmp_path / "o.wav"))


def test_a_preview_beyond_the_end_sends_nothing(tmp_path):
    path, pipe = written(tmp_path, music(3000, 44100), 44100), io.BytesIO()
    with pytest.raises(DecodeError, match="ends before"):
        restore_song(path, pipe, restorer(), Options(), Target(bits="32f", start=2))
    assert pipe.getvalue() == b""


def test_a_reader_that_has_gone_is_no_error(tmp_path, closed):
    class Gone(io.BytesIO):
        def write(self, data):
            raise BrokenPipeError

    before = set(threading.enumerate())
    path = written(tmp_path, music(3 * 44100, 44100), 44100)
    restore_song(path, Gone(), restorer(), Options(chunk_seconds=0.3), Target(bits="32f", start=0.5))
    assert set(threading.enumerate()) == before
    assert closed
