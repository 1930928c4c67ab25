"""Work on many files, several at a time."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from mp3fix.generator.devices import available_cores

MOST = 4  # at a time, on whatever machine: each holds a whole recording

T = TypeVar("T")
R = TypeVar("R")


def in_order(function: Callable[[T], R], items: Iterable[T]) -> Generator[R, None, None]:
    """What a function makes of each item, in their order, in as many threads as there are cores.

    It goes ahead of whoever takes the results by a few items only. Closing it waits for those that have begun. What a
    call raises is raised when its turn comes.
    """
    workers = min(available_cores(), MOST)
    begun: deque[Future[R]] = deque()
    with ThreadPoolExecutor(workers, "mp3fix-lab") as pool:
        try:
            for item in items:
                begun.append(pool.submit(function, item))
                if len(begun) == 2 * workers:
                    yield begun.popleft().result()
            while begun:
                yield begun.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
