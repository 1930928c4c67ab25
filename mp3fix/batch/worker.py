"""A child process that restores songs, seen from outside (batch.child is its inside)."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from mp3fix.batch.work import Progress, Record, Task, failure
from mp3fix.errors import Mp3fixError
from mp3fix.files import temporary

PATIENCE_S = 10.0  # for a child to end by itself: more than it takes for clearing away
_PACKAGE = Path(__file__).parents[1]


class WorkerDied(Exception):
    """The child ended without an answer; the message says how: "signal 9", "exit code 1"."""


class Unloaded(Mp3fixError):
    """The child cannot load the generator."""


class Worker:
    """A child process that does one task after the other; the next task starts a new one if it has died.

    Used by one thread at a time; only `stop` and `close` may be called by another.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False
        self._starting = threading.Lock()

    def do(self, task: Task, progress: Progress | None = None) -> Record:
        """Do a task.

        Raises:
            WorkerDied: the child ended without an answer. Nothing of the task is left behind.
            Unloaded: the generator cannot be loaded.
        """
        process = self._running()
        assert process.stdin is not None and process.stdout is not None
        with contextlib.suppress(OSError, ValueError):  # it has died, or has been told to end: no answer
            process.stdin.write(task.to_json().encode() + b"\n")
            process.stdin.flush()
        for line in process.stdout:
            if not line.endswith(b"\n"):
                break
            answer = json.loads(line)
            if "record" in answer:
                return dict(answer["record"])
            if "unloaded" in answer:
                raise Unloaded(answer["unloaded"])
            if progress is not None:
                progress(*answer["progress"])
        code = self._reap(PATIENCE_S)
        temporary.remove_stale.cache_clear()  # there is something new to be found
        written = [*task.outputs, *([task.picture.path] if task.picture else [])]
        for folder in {Path(tempfile.gettempdir()), *(Path(path).parent for path in written)}:
            temporary.remove_stale(folder)
        raise WorkerDied(f"signal {-code}" if code < 0 else f"exit code {code}")

    def do_or_retry(self, task: Task, progress: Progress | None = None) -> Record:
        """Do a task; once more, in a new child, if the child dies; then it has failed.

        Raises:
            WorkerDied: after `stop` or `close`.
            Unloaded: the generator cannot be loaded.
        """
        died = None
        for _ in range(2):
            try:
                return self.do(task, progress)
            except WorkerDied as error:
                if self._closed:
                    raise
                died = error
        return failure(f"{task.name}: its worker was killed twice ({died}); is the memory enough?")

    def stop(self) -> None:
        """Tell the child to end, now: what it works on is dropped. `close` waits for that."""
        with self._starting:
            self._closed = True
            if self._process is not None and self._process.stdin is not None:
                with contextlib.suppress(OSError):
                    self._process.stdin.close()

    def close(self, patience: float = PATIENCE_S) -> None:
        """Wait until the child has ended, and kill it if it does not."""
        self.stop()
        self._reap(patience)

    def _running(self) -> "subprocess.Popen[bytes]":
        with self._starting:
            if self._closed:
                raise WorkerDied("stopped")
            if self._process is None:
                self._process = self._start()
            return self._process

    def _start(self) -> "subprocess.Popen[bytes]":
        # The same mp3fix as this one, and nothing that happens to lie in the current folder (-P).
        path = os.pathsep.join([str(_PACKAGE.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "mp3fix.batch.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": path},
            # An interrupt from the keyboard reaches the parent alone, which decides. (A session of its own would
            # do that too, but `nice` means nothing between sessions on Linux.)
            process_group=0,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )

    def _reap(self, patience: float) -> int:
        """The exit code of the child, which is killed after so many seconds."""
        with self._starting:
            process = self._process
            if process is None:
                return 0
            try:
                code = process.wait(patience)
            except BaseException as error:  # patience is at an end, or the user's
                process.kill()
                code = process.wait()
                if not isinstance(error, subprocess.TimeoutExpired):
                    raise
            finally:
                self._process = None
            return code
