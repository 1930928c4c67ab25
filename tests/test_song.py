"""Files through the pipeline: the same bytes, lengths, silence, levels, tags."""

import io
import os
import struct
import subprocess
import zlib

import mutagen
import numpy as np
import pytest
from mp3s import music
from mutagen.flac import FLAC, Picture
from mutagen.wave import WAVE
from pipeline import DRAWN, EXCERPT, KINDS, lag, loud, read, restorer, together, written

from mp3fix import DecodeError, Mp3fixError
from mp3fix.files import ffmpeg
from mp3fix.files.encode import CEILING
from mp3fix.restore import Options
from mp3fix.signal.resample import output_length
from mp3fix.song import Target, restore_file, restore_song

FLOAT = Target(bits="32f")


def png():
    """A picture of one black point."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


# --- the same bytes


@pytest.mark.parametrize(
    ("name", "bits"), [("o.flac", "16"), ("o.flac", "24"), ("o.wav", "16"), ("o.wav", "32f")]
)
@pytest.mark.parametrize("rate", [44100, 48000])
def test_the_same_settings_give_the_same_bytes(tmp_path, name, bits, rate):
    path = written(tmp_path, music(2 * rate, rate), rate)
    contents = []
    for run, (seconds, batch, threads) in enumerate(((3, 1, 1), (3, 1, 1), (0.7, 4, 2))):
        out = tmp_path / str(run) / name
        out.parent.mkdir()
        options = Options(seeds=(7,), chunk_seconds=seconds, batch=batch)
        restore_file(path, out, restorer=restorer(threads=threads), options=options, target=Target(bits=bits))
        contents.append(out.read_bytes())
    assert contents[0] == contents[1] == contents[2]


@pytest.mark.parametrize("bits", ["16", "24"])
def test_several_seeds_give_the_files_of_single_runs(tmp_path, bits):
    path = written(tmp_path, music(60000, 44100) / 4, 44100)  # too quiet for a gain that all share
    result = together(path, tmp_path / "o.flac", (7, 8, 9), strength=0.1, bits=bits)
    assert result.gain_db == 0
    assert [each.name for each in result.outputs] == ["o.seed7.flac", "o.seed8.flac", "o.seed9.flac"]
    contents = [each.read_bytes() for each in result.outputs]
    assert len(set(contents)) == 3
    for seed, content in zip((7, 8, 9), contents, strict=True):
        single = together(path, tmp_path / f"{seed}.flac", (seed,), strength=0.1, bits=bits)
        assert single.outputs[0].read_bytes() == content


# --- length and alignment


@pytest.mark.parametrize("name", ["in.wav", "in.flac", "in.ogg", "in.mp3"])
@pytest.mark.parametrize("rate", [22050, 32000, 44100, 48000])
def test_length_and_alignment_of_files(tmp_path, name, rate):
    """The MP3 has a gapless tag."""
    frames = round(1.7 * rate) + 13
    samples = music(frames, rate)
    path = written(tmp_path, samples, rate, name, subtype=None)
    result = restore_file(path, tmp_path / "o.wav", restorer=restorer("complex"), target=FLOAT)
    restored = read(tmp_path / "o.wav")
    out = max(rate, 44100)
    assert restored.shape[1] == output_length(frames, rate, out)
    assert (result.rate, result.seconds) == (out, restored.shape[1] / out)
    every = np.zeros(restored.shape[1])  # compared at the rate of the input
    at = np.arange(frames) * out / rate
    every = np.interp(at, np.arange(restored.shape[1]), restored[0])
    assert abs(lag(samples[0], every)) < 0.1
    assert result.info.rate == rate
    assert not result.warnings


@pytest.mark.parametrize("frames", [1, 2, 1000])
@pytest.mark.parametrize(("rate", "name"), [(8000, "o.flac"), (44100, "o.wav"), (96000, "o.flac")])
def test_tiny_files(tmp_path, frames, rate, name):
    path = written(tmp_path, music(frames, rate, 1), rate)
    restore_file(path, tmp_path / name, restorer=restorer())
    assert read(tmp_path / name).shape == (1, output_length(frames, rate, max(rate, 44100)))


def test_an_empty_file_is_an_error(tmp_path):
    path = written(tmp_path, music(0, 44100), 44100)
    with pytest.raises(DecodeError, match=r"in\.wav"):
        restore_file(path, tmp_path / "o.flac", restorer=restorer())
    assert [each.name for each in tmp_path.iterdir()] == ["in.wav"]


@pytest.mark.parametrize("name", ["o.flac", "o.wav"])
def test_surround_keeps_its_lfe(tmp_path, name):
    samples = music(30000, 48000, 6) / 4
    path = written(tmp_path, samples, 48000, subtype="PCM_24")
    restore_file(path, tmp_path / name, restorer=restorer(strength=0.1))
    changed = np.abs(read(tmp_path / name) - read(path)).max(axis=1)
    assert changed[3] == 0
    assert (changed[[0, 1, 2, 4, 5]] > 0.01).all()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_generator_restores_files(tmp_path, kind):
    """Also measures cut-offs on the way, whatever the generator works on."""
    samples = music(2 * 44100, 44100)
    spectra = np.fft.rfft(samples)
    spectra[:, (8000 * 2) :] = 0
    path = written(tmp_path, np.fft.irfft(spectra), 44100)
    result = restore_file(path, tmp_path / "o.wav", restorer=restorer(kind))
    assert result.cutoff_before == pytest.approx(8000, abs=1200)
    if kind in DRAWN:
        assert result.cutoff_after > 20000
    assert restore_file(
        path, tmp_path / "same.wav", restorer=restorer(kind), options=Options(mix=0)
    ).cutoff_after == pytest.approx(result.cutoff_before)


# --- silence


@pytest.mark.parametrize(("name", "bits"), [("o.flac", "16"), ("o.wav", "24")])
@pytest.mark.parametrize("rate", [44100, 48000])
def test_silence_stays_silence_in_files(tmp_path, name, bits, rate):
    samples = music(3 * rate, rate)
    samples[:, :1000] = 0
    samples[:, rate : 2 * rate] = 0
    samples[:, -1000:] = 0
    samples[1] = 0
    path = written(tmp_path, samples, rate, "in.flac", "PCM_16")
    restore_file(path, tmp_path / name, restorer=restorer(), target=Target(bits=bits))
    restored = read(tmp_path / name)
    for silent in (restored[:, :1000], restored[:, rate : 2 * rate], restored[:, -1000:], restored[1]):
        assert not silent.any()
    assert np.abs(restored[0, rate - 1000 : rate]).max() > 0


@pytest.mark.parametrize("kind", ["complex drawn", "waveform drawn"])
def test_no_treble_is_told_of_silence(tmp_path, kind):
    """What a generator draws into silence is not written: nor is it measured."""
    path = written(tmp_path, np.zeros((2, 44100)), 44100)
    result = restore_file(path, tmp_path / "o.wav", restorer=restorer(kind))
    assert (result.cutoff_before, result.cutoff_after) == (0, 0)
    assert result.bands_after == result.bands_before


def test_a_silent_channel_has_no_part_in_the_spectrum(tmp_path):
    samples = music(44100, 44100) * np.float32(0.001)  # next to which the noise drawn into silence is loud
    samples[1] = 0
    beside, alone = (
        restore_file(written(tmp_path, part, 44100), tmp_path / f"{number}.wav", restorer=restorer())
        for number, part in enumerate((samples, samples[:1]))
    )
    assert beside.bands_after == pytest.approx(alone.bands_after, abs=0.01)


# --- levels


def test_a_song_too_loud_gets_one_gain_for_all_its_draws(tmp_path):
    path = written(tmp_path, loud(60000), 44100)
    floats = together(path, tmp_path / "f.wav", (7, 8), bits="32f")
    assert floats.gain_db == 0
    exact = [read(each) for each in floats.outputs]
    peak = max(np.abs(each).max() for each in exact)
    assert peak > 1
    result = together(path, tmp_path / "o.flac", (7, 8))
    factor = 10 ** (result.gain_db / 20)
    assert factor == pytest.approx(CEILING / peak, rel=1e-6)
    for each, float_ in zip(result.outputs, exact, strict=True):
        assert np.abs(read(each) - factor * float_).max() < 2**-23
        assert FLAC(each)["MP3FIX_GAIN"] == [f"{result.gain_db:.2f} dB"]
    for each in floats.outputs:
        assert "TXXX:MP3FIX_SEED" in WAVE(each).tags
        assert "TXXX:MP3FIX_GAIN" not in WAVE(each).tags


def test_a_song_that_fits_gets_no_gain(tmp_path):
    path = written(tmp_path, music(60000, 44100) / 4, 44100)
    result = together(path, tmp_path / "o.flac", (7,))
    assert result.gain_db == 0
    assert "MP3FIX_GAIN" not in FLAC(tmp_path / "o.flac")
    together(path, tmp_path / "f.wav", (7,), bits="32f")
    assert np.abs(read(tmp_path / "o.flac") - read(tmp_path / "f.wav")).max() <= 2**-24


@pytest.mark.parametrize(("name", "bits"), [("o.flac", "24"), ("o.wav", "32f")])
@pytest.mark.parametrize("gain", [-6.0, 3.0])
def test_a_fixed_gain_is_that_gain(tmp_path, name, bits, gain):
    path = written(tmp_path, loud(60000) / 8, 44100)
    together(path, tmp_path / "plain.wav", (7,), bits="32f")
    result = together(path, tmp_path / name, (7,), bits=bits, gain_db=gain)
    assert result.gain_db == gain
    assert not result.warnings
    assert np.abs(read(tmp_path / name) - 10 ** (gain / 20) * read(tmp_path / "plain.wav")).max() < 2**-22
    tags = mutagen.File(tmp_path / name).tags
    assert str((tags.get("MP3FIX_GAIN") or tags.get("TXXX:MP3FIX_GAIN"))[0]) == f"{gain:.2f} dB"


def test_a_fixed_gain_that_clips_is_reported(tmp_path):
    path = written(tmp_path, loud(60000), 44100)
    result = together(path, tmp_path / "o.flac", (7, 8), gain_db=0.0)
    assert result.gain_db == 0
    assert any("clipped" in warning for warning in result.warnings)


# --- tags and times


def test_tags_and_cover_are_carried_over_and_own_ones_added(tmp_path):
    path = written(tmp_path, music(30000, 44100), 44100, "in.flac", "PCM_16")
    source = FLAC(path)
    source["TITLE"], source["ARTIST"] = "Title", ["First", "Second"]
    cover = Picture()
    cover.data, cover.mime, cover.type = png(), "image/png", 3
    source.add_picture(cover)
    source.save()
    options = Options(seeds=(7,), texture=0.25, mix=0.75)
    for name in ("o.flac", "o.wav"):
        result = restore_file(path, tmp_path / name, restorer=restorer(), options=options)
        assert not result.warnings
    flac, wav = FLAC(tmp_path / "o.flac"), WAVE(tmp_path / "o.wav").tags
    assert (flac["TITLE"], flac["ARTIST"]) == (["Title"], ["First", "Second"])
    assert [each.data for each in flac.pictures] == [cover.data]
    assert (wav["TIT2"].text, wav["TPE1"].text) == (["Title"], ["First", "Second"])
    assert [each.data for each in wav.getall("APIC")] == [cover.data]
    own = {"MODEL": "tiny 1.0", "SEED": "7", "TEXTURE": "0.25", "MIX": "0.75"}
    for key, value in own.items():
        assert flac[f"MP3FIX_{key}"] == [value]
        assert wav[f"TXXX:MP3FIX_{key}"].text == [value]
    assert "MP3FIX_VERSION" in flac
    restore_file(path, tmp_path / "bare.flac", restorer=restorer("complex"), target=Target(tags=False))
    assert not FLAC(tmp_path / "bare.flac").tags
    restore_file(path, tmp_path / "det.flac", restorer=restorer("complex"), options=Options(seeds=(7,)))
    assert not {"mp3fix_seed", "mp3fix_texture", "mp3fix_mix"} & {
        k.lower() for k in FLAC(tmp_path / "det.flac")
    }


@pytest.mark.parametrize("preserve", [True, False])
def test_the_time_of_the_input_can_be_kept(tmp_path, preserve):
    path = written(tmp_path, music(3000, 44100), 44100)
    os.utime(path, ns=(10**18, 10**18 + 123456789))
    together(path, tmp_path / "o.flac", (7, 8), preserve_time=preserve)
    for seed in (7, 8):
        time = (tmp_path / f"o.seed{seed}.flac").stat().st_mtime_ns
        assert (time == path.stat().st_mtime_ns) == preserve


# --- the result


def test_the_result_says_what_was_done(tmp_path):
    result = restore_file(EXCERPT, tmp_path / "o.flac", restorer=restorer("music"), target=Target(duration=3))
    record = result.record()
    assert record["status"] == "restored"
    assert (record["codec"], record["bitrate_kbps"], record["rate"]) == ("MP3", 64, 44100)
    assert record["seconds"] == 3
    assert record["cutoff_before"] == pytest.approx(10700, abs=500)
    assert record["cutoff_after"] > 14000
    assert record["elapsed"] > 0
    assert result.outputs == (tmp_path / "o.flac",)


@pytest.mark.ffmpeg
def test_a_pipe_announces_only_a_length_that_is_exact(tmp_path):
    """The header of an M4A counts the codec's delay: a size made of it would be wrong."""
    wave = written(tmp_path, music(2 * 44100, 44100), 44100)
    encoded = tmp_path / "in.m4a"
    subprocess.run([str(ffmpeg.find()), "-v", "error", "-i", wave, "-c:a", "aac", encoded], check=True)
    for source, exact in ((wave, True), (encoded, False)):
        pipe = io.BytesIO()
        result = restore_song(source, pipe, restorer(), Options(), FLOAT)
        size = int.from_bytes(pipe.getvalue()[4:8], "little")
        assert size == (len(pipe.getvalue()) - 8 if exact else 0xFFFFFFFF)
        assert result.warnings == []


def test_phases_that_a_generator_cannot_give(tmp_path):
    path = written(tmp_path, music(4410, 44100), 44100)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(Mp3fixError, match="griffinlim"):
        restore_file(
            path, tmp_path / "o.wav", restorer=restorer("magnitude"), options=Options(phase="complex")
        )
    assert sorted(tmp_path.iterdir()) == before
