"""Pop and rock in stereo, beside the strongest open peer.

Apollo (Li & Luo 2024, arXiv 2409.08514) is shown by clips of pop mixes, as MP3 and restored. Its figures here were
measured on those clips; ours are of other pieces and another encoder, so each stands beside its own MP3.
"""

from collections.abc import Sequence

import numpy as np

from mp3fix.evaluation.compared import Compared
from mp3fix.evaluation.models import Model
from mp3fix.evaluation.runner import MP3

MIXES = ("pop or rock", "vocals")  # categories of the corpus whose pieces are mixes of a band
MEASURES = (("si_sdr", 2), ("lsd_80", 1), ("visqol", 2))  # and their digits
# SI-SDR in dB, LSD with a floor of -80 dB, ViSQOL: of the MP3, and of Apollo.
APOLLO = {
    "32k stereo": ((10.80, 18.4, 1.52), (10.24, 7.1, 3.99)),
    "48k stereo": ((15.78, 13.1, 1.81), (15.22, 6.3, 3.93)),
    "64k stereo": ((17.00, 9.8, 2.85), (16.48, 5.5, 4.33)),
    "96k stereo": ((17.51, 5.7, 3.75), (17.85, 4.7, 4.15)),
}


def rows(scores: Compared, model: Model) -> list[list[str]]:
    """For each setting of the peer's that was scored: it, our MP3 and generator, its MP3 and generator.

    Each cell holds SI-SDR / LSD above -80 dB / ViSQOL, ours as means over the pieces of MIXES. No rows without any.
    """
    pieces = {piece for kind in MIXES for piece in scores.pieces_of(kind)}
    found = []
    for setting, theirs in APOLLO.items():
        ours = [
            [scores.mean(setting, system, name, pieces) for name, _ in MEASURES]
            for system in (MP3, model.default)
        ]
        if np.isfinite(ours).all():
            found.append([setting, *(_cell(each) for each in (*ours, *theirs))])
    return found


def _cell(values: Sequence[float]) -> str:
    return " / ".join(f"{value:.{digits}f}" for value, (_, digits) in zip(values, MEASURES, strict=True))
