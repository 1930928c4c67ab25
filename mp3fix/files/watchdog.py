"""Notices when something that is waited for does not come."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

STEP_S = 1.0


class Watchdog:
    """Acts once when one wait has taken too long; a thread until `close`.

    Args:
        patience_s: seconds that a wait may take.
        bark: what is done then, in the thread.

    Attributes:
        barked: whether that has happened.
    """

    def __init__(self, patience_s: float, bark: Callable[[], None]) -> None:
        self.barked = False
        self._patience_s, self._bark = patience_s, bark
        self._wait: object | None = None  # another one for each wait
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="mp3fix-watchdog", daemon=True)
        self._thread.start()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Around what may never end by itself."""
        self._wait = object()
        try:
            yield
        finally:
            self._wait = None

    def close(self) -> None:
        """Stop watching. May be called twice."""
        self._closed.set()
        self._thread.join()

    def _watch(self) -> None:
        # In small steps: while the whole process is stopped (Ctrl-Z), only one of them passes.
        steps, before = 0, None
        while not self._closed.wait(STEP_S):
            now = self._wait
            steps = steps + 1 if now is not None and now is before else 0
            before = now
            if steps * STEP_S >= self._patience_s:
                self.barked = True
                self._bark()
                return
