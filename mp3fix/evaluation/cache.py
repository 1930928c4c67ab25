"""What was computed once, in a folder: one small file a result, named by all that it depends on."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class Cache:
    """Results by key. A key is a JSON object of everything that a result depends on.

    Files appear whole or not at all, so several processes may share a folder and be stopped at any moment.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, key: Mapping[str, Any]) -> dict[str, Any] | None:
        """The result of a key; None if it is not there."""
        try:
            return json.loads(self._path(key).read_text(encoding="utf-8"))["value"]
        except FileNotFoundError:
            return None

    def put(self, key: Mapping[str, Any], value: Mapping[str, Any]) -> None:
        """Keep a result; nan and inf are kept too."""
        self._folder.mkdir(parents=True, exist_ok=True)
        part = self._path(key).with_suffix(f".{os.getpid()}.part")
        part.write_text(json.dumps({"key": key, "value": value}), encoding="utf-8")
        os.replace(part, self._path(key))

    def _path(self, key: Mapping[str, Any]) -> Path:
        text = json.dumps(key, sort_keys=True)
        return self._folder / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.json"
