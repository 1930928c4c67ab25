"""Many songs on many machines: tasks of dask.distributed, each done by a child of a dask worker process.

What crashes on a song is the child, not the dask worker: so a song cannot take others with it, and dask does again
only what was lost with a machine.
"""

import logging
import os
import socket
import threading
import time
import uuid
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from mp3fix import __version__
from mp3fix.batch.pool import OnResult
from mp3fix.batch.work import Record, Task, failure
from mp3fix.batch.worker import PATIENCE_S, Unloaded, Worker, WorkerDied
from mp3fix.errors import Mp3fixError
from mp3fix.generator import catalog

AHEAD = 4  # songs that lie ready for each thread of the cluster
_CONNECT_S = 15
_LOOK_S = 10.0  # between two looks at the size of the cluster


class ClusterError(Mp3fixError):
    """The cluster cannot be used, or has been lost."""


def run(tasks: Iterable[Task], address: str, on_result: OnResult, on_waiting: Callable[[], None]) -> None:
    """Do tasks on a cluster.

    Args:
        tasks: taken one by one, a few for each thread of the cluster ahead. Their paths must lead to the same files
            on all its machines.
        address: of the scheduler, "tcp://host:8786".
        on_result: called in this thread with a task and what became of it, in the order in which they end.
        on_waiting: called in this thread, once, if there is no worker at the beginning.

    Raises:
        ClusterError: dask.distributed is missing here, or the scheduler cannot be reached, or is lost.
    """
    with _connected(address) as client:
        from distributed import as_completed

        name, source, size, looked = uuid.uuid4().hex, iter(tasks), 0, -_LOOK_S
        waiting: dict[Any, Task] = {}
        ended = as_completed(loop=client.loop, raise_errors=False)
        restore = _remote_restore()
        waits = not client.nthreads()
        try:
            while True:
                if time.monotonic() - looked > _LOOK_S:
                    size, looked = sum(client.nthreads().values()), time.monotonic()
                for task in islice(source, max(0, AHEAD * max(1, size) - len(waiting))):
                    key = f"mp3fix-{name}-{uuid.uuid4().hex}"
                    text = _absolute(task).to_json()
                    future = client.submit(restore, text, task.name, name, __version__, key=key)
                    waiting[future] = task
                    ended.add(future)
                if not waiting:
                    return
                if waits:
                    waits = False
                    on_waiting()
                future = next(ended)
                if future.cancelled():
                    raise ClusterError(_LOST.format(address))
                on_result(task := waiting.pop(future), _record(future, task))
        finally:
            _end(client, list(waiting), name)


_LOST = "{}: the scheduler has been lost. The same command goes on from here: what is done is skipped."


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    """A client of the cluster."""
    try:
        import distributed
    except ImportError as error:
        raise ClusterError(
            f"--scheduler needs dask.distributed: pip install 'mp3fix[cluster]' ({error})"
        ) from None
    for library in ("distributed", "tornado", "asyncio"):  # what matters to a user, we say
        logging.getLogger(library).setLevel(logging.CRITICAL + 1)
    warnings.filterwarnings("ignore", module="distributed")
    try:
        client = distributed.Client(address, timeout=_CONNECT_S, set_as_default=False, name="mp3fix")
    except (OSError, ValueError, TypeError) as error:
        reason = str(error) or type(error).__name__
        raise ClusterError(
            f"--scheduler {address}: no dask scheduler can be reached there: {reason}"
        ) from None
    try:
        yield client
    except OSError as error:  # of dask's connections: those of files have been dealt with
        if client.status == "running":
            raise
        raise ClusterError(_LOST.format(address)) from error
    finally:
        with suppress(Exception):
            client.close(timeout=5)


def _absolute(task: Task) -> Task:
    """The task for another machine, whose current folder is another. A bundled generator's name stays one."""
    model = task.how.model if catalog.is_name(task.how.model) else _from_root(task.how.model)
    return replace(
        task,
        input=_from_root(task.input),
        outputs=tuple(map(_from_root, task.outputs)),
        how=replace(task.how, model=model),
        copy=None if task.copy is None else _from_root(task.copy),
        picture=task.picture and replace(task.picture, path=_from_root(task.picture.path)),
    )


def _from_root(path: str) -> str:
    return str(Path(path).absolute())  # os.path.abspath takes out "..", which leads elsewhere behind a link


def _record(future: Any, task: Task) -> Record:
    if future.status == "finished":
        try:
            return dict(future.result())
        except Exception as error:  # the worker that holds it has gone this moment
            return failure(f"{task.name}: what became of it was lost: {error}")
    reason = future.exception()
    if type(reason).__name__ == "KilledWorker":
        return failure(f"{task.name}: the dask workers that had it were lost, one after the other")
    return failure(f"{task.name}: {type(reason).__name__}: {reason}")


def _end(client: Any, waiting: list[Any], name: str) -> None:
    """Leave nothing running, and wait for what is being cleared away."""
    with suppress(Exception):
        if waiting:
            client.cancel(waiting, force=True)
        until, over = time.monotonic() + PATIENCE_S, _remote_over()
        while any(client.run(over, name, on_error="ignore").values()) and time.monotonic() < until:
            time.sleep(0.1)


# What runs in the dask workers. Functions inside functions travel as code: neither the scheduler nor a worker needs
# mp3fix to take them in, so that one without it can say so.


def _remote_restore() -> Callable[[str, str, str, str], dict[str, Any]]:
    def restore(task: str, name: str, run: str, version: str) -> dict[str, Any]:
        import socket

        try:
            from mp3fix import __version__ as found
            from mp3fix.batch import cluster
        except ImportError:
            found = "no version"
        if found != version:
            host = socket.gethostname()
            error = f"the dask worker on {host} has {found} of mp3fix; {version} must be installed there"
            return {"status": "failed", "error": f"{name}: {error}"}
        return cluster.restore_here(task, run)

    return restore


def _remote_over() -> Callable[[str], int]:
    def over(run: str) -> int:
        import sys

        cluster = sys.modules.get("mp3fix.batch.cluster")
        return cluster.over_here(run) if cluster else 0

    return over


_lock = threading.Lock()
_idle: list[Worker] = []
_busy: dict[str, set[Worker]] = {}  # by run
_over: set[str] = set()  # runs


def restore_here(text: str, run: str) -> Record:
    """In a dask worker: do a task with a child of this process, one for each thread."""
    task, host = Task.from_json(text), socket.gethostname()
    if not os.path.lexists(task.input):
        return failure(f"{task.name}: the dask worker on {host} sees no such file; it needs the same folders")
    with _lock:
        if run in _over:
            return failure("interrupted")
        worker = _idle.pop() if _idle else Worker()
        _busy.setdefault(run, set()).add(worker)
    try:
        record = worker.do_or_retry(task)
    except Unloaded as error:
        record = failure(f"{task.name}: the dask worker on {host} cannot do it: {error}")
    except OSError as error:
        record = failure(f"{task.name}: the dask worker on {host} can start no process: {error.strerror}")
    except WorkerDied:
        record = failure("interrupted")
    with _lock:
        kept = run not in _over
        if kept:
            _idle.append(worker)
    if not kept:
        worker.close()
    with _lock:
        _busy[run].discard(worker)
    return record


def over_here(run: str) -> int:
    """In a dask worker: end the children of a run; returns how many there are still. Does not wait for them."""
    with _lock:
        _over.add(run)
        for worker in (*_idle, *_busy.get(run, ())):
            worker.stop()
        _idle.clear()
        return len(_busy.get(run, ()))
