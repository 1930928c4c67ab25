import importlib.util

import pytest

MISSING = [
    name
    for name in ("scipy", "pyloudnorm", "matplotlib", "lameenc", "onnx")
    if importlib.util.find_spec(name) is None
]
collect_ignore_glob = ["test_*.py"] if MISSING else []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/listening" in item.path.as_posix():
            item.add_marker(pytest.mark.lab)
