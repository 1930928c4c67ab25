"""Which recordings had been an MP3 before they came into the corpus."""

import io

import mp3s
import numpy as np
import pytest
import soundfile

from mp3fix.evaluation.coded import coded
from mp3fix.evaluation.excerpts import Excerpt

RATE = 44100


def excerpt(piece: str, samples: np.ndarray) -> Excerpt:
    return Excerpt(piece, 22050, np.round(samples * 32767).astype(np.int16))


@pytest.fixture(scope="module")
def recording() -> np.ndarray:
    noise = np.random.default_rng(1).standard_normal((2, 3 * RATE)).astype(np.float32)
    return mp3s.music(3 * RATE, RATE, 2) + 0.02 * noise


def test_only_what_ends_like_a_low_bitrate_mp3(recording: np.ndarray) -> None:
    def kept(kbps: int) -> np.ndarray:
        return soundfile.read(io.BytesIO(mp3s.lame(recording, RATE, kbps)), dtype="float32")[0].T

    given = [
        excerpt("whole", recording),
        excerpt("96", kept(96)),
        excerpt("128", kept(128)),
        excerpt("192", kept(192)),
        excerpt("silence", np.zeros_like(recording)),
    ]
    assert coded(given) == ["96", "128"]
