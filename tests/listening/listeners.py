"""Listeners who are numbers: keys and results of tests nobody took, and sets of sounds to make tests of."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from mp3fix.listening.results import LABELS, Key, Result, Trial

RATE = 44100


def key_of(method: str, systems: tuple[str, ...], items: int = 8, repeats: int = 1) -> Key:
    """A key; opaque names are "i0", "i1" ... for items and "i0-s0" ... for stimuli."""
    names = {f"i{item}": f"song {item}" for item in range(items)}
    stimuli = {id: {f"{id}-s{k}": system for k, system in enumerate(systems)} for id in names}
    return Key("t" * 12, method, "A test", repeats, names, stimuli)


def key_file(key: Key) -> dict[str, Any]:
    items = {
        id: {"name": name, "practice": False, "stimuli": key.stimuli[id], "gains_db": {}}
        for id, name in key.items.items()
    }
    practice = {"p": {"name": "practice", "practice": True, "stimuli": {"p-s0": "reference"}, "gains_db": {}}}
    return {
        "mp3fix-listening-key": 1,
        "test": key.test,
        "method": key.method,
        "title": key.title,
        "repeats": key.repeats,
        "items": items | practice,
    }


def result_file(key: Key, result: Result) -> dict[str, Any]:
    return {
        "mp3fix-listening": 1,
        "test": key.test,
        "method": key.method,
        "participant": result.participant,
        "heard_with": result.heard_with,
        "trials": [
            {"item": trial.item, "answers": trial.answers, "comment": trial.comment}
            for trial in result.trials
        ],
        "comment": result.comment,
    }


def written(folder: Path, key: Key, results: list[Result]) -> tuple[Path, list[Path]]:
    """The key's file and those of results, in a folder."""
    key_path = folder / "test.key.json"
    key_path.write_text(json.dumps(key_file(key)))
    paths = [folder / f"{result.participant}.json" for result in results]
    for path, result in zip(paths, results, strict=True):
        path.write_text(json.dumps(result_file(key, result)))
    return key_path, paths


def rated(
    key: Key, quality: Mapping[str, float], listeners: int, seed: int, noise: float = 6.0
) -> list[Result]:
    """Listeners who hear quality (0..100), each in a scale of their own, with noise; for MOS rounded to five levels."""
    rng = np.random.default_rng(seed)
    results = []
    for person in range(listeners):
        bias = rng.normal(0, 5)
        trials = []
        for item, stimuli in key.stimuli.items():
            hard = rng.normal(0, 5)
            scores: dict[str, Any] = {}
            for stimulus, system in stimuli.items():
                known = system == "reference"
                own = rng.normal(0, 1.5) if known else bias + hard + rng.normal(0, noise)
                heard = float(np.clip(quality[system] + own, 0, 100))
                scores[stimulus] = round(heard / 25) if key.method == "mos" else round(heard)
            parts = [{each: score} for each, score in scores.items()] if key.method == "mos" else [scores]
            trials += [Trial(item, part, "") for part in parts]
        results.append(Result(f"{person}.json", f"P{person:02}", "Headphones", trials, ""))
    return results


def compared(key: Key, share: float, listeners: int, seed: int) -> list[Result]:
    """Listeners of ABX who hear which is X in `share` of the trials and guess otherwise."""
    rng = np.random.default_rng(seed)
    results = []
    for person in range(listeners):
        trials = []
        for item, stimuli in key.stimuli.items():
            for _ in range(key.repeats):
                a, b = rng.permutation(list(stimuli)).tolist()
                x = (a, b)[rng.integers(2)]
                answer = x if rng.random() < share else (a, b)[rng.integers(2)]
                trials.append(Trial(item, {"a": a, "b": b, "x": x, "answer": answer}, ""))
        results.append(Result(f"{person}.json", f"P{person:02}", "", trials, ""))
    return results


def labelled(key: Key, share: float, listeners: int, seed: int) -> list[Result]:
    """Listeners of the three-way test who know all labels in `share` of the trials and guess otherwise."""
    rng = np.random.default_rng(seed)
    truth = {"reference": "lossless", "mp3": "mp3"}
    results = []
    for person in range(listeners):
        trials = []
        for item, stimuli in key.stimuli.items():
            right = {each: truth.get(system, "restored") for each, system in stimuli.items()}
            guess = dict(zip(stimuli, rng.permutation(LABELS).tolist(), strict=True))
            trials.append(Trial(item, right if rng.random() < share else guess, ""))
        results.append(Result(f"{person}.json", f"P{person:02}", "", trials, ""))
    return results


def music(seconds: float = 1.6, channels: int = 1, seed: int = 0, rate: int = RATE) -> np.ndarray:
    """Float32 (channels, n): noise with a beat, of all frequencies."""
    rng = np.random.default_rng(seed)
    n = round(seconds * rate)
    envelope = 0.2 + np.exp(-6 * ((np.arange(n) / rate * 4) % 1))
    return (0.1 * envelope * rng.standard_normal((channels, n))).astype(np.float32)


def write_set(folder: Path, items: tuple[str, ...], systems: tuple[str, ...], channels: int = 1) -> Path:
    """A SET, in which each system is another gain and a little noise."""
    for place, item in enumerate(items):
        (folder / item).mkdir(parents=True)
        sound = music(channels=channels, seed=place)
        for k, system in enumerate(systems):
            other = sound * 0.7**k + 0.002 * music(channels=channels, seed=99 + k)
            soundfile.write(folder / item / f"{system}.wav", other.T, RATE, subtype="FLOAT")
    return folder
