"""Test pieces that are no judges of identity: recordings that sound as if they had been a low-bitrate MP3 before."""

from collections.abc import Iterable

import numpy as np

from mp3fix.batch.choose import ends_like_mp3
from mp3fix.evaluation.excerpts import Excerpt
from mp3fix.files.measure import measure_samples
from mp3fix.training.corpus import RATE

KBPS = 128  # what `--below 128` restores


def coded(excerpts: Iterable[Excerpt]) -> list[str]:
    """Names of the pieces whose spectrum ends like that of an MP3 of at most KBPS.

    Identity asks whether a lossless file comes out as it went in. A recording that lost its treble before it came into
    the corpus is none: to restore it is what `mp3fix --below` promises.
    """
    return [
        each.piece
        for each in excerpts
        if ends_like_mp3(measure_samples(each.pcm.astype(np.float32) / 32768, RATE), KBPS)
    ]
