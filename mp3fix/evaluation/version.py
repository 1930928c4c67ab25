"""What a cached figure depends on besides its file, setting and generator: the code that made it."""

import hashlib
from functools import cache
from importlib.metadata import version as installed
from pathlib import Path

from mp3fix.generator.session import import_runtime

PACKAGE = Path(__file__).parents[1]
# Pairs, restorations and measures. How they are planned, kept, judged and shown changes no figure.
SOURCES = (
    "signal/*.py",
    "bitstream/*.py",
    "generator/apply.py",
    "restore.py",
    "training/codec.py",
    *(
        f"evaluation/{name}.py"
        for name in ("scoring", "spectral", "waveform", "perceptual", "excerpts", "draws")
    ),
)
DISTRIBUTIONS = ("lameenc", "visqol-python", "pesq", "pystoi", "soundfile")


@cache
def version() -> str:
    """Digest of the sources and the versions of the packages that figures come from, 32 hex digits."""
    # ONNX Runtime is installed under several names, one for each kind of device.
    packages = [*(f"{name} {installed(name)}" for name in DISTRIBUTIONS), import_runtime().__version__]
    return hashlib.sha256("\n".join([digest(PACKAGE), *packages]).encode()).hexdigest()[:32]


def digest(package: Path) -> str:
    """SHA-256 over names and contents of SOURCES below a package's folder."""
    whole = hashlib.sha256()
    for path in sorted(path for pattern in SOURCES for path in package.glob(pattern)):
        whole.update(f"{path.relative_to(package).as_posix()}\n".encode())
        whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()
