"""The short-time Fourier transform on an absolute grid, whole or streamed, and its inverse.

Frame t covers the samples [t * hop + offset, t * hop + offset + n_fft), where sample 0 is the first of the
song and the signal is zero outside it (no reflection). The indices of the frames that overlap the song's
start are therefore negative: -1 is the first for n_fft = 2048, hop = 512, centred.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

WINDOWS = ("hann", "sqrt_hann", "hamming")
_BATCH = (
    32  # frames transformed at a time: small enough to stay in the cache, three times faster than all at once
)
_ENVELOPE_FLOOR = 1e-3  # of the envelope's maximum; below it the inverse would amplify errors without bound


@dataclass(frozen=True)
class StftSpec:
    """What defines an STFT. The default is the transform of the bundled generators.

    Attributes:
        rate: sampling rate in Hz.
        n_fft: samples a frame.
        win_length: samples of the window; shorter than n_fft, it is centred and zero-padded.
        hop: samples between frames.
        window: one of WINDOWS, periodic.
        centred: frame t is centred on sample t * hop, instead of beginning there.

    Raises:
        ValueError: when a value is out of range, or when the transform cannot be inverted because the
            squared windows, overlapped by hop, add up to (nearly) zero somewhere.
    """

    rate: int = 44100
    n_fft: int = 2048
    win_length: int = 2048
    hop: int = 512
    window: str = "hann"
    centred: bool = True

    def __post_init__(self) -> None:
        if min(self.rate, self.n_fft, self.win_length, self.hop) < 1:
            raise ValueError("rate, n_fft, win_length and hop must be positive")
        if self.win_length > self.n_fft:
            raise ValueError(f"win_length {self.win_length} is longer than n_fft {self.n_fft}")
        if self.window not in WINDOWS:
            raise ValueError(f"window {self.window!r} is none of {', '.join(WINDOWS)}")
        envelope = _envelope(self)
        if envelope.min() <= _ENVELOPE_FLOOR * envelope.max():
            raise ValueError(
                f"a {self.window} window of {self.win_length} samples leaves gaps at hop {self.hop}"
            )

    @property
    def bins(self) -> int:
        """Frequency bins a frame."""
        return self.n_fft // 2 + 1

    @property
    def offset(self) -> int:
        """First sample of frame 0."""
        return -(self.n_fft // 2) if self.centred else 0

    @property
    def first_frame(self) -> int:
        """Absolute index of the first frame that overlaps sample 0."""
        return (-self.offset - self.n_fft) // self.hop + 1

    def analysis_window(self) -> np.ndarray:
        """The window, float32 (n_fft,), read-only."""
        return _windows(self)[0]

    def synthesis_window(self) -> np.ndarray:
        """The window divided by the squared-window envelope, float32 (n_fft,), read-only.

        Overlap-adding frames weighted by it is the least-squares inverse (Griffin & Lim 1984, eq. 6) on
        the infinite grid, where the envelope repeats every hop samples and so can be divided out beforehand.
        """
        return _windows(self)[1]

    @property
    def noise_rms(self) -> float:
        """Rms magnitude of the STFT of white noise of unit variance."""
        return float(np.sqrt(np.sum(self.analysis_window().astype(np.float64) ** 2)))

    def frame_range(self, frames: int) -> tuple[int, int]:
        """Absolute frame indices [first, stop) that overlap a song of this many samples per channel."""
        if frames <= 0:
            return self.first_frame, self.first_frame
        return self.first_frame, -((self.offset - frames) // self.hop)

    def sample_span(self, start: int, stop: int) -> tuple[int, int]:
        """Samples [first, stop) that the frames [start, stop) touch."""
        return start * self.hop + self.offset, (stop - 1) * self.hop + self.offset + self.n_fft


def _window(spec: StftSpec) -> np.ndarray:
    """The window in float64, zero-padded to n_fft."""
    phase = 2 * np.pi * np.arange(spec.win_length) / spec.win_length
    lowest = 0.08 if spec.window == "hamming" else 0.0
    shape = (1 + lowest) / 2 - (1 - lowest) / 2 * np.cos(phase)
    if spec.window == "sqrt_hann":
        shape = np.sqrt(shape)
    window = np.zeros(spec.n_fft)
    left = (spec.n_fft - spec.win_length) // 2
    window[left : left + spec.win_length] = shape
    return window


def _envelope(spec: StftSpec) -> np.ndarray:
    """Sum of the squared windows of all frames over a sample, by its position modulo hop, float64 (hop,)."""
    squared = np.zeros(-(-spec.n_fft // spec.hop) * spec.hop)
    squared[: spec.n_fft] = _window(spec) ** 2
    return squared.reshape(-1, spec.hop).sum(axis=0)


@lru_cache(maxsize=16)
def _windows(spec: StftSpec) -> tuple[np.ndarray, np.ndarray]:
    """Analysis and synthesis window, float32."""
    analysis = _window(spec)
    synthesis = analysis / np.resize(_envelope(spec), spec.n_fft)
    pair = analysis.astype(np.float32), synthesis.astype(np.float32)
    for window in pair:
        window.setflags(write=False)
    return pair


def stft(samples: np.ndarray, spec: StftSpec) -> np.ndarray:
    """Frames that lie wholly inside the array, the first beginning at its sample 0.

    Unlike torch.stft this pads nothing: the caller decides what surrounds the samples.

    Shape:
        samples: float32 (C, n).
        returns: complex64 (C, T, F), T = max(0, (n - n_fft) // hop + 1), F = n_fft // 2 + 1.
    """
    channels, length = samples.shape
    count = max(0, (length - spec.n_fft) // spec.hop + 1)
    spectra = np.empty((channels, count, spec.bins), np.complex64)
    if count == 0:
        return spectra
    window = spec.analysis_window()
    frames = np.lib.stride_tricks.sliding_window_view(samples, spec.n_fft, axis=1)[:, :: spec.hop]
    windowed = np.empty((_BATCH, spec.n_fft), np.float32)
    for c in range(channels):
        for t in range(0, count, _BATCH):
            size = min(_BATCH, count - t)
            np.multiply(frames[c, t : t + size], window, out=windowed[:size])
            np.fft.rfft(windowed[:size], out=spectra[c, t : t + size])
    return spectra


def istft(frames: np.ndarray, spec: StftSpec) -> np.ndarray:
    """Samples from the first frame's first to the last frame's last: the inverse of stft.

    Exact where every frame of the infinite grid that covers a sample is there; the n_fft - hop samples at
    either end lack some.

    Shape:
        frames: complex64 (C, T, F), T > 0.
        returns: float32 (C, (T - 1) * hop + n_fft).
    """
    channels, count, _ = frames.shape
    total = np.zeros((channels, count - 1 + _hops(spec), spec.hop), np.float32)
    for c in range(channels):
        _overlap_add(frames[c], total[c], spec)
    return total.reshape(channels, -1)[:, : (count - 1) * spec.hop + spec.n_fft]


def _hops(spec: StftSpec) -> int:
    """Hops that a frame spans, the last perhaps in part."""
    return -(-spec.n_fft // spec.hop)


def _overlap_add(frames: np.ndarray, total: np.ndarray, spec: StftSpec) -> None:
    """Add frames, complex64 (T, F), to the hops they cover, float32 (T - 1 + hops or more, hop)."""
    hops, window = _hops(spec), spec.synthesis_window()
    for t in range(0, len(frames), _BATCH):
        batch = frames[t : t + _BATCH]
        waves = np.zeros((len(batch), hops, spec.hop), np.float32)
        frame = waves.reshape(len(batch), -1)[:, : spec.n_fft]  # a view
        np.multiply(np.fft.irfft(batch, spec.n_fft), window, out=frame)
        # From the last hop of each frame to its first, every sample sums its frames in the order of time,
        # however they were cut into blocks: float32 sums depend on their order.
        for h in reversed(range(hops)):
            total[t + h : t + h + len(batch)] += waves[:, h]


class StftStream:
    """The STFT of a song that arrives in blocks: the same bits for every block size.

    The frames begin with the absolute frame spec.first_frame and end with the last that overlaps the song.
    """

    def __init__(self, spec: StftSpec, channels: int) -> None:
        self._spec = spec
        self._given = 0
        self._frames = 0
        # The silence before the song that its first frame covers.
        silence = -(spec.first_frame * spec.hop + spec.offset)
        self._pending = np.zeros((channels, silence), np.float32)

    def push(self, block: np.ndarray) -> np.ndarray:
        """Take samples, float32 (C, n); return the frames now complete, complex64 (C, T, F)."""
        self._given += block.shape[1]
        return self._advance(block)

    def flush(self) -> np.ndarray:
        """Return the frames that reach over the song's end, complex64 (C, T, F)."""
        first, stop = self._spec.frame_range(self._given)
        left = stop - first - self._frames
        needed = (left - 1) * self._spec.hop + self._spec.n_fft if left else 0
        padding = max(0, needed - self._pending.shape[1])
        return self._advance(np.zeros((self._pending.shape[0], padding), np.float32), left)

    def _advance(self, block: np.ndarray, limit: int | None = None) -> np.ndarray:
        samples = np.concatenate([self._pending, block], axis=1)
        spectra = stft(samples, self._spec)[:, :limit]
        self._frames += spectra.shape[1]
        self._pending = samples[:, spectra.shape[1] * self._spec.hop :].copy()
        return spectra


class IstftStream:
    """The inverse: overlap-adds frames that arrive in blocks. The same bits for every block size.

    Args:
        spec: the STFT.
        channels: C.
        frames_total: samples per channel of the whole song where they are known beforehand; flush then
            needs no length.
    """

    def __init__(self, spec: StftSpec, channels: int, frames_total: int | None = None) -> None:
        self._spec = spec
        self._total = frames_total
        self._tail = np.zeros((channels, _hops(spec) * spec.hop), np.float32)
        # Samples to drop: the first frame begins before the song, the hop held back before that frame.
        self._skip = spec.hop - (spec.first_frame * spec.hop + spec.offset)
        self._given = 0
        self._frames = 0

    def push(self, frames: np.ndarray) -> np.ndarray:
        """Take frames, complex64 (C, T, F), the first being spec.first_frame; return the samples now final.

        What only the last frame can complete is held back, since the song may end inside it.
        """
        channels, count, _ = frames.shape
        hop, hops = self._spec.hop, _hops(self._spec)
        self._frames += count
        # The tail begins with the hop held back; the first of the new frames begins one hop later.
        total = np.zeros((channels, count + hops, hop), np.float32)
        total[:, :hops] = self._tail.reshape(channels, hops, hop)
        for c in range(channels):
            _overlap_add(frames[c], total[c, 1:], self._spec)
        self._tail = total[:, count:].reshape(channels, -1).copy()
        final = total[:, :count].reshape(channels, -1)
        dropped = min(self._skip, final.shape[1])
        self._skip -= dropped
        self._given += final.shape[1] - dropped
        return final[:, dropped:]

    def flush(self, length: int | None = None) -> np.ndarray:
        """Return the rest of a song of this many samples per channel, float32 (C, n).

        Raises:
            ValueError: when no length is known, or a song of that length has another number of frames.
        """
        length = self._total if length is None else length
        if length is None:
            raise ValueError("the length of the song is not known")
        first, stop = self._spec.frame_range(length)
        if self._frames != stop - first:
            raise ValueError(f"{length} samples have {stop - first} frames, not {self._frames}")
        return self._tail[:, self._skip :][:, : length - self._given]
