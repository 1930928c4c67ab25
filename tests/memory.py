"""How much memory a process has had at most. `ru_maxrss` does not tell: it begins with the parent's, a test run's."""

import resource
import sys
from pathlib import Path

# Starts what follows its first argument, a file, and writes there how many bytes the largest process of it had.
MEASURED = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
unit = 1 if sys.platform == "darwin" else 1024
with open(sys.argv[1], "w") as file:
    file.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit))
sys.exit(code)
"""


def peak() -> int:
    """Bytes that this process has had at most."""
    try:
        status = Path("/proc/self/status").read_text()
        return 1024 * int(status.split("VmHWM:")[1].split()[0])
    except (OSError, IndexError):
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
