"""A file's sound: decoded, mixed, brought to 44.1 kHz stereo, its cut-off measured."""

from pathlib import Path

import numpy as np
import soundfile
import soxr

from mp3fix.signal.cutoff import CutoffMeter
from mp3fix.signal.stft import StftSpec, stft
from mp3fix.training.material import Material, Report

RATE = 44100
PIECE_SECONDS = 30.0  # shorter music files are jingles and effects: left out
LIMIT_SECONDS = 60.0  # longer "samples" are left out
LONGEST_SECONDS = 1800.0  # of a longer file, the beginning is taken
LEAST_CUTOFF = 2000.0  # Hz; nothing recorded for listening ends below: see `cutoff`


def read(material: Material, report: Report) -> tuple[np.ndarray, str] | None:
    """Decode and mix: float32 (2, frames) at 44.1 kHz, and its kind, "music" or "samples".

    None for what is no material, with a line that says why unless its length does.
    """
    kind = material.kind
    try:
        with soundfile.SoundFile(material.paths[0]) as file:
            seconds, rate = file.frames / file.samplerate, file.samplerate
        if kind == "added":
            kind = "music" if seconds > PIECE_SECONDS else "samples"
        if not (seconds >= PIECE_SECONDS if kind == "music" else 0.05 < seconds < LIMIT_SECONDS):
            return None
        if rate < RATE:
            report(f"left out: {material.name}: {rate} Hz")
            return None
        samples = _mixed([_decode(path) for path in material.paths])
    except (soundfile.SoundFileError, OSError) as error:
        why = str(error).splitlines()[0].rpartition("': ")[2]  # soundfile names the path first
        report(f"left out: {material.name}: {why}")
        return None
    peak = float(np.abs(samples).max(initial=0.0))
    if not 1e-3 < peak < np.inf:
        report(f"left out: {material.name}: {'silence' if peak <= 1e-3 else 'not a number in it'}")
        return None
    return samples, kind


def cutoff(samples: np.ndarray) -> float:
    """Cut-off in Hz of float32 (2, frames) at 44.1 kHz; 0 for silence."""
    spec = StftSpec()
    meter, without_bass = CutoffMeter(spec), CutoffMeter(spec)
    for start in range(0, samples.shape[1], 1 << 19):
        block = np.ascontiguousarray(samples[:, start : start + (1 << 19)])
        if block.shape[1] < spec.n_fft:
            block = np.pad(block, ((0, 0), (0, spec.n_fft - block.shape[1])))
        frames = stft(block, spec)
        meter.push(frames)
        frames[..., : round(LEAST_CUTOFF * spec.n_fft / spec.rate)] = 0
        without_bass.push(frames)
    # Beside a pure bass tone all else may lie below the meter's floor; by itself it shows how far the file goes.
    return meter.hz if meter.hz == 0 or meter.hz > LEAST_CUTOFF else without_bass.hz


def _decode(path: Path) -> np.ndarray:
    """The first half hour of a file, float32 (2, frames) at 44.1 kHz."""
    with soundfile.SoundFile(path) as file:
        rate = file.samplerate
        samples = file.read(round(min(file.frames, LONGEST_SECONDS * rate)), dtype="float32", always_2d=True)
    if rate != RATE:
        samples = soxr.resample(samples, rate, RATE)
    return samples[:, :2].T if samples.shape[1] > 1 else np.repeat(samples.T, 2, axis=0)


def _mixed(stems: list[np.ndarray]) -> np.ndarray:
    """The sum of stems, as long as the longest."""
    if len(stems) == 1:
        return stems[0]
    out = np.zeros((2, max(stem.shape[1] for stem in stems)), np.float32)
    for stem in stems:
        out[:, : stem.shape[1]] += stem
    return out
