"""One song as a task that can be handed to another process, and doing it."""

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mp3fix.batch import done
from mp3fix.errors import Mp3fixError, OutputExistsError
from mp3fix.files.names import shown
from mp3fix.restore import Options, Restorer
from mp3fix.song import Target, restore_song

Record = dict[str, Any]  # what became of a song, for JSON
Progress = Callable[[float, float | None], None]  # seconds done, seconds there are (None where unknown)


@dataclass(frozen=True)
class How:
    """How songs are restored: the same for all of a run.

    Attributes:
        model, device, threads, fast: see Restorer.
        options: how to restore.
        target: what to write.
    """

    model: str
    device: str
    threads: int | None
    fast: bool
    options: Options
    target: Target

    @property
    def loads(self) -> tuple[str, str, int | None, bool]:
        """The arguments of the Restorer that does this."""
        return self.model, self.device, self.threads, self.fast


@dataclass(frozen=True)
class Task:
    """One song to restore.

    Attributes:
        input: the file. Names that are no text have surrogates, as everywhere in Python; JSON keeps them.
        outputs: one file a seed. Their folder must be there.
        how: how.
    """

    input: str
    outputs: tuple[str, ...]
    how: How

    @property
    def name(self) -> str:
        """The input in messages."""
        return shown(Path(self.input))

    def to_json(self) -> str:
        """The task in one line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str | bytes) -> "Task":
        """The task that `to_json` wrote."""
        values = json.loads(text)
        how = values["how"]
        options = Options(**how["options"] | {"seeds": tuple(how["options"]["seeds"])})
        target = Target(**how["target"] | {"jobs": tuple(how["target"]["jobs"])})
        return cls(
            values["input"], tuple(values["outputs"]), How(**how | {"options": options, "target": target})
        )


def attempt(task: Task, restorer: Restorer, progress: Progress | None = None) -> Record:
    """Restore the song, or say why that failed. Nothing is left behind of what failed."""
    outputs = [Path(output) for output in task.outputs]
    try:
        result = restore_song(
            Path(task.input), outputs, restorer, task.how.options, task.how.target, progress
        )
    except OutputExistsError as error:  # perhaps by another run of the same command, at the same time
        if done.state(Path(task.input), outputs, task.how.target.jobs) == "done":
            return {"status": "skipped"}
        return failure(str(error))
    except Mp3fixError as error:
        return failure(str(error))
    except OSError as error:
        return failure(reason(error, task.name))
    except MemoryError:
        return failure(f"{task.name}: there is not enough memory for it")
    return {
        **result.record(),
        "seeds": list(task.how.options.seeds),
        "model": task.how.model,
        "device": restorer.generator.device,
    }


def failure(error: str) -> Record:
    """The record of a song that failed."""
    return {"status": "failed", "error": error}


def reason(error: OSError, name: str) -> str:
    """An error of the system that nobody foresaw, in one line."""
    named = name if error.filename is None else shown(Path(os.fsdecode(error.filename)))
    return f"{named}: {error.strerror or error}"
