"""A short fuzzing; `make fuzz` is the long one."""

import sys

import pytest

if sys.platform == "win32":
    pytest.skip("memory is measured by resource", allow_module_level=True)

import fuzz


@pytest.mark.slow
@pytest.mark.parametrize("what", ["files", "models"])
def test_mutants(what: str) -> None:
    report = fuzz.fuzz(what, 300, seed=2, jobs=2)
    assert report.findings == {}
    assert report.left == []
    assert sum(report.outcomes.values()) == 300
    assert len(report.outcomes) > 2  # some are refused, and some are not
