"""The long-term spectrum of a file's beginning: for --info, and for --below."""

from itertools import islice
from pathlib import Path

from mp3fix.files.decode import open_decoder
from mp3fix.signal.cutoff import CutoffMeter
from mp3fix.signal.stft import StftSpec, StftStream

_BLOCK = 65536  # samples of a channel
_HOP = 1024  # half a window: what is averaged over minutes needs no more


def measure(path: Path, seconds: float) -> tuple[CutoffMeter, int]:
    """What a meter says of a file, and the number of its channels.

    Args:
        path: the file.
        seconds: of its beginning that are decoded, rounded up to whole blocks.

    Raises:
        DecodeError: nothing of it can be decoded.
    """
    with open_decoder(path) as decoder:
        spec = StftSpec(rate=decoder.rate, hop=_HOP)
        stream, meter = StftStream(spec, decoder.channels), CutoffMeter(spec)
        for block in islice(decoder.blocks(_BLOCK), int(seconds * decoder.rate) // _BLOCK + 1):
            meter.push(stream.push(block))
        meter.push(stream.flush())
        return meter, decoder.channels
