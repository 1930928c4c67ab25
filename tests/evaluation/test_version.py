import shutil
from pathlib import Path

import pytest

from mp3fix.evaluation import version
from mp3fix.evaluation.version import PACKAGE, SOURCES, digest


def test_every_source_that_is_named_exists() -> None:
    assert all(list(PACKAGE.glob(pattern)) for pattern in SOURCES)


def test_a_change_in_what_makes_figures_is_a_new_version(tmp_path: Path) -> None:
    copy = tmp_path / "mp3fix"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    seen = {digest(PACKAGE)}
    assert digest(copy) in seen
    for name in ("evaluation/report.py", "cli/lab.py"):
        (copy / name).write_text("# shown otherwise\n")
        assert digest(copy) in seen
    for name in ("signal/stft.py", "restore.py", "training/codec.py", "evaluation/scoring.py"):
        with (copy / name).open("a") as file:
            file.write("\n")
        assert digest(copy) not in seen
        seen.add(digest(copy))


def test_another_release_of_a_measure_is_a_new_version(monkeypatch: pytest.MonkeyPatch) -> None:
    before = version.version()
    version.version.cache_clear()
    monkeypatch.setattr(version, "installed", lambda name: "0")
    try:
        assert version.version() != before
    finally:
        version.version.cache_clear()
