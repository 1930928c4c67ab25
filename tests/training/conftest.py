import pytest

for module in ("torch", "onnx", "lameenc"):
    pytest.importorskip(module, reason="needs the extra [lab]")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/training" in item.path.as_posix():
            item.add_marker(pytest.mark.lab)
