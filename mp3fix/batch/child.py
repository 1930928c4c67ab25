"""The process that restores songs: tasks on its standard input, answers on its standard output, JSON lines.

    <- a Task
    -> {"progress": [12.5, 240.0]}      seconds done, and seconds there are or null; at most five a second
    -> {"record": {"status": ...}}      what became of it
    -> {"unloaded": "..."}              the generator cannot be loaded here

It ends when its input ends, which is how it is told to, and what happens when whoever started it is killed. What it
was working on then leaves nothing behind.
"""

import json
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, BinaryIO

from mp3fix.blas import one_thread
from mp3fix.files import temporary

PATIENCE_S = 3.0  # for reaching the next block of a song
_PROGRESS_S = 0.2


class Stopped(BaseException):
    """The process has been told to end. Raised between two blocks of a song, where clearing away is safe.

    No Exception, so that it passes through whatever makes failures of those.
    """


def main() -> None:
    """Do what comes until the input ends."""
    one_thread()
    tasks, answers = _take_pipes()
    todo: SimpleQueue[bytes | None] = SimpleQueue()
    stop = threading.Event()

    def end(*_: object) -> None:
        stop.set()
        todo.put(None)

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), end)

    def read() -> None:
        for line in tasks:
            todo.put(line)
        end()
        time.sleep(PATIENCE_S)
        temporary.remove_all()
        os._exit(1)  # it waits for something that does not come, or writes a long file

    threading.Thread(target=read, daemon=True).start()
    with suppress(Stopped, BrokenPipeError):
        _serve(todo, answers, stop)
    os._exit(0)  # Python's own end would wait for the thread that reads


def _take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Standard input and output for this module alone: whatever else prints does so to standard error."""
    tasks, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return tasks, answers


def _serve(todo: "SimpleQueue[bytes | None]", answers: BinaryIO, stop: threading.Event) -> None:
    """Do the tasks, with one generator as long as they ask for the same."""
    from mp3fix.batch.work import Task, attempt
    from mp3fix.errors import Mp3fixError
    from mp3fix.restore import Restorer

    loaded: tuple[Any, Restorer] | None = None

    def answer(message: dict[str, Any]) -> None:
        answers.write(json.dumps(message).encode() + b"\n")
        answers.flush()

    while (line := todo.get()) is not None:
        task = Task.from_json(line)
        if not task.restored and (loaded is None or loaded[0] != task.how.loads):
            loaded = None  # first, so that no two are in memory
            try:
                loaded = task.how.loads, Restorer(*task.how.loads)
            except Mp3fixError as error:
                answer({"unloaded": str(error)})
                continue
        told = 0.0

        def progress(done: float, total: float | None) -> None:
            nonlocal told
            if stop.is_set():
                raise Stopped
            if time.monotonic() - told >= _PROGRESS_S:
                told = time.monotonic()
                answer({"progress": [done, total]})

        answer({"record": attempt(task, loaded and loaded[1], progress)})


if __name__ == "__main__":
    main()
