"""The systems that can be trained: each a generator, what trains it, and what of it is exported.

A configuration names one of SYSTEMS; its [network] holds the arguments of the class, its [weights] those of the
class's Weights.
"""

import importlib

from mp3fix.training.systems.base import System

SYSTEMS = {
    "lattner": "mp3fix.training.systems.lattner:Lattner",
    "folded": "mp3fix.training.systems.folded:FoldedSystem",
    "liu-srcnn": "mp3fix.training.systems.liu_waveform:LiuSRCNN",
    "liu-srgan": "mp3fix.training.systems.liu_waveform:LiuSRGAN",
    "fwr": "mp3fix.training.systems.liu_waveform:Rectified",
    "pwcnn": "mp3fix.training.systems.liu_waveform:PyramidCNN",
    "cnn": "mp3fix.training.systems.liu_miron:MironCNN",
    "liu-rnn": "mp3fix.training.systems.liu_spectral:LiuRnnSystem",
    "bpcnn": "mp3fix.training.systems.liu_spectral:BpcnnSystem",
    "liu-unet": "mp3fix.training.systems.liu_spectral:LiuUnetSystem",
    "deshpande": "mp3fix.training.systems.deshpande:Deshpande",
    "audio-sr-net": "mp3fix.training.systems.enhancement_peers:AudioSr",
    "tfilm": "mp3fix.training.systems.enhancement_peers:TemporalFilm",
    "wavenet": "mp3fix.training.systems.enhancement_peers:WaveNetPeer",
    "hance": "mp3fix.training.systems.hance:HanceSystem",
}


def system_class(name: str) -> type[System]:
    """The class of a system, by its name in SYSTEMS.

    Raises:
        KeyError: there is no such system.
    """
    module, _, attribute = SYSTEMS[name].partition(":")
    found: type[System] = getattr(importlib.import_module(module), attribute)
    return found
