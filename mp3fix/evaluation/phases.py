"""How well phases are found: `python -m mp3fix.evaluation.phases CORPUS` compares the ways of --phase.

The magnitudes are those of the recording, as if a generator were perfect: what is still wrong, the phases are. They are
found from the MP3's, as generator.apply does it: little noise is where the MP3 has nothing.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from mp3fix.evaluation.excerpts import Pair, excerpts, pair
from mp3fix.generator.apply import HINT, ITERATIONS
from mp3fix.signal import griffinlim, neighbours, noise
from mp3fix.signal.stft import StftSpec, istft, stft

SPEC = StftSpec()
SETTINGS = ("32k mono", "64k mono")
HIGH = 8500  # Hz: above it, an MP3 of 32 kbit/s mono has nothing
_FLOOR = 1e-4  # of levels in dB
_EDGE = 4  # frames at both ends that lack some of those around them

Way = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def _griffinlim(magnitude: np.ndarray, start: np.ndarray, kept: np.ndarray) -> np.ndarray:
    return griffinlim.refine(magnitude[None], start[None], kept[None], SPEC, ITERATIONS)[0]


def _start(magnitude: np.ndarray, start: np.ndarray, kept: np.ndarray) -> np.ndarray:
    return (magnitude * np.exp(1j * np.angle(start))).astype(np.complex64)


WAYS: dict[str, Way] = {
    "as they are": _start,
    "neighbours": lambda magnitude, start, kept: neighbours.refine(magnitude, start, kept, SPEC),
    "griffinlim": _griffinlim,
}


def measure(made: Pair) -> dict[str, np.ndarray]:
    """For each way: SNR in dB, spectral convergence in dB of all and above HIGH, LSD in dB, seconds of CPU a second.

    The spectral convergence is the norm of the difference between the magnitudes of the signal that results and those
    asked for, over the norm of these.
    """
    reference = made.reference[
        0, : (made.reference.shape[1] - SPEC.n_fft) // SPEC.hop * SPEC.hop + SPEC.n_fft
    ]
    wanted = np.abs(stft(reference[None], SPEC)[0])
    degraded = stft(made.degraded[:1, : len(reference)], SPEC)[0]
    drawn = noise.spectrogram(0, 0, 0, len(wanted), SPEC)
    start = (degraded + drawn * (wanted * np.float32(HINT / SPEC.noise_rms))).astype(np.complex64)
    results = {}
    for name, way in WAYS.items():
        begun = time.process_time()
        frames = way(wanted, start, np.zeros(wanted.shape, np.float32))
        taken = (time.process_time() - begun) / (len(reference) / SPEC.rate)
        samples = istft(frames[None], SPEC)[0]
        inside = slice(_EDGE * SPEC.hop, -_EDGE * SPEC.hop)
        error = np.sum((samples - reference)[inside] ** 2) / np.sum(reference[inside] ** 2)
        got = np.abs(stft(samples[None], SPEC)[0])[_EDGE:-_EDGE]
        asked = wanted[_EDGE:-_EDGE]
        top = slice(HIGH * SPEC.n_fft // SPEC.rate, None)
        distance = 20 * np.log10((got + _FLOOR) / (asked + _FLOOR))
        results[name] = np.array(
            [
                -10 * np.log10(error),
                _convergence(got, asked),
                _convergence(got[:, top], asked[:, top]),
                np.sqrt(np.mean(distance**2, axis=1)).mean(),
                taken,
            ]
        )
    return results


def _convergence(got: np.ndarray, asked: np.ndarray) -> float:
    return float(20 * np.log10(np.linalg.norm(got - asked) / np.linalg.norm(asked)))


def main(arguments: list[str] | None = None) -> None:
    """Print a table, the mean over the test pieces of a corpus."""
    parser = argparse.ArgumentParser(prog="python -m mp3fix.evaluation.phases", description=__doc__)
    parser.add_argument("corpus", type=Path, metavar="CORPUS")
    parser.add_argument("--pieces", type=int, help="of the first pieces only")
    options = parser.parse_args(arguments)
    pieces = excerpts(options.corpus, options.pieces)
    print(
        "| setting | phases | SNR, dB | convergence, dB | above 8.5 kHz, dB | LSD, dB | CPU seconds a second |"
    )
    print("|---|---|---|---|---|---|---|")
    for setting in SETTINGS:
        found = [measure(pair(piece, setting)) for piece in pieces]
        for name in WAYS:
            values = np.mean([each[name] for each in found], axis=0)
            print(
                f"| {setting} | {name} | "
                + " | ".join(f"{x:.2f}" for x in values[:4])
                + f" | {values[4]:.4f} |"
            )


if __name__ == "__main__":
    main()
