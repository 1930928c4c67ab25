"""A generator against the MP3 on pieces it never saw."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mp3fix.evaluation import metrics
from mp3fix.restore import Options, Restorer
from mp3fix.signal.cutoff import CutoffMeter
from mp3fix.signal.stft import stft
from mp3fix.training import codec, corpus

SETTINGS = (
    *(codec.mono(kbps) for kbps in (16, 24, 32, 48, 64, 96, 128)),
    *(codec.stereo(kbps) for kbps in (64, 96, 128, 192, 320)),
    codec.vbr(5),
    codec.vbr(2),
)
SECONDS = 10


@dataclass(frozen=True)
class Score:
    """One excerpt at one setting, one system: "MP3", or a generator at a texture."""

    piece: str
    setting: str
    system: str
    lsd: float
    lsd_above: float
    level: float
    mse: float
    snr: float
    si_sdr: float


def excerpts(root: Path, limit: int | None = None) -> Iterator[tuple[corpus.Entry, np.ndarray]]:
    """The test pieces of a corpus: an excerpt of each, float32 (2, 10 s), from its middle."""
    test = [entry for entry in corpus.load(root) if entry.split == "test" and entry.kind == "music"]
    for entry in test[:limit]:
        start = max(0, (entry.frames - SECONDS * corpus.RATE) // 2)
        crop = corpus.pcm(root, entry)[:, start : start + SECONDS * corpus.RATE]
        yield entry, crop.astype(np.float32) / 32768


def evaluate(
    root: Path,
    restorer: Restorer,
    textures: Sequence[float],
    report: Callable[[str], None],
    limit: int | None = None,
) -> list[Score]:
    """Score every test piece at every setting and texture, and unharmed (identity)."""
    scores: list[Score] = []
    for entry, recording in excerpts(root, limit):
        report(entry.piece)
        for setting in (*SETTINGS, None):
            source = (
                recording.mean(0, keepdims=True) if setting is None or setting.channels == 1 else recording
            )
            degraded = codec.degrade(source, setting) if setting else source
            gain = codec.codec_gain(source, degraded) if setting else 1.0
            systems = {"MP3": degraded}
            for texture in textures:
                systems[f"texture {texture:g}"] = restorer.restore(
                    degraded, corpus.RATE, Options(texture=texture)
                )
            name = setting.name if setting else "identity"
            for system, estimate in systems.items():
                figures = [
                    _score(gain * r, d, e, entry.cutoff)
                    for r, d, e in zip(source, degraded, estimate, strict=True)
                ]
                scores.append(Score(entry.piece, name, system, *np.mean(figures, axis=0).tolist()))
    return scores


def _score(reference: np.ndarray, degraded: np.ndarray, estimate: np.ndarray, cutoff: float) -> list[float]:
    edge = _cutoff(degraded)
    known = [metrics.low_passed(each, cutoff) for each in (reference, estimate)]
    return [
        metrics.log_spectral_distance(reference, estimate, high=cutoff),
        metrics.log_spectral_distance(reference, estimate, low=edge, high=cutoff),
        metrics.level_distance(reference, estimate, high=cutoff),
        metrics.spectral_mse(reference, estimate, high=cutoff),
        min(120.0, metrics.snr(*known)),
        min(120.0, metrics.si_sdr(*known)),
    ]


def _cutoff(samples: np.ndarray) -> float:

    meter = CutoffMeter(metrics.SPEC)
    meter.push(stft(samples[np.newaxis], metrics.SPEC))
    return meter.hz


def table(scores: list[Score]) -> str:
    """A Markdown table of means over pieces, the MP3 beside each texture."""
    systems = list(dict.fromkeys(score.system for score in scores))
    pieces = len({score.piece for score in scores})
    lines = [
        f"Means over {pieces} test pieces, an excerpt of {SECONDS} s each. SI-SDR in dB / LSD in dB "
        "(floor -100 dB) / LSD above the MP3's cut-off / level LSD / MSE.",
        "",
        "| setting | " + " | ".join(systems) + " |",
        "|---|" + "---|" * len(systems),
    ]
    for setting in dict.fromkeys(score.setting for score in scores):
        cells = []
        for system in systems:
            mine = [s for s in scores if s.setting == setting and s.system == system]
            means = np.mean([[s.si_sdr, s.lsd, s.lsd_above, s.level, s.mse] for s in mine], axis=0)
            cells.append("{:.2f} / {:.2f} / {:.2f} / {:.2f} / {:.4f}".format(*means))
        lines.append(f"| {setting} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def save(scores: list[Score], path: Path) -> None:
    """Write all scores as JSON lines."""
    path.write_text("".join(json.dumps(vars(score)) + "\n" for score in scores))
