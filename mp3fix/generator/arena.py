"""How much main memory networks may take: a hostile one must end with an error, not with the machine.

ONNX Runtime reserves the memory of what it computes in an arena. All sessions of a process share one here, for only
such a one can be given a limit.
"""

import os
from functools import cache
from typing import Any

_MOST = 8 << 30  # bytes


def most_bytes() -> int:
    """Half of the memory, at most 8 GB: networks take hundreds of megabytes, and other programs run too."""
    try:
        return min(_MOST, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2)
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        return _MOST


@cache
def limit_memory(runtime: Any) -> None:
    """Make the arena that sessions with "session.use_env_allocators" use; once in a process is enough."""
    kind, usage = runtime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, runtime.OrtMemType.DEFAULT
    place = runtime.OrtMemoryInfo("Cpu", kind, 0, usage)
    rest = dict.fromkeys(
        ("arena_extend_strategy", "initial_chunk_size_bytes", "max_dead_bytes_per_chunk"), -1
    )
    runtime.create_and_register_allocator(place, runtime.OrtArenaCfg({"max_mem": most_bytes(), **rest}))
