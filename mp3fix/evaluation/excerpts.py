"""The test material: an excerpt of each test piece, and what an MP3 leaves of it."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from mp3fix.bitstream.maps import BitstreamMaps
from mp3fix.evaluation.testpieces import test_entries
from mp3fix.signal.cutoff import CutoffMeter
from mp3fix.signal.stft import StftSpec, stft
from mp3fix.training import codec, corpus

SECONDS = 10
IDENTITY = "identity"  # lossless in: a good file must come out as it went in

_CODED = (
    *(codec.mono(kbps) for kbps in (16, 24, 32, 48, 64, 96, 128)),
    *(codec.stereo(kbps) for kbps in (32, 48, 64, 96, 128, 192, 320)),
    codec.vbr(5),
    codec.vbr(2),
)
SETTINGS: dict[str, codec.Setting | None] = {each.name: each for each in _CODED} | {IDENTITY: None}
QUICK = ("16k mono", "32k mono", "64k mono", "128k stereo", "320k stereo", IDENTITY)
QUICK_PIECES = 5
LOW = ("16k mono", "32k mono", "64k mono")  # those of Lattner & Nistal: of the texture curve and the draws


@dataclass(frozen=True)
class Excerpt:
    """Ten seconds from the middle of a test piece.

    Attributes:
        piece: its name, unique among the test pieces.
        cutoff: the recording's own, Hz.
        pcm: int16 (2, frames) at 44.1 kHz.
        category: kind of music, "" where nobody says.
    """

    piece: str
    cutoff: float
    pcm: np.ndarray
    category: str = ""

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the samples."""
        return hashlib.sha256(self.pcm.tobytes()).hexdigest()


@dataclass(frozen=True)
class Pair:
    """A recording and its MP3, aligned.

    Attributes:
        reference: float32 (C, n), with the codec's gain.
        degraded: float32 (C, n).
        cutoff: where measures end, Hz: the recording's own; of identity the Nyquist frequency.
        coded: the MP3 itself, and how it was made; None of identity.
    """

    reference: np.ndarray
    degraded: np.ndarray
    cutoff: float
    coded: tuple[bytes, codec.Setting] | None = None

    def maps(self, spec: StftSpec) -> BitstreamMaps | None:
        """The maps of the MP3's bitstream for an STFT; None of identity."""
        return codec.bitstream(*self.coded, spec) if self.coded else None

    @cached_property
    def edges(self) -> list[float]:
        """The measured cut-off of each channel of the degraded signal, Hz, at most `cutoff`."""
        return [min(_cutoff(channel), self.cutoff) for channel in self.degraded]


def excerpts(root: Path, limit: int | None = None) -> list[Excerpt]:
    """An excerpt of each test piece of a corpus that is evaluated, by name; of the first `limit` only.

    Raises:
        Mp3fixError: there is no corpus, or no test piece in it.
    """
    test = test_entries(root)
    count = Counter(entry.piece for entry in test)

    def name(entry: corpus.Entry) -> str:  # versions and stems of one piece are told apart by their files
        return f"{entry.piece} ({Path(entry.file).stem})" if count[entry.piece] > 1 else entry.piece

    found = []
    for entry in sorted(test, key=lambda entry: (name(entry), entry.file))[:limit]:
        samples = corpus.pcm(root, entry)
        start = max(0, (samples.shape[1] - SECONDS * corpus.RATE) // 2)
        pcm = np.array(samples[:, start : start + SECONDS * corpus.RATE])
        found.append(Excerpt(name(entry), entry.cutoff, pcm, entry.category))
    return found


def pair(excerpt: Excerpt, setting: str) -> Pair:
    """Encode and decode an excerpt at a setting of SETTINGS."""
    how = SETTINGS[setting]
    recording = excerpt.pcm.astype(np.float32) / 32768
    if how is None:
        # The input is the truth here, the emptiness above its own cut-off too.
        return Pair(recording, recording, corpus.RATE / 2)
    if how.channels == 1:
        recording = recording.mean(0, keepdims=True)
    mp3, degraded = codec.degrade(recording, how)
    gain = np.float32(codec.codec_gain(recording, degraded))
    return Pair(gain * recording, degraded, excerpt.cutoff, (mp3, how))


def _cutoff(samples: np.ndarray) -> float:
    spec = StftSpec()
    meter = CutoffMeter(spec)
    meter.push(stft(samples[np.newaxis], spec))
    return meter.hz
