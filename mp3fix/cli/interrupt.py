"""What SIGINT, SIGTERM and SIGHUP do: a KeyboardInterrupt in the main thread, at a moment when that works."""

import _thread
import os
import signal
import sys
import time
from types import FrameType
from typing import Any, NoReturn

EXIT_CODE = 130
CLEARING_S = 2.0  # what comes again within this time does not disturb the clearing away
PATIENCE_S = 30.0  # for the program to end by itself
_AGAIN_S = 0.02


class Interrupt:
    """Handler of signals.

    Python loses an exception that is raised while it clears away an object, and one that is raised within an import
    may leave a lock that nobody opens any more. So the first is raised again, and the second waits for the import's
    end.

    Attributes:
        came: whether an interrupt has been raised.
        over: set when all is done, and only the process's end is left.
    """

    came = False
    over = False
    _raised: float | None = None

    def install(self) -> None:
        """Hear signals from now on."""
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)  # Windows has no SIGHUP
            if number is not None and signal.getsignal(number) != signal.SIG_IGN:  # nohup ignores it
                signal.signal(number, self)
        sys.unraisablehook = self._lost

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Raise KeyboardInterrupt, now or a little later."""
        if self.over:
            return
        if _importing(frame) and hasattr(signal, "setitimer"):
            self._call_again()
            return
        now = time.monotonic()
        if self._raised is None or now - self._raised > CLEARING_S:
            self._raised = now
            if not self.came:
                self.came = True
                # Not by `threading`, of which the main thread may just hold a lock.
                _thread.start_new_thread(_end_late, ())
            raise KeyboardInterrupt

    def _call_again(self) -> None:
        signal.signal(signal.SIGALRM, self)
        signal.setitimer(signal.ITIMER_REAL, _AGAIN_S)

    def _lost(self, unraisable: Any) -> None:
        if isinstance(unraisable.exc_value, KeyboardInterrupt) and hasattr(signal, "setitimer"):
            self._raised = None
            self._call_again()
        else:
            sys.__unraisablehook__(unraisable)


def end(code: int = EXIT_CODE) -> NoReturn:
    """End the process, now. Python's own end could wait for a thread, or for whoever reads a pipe, and is deaf."""
    # What was begun has been cleared away, but for what an interrupt between two steps may have left.
    temporary = sys.modules.get("mp3fix.files.temporary")
    if temporary is not None:
        temporary.remove_all()
    os._exit(code)


def _end_late() -> None:
    time.sleep(PATIENCE_S)
    end()


def _importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
