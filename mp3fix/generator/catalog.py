"""From a generator's name to its file."""

import os
from pathlib import Path

from mp3fix.errors import ModelError, UsageError
from mp3fix.generator.contract import Contract, read_contract

DEFAULT = "music"
HEADINGS = {"literature": "Systems of published papers, trained small, to compare with"}  # of folders

_PACKAGE = Path(__file__).resolve().parents[1]


class UnknownModel(ModelError, UsageError):
    """There is no generator of that name."""


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
    """The file of a generator: a path if it ends in .onnx, else a bundled name, else the path of any file.

    The folder of a bundled name may be left out where no generator at the top, and no other folder, has that name.

    Raises:
        UnknownModel: when there is none; it lists the names.
    """
    text = str(name_or_path)
    path = Path(text)
    if found := _named(text):
        return found
    if path.suffix.lower() == ".onnx":
        if not os.path.isfile(path):
            raise UnknownModel(f"{path}: no such generator")
        return path
    if path.name != text and os.path.isfile(path):
        return path
    raise UnknownModel(
        f"no generator {text!a}; there are: {', '.join(_bundled()) or 'none'}\n"
        "For one of your own, give the path of its .onnx file."
    )


def is_name(name_or_path: str | Path) -> bool:
    """Whether `find` takes this for a bundled name, which means the same in every folder and on every machine."""
    return _named(str(name_or_path)) is not None


def _named(text: str) -> Path | None:
    """The file of a bundled name; None for what is a path, or nothing."""
    if Path(text).suffix.lower() == ".onnx":
        return None
    bundled = _bundled()
    inside = [name for name in bundled if name.rpartition("/")[2] == text]
    name = text if text in bundled else inside[0] if len(inside) == 1 else None
    return None if name is None else bundled[name]
