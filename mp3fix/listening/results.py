"""What listeners send back, and the key that says what they heard. Both are checked: anyone may have written them."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mp3fix.errors import Mp3fixError
from mp3fix.files.names import shown

LABELS = ("lossless", "mp3", "restored")  # of the three-way test
_MOST_BYTES = 4_000_000
_CODE = re.compile(r"[A-Z0-9-]{1,20}")
_SCALES = {"mos": 4, "mushra": 100}


@dataclass(frozen=True)
class Key:
    """What a test's opaque names stand for.

    Attributes:
        test: its name.
        method: "mos", "mushra", "abx" or "which".
        title: of the page.
        repeats: ABX: of each item.
        items: opaque name -> name, without those for practice.
        stimuli: opaque name of an item -> opaque name of a stimulus -> system.
    """

    test: str
    method: str
    title: str
    repeats: int
    items: dict[str, str]
    stimuli: dict[str, dict[str, str]]

    @property
    def systems(self) -> list[str]:
        """All that are in the test, by name."""
        return sorted({system for each in self.stimuli.values() for system in each.values()})


@dataclass(frozen=True)
class Trial:
    """One answer.

    Attributes:
        item: opaque name.
        answers: mos, mushra: stimulus -> score; which: stimulus -> label; abx: "a", "b", "x" and "answer" -> stimulus.
        comment: of the listener.
    """

    item: str
    answers: dict[str, Any]
    comment: str


@dataclass(frozen=True)
class Result:
    """One listener's test.

    Attributes:
        file: its name.
        participant: the code.
        heard_with: headphones or the like.
        trials: in the order they were heard.
        comment: on all of it.
    """

    file: str
    participant: str
    heard_with: str
    trials: list[Trial]
    comment: str


def read_key(path: Path) -> Key:
    """Read the key of a test.

    Raises:
        Mp3fixError: it is none.
    """
    data = _load(path, "no key of a listening test")
    try:
        items = {id: item for id, item in data["items"].items() if not item["practice"]}
        key = Key(
            str(data["test"]),
            str(data["method"]),
            str(data["title"]),
            int(data["repeats"]),
            {id: str(item["name"]) for id, item in items.items()},
            {id: {str(k): str(v) for k, v in item["stimuli"].items()} for id, item in items.items()},
        )
        if (
            data["mp3fix-listening-key"] != 1
            or not key.items
            or key.method not in ("mos", "mushra", "abx", "which")
        ):
            raise ValueError
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Mp3fixError(
            f"{shown(path)}: no key of a listening test; --key takes the file NAME.key.json that "
            "`listen make` wrote beside the page"
        ) from None
    return key


def read_results(paths: Sequence[Path], key: Key) -> tuple[list[Result], list[str]]:
    """Read results, and say why others are left out.

    A file that is there twice counts once. Of two tests by one participant the one named first counts.

    Returns:
        Results by participant, and a line for each file that is refused.
    """
    found: dict[str, Result] = {}
    refused: list[str] = []
    for path in paths:
        try:
            result = read_result(path, key)
        except Mp3fixError as error:
            refused.append(str(error))
            continue
        other = found.setdefault(result.participant, result)
        if other.trials != result.trials:
            refused.append(
                f"{shown(path)}: {result.participant} has another result, {other.file}, which counts; "
                "keep the one that is meant"
            )
    return sorted(found.values(), key=lambda result: result.participant), refused


def read_result(path: Path, key: Key) -> Result:
    """Read one result.

    Raises:
        Mp3fixError: it is none, is of another test, or is not complete.
    """
    data = _load(path, "no result of a listening test")
    name = shown(path)

    def require(holds: bool, what: str) -> None:
        if not holds:
            raise Mp3fixError(f"{name}: {what}")

    require(data.get("mp3fix-listening") == 1, "no result of a listening test")
    require(data.get("test") == key.test, "is of another test than the key")
    participant = data.get("participant")
    require(
        isinstance(participant, str) and bool(_CODE.fullmatch(participant)), "its participant's code is none"
    )
    trials = data.get("trials")
    require(isinstance(trials, list), "has no list of trials")
    assert isinstance(trials, list) and isinstance(participant, str)
    read = [_trial(entry, key, f"{name}: trial {place}") for place, entry in enumerate(trials, 1)]
    asked, expected = _asked(read, key.method), _expected(key)
    for what in expected:
        require(asked[what] <= expected[what], f"{_where(what, key)} was answered more often than asked")
        require(
            asked[what] == expected[what], f"{_where(what, key)} was not answered: the test is not complete"
        )
    return Result(
        shown(Path(path.name)), participant, _text(data.get("heard_with")), read, _text(data.get("comment"))
    )


def _load(path: Path, otherwise: str) -> dict[str, Any]:
    """A JSON object of a file."""
    try:
        with open(path, "rb") as file:
            raw = file.read(_MOST_BYTES + 1)
        if len(raw) > _MOST_BYTES:
            raise ValueError
        data = json.loads(raw.decode("utf-8-sig"))
    except OSError as error:
        raise Mp3fixError(f"{shown(path)}: {error.strerror}") from None
    except (ValueError, RecursionError):  # not JSON, not UTF-8, or brackets without end
        raise Mp3fixError(f"{shown(path)}: {otherwise}") from None
    if not isinstance(data, dict):
        raise Mp3fixError(f"{shown(path)}: {otherwise}")
    return data


def _trial(entry: Any, key: Key, where: str) -> Trial:
    def require(holds: bool, what: str) -> None:
        if not holds:
            raise Mp3fixError(f"{where}: {what}")

    require(isinstance(entry, dict), "is none")
    item, answers = entry.get("item"), entry.get("answers")
    require(isinstance(item, str) and item in key.stimuli, "names an item that is not in the test")
    require(isinstance(answers, dict), "has no answers")
    stimuli = key.stimuli[item]
    if key.method == "abx":
        require(set(answers) == {"a", "b", "x", "answer"}, "has not the answers of ABX")
        require(all(isinstance(each, str) for each in answers.values()), "has not the answers of ABX")
        require({answers["a"], answers["b"]} == set(stimuli), "names a stimulus that is not in the item")
        require({answers["x"], answers["answer"]} <= set(stimuli), "names a stimulus that is not in the item")
        return Trial(item, dict(answers), _text(entry.get("comment")))
    require(set(answers) <= set(stimuli), "names a stimulus that is not in the item")
    require(len(answers) == (1 if key.method == "mos" else len(stimuli)), "does not answer for each stimulus")
    if key.method == "which":
        require(all(isinstance(label, str) for label in answers.values()), "has labels that are none")
        require(sorted(answers.values()) == sorted(LABELS), "does not give each label once")
    else:
        top = _SCALES[key.method]
        for score in answers.values():
            number = isinstance(score, int | float) and not isinstance(score, bool)
            require(number and 0 <= score <= top, f"has a score that is not between 0 and {top}")
            require(key.method != "mos" or score == int(score), "has a score between two levels")
    return Trial(item, dict(answers), _text(entry.get("comment")))


# What is asked, as (item, stimulus) or (item, "").
_What = tuple[str, str]


def _asked(trials: Sequence[Trial], method: str) -> Counter[_What]:
    if method == "mos":
        return Counter((trial.item, stimulus) for trial in trials for stimulus in trial.answers)
    return Counter((trial.item, "") for trial in trials)


def _expected(key: Key) -> Counter[_What]:
    if key.method == "mos":
        return Counter((item, stimulus) for item, stimuli in key.stimuli.items() for stimulus in stimuli)
    return Counter({(item, ""): key.repeats if key.method == "abx" else 1 for item in key.stimuli})


def _where(what: _What, key: Key) -> str:
    item, stimulus = what
    return f"{key.items[item]}" + (f" by {key.stimuli[item][stimulus]}" if stimulus else "")


def _text(value: Any) -> str:
    """One printable line of what a listener wrote."""
    text = value if isinstance(value, str) else ""
    return " ".join("".join(c if c.isprintable() else " " for c in text[:2000]).split())
