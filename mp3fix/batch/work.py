"""One song as a task that can be handed to another process, and doing it."""

import errno
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from mp3fix.batch import choose, done, pictures
from mp3fix.batch.folders import Folders
from mp3fix.batch.verdict import Rules, Verdict, after_a_look
from mp3fix.errors import EncodeError, Mp3fixError, OutputExistsError
from mp3fix.files.names import shown, system_reason
from mp3fix.report import marks
from mp3fix.restore import Options, Restorer
from mp3fix.song import Target, restore_song

Record = dict[str, Any]  # what became of a song, for JSON
Progress = Callable[[float, float | None], None]  # seconds done, seconds there are (None where unknown)

DONE: Record = {"status": "skipped", "reason": "is done"}


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
        outputs: one file a seed. Their folder is made anew should another run have removed it since it was made.
        how: how.
        copy: where the input goes should it not be worth restoring; None for nowhere.
        rules: what says whether it is, after a look into it (see `verdict.after_a_look`); None: it is.
        picture: that is drawn of the restorations; None for none.
        restored: whether they are there already, and only the picture is wanting.
    """

    input: str
    outputs: tuple[str, ...]
    how: How
    copy: str | None = None
    rules: Rules | None = None
    picture: pictures.Sketch | None = None
    restored: bool = False

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
            values["input"],
            tuple(values["outputs"]),
            How(**how | {"options": options, "target": target}),
            values["copy"],
            Rules(**values["rules"]) if values["rules"] else None,
            pictures.Sketch(**values["picture"]) if values["picture"] else None,
            values["restored"],
        )


def attempt(task: Task, restorer: Restorer | None, progress: Progress | None = None) -> Record:
    """Restore the song and draw it, or say why that failed or need not be. Nothing is left behind of what failed.

    Args:
        task: what to do.
        restorer: that does it; not needed for a song that is restored.
        progress: called now and then.
    """
    record = DONE if restorer is None or task.restored else _restore(task, restorer, progress)
    if task.picture is None or (record != DONE and record["status"] != "restored"):
        return record
    done_s = record.get("seconds", 0.0)

    def tick(_: float) -> None:
        if progress is not None:  # which may end it all
            progress(done_s, done_s or None)

    outputs = [Path(output) for output in task.outputs]
    return drawn(record, task.picture, Path(task.input), outputs, task.how, tick=tick)


def drawn(
    record: Record,
    sketch: pictures.Sketch,
    source: Path,
    outputs: Sequence[Path],
    how: How,
    *,
    name: str | None = None,
    tick: Callable[[float], None] | None = None,
) -> Record:
    """Draw a picture; gives the record of a song, restored or done, with what became of that.

    Args:
        record: the song's.
        sketch: the picture.
        source, outputs: the files; one output a seed.
        how: they were restored.
        name: of the input in the picture; None for that of its file.
        tick: called every second or so; what it raises passes, unless that is an Exception.
    """
    try:
        pictures.draw_sketch(
            sketch,
            source,
            outputs,
            how.options.seeds,
            how.target.start,
            how.target.duration,
            record.get("gain_db"),
            name,
            tick,
        )
    except OutputExistsError as error:
        if marks.read(Path(sketch.path)) != sketch.mark:  # else another run has drawn it meanwhile
            return _undrawn(record, sketch, error)
    except Exception as error:  # whatever it is, the song is there
        return _undrawn(record, sketch, error)
    return {"status": "drawn", "reason": "is done, but for its picture"} if record == DONE else record


def _undrawn(record: Record, sketch: pictures.Sketch, error: Exception) -> Record:
    """The record of a song whose picture failed."""
    text = why(error, shown(Path(sketch.path)))
    refused = refusal(error) if isinstance(error, Mp3fixError) else {}
    if record == DONE:
        return failure(text) | refused
    return {**record, "picture": None, "picture_error": text, **refused}


def _restore(task: Task, restorer: Restorer, progress: Progress | None) -> Record:
    """As `attempt`, without a picture."""
    outputs = [Path(output) for output in task.outputs]
    written = [*outputs, *([Path(task.copy)] if task.copy else [])]
    try:
        with Folders() as folders:
            return folders.fill([path.parent for path in written], partial(_do, task, restorer, progress))
    except OutputExistsError as error:  # perhaps by another run of the same command, at the same time
        if done.state(Path(task.input), outputs, task.how.target.jobs) == "done":
            return DONE
        return failure(str(error))
    except EncodeError as error:
        return failure(str(error)) | refusal(error)
    except Exception as error:  # one song must not end a run of thousands
        return failure(why(error, task.name))


def why(error: Exception, name: str) -> str:
    """What is told of an error, of whatever kind.

    Args:
        error: what was raised.
        name: of the file that it is about, for errors that do not name one.
    """
    if isinstance(error, Mp3fixError):
        return str(error)
    if isinstance(error, OSError):
        return system_reason(error, name)
    if isinstance(error, MemoryError):
        return f"{name}: there is not enough memory for it"
    return f"{name}: {type(error).__name__}: {error} (a fault of mp3fix: please report it)"


def _do(task: Task, restorer: Restorer, progress: Progress | None) -> Record:
    """Restore or copy the song. Raises what `attempt` makes records of."""
    outputs = [Path(output) for output in task.outputs]
    target = task.how.target
    if task.rules is not None:
        copy = None if task.copy is None else Path(task.copy)
        found = after_a_look(Path(task.input), outputs, copy, target.jobs, task.rules)
        if found.action != "restore":
            record = _not_restored(found, Path(task.input), copy)
            return record if task.picture is None else {"picture": None, **record}
        target = replace(target, overwrite=found.overwrite)
    result = restore_song(Path(task.input), outputs, restorer, task.how.options, target, progress)
    return {**result.record(), "device": restorer.generator.device}


def _not_restored(found: Verdict, source: Path, copy: Path | None) -> Record:
    """The record of a song that is not restored, once it is copied where it should be."""
    if found.action == "refuse":
        return failure(found.reason)
    if found.action == "copy" and copy is not None:
        choose.copy(source, copy, found.overwrite)
    status = {"copy": "copied", "leave": "left", "skip": "skipped"}[found.action]
    return {"status": status, "reason": found.reason, "outputs": [str(copy)] if copy else []}


def failure(error: str) -> Record:
    """The record of a song that failed."""
    return {"status": "failed", "error": error}


def refusal(error: Mp3fixError) -> Record:
    """Why the system did not let something be written, as "errno": "ENOSPC"; nothing if it was not the system."""
    cause = error.__cause__
    number = cause.errno if isinstance(cause, OSError) else None
    return {} if number is None else {"errno": errno.errorcode.get(number, str(number))}
