"""Many songs on one machine: threads that each have a worker process."""

import queue
import threading
from collections.abc import Callable, Iterable
from typing import Any

from mp3fix.batch.work import Record, Task
from mp3fix.batch.worker import Worker
from mp3fix.errors import Mp3fixError

OnProgress = Callable[[Task, float, float | None], None]
OnResult = Callable[[Task, Record], None]


def run(tasks: Iterable[Task], jobs: int, on_progress: OnProgress, on_result: OnResult) -> None:
    """Do tasks, several at a time.

    Args:
        tasks: taken one by one, as workers become free.
        jobs: how many worker processes.
        on_progress: called with a task, the seconds done and the seconds there are (None where unknown).
        on_result: called with a task and what became of it, in the order in which they end.

    Both are called in the calling thread. However this ends, no worker is left, and no partial output.

    Raises:
        Mp3fixError: a worker cannot be started, or cannot load the generator.
    """
    todo: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
    events: queue.SimpleQueue[tuple[Callable[..., None], tuple[Any, ...]]] = queue.SimpleQueue()
    workers = [Worker() for _ in range(jobs)]
    running = 0

    def serve(worker: Worker) -> None:
        while (task := todo.get()) is not None:
            try:
                record = worker.do_or_retry(task, lambda *s, task=task: events.put((on_progress, (task, *s))))
            except OSError as error:
                advice = "; try fewer at a time with -j" if jobs > 1 else ""
                reason = f"no process can be started: {error.strerror or error}{advice}"
                events.put((_raise, (Mp3fixError(reason),)))
                return
            except BaseException as error:
                events.put((_raise, (error,)))
                return
            events.put((finish, (task, record)))

    def finish(task: Task, record: Record) -> None:
        nonlocal running
        running -= 1
        on_result(task, record)

    def listen() -> None:
        act, arguments = events.get()
        act(*arguments)

    threads = [threading.Thread(target=serve, args=(worker,), daemon=True) for worker in workers]
    try:
        for thread in threads:
            thread.start()
        for task in tasks:
            todo.put(task)
            running += 1
            while running >= jobs:
                listen()
        while running:
            listen()
    finally:
        for worker in workers:
            worker.stop()
            todo.put(None)
        for worker in workers:
            worker.close()
        for thread in threads:
            thread.join()


def _raise(error: BaseException) -> None:
    raise error
