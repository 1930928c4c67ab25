"""Scales of frequency: where a frequency stands on the vertical axis, and the rows of a picture."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

ScaleName = Literal["linear", "mel", "log"]

_LOG_LOWEST = 40.0  # Hz
_ROUND = (50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000)


@dataclass(frozen=True)
class Scale:
    """A scale from its lowest frequency, which is 0 but for "log", to `top`.

    Attributes:
        name: "linear"; "mel", about linear up to 1 kHz and logarithmic above (O'Shaughnessy 1987); or "log".
        top: the highest frequency, Hz.
    """

    name: ScaleName
    top: float

    @property
    def lowest(self) -> float:
        """The lowest frequency, Hz."""
        return _LOG_LOWEST if self.name == "log" else 0.0

    def place(self, hz: np.ndarray | float) -> np.ndarray:
        """Where frequencies stand: 0 is the lowest, 1 the top."""
        low, high = self._bend(np.array([self.lowest, self.top]))
        return (self._bend(np.maximum(hz, self.lowest)) - low) / (high - low)

    def edges(self, rows: int) -> np.ndarray:
        """The frequencies between which rows of equal height lie, Hz, (rows + 1,)."""
        low, high = self._bend(np.array([self.lowest, self.top]))
        bent = np.linspace(low, high, rows + 1)
        if self.name == "linear":
            return bent
        return np.exp(bent) if self.name == "log" else 700 * (10 ** (bent / 2595) - 1)

    def ticks(self, few: bool = False) -> list[float]:
        """Round frequencies, Hz: some more than four, or about four."""
        if self.name == "linear":
            steps = (500, 1000, 2000, 5000, 10000, 20000, 50000)
            step = next(step for step in (*steps, self.top) if self.top / step < (4 if few else 6))
            return [float(hz) for hz in np.arange(0, self.top, step)]
        lowest = 500 if self.name == "mel" else 0
        found = [0.0] * (self.name == "mel") + [float(hz) for hz in _ROUND if lowest <= hz <= self.top]
        return found[1::2] if few else found

    def _bend(self, hz: np.ndarray) -> np.ndarray:
        if self.name == "linear":
            return hz
        return np.log(hz) if self.name == "log" else 2595 * np.log10(1 + hz / 700)


def rows(power: np.ndarray, bin_hz: float, edges: np.ndarray) -> np.ndarray:
    """Mean power between each two edges, as if the power of a bin were spread evenly around it.

    Args:
        power: (T, F), the first bin at 0 Hz.
        bin_hz: between two bins.
        edges: (H + 1,), Hz, ascending. Above the last bin there is nothing.

    Returns:
        float64 (H, T).
    """
    below = np.zeros(
        (power.shape[1] + 1, len(power))
    )  # power below the lower edge of each bin, and of the last
    np.cumsum(power.T, axis=0, dtype=np.float64, out=below[1:])
    at = np.clip(edges / bin_hz + 0.5, 0, power.shape[1])
    whole = np.minimum(at.astype(int), power.shape[1] - 1)
    inside = below[whole] + (at - whole)[:, None] * power.T[whole]
    return np.maximum(np.diff(inside, axis=0), 0) / (np.diff(edges) / bin_hz)[:, None]
