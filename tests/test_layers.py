"""Imports point down: what a layer may know of the others, read from the source of every module."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "mp3fix"

# From the bottom up. Those of a line do not know each other, but modules of one package do.
LAYERS = [
    {"errors", "audio", "blas", "prefetch"},
    {"signal", "bitstream"},
    {"files"},
    {"generator"},
    {"restore"},
    {"segment", "song"},
    {"report"},
    {"batch"},
    {"training"},
    {"evaluation"},
    {"listening"},
    {"cli"},
    {"__main__"},
]
RANKS = {part: rank for rank, parts in enumerate(LAYERS) for part in parts}

# Who alone may import what.
HOMES = {
    "onnxruntime": {"generator/session.py", "training/variants.py"},  # the second: its tools for quantisation
    "torch": {"training/"},
}

MODULES = sorted(PACKAGE.rglob("*.py"))


def imported(module: Path) -> Iterator[tuple[str, int]]:
    """Names of all that a module imports, anywhere in it, with their line: "mp3fix.files.tags", "numpy"."""
    package = module.relative_to(ROOT).parent.parts  # of an __init__.py too
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*start, *([node.module] if node.module else [])])
            for alias in node.names:
                yield f"{base}.{alias.name}", node.lineno


def part_of(name: str) -> str | None:
    """The part of mp3fix that an imported name belongs to; None for others, and for the package itself."""
    package, _, rest = name.partition(".")
    part = rest.partition(".")[0]
    return part if package == "mp3fix" and part in RANKS else None


def test_every_part_has_a_rank() -> None:
    parts = {module.relative_to(PACKAGE).parts[0].removesuffix(".py") for module in MODULES} - {"__init__"}
    assert parts == RANKS.keys()


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(module: Path) -> None:
    own = module.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if own == "__init__":
        return  # it names what users use, and loads it when they do
    for name, line in imported(module):
        other = part_of(name)
        if other is not None and other != own:
            assert RANKS[other] < RANKS[own], f"{module}:{line} imports {name}"
        elif name.startswith("mp3fix") and other is None:
            assert name == "mp3fix.__version__", f"{module}:{line} imports {name}; import the module it is in"


@pytest.mark.parametrize("library", HOMES)
def test_heavy_libraries_have_one_home(library: str) -> None:
    for module in MODULES:
        if any(name.split(".")[0] == library for name, _ in imported(module)):
            where = module.relative_to(PACKAGE).as_posix()
            assert where.startswith(tuple(HOMES[library])), f"{where} imports {library}"


def test_these_tests_see_imports() -> None:
    """What would go unseen, if reading the source went wrong."""
    assert any(name == "onnxruntime" for name, _ in imported(PACKAGE / "generator" / "session.py"))
    relative = {part_of(name) for name, _ in imported(PACKAGE / "files" / "decode.py")}
    assert {"bitstream", "errors", "files"} <= relative


def test_importing_the_package_loads_nothing_heavy() -> None:
    script = (
        "import sys, mp3fix; heavy = {'onnxruntime', 'torch', 'numpy', 'soundfile', 'pydub'}; "
        "sys.exit(', '.join(heavy & sys.modules.keys()) or 0)"
    )
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, timeout=60)
    assert (ran.returncode, ran.stderr) == (0, b"")
