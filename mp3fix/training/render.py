"""Scores to recordings: music21 reads them, fluidsynth plays them with a sound font; full-band and lossless.

The same score, ensemble and versions of the two programs give the same samples.
"""

import hashlib
import importlib.util
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from threading import Lock

import numpy as np
import soundfile

from mp3fix.training.parallel import in_order
from mp3fix.training.scores import ENSEMBLES, RENDERS, WORKS, Ensemble, Work

RATE = 44100
TICKS = 960  # of MIDI, a second
LONGEST = 240.0  # seconds of a render
TAIL = 3.0  # seconds for the last notes and the room to die away
DRUMS = 9  # the channel of drums in General MIDI
PEAK = 0.9
ROOMS = (0.2, 0.4, 0.7)  # reverb room sizes; which one a piece gets follows from its name

# Onset and end in seconds, MIDI pitch and part or, of drums, -1.
Note = tuple[float, float, int, int]


# Where packages have their sound fonts.
SOUND_FONTS = {
    "fluid-soundfont-gm": "raw/fluid-soundfont-gm/usr/share/sounds/sf2/FluidR3_GM.sf2",
    "csound-soundfont": "raw/csound-soundfont/usr/share/sounds/sf2/sf_GMbank.sf2",
}


def missing(root: Path) -> list[str]:
    """What is not there, in a corpus at root or on the path, and would be needed to render."""
    lacks = [f"sound font of {name}" for name, path in SOUND_FONTS.items() if not (root / path).exists()]
    if shutil.which("fluidsynth") is None:
        lacks.append("fluidsynth")
    if importlib.util.find_spec("music21") is None:
        lacks.append("music21")
    return lacks


def render_all(
    root: Path, report: Callable[[str], None], renders: Iterable[tuple[str, str]] = RENDERS
) -> None:
    """Render the list into root/raw/renders/WORK--ENSEMBLE.flac, several at a time; what is there already is left
    alone.

    Where fluidsynth, a sound font or music21 is missing, say so and render nothing.
    """
    folder = root / "raw" / "renders"
    wanted = [(work, ensemble, folder / f"{work}--{ensemble}.flac") for work, ensemble in renders]
    wanted = [item for item in wanted if not item[2].exists()]
    lacks = missing(root)
    if wanted and lacks:
        report(f"scores are not rendered: no {', no '.join(lacks)} ({len(wanted)} pieces fewer)")
        return
    folder.mkdir(parents=True, exist_ok=True)
    reading = Lock()  # music21 keeps what it has read in files

    def make(item: tuple[str, str, Path]) -> None:
        work, ensemble, path = item
        report(f"rendering {path.name}")
        with reading:
            notes = list(score_notes(WORKS[work]))
        players = ENSEMBLES[ensemble]
        render(notes, players, path, root / SOUND_FONTS[players.font])

    with closing(in_order(make, wanted)) as made:
        for _ in made:
            pass


def score_notes(work: Work) -> Iterator[Note]:
    """Notes of a work at its tempo, in seconds, grace notes and repeats left out, up to LONGEST."""
    import music21

    start = 0.0
    for file in work.files:
        score = music21.corpus.parse(file)
        end = start
        # Without transposition a clarinet would play in another key than its piano.
        for number, part in enumerate(score.toSoundingPitch().parts):
            if work.parts and number not in work.parts:
                continue
            for note in part.stripTies().flatten().notes:
                if isinstance(note, music21.harmony.Harmony) or not note.quarterLength:
                    continue
                onset = start + float(note.offset) * 60 / work.tempo
                stop = onset + float(note.quarterLength) * 60 / work.tempo
                if stop < LONGEST:
                    end = max(end, stop)
                    for pitch in note.pitches:
                        yield onset, stop, pitch.midi, number
        start = end + 1.0


