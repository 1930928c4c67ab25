"""The program as tests run it."""

import sys
from dataclasses import dataclass
from pathlib import Path

EXCERPT = Path(__file__).parents[1] / "data" / "excerpt.mp3"
PROGRAM = [sys.executable, "-c", "from mp3fix.cli.main import run; run()"]


@dataclass
class Ended:
    """How a run ended."""

    code: int
    out: str
    err: str
