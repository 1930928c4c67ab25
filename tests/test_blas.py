"""NumPy in the processes that restore songs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mp3fix.generator.devices import available_cores

THREADS = """
def threads(*_):
    import numpy as np
    before = len(os.listdir("/proc/self/task"))
    np.matmul(*np.ones((2, 900, 900), np.float32))
    print(before, len(os.listdir("/proc/self/task")), file=sys.stderr)
    return 0
"""
PROGRAMS = {
    "mp3fix": "from mp3fix.cli import main; main.main = threads; main.run()",
    "worker": "from mp3fix.batch import child; child._serve = threads; child.main()",
}


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="tells threads by /proc")
@pytest.mark.skipif(available_cores() < 2, reason="one core: OpenBLAS has no threads anyway")
@pytest.mark.parametrize("program", PROGRAMS)
def test_products_of_matrices_start_no_threads_that_wait_in_loops(program):
    """They took a sixth of all CPU time, and on a machine with many songs at a time a core of each."""
    given = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}

    def counted(**more: str) -> tuple[int, int]:
        code = f"import os, sys\n{THREADS}\n{PROGRAMS[program]}"
        read, write = os.pipe()  # open for as long as the program runs: a worker ends with its input
        with open(read), open(write, "w"):
            done = subprocess.run(
                [sys.executable, "-c", code], env=given | more, stdin=read, capture_output=True, text=True
            )
        before, after = done.stderr.split()
        return int(before), int(after)

    before, after = counted()
    assert before == after == (1 if program == "mp3fix" else 2)  # a worker reads its tasks in a thread
    assert counted(OPENBLAS_NUM_THREADS="2")[1] == after + 1  # who wants them can have them
