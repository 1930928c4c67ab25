from pathlib import Path

from mp3fix.evaluation import peer
from mp3fix.evaluation.compared import Compared
from mp3fix.evaluation.models import Model
from mp3fix.evaluation.runner import MP3, Score

MODEL = Model("net", Path("net.onnx"), "0123456789abcdef", 0.5, True, 4)


def scored(piece: str, setting: str, category: str, si_sdr: float) -> list[Score]:
    mp3 = {"si_sdr": si_sdr, "lsd_80": 20.0, "visqol": 2.0}
    ours = {"si_sdr": si_sdr + 1, "lsd_80": 8.0, "visqol": 3.5}
    return [
        Score(piece, 21000, setting, MP3, mp3, category),
        Score(piece, 21000, setting, MODEL.default, ours, category),
    ]


def test_only_mixes_of_bands_at_the_peers_settings_stand_beside_it() -> None:
    scores = [
        *scored("band", "48k stereo", "pop or rock", 10.0),
        *scored("singer", "48k stereo", "vocals", 12.0),
        *scored("piano", "48k stereo", "solo", 90.0),
        *scored("band", "128k stereo", "pop or rock", 70.0),
    ]
    assert peer.rows(Compared(scores), MODEL) == [
        [
            "48k stereo",
            "11.00 / 20.0 / 2.00",
            "12.00 / 8.0 / 3.50",
            "15.78 / 13.1 / 1.81",
            "15.22 / 6.3 / 3.93",
        ]
    ]


def test_without_mixes_there_is_nothing_to_compare() -> None:
    assert peer.rows(Compared(scored("piano", "48k stereo", "solo", 10.0)), MODEL) == []
