"""NumPy's matrix products, which its libraries spread over threads."""

import os


def one_thread() -> None:
    """Let OpenBLAS use the calling thread alone, unless OPENBLAS_NUM_THREADS says otherwise; before NumPy is imported.

    The products here are small: its threads do little but wait in loops, which took a sixth of all CPU time
    (docs/benchmarks.md).
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
