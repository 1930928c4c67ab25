"""What the set-up must notice, or the tests of pages would prove nothing."""

from pathlib import Path
from typing import Any

import pytest
from pages import Open, watch

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def written(folder: Path, script: str) -> Path:
    path = folder / "page.html"
    path.write_text(f"<!doctype html><meta charset=utf-8><title>t</title><script>{script}</script>")
    return path


@pytest.mark.parametrize(
    ("script", "word"),
    [
        ("console.error('no')", "console: no"),
        ("undefined.x", "exception: "),
        ("new Image().src = 'http://127.0.0.1:8/x.png'", "request: http:"),
        ("fetch('https://example.invalid/').catch(() => 0)", "request: https:"),
    ],
)
def test_complaints_are_noticed(chromium: Any, tmp_path: Path, script: str, word: str) -> None:
    page = chromium.new_page()
    complaints: list[str] = []
    watch(page, complaints)
    page.goto(written(tmp_path, script).as_uri())
    page.wait_for_timeout(200)
    assert any(each.startswith(word) for each in complaints), complaints


def test_a_quiet_page(opened: Open, tmp_path: Path) -> None:
    assert opened(written(tmp_path, "document.title = 'ran'")).title() == "ran"
