"""All tests here need the lab's packages; on a machine without them they are skipped, not broken."""

import importlib.util

import pytest

if any(importlib.util.find_spec(name) is None for name in ("visqol", "pesq", "pystoi", "lameenc", "torch")):
    collect_ignore_glob = ["test_*.py"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "/evaluation/" in item.path.as_posix():
            item.add_marker(pytest.mark.lab)
