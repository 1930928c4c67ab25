"""How much music a damaged file lacks, said in words."""

from ..bitstream.frames import FrameScan
from .lengths import Promise

# Containers count the codec's delay or round, resamplers hold a little back: less is not called missing.
_TOLERANCE_S = 0.25
# Less garbage than this many frames is a tag nobody knows.
_LEAST_GARBAGE_FRAMES = 2


def in_file(promise: Promise, delivered: int, rate: int) -> list[str]:
    """The warning for a file of `delivered` samples per channel whose header promises more; else nothing."""
    expected = promise.count(rate)
    if expected is None:
        return []
    lost = expected - delivered
    if lost <= (0 if promise.samples is not None else _TOLERANCE_S * rate):
        return []
    return [_missing(lost, expected, rate)]


def in_mp3(frames: FrameScan, delivered: int, muted: int) -> list[str]:
    """The warnings for an MP3 of which `delivered` samples per channel could be decoded, `muted` of them to bursts.

    The gapless tag says exactly what should be there. Without one, the frames that are there must all have
    been decoded, and what lies between them tells about how many have been lost.
    """
    silent = len(frames.broken) * frames.samples_per_frame + muted
    lost = max(0, frames.expected_samples - delivered)
    guessed = False
    gaps = len(frames.runs) > 1
    if gaps and lost < _TOLERANCE_S * frames.rate:
        lost = 0
    if gaps and frames.promised_frames is not None:
        lost = max(lost, (frames.promised_frames - frames.frames) * frames.samples_per_frame)
    if frames.promised_frames is None:
        bytes_per_frame = sum(stop - start for start, stop in frames.runs) / frames.frames
        if frames.garbage_bytes >= _LEAST_GARBAGE_FRAMES * bytes_per_frame:
            lost += round(frames.garbage_bytes / bytes_per_frame * frames.samples_per_frame)
            guessed = True
    # Some encoders count the Info frame as well.
    if lost <= frames.samples_per_frame and not (frames.truncated or frames.garbage_bytes):
        lost = 0
    warnings = []
    if lost or silent:
        warnings.append(_missing(lost + silent, lost + delivered, frames.rate, guessed))
    if frames.truncated and frames.promised_frames is None:
        warnings.append("the file ends within a frame: it was cut short, by how much it does not say")
    return warnings


def _missing(lost: int, total: int, rate: int, guessed: bool = False) -> str:
    """The sentence: seconds and percent."""
    seconds, percent = lost / rate, 100 * min(1.0, lost / total)
    about = "about " if guessed else ""
    time = f"{seconds:.2f}" if seconds >= 0.01 else "less than 0.01"
    share = f"{percent:.1f}" if percent >= 0.1 else "less than 0.1"
    return f"{about}{time} s of music are missing ({share} %): the file is damaged or cut short"