def render(notes: list[Note], ensemble: Ensemble, path: Path, sound_font: Path) -> None:
    """Play notes and write them as FLAC, 24 bit, stereo, 44.1 kHz, with a peak of 0.9.

    Raises:
        OSError, subprocess.CalledProcessError: fluidsynth cannot be run or fails.
    """
    seed = int.from_bytes(hashlib.sha256(path.stem.encode()).digest()[:4], "big")
    with tempfile.TemporaryDirectory() as temporary:
        midi, wav = Path(temporary) / "score.mid", Path(temporary) / "score.wav"
        midi.write_bytes(midi_file(notes, ensemble, np.random.default_rng(seed)))
        fixed = ["-r", str(RATE), "-g", "0.4", "-R", "1", "-C", "0", "-O", "float", "-T", "wav"]
        room = ["-o", f"synth.reverb.room-size={ROOMS[seed % len(ROOMS)]}"]
        voices = ["-o", "synth.polyphony=1024", "-o", "synth.cpu-cores=1"]
        command = ["fluidsynth", "-niq", *fixed, *room, *voices, "-F", str(wav), str(sound_font), str(midi)]
        subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL)
        samples, _ = soundfile.read(wav, dtype="float32", always_2d=True)
        samples *= PEAK / max(float(np.abs(samples).max()), 1e-9)
        part = Path(temporary) / path.name
        soundfile.write(part, samples, RATE, subtype="PCM_24")
        shutil.move(part, path)


def midi_file(notes: list[Note], ensemble: Ensemble, rng: np.random.Generator) -> bytes:
    """A standard MIDI file, format 0, of notes as people play them: a little early, late, softer, louder."""
    events: list[tuple[int, int, bytes]] = []  # tick, order within a tick, message

    def add(seconds: float, order: int, *message: int) -> None:
        events.append((max(0, round(seconds * TICKS)), order, bytes(message)))

    channels: dict[int, list[int]] = {}
    free = iter(channel for channel in range(16) if channel != DRUMS)
    for part in sorted({note[3] for note in notes if note[3] >= 0}):
        channels[part] = []
        for program in ensemble.programs[min(part, len(ensemble.programs) - 1)]:
            channel = next(free, 15)
            channels[part].append(channel)
            add(0, 0, 0xC0 | channel, program)
            add(0, 0, 0xB0 | channel, 10, int(rng.integers(30, 98)))  # pan
            add(0, 0, 0xB0 | channel, 91, int(rng.integers(20, 70)))  # reverb send
    if ensemble.kit is not None:
        add(0, 0, 0xC0 | DRUMS, ensemble.kit)
        notes = notes + list(drum_beat(max(note[1] for note in notes), rng))
    for onset, end, pitch, part in sorted(notes):
        swell = 10 * np.sin(onset / 3.1) + 6 * np.sin(onset / 0.77)
        velocity = int(np.clip(84 + swell + rng.normal(0, 6), 30, 120))
        onset = max(0.0, onset + rng.normal(0, 0.006))
        end = max(onset + 0.05, end - 0.02 + rng.normal(0, 0.01))
        for channel in channels.get(part, [DRUMS]):
            add(onset, 2, 0x90 | channel, pitch, velocity)
            add(end, 1, 0x80 | channel, pitch, 0)
    end = max(event[0] for event in events) + round(TAIL * TICKS)
    events.append((end, 3, b"\xff\x2f\x00"))
    track, tick = bytearray(), 0
    for when, _, message in sorted(events):
        track += _variable_length(when - tick) + message
        tick = when
    # 500 000 microseconds a quarter is MIDI's default, so half of the ticks of a second make a quarter.
    header = b"MThd" + struct.pack(">IHHH", 6, 0, 1, TICKS // 2)
    return header + b"MTrk" + struct.pack(">I", len(track)) + bytes(track)


def drum_beat(seconds: float, rng: np.random.Generator, tempo: float = 112) -> Iterator[Note]:
    """Bass drum, snare, hi-hat, a crash every fourth bar and fills on toms, in 4/4."""
    beat = 60 / tempo
    for bar in range(max(1, int(seconds / (4 * beat)))):
        start = 4 * bar * beat
        hits: list[tuple[float, int]] = [(0, 36), (2, 36), (1, 38), (3, 38)]
        hits += [(k / 2, 46 if rng.random() < 0.1 else 42) for k in range(8)]
        hits += [(k + 0.5, 36) for k in range(4) if rng.random() < 0.3]
        if bar % 4 == 0:
            hits.append((0, 49))
        if bar % 4 == 3:
            hits += [(3 + k / 4, int(pitch)) for k, pitch in enumerate((50, 47, 45, 41))]
        for quarter, pitch in hits:
            onset = start + quarter * beat
            yield onset, onset + 0.2, pitch, -1


def _variable_length(value: int) -> bytes:
    """MIDI's variable-length number: seven bits a byte, the highest bit set on all but the last."""
    out = [value & 0x7F]
    while value := value >> 7:
        out.append(0x80 | value & 0x7F)
    return bytes(reversed(out))
