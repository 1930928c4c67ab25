"""mp3fix --info: what a file is, without restoring it."""

import json
from dataclasses import asdict
from itertools import islice
from pathlib import Path

from mp3fix.files.decode import open_decoder
from mp3fix.files.names import shown
from mp3fix.files.probe import Info, probe
from mp3fix.signal.cutoff import CutoffMeter
from mp3fix.signal.stft import StftSpec, StftStream

MEASURED_SECONDS = 300  # of the song's beginning, for the cut-off
BLOCK = 65536


def describe(path: Path, name: str, as_json: bool) -> str:
    """Codec, bitrate, rate, channels, encoder, duration and measured cut-off, as text or a line of JSON.

    Raises:
        DecodeError: nothing can be said of the file.
    """
    facts = probe(path)
    cutoff = measured_cutoff(path)
    if as_json:
        return json.dumps({"input": name, **asdict(facts), "cutoff": round(cutoff)})
    lines = {
        "codec": facts.codec,
        "bitrate": _bitrate(facts),
        "rate": f"{facts.rate} Hz",
        "channels": f"{facts.channels}" + (f" ({facts.mode})" if facts.mode else ""),
        "encoder": facts.encoder or "not said",
        "duration": _clock(facts.duration),
        "low-pass": f"{facts.lowpass} Hz (as tagged)" if facts.lowpass else None,
        "cut-off": f"{cutoff / 1000:.1f} kHz (measured)" if cutoff else "silence",
    }
    rows = [f"  {key:9} {value}" for key, value in lines.items() if value]
    return "\n".join([shown(Path(name)), *rows])


def measured_cutoff(path: Path) -> float:
    """Cut-off of the first five minutes, in Hz."""
    with open_decoder(path) as decoder:
        spec = StftSpec(rate=decoder.rate)
        stream, meter = StftStream(spec, decoder.channels), CutoffMeter(spec)
        for block in islice(decoder.blocks(BLOCK), MEASURED_SECONDS * decoder.rate // BLOCK + 1):
            meter.push(stream.push(block))
        meter.push(stream.flush())
    return meter.hz


def _bitrate(facts: Info) -> str | None:
    if not facts.bitrate_kbps:
        return None
    return f"{facts.bitrate_kbps} kbit/s" + (f" ({facts.bitrate_mode})" if facts.bitrate_mode else "")


def _clock(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02}:{rest:05.2f}" if hours else f"{minutes}:{rest:05.2f}"
