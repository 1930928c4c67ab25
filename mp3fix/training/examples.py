"""Training examples: a crop of the corpus, changed a little, and what a random MP3 leaves of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy.signal
import soxr
import torch
from torch.utils.data import IterableDataset, get_worker_info

from mp3fix.bitstream.maps import NAMES, UNKNOWN
from mp3fix.signal.stft import StftSpec
from mp3fix.training import codec, corpus
from mp3fix.training.codec import Setting
from mp3fix.training.spectra import known_bins

MARGIN = 6000  # samples on each side of a crop for the codec to start up and run out
DULL_SHARE = 0.4  # of the examples of high quality that are low-passed first ...
DULL_HZ = (6000.0, 19000.0)  # ... in this range: a cut-off alone does not mean a coarse encoder ...
DULL_SLOPE_HZ = (300.0, 4000.0)  # ... falling over this width: steep as an encoder's filter, or as in nature
TILT_SHARE = 0.2  # of all examples that fall off ...
TILT_HZ = (500.0, 2000.0)  # ... from here ...
TILT_DB = (2.0, 12.0)  # ... by so much an octave: few songs are as dark as a lone instrument
INTEGER_SHARE = 0.2  # of MP3s that are stored in 16 bits, as one decoded to a WAV or FLAC is ...
INTEGER_SHARE_UNHARMED = 0.75  # ... and of what no codec has touched, which mostly comes in 16 bits ...
DITHER_SHARE = 0.3  # ... of these, with dither: its floor must not be taken for something the MP3 kept
BARE_SHARE = 0.08  # of the other MP3s whose bits are not known either, as of other codecs and damaged files
# How often a category is drawn, relative to its length: of solo and vocals there is little.
WEIGHTS = {"solo": 2.6, "vocals": 5.0, "pop or rock": 1.5}
SETTINGS: tuple[tuple[Setting, float], ...] = (
    (codec.mono(16), 1.2),
    (codec.mono(24), 2.6),
    (codec.mono(32), 1.2),
    (codec.mono(32, own_rate=False), 0.8),
    (codec.mono(48), 1.0),
    (codec.mono(48, own_rate=False), 0.7),
    (codec.mono(64), 2.0),
    (codec.mono(96), 0.8),
    (codec.mono(128), 0.9),
    (codec.stereo(32), 1.2),
    (codec.stereo(48), 1.2),
    (codec.stereo(64), 1.5),
    (codec.stereo(32, own_rate=True), 0.4),
    (codec.stereo(48, own_rate=True), 0.4),
    (codec.stereo(64, own_rate=True), 0.5),
    (codec.stereo(96, own_rate=True), 0.4),
    (codec.stereo(96), 1.0),
    (codec.stereo(128), 1.2),
    (codec.stereo(192), 0.9),
    (codec.stereo(320), 0.9),
    (codec.vbr(5), 0.5),
    (codec.vbr(2), 0.7),
)


@dataclass(frozen=True)
class Example:
    """One channel of one pair.

    Attributes:
        degraded: what the MP3 left, float32 (n,).
        target: the recording times the codec's gain, float32 (n,).
        trusted: frequency up to which the target is known, as a share of the Nyquist frequency.
        allowed: by how much a draw's error may exceed the MP3's, in dB.
        maps: of the MP3's bitstream, float32 (K, F, T); no values where nobody asks for them.
    """

    degraded: np.ndarray
    target: np.ndarray
    trusted: float
    allowed: float
    maps: np.ndarray


class Batch(NamedTuple):
    """Examples side by side: degraded (B, n), target (B, n), trusted (B,), allowed (B,), maps (B, K, F, T) or none."""

    degraded: torch.Tensor
    target: torch.Tensor
    trusted: torch.Tensor
    allowed: torch.Tensor
    maps: torch.Tensor = torch.zeros(0)

    def to(self, device: torch.device) -> "Batch":
        """The same on a device."""
        return Batch(*(part.to(device) for part in self))

    def known(self, bins: int) -> torch.Tensor:
        """1 for each of so many bins up to the Nyquist frequency where a target is known, else 0: (B, bins)."""
        return known_bins(self.trusted, bins)


def allowed_loss(setting: Setting | None) -> float:
    """By how much, in dB, a draw's error may exceed that of an MP3 at this setting; None: no MP3 at all.

    What is coarsely coded has holes to fill, and a drawn filling costs waveform; what is nearly perfect has none.
    """
    kbps = 320 if setting is None else setting.kbps or 128
    return 1.2 if kbps <= 32 else 0.35 if kbps <= 64 else 0.05


class Examples(IterableDataset):
    """An endless stream of examples; workers draw from different seeds.

    Args:
        root: the corpus.
        entries: its training files.
        length: samples an example.
        seed: of the first worker.
        samples_share: how many crops carry drum hits and loops, alone or over music.
        settings: of the codec, by name; none: all of SETTINGS.
        identity_share: how many no codec has touched.
        rate: of the examples, Hz.
        maps: the STFT for which the maps of the bitstream are wanted, or None.
    """

    def __init__(
        self,
        root: Path,
        entries: list[corpus.Entry],
        length: int,
        seed: int,
        samples_share: float,
        settings: Sequence[str] = (),
        identity_share: float = 0.12,
        rate: int = corpus.RATE,
        maps: StftSpec | None = None,
    ) -> None:
        self._root, self._seed, self._share, self._identity = root, seed, samples_share, identity_share
        self._wanted, self._rate, self._maps = length, rate, maps
        # Of the crop, which is coded at the corpus' rate.
        self._length = -(-length * corpus.RATE // rate)
        chosen = [each for each in SETTINGS if not settings or each[0].name in settings]
        self._settings = [setting for setting, _ in chosen]
        self._odds = np.array([weight for _, weight in chosen]) / sum(weight for _, weight in chosen)
        self._music = [entry for entry in entries if entry.kind == "music"]
        self._samples = [entry for entry in entries if entry.kind == "samples"]
        # Long pieces are drawn more often, but less than their length says: no piece rules.
        weight = np.array([entry.frames**0.7 * WEIGHTS.get(entry.category, 1.0) for entry in self._music])
        self._weight = weight / weight.sum()

    def __iter__(self) -> Iterator[Example]:
        worker = get_worker_info()
        rng = np.random.default_rng([self._seed, worker.id if worker else 0])
        while True:
            example = self._draw(rng)
            if example is not None:
                yield self._at_rate(example)

    def _draw(self, rng: np.random.Generator) -> Example | None:
        recording, known = self._recording(rng)
        trusted = min(1.0, known / (corpus.RATE / 2))
        if rng.random() < TILT_SHARE:
            recording = _tilted(recording, rng.uniform(*TILT_HZ), rng.uniform(*TILT_DB))
        recording *= 10 ** (rng.uniform(-10, 3) / 20)
        peak = np.abs(recording).max()
        if peak > 0.99:
            recording *= 0.99 / peak
        if rng.random() < 0.5:  # either channel is learned from
            recording = recording[::-1]
        setting = self._settings[rng.choice(len(self._settings), p=self._odds)]
        identity = rng.random() < self._identity
        if (identity or (setting.kbps or 192) >= 96) and rng.random() < DULL_SHARE:
            recording = _low_passed(recording, rng.uniform(*DULL_HZ), rng.uniform(*DULL_SLOPE_HZ))
        if identity:
            kept = _stored(rng, recording[0, MARGIN:-MARGIN], INTEGER_SHARE_UNHARMED)
            # Whatever it is, it must come out as it went in, up to the last bin.
            return Example(kept.copy(), kept.copy(), 1.0, allowed_loss(None), self._unknown())
        if setting.channels == 1:
            recording = recording.mean(0, keepdims=True)
        mp3, degraded = codec.degrade(np.ascontiguousarray(recording), setting)
        gain = codec.codec_gain(recording, degraded)
        # A crop the codec drops nearly all of, or one that did not come back in time. Silence stays: it is music too.
        if not 0.85 < gain < 1.1 or codec.misfit(recording, degraded):
            return None
        target = gain * recording[0, MARGIN:-MARGIN]
        decoded = degraded[0, MARGIN:-MARGIN]
        kept = _stored(rng, decoded, INTEGER_SHARE)
        # Who has samples in 16 bits has the MP3 no more.
        bare = kept is not decoded or rng.random() < BARE_SHARE
        maps = self._unknown() if bare else self._told(mp3, setting)
        return Example(kept, target, trusted, allowed_loss(setting), maps)

    def _unknown(self) -> np.ndarray:
        if self._maps is None:
            return np.zeros((0, 0, 0), np.float32)
        return np.full((len(NAMES), self._maps.bins, self._frames), UNKNOWN, np.float32)

    def _told(self, mp3: bytes, setting: Setting) -> np.ndarray:
        """The maps of the first channel."""
        if self._maps is None:
            return self._unknown()
        margin = MARGIN * self._maps.rate / corpus.RATE
        centres = margin + self._maps.n_fft // 2 + self._maps.hop * np.arange(self._frames)
        return codec.bitstream(mp3, setting, self._maps).planes(centres)[0]

    @property
    def _frames(self) -> int:
        assert self._maps is not None
        return (self._wanted - self._maps.n_fft) // self._maps.hop + 1

    def _at_rate(self, example: Example) -> Example:
        if self._rate == corpus.RATE:
            return example
        degraded, target = (
            soxr.resample(part, corpus.RATE, self._rate)[: self._wanted]
            for part in (example.degraded, example.target)
        )
        trusted = min(1.0, example.trusted * corpus.RATE / self._rate)
        return replace(example, degraded=degraded, target=target, trusted=trusted)

    def _recording(self, rng: np.random.Generator) -> tuple[np.ndarray, float]:
        """A crop, (2, length + 2 MARGIN), and the frequency up to which it is known."""
        samples = self._samples and rng.random() < self._share
        if samples and rng.random() < 0.4:
            return self._hits(rng)
        entry = self._music[rng.choice(len(self._music), p=self._weight)]
        recording, known = self._crop(rng, entry)
        if samples:
            hits, hits_known = self._hits(rng)
            level = np.sqrt(np.mean(recording**2)) / (np.sqrt(np.mean(hits**2)) + 1e-6)
            known = min(known, hits_known)
            recording = recording + hits * min(level, 10.0) * 10 ** (rng.uniform(-9, 6) / 20)
        elif rng.random() < 0.08:
            other, other_known = self._crop(rng, self._music[rng.choice(len(self._music), p=self._weight)])
            recording, known = 0.6 * (recording + other), min(known, other_known)
        return recording, known

    def _crop(self, rng: np.random.Generator, entry: corpus.Entry) -> tuple[np.ndarray, float]:
        length = self._length + 2 * MARGIN
        # Played faster, a lossy source's cut moves up: the top octave is learned this way.
        speed = rng.uniform(0.95, 1.3) if rng.random() < 0.6 else 1.0
        out = np.zeros((2, length), np.float32)
        crop = self._played(rng, entry, speed, length)
        out[:, : crop.shape[1]] = crop
        return out, _known(entry.cutoff, speed)

    def _hits(self, rng: np.random.Generator) -> tuple[np.ndarray, float]:
        """A handful of one-shots and loops at random places, levels, speeds and pans, and how far they are known."""
        length = self._length + 2 * MARGIN
        out, known = np.zeros((2, length), np.float32), corpus.RATE / 2
        for _ in range(int(rng.integers(3, 14))):
            entry = self._samples[rng.integers(len(self._samples))]
            speed = rng.uniform(1.0, 1.25) if rng.random() < 0.5 else 1.0
            at = int(rng.integers(0, length - 1000))
            piece = self._played(rng, entry, speed, length - at)
            piece *= 10 ** (rng.uniform(-18, 0) / 20) / (np.abs(piece).max(initial=0) + 1e-6)
            pan = rng.uniform(0.3, 1.0, size=(2, 1)).astype(np.float32)
            out[:, at : at + piece.shape[1]] += piece * pan
            # A dull drum that was losslessly stored is known to be dull.
            known = min(known, _known(corpus.RATE / 2 if entry.lossless else entry.cutoff, speed))
        return out * (0.9 / (np.abs(out).max() + 1e-6)), known

    def _played(self, rng: np.random.Generator, entry: corpus.Entry, speed: float, length: int) -> np.ndarray:
        """A random part of a file at a speed, float32 (2, n), n <= length."""
        source = corpus.pcm(self._root, entry)
        wanted = int(length * speed) + 64
        start = int(rng.integers(0, max(1, source.shape[1] - wanted)))
        part = source[:, start : start + wanted].astype(np.float32) / 32768
        if speed != 1.0:
            # By Fourier's method: a filter that falls off before the Nyquist frequency would leave too little music
            # that is known up to there.
            part = scipy.signal.resample(part, round(part.shape[1] / speed), axis=1)
        return part[:, :length]


def _known(cutoff: float, speed: float) -> float:
    """Frequency in Hz up to which a file of this cut-off is known when played at a speed."""
    return min(cutoff * speed, corpus.RATE / 2)


def _low_passed(samples: np.ndarray, cutoff: float, width: float) -> np.ndarray:
    """Float32 (C, n) without what lies above the cut-off; it falls to -60 dB over `width` below it, all in Hz."""
    length = samples.shape[1]
    hz = np.fft.rfftfreq(length, 1 / corpus.RATE)
    decibels = 60 * np.clip((hz - cutoff + width) / width, 0, 1)
    slope = np.where(hz < cutoff, 10 ** (-decibels / 20), 0)
    return np.fft.irfft(np.fft.rfft(samples) * slope, length).astype(np.float32)


def _tilted(samples: np.ndarray, hz: float, decibels: float) -> np.ndarray:
    """Float32 (C, n), falling by so many dB an octave above a frequency in Hz."""
    length = samples.shape[1]
    octaves = np.log2(np.maximum(np.fft.rfftfreq(length, 1 / corpus.RATE) / hz, 1.0))
    return np.fft.irfft(np.fft.rfft(samples) * 10 ** (-decibels * octaves / 20), length).astype(np.float32)


def _stored(rng: np.random.Generator, samples: np.ndarray, share: float) -> np.ndarray:
    """Float32 (n,) as a file gives it back: a share in 16 bits, of which some with triangular dither."""
    if rng.random() >= share:
        return samples
    steps = samples * np.float32(32768)
    if rng.random() < DITHER_SHARE:
        steps = steps + (rng.random(len(steps)) - rng.random(len(steps))).astype(np.float32)
    return (np.clip(np.round(steps), -32768, 32767) / 32768).astype(np.float32)


def collate(examples: list[Example]) -> Batch:
    """Stack examples."""
    return Batch(
        torch.from_numpy(np.stack([example.degraded for example in examples])),
        torch.from_numpy(np.stack([example.target for example in examples])),
        torch.tensor([example.trusted for example in examples], dtype=torch.float32),
        torch.tensor([example.allowed for example in examples], dtype=torch.float32),
        torch.from_numpy(np.stack([example.maps for example in examples])),
    )
