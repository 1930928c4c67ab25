"""Runs an iterator in a thread of its own, a little ahead of whoever consumes it."""

import queue
import threading
from collections.abc import Generator, Iterable
from typing import TypeVar, cast

T = TypeVar("T")

_END = object()


def prefetch(source: Iterable[T], ahead: int = 2) -> Generator[T, None, None]:
    """The items of `source`, computed in a thread up to `ahead` items in advance.

    An exception of the source is raised here. Closing the iterator stops the thread and closes the source; to
    leave that to the garbage collector would let the thread live as long as some traceback does.
    """
    items: queue.Queue[object] = queue.Queue(maxsize=ahead)
    failure: list[BaseException] = []
    stopped = threading.Event()

    def put(item: object) -> bool:
        while not stopped.is_set():
            try:
                items.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def work() -> None:
        try:
            iterator = iter(source)
            try:
                for item in iterator:
                    if not put(item):
                        break
            finally:
                close = getattr(iterator, "close", None)
                if close is not None:
                    close()
        except BaseException as error:
            failure.append(error)
        put(_END)

    thread = threading.Thread(target=work, name="mp3fix-prefetch", daemon=True)
    thread.start()
    try:
        while (item := items.get()) is not _END:
            yield cast(T, item)
        if failure:
            raise failure.pop()
    finally:
        stopped.set()
        thread.join()
