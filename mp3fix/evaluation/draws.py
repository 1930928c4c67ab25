"""Many draws of one excerpt: how good the best of them is, and how much they differ."""

from typing import Any

import numpy as np

from mp3fix.evaluation import scoring, spectral
from mp3fix.evaluation.excerpts import Pair
from mp3fix.evaluation.models import FixedZ
from mp3fix.generator.session import Generator
from mp3fix.restore import Options, Song
from mp3fix.signal import noise
from mp3fix.training.corpus import RATE

SEEDS = tuple(range(20))


def draws(pair: Pair, generator: Generator, fixed: FixedZ | None) -> dict[str, Any]:
    """Draw a mono pair with every seed at the default texture, and again with the first seed's z.

    Args:
        pair: of one channel.
        generator: the generator.
        fixed: the same, to be heard with one z; None for one without z.

    Returns:
        JSON. `lsd`, `mse`, `snr`: a value a seed. `best`: the seed of lowest LSD; `best_scores`: all measures of
        it. `levels`: long-term 1/3-octave levels in dB above the MP3's cut-off, (seeds, bands), of the whole
        excerpt and of its halves; `original`: (bands,); `fixed`: (seeds, bands) at one z, or None. `hz`:
        (bands,). `profile`: for a figure, long-term levels in 1/12 octaves of original, MP3 and each seed.
    """
    restored = _restored(pair, generator)
    figures = [scoring.fidelity(pair, each) for each in restored]
    best = int(np.argmin([each["lsd"] for each in figures]))
    x, powers = spectral.power(pair.reference[0]), [spectral.power(each) for each in restored]
    floor = max(float(x.max()) * 10 ** (spectral.FLOOR_DB / 10), 1e-30)
    hz, bands = spectral.third_octaves(pair.edges[0], pair.cutoff)
    half = len(x) // 2

    def levels(spectra: list[np.ndarray], columns: np.ndarray = bands) -> list[list[float]]:
        return [spectral.long_term_levels(each, columns, floor).tolist() for each in spectra]

    again = None
    if fixed is not None:
        fixed.z = noise.z_vector(SEEDS[0], fixed.contract.z_size)
        again = levels([spectral.power(each) for each in _restored(pair, fixed)])
    fine, narrow = spectral.third_octaves(0, pair.cutoff, parts=12)
    degraded = spectral.power(pair.degraded[0])
    return {
        **{name: [each[name] for each in figures] for name in figures[0]},
        "best": SEEDS[best],
        "best_scores": scoring.score(pair, restored[best : best + 1]),
        "hz": hz.tolist(),
        "levels": levels(powers),
        "halves": [levels([each[:half] for each in powers]), levels([each[half:] for each in powers])],
        "original": levels([x])[0],
        "fixed": again,
        "profile": {
            "hz": fine.tolist(),
            "original": levels([x], narrow)[0],
            "mp3": levels([degraded], narrow)[0],
            "seeds": levels(powers, narrow),
        },
    }


def _restored(pair: Pair, generator: Generator) -> np.ndarray:
    """Restorations of the pair's channel, float32 (seeds, n)."""
    song = Song(generator, RATE, 1, Options(seeds=SEEDS), maps=pair.maps(generator.contract.stft))
    return np.concatenate(list(song.restored(iter([pair.degraded]))), axis=2)[:, 0]
