"""A SET from one's own music: excerpts, what an MP3 leaves of them, and what generators make of that."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from mp3fix.errors import Mp3fixError
from mp3fix.evaluation.excerpts import IDENTITY, SETTINGS
from mp3fix.evaluation.models import Model, read_models
from mp3fix.files.decode import open_decoder
from mp3fix.files.names import shown
from mp3fix.listening.anchors import EDGES
from mp3fix.listening.stimuli import REFERENCE
from mp3fix.listening.writing import write_flac
from mp3fix.restore import Restorer
from mp3fix.signal.cutoff import CutoffMeter
from mp3fix.signal.levels import peak
from mp3fix.signal.resample import RateStream
from mp3fix.signal.stft import StftSpec, stft
from mp3fix.training import codec

MP3 = "mp3"
_AROUND_SECONDS = 2.0  # coded and restored before and after an excerpt, so that it begins as in the song
_LOSSLESS_HZ = 18500.0  # recordings that end below were coded before, or are old


def make_set(
    songs: Sequence[Path],
    out: Path,
    settings: Sequence[str],
    models: Sequence[str],
    start: float | None,
    seconds: float,
    report: Callable[[str], None],
) -> None:
    """Write a SET: of each song an item for each setting, with reference, mp3 and a file a generator.

    Args:
        songs: lossless files.
        out: folder, made where it is missing; files of the same names are replaced.
        settings: of SETTINGS, such as "64k stereo".
        models: names of generators or .onnx files.
        start: of the excerpt, seconds; None: it is taken from the middle.
        seconds: its length.
        report: takes a line an item.

    Raises:
        Mp3fixError: a setting is unknown, a song too short, two songs share a name, or a generator's name is taken.
    """
    known = [name for name in SETTINGS if name != IDENTITY]
    for setting in settings:
        if setting not in known:
            raise Mp3fixError(f"no setting {setting!a}; there are: {', '.join(known)}")
    stems = [song.stem for song in songs]
    for song in songs:
        if stems.count(song.stem) > 1:
            raise Mp3fixError(
                f"{shown(song)}: another song is called {shown(Path(song.stem))} too; rename one"
            )
    generators = read_models(models)
    for model in generators:
        if model.stem in {REFERENCE, MP3, *EDGES}:
            raise Mp3fixError(
                f"{shown(model.path)}: a generator cannot be called {model.stem} here; rename it"
            )
    restorers = [(model, Restorer(model.path)) for model in generators]
    for song in songs:
        recording, begin, end = _excerpt(song, start, seconds)
        edge = _cutoff(recording)
        for setting in settings:
            item = f"{song.stem}, {setting}" if len(settings) > 1 else song.stem
            stimuli = _stimuli(recording, setting, restorers)
            _write_item(out / item, {name: x[:, begin:end] for name, x in stimuli.items()})
            doubt = "" if edge >= _LOSSLESS_HZ else f"; ends at {edge / 1000:.1f} kHz: is it lossless?"
            report(f"{shown(out / item)}: {', '.join(stimuli)}{doubt}")


def _excerpt(song: Path, start: float | None, seconds: float) -> tuple[np.ndarray, int, int]:
    """The excerpt with some seconds around it, float32 (C, n) at 44.1 kHz, and where it begins and ends in that."""
    with open_decoder(song) as decoder:
        if decoder.channels > 2:
            raise Mp3fixError(f"{shown(song)}: has {decoder.channels} channels; an MP3 holds one or two")
        stream = RateStream(decoder.rate, codec.RATE, decoder.channels)
        blocks = [stream.push(block) for block in decoder.blocks()]
    samples = np.concatenate([*blocks, stream.flush()], axis=1)
    frames = round(seconds * codec.RATE)
    length = samples.shape[1]
    first = (length - frames) // 2 if start is None else round(start * codec.RATE)
    if first < 0 or first + frames > length:
        raise Mp3fixError(
            f"{shown(song)}: is {length / codec.RATE:.1f} s long, too short for {seconds:g} s"
            + ("" if start is None else f" from {start:g} s on")
        )
    before = max(0, first - round(_AROUND_SECONDS * codec.RATE))
    after = first + frames + round(_AROUND_SECONDS * codec.RATE)
    return samples[:, before:after], first - before, first - before + frames


def _stimuli(
    recording: np.ndarray, setting: str, restorers: Sequence[tuple[Model, Restorer]]
) -> dict[str, np.ndarray]:
    """System -> float32 (C, n), with as many channels as the setting."""
    how = SETTINGS[setting]
    assert how is not None
    if how.channels == 1:
        recording = recording.mean(0, keepdims=True)
    elif recording.shape[0] == 1:
        recording = np.repeat(recording, 2, axis=0)
    mp3, degraded = codec.degrade(recording, how)
    restored = {
        model.stem: restorer.restore(
            degraded,
            codec.RATE,
            maps=codec.bitstream(mp3, how, restorer.generator.contract.stft),
        )
        for model, restorer in restorers
    }
    return {REFERENCE: recording, MP3: degraded, **restored}


def _write_item(folder: Path, stimuli: dict[str, np.ndarray]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    highest = max(peak(samples) for samples in stimuli.values())
    for name, samples in stimuli.items():  # one gain, as whole numbers cannot pass full scale
        write_flac(folder / f"{name}.flac", samples * np.float32(0.99 / max(highest, 0.99)), codec.RATE, 24)


def _cutoff(samples: np.ndarray) -> float:
    spec = StftSpec()
    meter = CutoffMeter(spec)
    meter.push(stft(np.ascontiguousarray(samples), spec))
    return meter.hz
