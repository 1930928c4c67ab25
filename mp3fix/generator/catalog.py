"""From a generator's name to its file."""

import os
from pathlib import Path

from mp3fix.errors import ModelError
from mp3fix.generator.contract import Contract, read_contract

DEFAULT = "music"
HEADINGS = {"literature": "Systems of published papers, trained small, to compare with"}  # of folders

_PACKAGE = Path(__file__).resolve().parents[1]


def directory() -> Path:
    """Where the bundled generators are: inside the installed package, or beside it in a checkout."""
    installed = _PACKAGE / "models"
    return installed if installed.is_dir() else _PACKAGE.parent / "models"


def _bundled() -> dict[str, Path]:
    """Name -> file, the default first. A subfolder is part of the name: "folder/name"."""
    files = {
        file.relative_to(directory()).with_suffix("").as_posix(): file for file in directory().rglob("*.onnx")
    }
    return {
        name: files[name] for name in sorted(files, key=lambda name: (name != DEFAULT, "/" in name, name))
    }


def list_models() -> list[tuple[str, Path, Contract]]:
    """Name, file and contract of each bundled generator, the default first.

    Raises:
        ModelError: when one of the files is broken.
    """
    return [(name, path, read_contract(path)) for name, path in _bundled().items()]


def find(name_or_path: str | Path) -> Path:
    """The file of a generator: a path if it ends in .onnx, else a bundled name, else any path that exists.

    The folder of a bundled name may be left out where no generator at the top, and no other folder, has that name.

    Raises:
        ModelError: when there is none; it lists the names.
    """
    text = str(name_or_path)
    path = Path(text)
    if path.suffix.lower() == ".onnx":
        if not os.path.exists(path):
            raise ModelError(f"{path}: no such generator")
        return path
    bundled = _bundled()
    if text in bundled:
        return bundled[text]
    inside = [name for name in bundled if name.rpartition("/")[2] == text]
    if len(inside) == 1:
        return bundled[inside[0]]
    if path.name != text and os.path.exists(path):
        return path
    raise ModelError(
        f"no generator {text!a}; there are: {', '.join(bundled) or 'none'}\n"
        "For one of your own, give the path of its .onnx file."
    )
