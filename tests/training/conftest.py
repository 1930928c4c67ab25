import importlib.util
from collections.abc import Iterator

import pytest

MISSING = [name for name in ("torch", "onnx", "lameenc") if importlib.util.find_spec(name) is None]
collect_ignore_glob = ["test_*.py"] if MISSING else []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/training" in item.path.as_posix():
            item.add_marker(pytest.mark.lab)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Small layers: more threads would wait for each other, ten times as long where other programs run beside."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def seeded() -> None:
    """The same numbers whichever tests ran before: `make test` shares them out among processes."""
    import torch

    torch.manual_seed(0)
