"""Pictures of a restoration: spectrograms before and after on one scale, and their long-term spectra beside them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mp3fix.errors import EncodeError
from mp3fix.files import temporary
from mp3fix.files.names import shown
from mp3fix.report import marks
from mp3fix.report.plotting import plotting
from mp3fix.report.scales import Scale, ScaleName, rows
from mp3fix.report.spectra import Channels, Spectra, measure

RANGE_DB = 90.0  # from the brightest colour down to the darkest
_ROWS = 512  # of a spectrogram
_DPI = 100
_COLOURS = "magma"  # even steps of lightness: readable in grey, and by those who see few colours
_LINES = (
    "#D55E00",
    "#0072B2",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
)  # made for those too: Okabe & Ito 2008
_FULL = 0.49  # of the rate: a spectrum that ends there has no cut-off
_LOUD = 99.5  # percent of a spectrogram are below the brightest colour
_LONGEST = 100  # characters of a heading
_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)


@dataclass(frozen=True)
class View:
    """How a picture looks.

    Attributes:
        scale: of frequency.
        channels: "mono" shows the mean of all channels' powers, "all" each channel.
    """

    scale: ScaleName = "linear"
    channels: Channels = "mono"


@dataclass(frozen=True)
class Shown:
    """A file in a picture.

    Attributes:
        path: the file.
        title: what it is, in a line.
        short: the same in a word or two, for a legend.
    """

    path: Path
    title: str
    short: str


def draw(
    picture: Path,
    heading: str,
    before: Shown,
    after: Sequence[Shown],
    view: View,
    *,
    start: float = 0.0,
    duration: float | None = None,
    mark: str = "",
    overwrite: bool = False,
    tick: Callable[[float], None] | None = None,
) -> None:
    """Draw a file as it was and as it was restored, in memory that does not grow with its length.

    Args:
        picture: the .png, .svg or .pdf to write; its folder must be there.
        heading: above it all.
        before: the input.
        after: the restorations, one a draw.
        view: how.
        start, duration: the part of the input that the restorations are of, seconds.
        mark: kept in the picture, for `marks.read`.
        overwrite: whether an existing picture is replaced.
        tick: called with the seconds of a file measured, every second or so.

    Raises:
        DecodeError: one of them cannot be decoded.
        EncodeError: the picture cannot be written, or exists.
        Mp3fixError: matplotlib is not installed.
    """
    measured = [measure(before.path, start, duration, view.channels, tick)]
    measured += [measure(each.path, channels=view.channels, tick=tick) for each in after]
    try:
        made = temporary.create(picture)
        try:
            with plotting():
                figure = _figure(heading, [before, *after], measured, view, start)
                form = picture.suffix[1:].lower()
                _save(figure, made, form, marks.metadata(form, mark))
            temporary.sync(made)
            temporary.publish(made, picture, overwrite)
        finally:
            temporary.remove(made)
    except OSError as error:
        raise EncodeError(f"{shown(picture)} cannot be written: {error.strerror or error}") from error


def _save(figure: Any, path: Path, form: str, metadata: dict[str, str | None]) -> None:
    if form != "png":
        figure.savefig(path, format=form, dpi=_DPI, metadata=metadata)
        return
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image, PngImagePlugin

    figure.dpi = _DPI
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    image = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])
    about = PngImagePlugin.PngInfo()
    for key, value in metadata.items():
        about.add_text(key, value or "")
    # 256 colours are a third of the bytes, and no eye tells them from all.
    palette = Image.new("P", (1, 1))
    palette.putpalette(_palette().tobytes())
    small = image.quantize(palette=palette, dither=Image.Dither.NONE)
    small.save(path, "png", pnginfo=about, optimize=True, dpi=(_DPI, _DPI))


def _palette() -> np.ndarray:
    """All that is drawn with: the colours of levels and of lines, and these fading into the paper; uint8 (256, 3)."""
    import matplotlib
    from matplotlib.colors import to_rgb

    fading = np.linspace(0, 1, 8, endpoint=False)[:, None]
    lines = [np.array(to_rgb(colour)) * (1 - fading) + fading for colour in _LINES]
    greys = np.linspace(0.3, 1, 24)[:, None].repeat(3, 1)  # of writing; darker ones are too like dark colours
    levels = matplotlib.colormaps[_COLOURS](np.linspace(0, 1, 256 - 24 - 8 * len(_LINES)))[:, :3]
    return np.round(np.concatenate([levels, greys, *lines]) * 255).astype(np.uint8)


def _figure(
    heading: str, files: Sequence[Shown], measured: Sequence[Spectra], view: View, start: float
) -> Any:
    from matplotlib.figure import Figure

    scale = Scale(view.scale, max(each.rate for each in measured) / 2)
    channels = len(measured[0].columns)
    count = channels * len(files)
    height = 3.1 if count <= 2 else 2.0 if count <= 4 else 1.5
    figure = Figure(figsize=(12, 1 + count * height), layout="constrained")
    grid = figure.add_gridspec(count, 2, width_ratios=(5, 1))
    figure.suptitle(_shortened(heading), x=0.01, ha="left", fontsize=12, fontweight="bold")
    levels = [[_levels(power, each, scale) for power in each.columns] for each in measured]
    top = _top_db(levels)
    axes: list[Any] = []
    for channel in range(channels):
        for file, each, level in zip(files, measured, levels, strict=True):
            first = axes[0] if axes else None
            axis = figure.add_subplot(grid[len(axes), 0], sharex=first, sharey=first)
            image = _spectrogram(axis, level[channel], each, scale, start, top)
            title = f"{file.title}, {_channel(channel, channels)}" if channels > 1 else file.title
            axis.set_title(title, loc="left", fontsize=10)
            axes.append(axis)
            _frequencies(axis, scale, few=count > 4)
            axis.label_outer()
    _times(axes[-1], start, max(each.seconds for each in measured))
    # Beside two rows each its own, so that the eye can follow a frequency; beside more one for all.
    if count == 2:
        sides = [figure.add_subplot(grid[row, 1], sharey=axes[row]) for row in range(2)]
        _long_term(sides[0], files[:1], measured, scale, top)
        sides[0].label_outer()
    else:
        sides = [figure.add_subplot(grid[:, 1])]
        _frequencies(sides[0], scale, few=False)
    _long_term(sides[-1], files, measured, scale, top)
    for side in sides if count == 2 else ():
        side.tick_params(labelleft=False)
    sides[-1].set_xlabel("long-term level, dB")
    bar = figure.colorbar(image, ax=[*axes, *sides], pad=0.01, fraction=0.02, aspect=50, extend="both")
    bar.set_label("dB re a sine of full scale")
    return figure


def _levels(power: np.ndarray, each: Spectra, scale: Scale) -> np.ndarray:
    """Rows of a spectrogram, dB, (H, T)."""
    return _decibels(rows(power, each.bin_hz, scale.edges(_ROWS))).astype(np.float32)


def _decibels(power: np.ndarray) -> np.ndarray:
    return 10 * np.log10(np.maximum(power, 1e-20))


def _top_db(levels: Sequence[Sequence[np.ndarray]]) -> float:
    """The level of the brightest colour: round, and passed by the loudest bass alone, else treble would be dark."""
    loudest = max(float(np.percentile(each, _LOUD)) for channels in levels for each in channels)
    return min(0.0, max(-60.0, 5 * np.ceil(loudest / 5)))


def _spectrogram(axis: Any, levels: np.ndarray, each: Spectra, scale: Scale, start: float, top: float) -> Any:
    image = axis.imshow(
        levels,
        origin="lower",
        aspect="auto",
        cmap=_COLOURS,
        vmin=top - RANGE_DB,
        vmax=top,
        extent=(start, start + levels.shape[1] * each.column_seconds, 0, 1),
        interpolation="antialiased",
    )
    if 0 < each.cutoff < _FULL * each.rate:
        from matplotlib.patheffects import withStroke

        place = float(scale.place(each.cutoff))
        above = place < 0.85
        axis.axhline(place, color="white", linewidth=0.8, linestyle=(0, (4, 3)))
        axis.annotate(
            f"{each.cutoff / 1000:.1f} kHz",
            (1, place),
            (-4, 3 if above else -3),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            ha="right",
            va="bottom" if above else "top",
            color="white",
            fontsize=9,
            path_effects=[withStroke(linewidth=2, foreground="black")],
        )
    return image


def _long_term(
    axis: Any, files: Sequence[Shown], measured: Sequence[Spectra], scale: Scale, top: float
) -> None:
    """The first of the files as an area, the others as lines; the mean of all channels."""
    edges = scale.edges(_ROWS // 2)
    places = scale.place((edges[1:] + edges[:-1]) / 2)
    lowest = top - RANGE_DB
    for number, (file, each) in enumerate(zip(files, measured, strict=False)):
        levels = _decibels(rows(each.long_term.mean(0)[None], each.bin_hz, edges)[:, 0])
        if number == 0:
            axis.fill_betweenx(
                places, lowest, np.maximum(levels, lowest), color="0.75", lw=0, label=file.short
            )
        else:
            colour = _LINES[(number - 1) % len(_LINES)]
            axis.plot(levels, places, color=colour, linewidth=1.1, label=file.short)
    axis.set_ylim(0, 1)
    axis.set_xlim(lowest, top)
    axis.grid(alpha=0.3, linewidth=0.6)
    axis.legend(loc="upper right", fontsize=9, frameon=False, handlelength=1.2)


def _frequencies(axis: Any, scale: Scale, few: bool) -> None:
    ticks = scale.ticks(few)
    axis.set_yticks(scale.place(np.array(ticks)), [f"{hz / 1000:g}" for hz in ticks])
    axis.set_ylabel("kHz")


def _times(axis: Any, start: float, seconds: float) -> None:
    seconds = max(seconds, 0.01)
    step = next((step for step in _STEPS if seconds / step <= 10), _STEPS[-1])
    ticks = np.arange(np.ceil(start / step), np.floor((start + seconds) / step) + 1) * step
    minutes = start + seconds >= 60
    axis.set_xticks(ticks, [_clock(tick, step) if minutes else f"{tick:g}" for tick in ticks])
    axis.set_xlim(start, start + seconds)
    axis.set_xlabel("time, m:ss" if minutes else "time, s")


def _clock(seconds: float, step: float) -> str:
    """A time: "1:05", "1:02:03", "0:01.5"."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    text = f"{rest:04.1f}" if step < 1 else f"{round(rest):02}"
    return f"{hours}:{minutes:02}:{text}" if hours else f"{minutes}:{text}"


def _channel(number: int, channels: int) -> str:
    return ("left", "right")[number] if channels == 2 else f"channel {number + 1}"


def _shortened(text: str) -> str:
    half = _LONGEST // 2
    return text if len(text) <= _LONGEST else f"{text[:half]}…{text[-half:]}"
