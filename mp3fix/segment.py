"""pydub's AudioSegment in and out, for those who have one already."""

import warnings

import numpy as np

from mp3fix.restore import Options, Restorer
from mp3fix.signal.levels import peak

with warnings.catch_warnings():
    # Without ffmpeg pydub complains when it is imported; nothing here needs its ffmpeg.
    warnings.filterwarnings("ignore", "Couldn't find ffmpeg", RuntimeWarning)
    from pydub import AudioSegment


def restore_segment(
    segment: AudioSegment, restorer: Restorer | None = None, options: Options | None = None
) -> AudioSegment:
    """Restore a pydub segment.

    Returns:
        a segment of 32-bit samples at `options.output_rate(rate)`, lowered by one gain if it would pass full
        scale, since pydub holds whole numbers.
    """
    restorer, options = restorer or Restorer(), options or Options()
    full = float(1 << (8 * segment.sample_width - 1))
    samples = np.array(segment.get_array_of_samples(), np.float64).reshape(-1, segment.channels).T / full
    restored = restorer.restore(samples.astype(np.float32), segment.frame_rate, options)
    restored = restored / max(1.0, peak(restored))
    scaled = np.clip(np.rint(restored.astype(np.float64) * 2**31), -(2**31), 2**31 - 1)
    return AudioSegment(
        data=np.ascontiguousarray(scaled.T.astype("<i4")).tobytes(),
        sample_width=4,
        frame_rate=options.output_rate(segment.frame_rate),
        channels=segment.channels,
    )
