"""Keeps a library's own messages away from the user's terminal and pipes."""

import contextlib
import io
import os
import sys
import tempfile
import threading
from collections.abc import Iterator

_STDERR = 2
_lock = threading.Lock()  # two threads that swap the descriptor at once would leave it swapped


@contextlib.contextmanager
def quiet() -> Iterator[list[str]]:
    """Swallow what is printed from Python, and what C++ code writes to standard error.

    Standard output's file descriptor stays: ONNX Runtime's C++ code never writes there, and another thread
    may be piping audio into it.

    Yields:
        a list that holds, after the block, the text written to standard error, if any could be.
    """
    said: list[str] = []
    with _lock, contextlib.redirect_stdout(io.StringIO()):
        if sys.stderr is not None:
            sys.stderr.flush()
        try:
            saved = os.dup(_STDERR)
        except OSError:  # closed: nobody listens
            yield said
            return
        with tempfile.TemporaryFile() as sink:
            os.dup2(sink.fileno(), _STDERR)
            try:
                yield said
            finally:
                os.dup2(saved, _STDERR)
                os.close(saved)
                sink.seek(0)
                said.append(sink.read().decode(errors="replace"))
