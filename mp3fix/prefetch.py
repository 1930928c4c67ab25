"""Runs an iterator in a thread of its own, a little ahead of whoever consumes it."""

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

_END = object()


def prefetch(source: Iterable[T], ahead: int = 2) -> Iterator[T]:
    """The items of `source`, computed in a thread up to `ahead` items in advance.

    An exception of the source is raised here. Closing the iterator stops the thread and closes the source.
    """
    items: queue.Queue[object] = queue.Queue(maxsize=ahead)
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
        iterator = iter(source)
        try:
            for item in iterator:
                if not put((item, None)):
                    break
            else:
                put(_END)
        except BaseException as error:
            put((None, error))
        finally:
            close = getattr(iterator, "close", None)
            if close is not None:
                close()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while (received := items.get()) is not _END:
            item, error = received  # type: ignore[misc]
            if error is not None:
                raise error
            yield item
    finally:
        stopped.set()
        thread.join()
