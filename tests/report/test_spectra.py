"""What is measured of a file for its picture."""

from pathlib import Path

import numpy as np
import pytest
from pipeline import written

from mp3fix.report import spectra
from mp3fix.report.scales import Scale, rows
from mp3fix.report.spectra import measure

RATE = 44100


def sine(hz: float, seconds: float, rate: int = RATE, level: float = 1.0) -> np.ndarray:
    return (level * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def loudest_hz(power: np.ndarray, bin_hz: float) -> float:
    return float(np.argmax(power) * bin_hz)


def decibels(power: np.ndarray) -> float:
    return float(10 * np.log10(power.max()))


@pytest.mark.parametrize("rate", [8000, 44100, 96000])
def test_a_sine_of_full_scale_is_0_db_at_every_rate(rate: int, tmp_path: Path) -> None:
    found = measure(written(tmp_path, sine(1000, 1, rate)[None], rate))
    assert found.rate == rate and found.seconds == 1
    assert loudest_hz(found.long_term[0], found.bin_hz) == pytest.approx(1000, abs=found.bin_hz)
    middle = found.columns[0, len(found.columns[0]) // 2]
    assert -1.5 < decibels(middle) < 0.1  # between two bins the window sees 1.4 dB less


def test_channels_that_cancel_are_still_seen(tmp_path: Path) -> None:
    samples = sine(3000, 0.5)
    path = written(tmp_path, np.stack([samples, -samples, 0 * samples, 0 * samples]), RATE)
    mono, each = measure(path), measure(path, channels="all")
    assert len(mono.columns) == 1 and len(each.columns) == 4
    assert decibels(each.long_term[0]) - decibels(mono.long_term[0]) == pytest.approx(3, abs=0.1)
    assert each.long_term[2].max() == 0


def test_only_the_part_that_was_restored(tmp_path: Path) -> None:
    path = written(tmp_path, np.concatenate([sine(1000, 1), sine(5000, 1), sine(9000, 1)])[None], RATE)
    found = measure(path, start=1.1, duration=0.8)
    assert found.seconds == pytest.approx(0.8)
    assert loudest_hz(found.long_term[0], found.bin_hz) == pytest.approx(5000, abs=30)
    assert found.long_term[0][round(9000 / found.bin_hz)] < 1e-6


def test_columns_of_a_long_file_are_few_and_keep_its_power(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Folding pairs must neither lose nor weigh frames; where a sound is in time must stay."""
    samples = np.concatenate([0.01 * sine(1000, 6), sine(5000, 2), 0.01 * sine(1000, 3)])
    path = written(tmp_path, samples[None], RATE)
    fine = measure(path)
    monkeypatch.setattr(spectra, "COLUMNS", 20)
    coarse = measure(path)
    assert 20 <= coarse.columns.shape[1] < 40 < fine.columns.shape[1]
    assert np.allclose(coarse.long_term, fine.long_term)
    weights = np.full(coarse.columns.shape[1], coarse.column_seconds)
    weights[-1] = fine.columns.shape[1] * fine.column_seconds - weights[:-1].sum()
    mean = (coarse.columns[0] * weights[:, None]).sum(0) / weights.sum()
    assert np.allclose(mean, fine.long_term[0], rtol=1e-3, atol=1e-9)
    at = np.flatnonzero(coarse.columns[0, :, round(5000 / coarse.bin_hz)] > 0.1) * coarse.column_seconds
    assert 6 - coarse.column_seconds <= at.min() <= 6 and 8 - coarse.column_seconds <= at.max() <= 8


@pytest.mark.parametrize("frames", [1, 4410])
def test_very_short_and_silent(frames: int, tmp_path: Path) -> None:
    found = measure(written(tmp_path, np.zeros((2, frames), np.float32), RATE))
    assert found.columns.shape[1] >= 1 and found.columns.max() == 0 and found.cutoff == 0


def test_the_cut_off(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).standard_normal(RATE)
    spectrum = np.fft.rfft(noise)
    spectrum[11000:] = 0  # Hz: it is a second
    samples = np.fft.irfft(spectrum).astype(np.float32)
    assert measure(written(tmp_path, 0.1 * samples[None], RATE)).cutoff == pytest.approx(11000, abs=100)


@pytest.mark.parametrize("name", ["linear", "mel", "log"])
def test_rows_hold_the_power_of_their_frequencies(name: str) -> None:
    """At every scale the rows over a band hold what the bins in it do, in rows wider and narrower than a bin."""
    scale = Scale(name, 22050)  # type: ignore[arg-type]
    bin_hz = 22050 / 1024
    power = np.random.default_rng(0).random((3, 1025))
    edges = scale.edges(300)
    assert edges[0] == pytest.approx(scale.lowest) and edges[-1] == pytest.approx(22050)
    found = rows(power, bin_hz, edges)
    inside = slice(round(edges[100] / bin_hz) + 1, round(edges[299] / bin_hz))
    total = (found[100:299] * np.diff(edges)[100:299, None]).sum(0) / bin_hz
    assert np.allclose(total, power[:, inside].sum(1), atol=2)
    peak = np.zeros((1, 1025))
    peak[0, 512] = 1
    row = int(np.argmax(rows(peak, bin_hz, edges)[:, 0]))
    assert edges[row] <= 11025 + bin_hz / 2 and edges[row + 1] >= 11025 - bin_hz / 2
    assert scale.place(11025) == pytest.approx((row + 0.5) / 300, abs=0.01)


def test_nothing_is_above_the_band_of_a_file() -> None:
    """An input of 8 kHz beside its restoration of 44.1 kHz."""
    edges = Scale("linear", 22050).edges(441)  # 50 Hz each
    power = np.ones((1, 257))
    power[0, 0] = 100
    found = rows(power, 4000 / 256, edges)[:, 0]
    assert np.allclose(found[1:80], 1) and found[80] <= 1 and (found[81:] == 0).all()


@pytest.mark.parametrize("top", [4000.0, 11025.0, 22050.0, 24000.0, 96000.0])
@pytest.mark.parametrize("name", ["linear", "mel", "log"])
def test_ticks_are_round_and_inside(name: str, top: float) -> None:
    scale = Scale(name, top)  # type: ignore[arg-type]
    for few in (False, True):
        ticks = scale.ticks(few)
        assert 2 <= len(ticks) <= 10 and ticks == sorted(set(ticks))
        assert scale.lowest <= ticks[0] and ticks[-1] <= top
        assert all(f"{hz / 1000:g}" == f"{hz / 1000:.2f}".rstrip("0").rstrip(".") for hz in ticks)
