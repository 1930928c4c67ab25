"""Spectrograms before and after, drawn as the song streams by."""

from pathlib import Path

import numpy as np

from mp3fix.files.decode import open_decoder
from mp3fix.signal.resample import RateStream
from mp3fix.signal.stft import StftSpec, StftStream

WIDTH = 1000  # columns of a picture
RANGE_DB = 90.0


def columns(path: Path, rate: int = 44100) -> tuple[np.ndarray, float]:
    """Mean power of a file's spectrogram in time columns.

    Returns:
        float64 (F, T), T <= WIDTH, and the file's length in seconds.
    """
    spec = StftSpec(rate=rate)
    with open_decoder(path) as decoder:
        resample = RateStream(decoder.rate, rate, decoder.channels)
        stream = StftStream(spec, decoder.channels)
        powers: list[np.ndarray] = []
        length = 0
        for block in decoder.blocks():
            samples = resample.push(block)
            length += samples.shape[1]
            powers.append(_power(stream.push(samples)))
        rest = resample.flush()
        length += rest.shape[1]
        powers += [_power(stream.push(rest)), _power(stream.flush())]
    frames = np.concatenate(powers)
    edges = np.linspace(0, len(frames), min(WIDTH, len(frames)) + 1).astype(int)
    return np.add.reduceat(frames, edges[:-1], axis=0).T / np.diff(edges), length / rate


def before_and_after(before: Path, after: Path, picture: Path, titles: tuple[str, str]) -> None:
    """Draw two files one above the other, on one scale, into a PNG."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    data = [columns(path) for path in (before, after)]
    top = max(10 * np.log10(power.max() + 1e-12) for power, _ in data)
    figure, axes = plt.subplots(2, 1, figsize=(11, 8), sharex=True, sharey=True, layout="constrained")
    for axis, (power, seconds), title in zip(axes, data, titles, strict=True):
        image = axis.imshow(
            10 * np.log10(power + 1e-12) - top,
            origin="lower",
            aspect="auto",
            cmap="magma",
            vmin=-RANGE_DB,
            vmax=0,
            extent=(0, seconds, 0, 22.05),
            interpolation="nearest",
        )
        axis.set_title(title, loc="left")
        axis.set_ylabel("kHz")
    axes[1].set_xlabel("seconds")
    figure.colorbar(image, ax=axes, label="dB below the strongest bin", shrink=0.7)
    figure.savefig(picture, dpi=100)
    plt.close(figure)


def _power(frames: np.ndarray) -> np.ndarray:
    """Mean over channels, float32 (T, F)."""
    return (frames.real**2 + frames.imag**2).mean(0)
