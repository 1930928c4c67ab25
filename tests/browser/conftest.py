"""Pages in a real browser: Debian's chromium, headless, opening files from disk as users do.

    pytestmark = [pytest.mark.slow, pytest.mark.browser]

    def test_it(opened: Open) -> None:                  # from pages import Open
        page = opened(tmp_path / "out.html")            # a Page of Playwright's synchronous API
        phone = opened(out, viewport={"width": 390, "height": 844}, has_touch=True, color_scheme="dark")

Whatever a page writes to the console as an error, throws, or asks for beyond file:, data: and blob: fails its test.
Without chromium or Playwright these tests are skipped.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pages import Open, watch


@pytest.fixture(scope="module")  # no longer: while it lives, its event loop is in the way of others
def chromium() -> Iterator[Any]:
    """The browser; sound may start without a click, which a real user gives."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: the extra [test]")
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no chromium")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(
            executable_path=program, args=["--autoplay-policy=no-user-gesture-required"]
        )
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium: Any) -> Iterator[Open]:
    """Opens files as pages, each in a fresh browser profile; at the test's end, none must have complained."""
    contexts: list[Any] = []
    complaints: list[str] = []

    def open_file(path: Path, **options: Any) -> Any:
        context = chromium.new_context(**({"viewport": {"width": 1200, "height": 900}} | options))
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        watch(page, complaints)
        page.goto(path.resolve().as_uri())
        return page

    yield open_file
    for context in contexts:
        context.close()
    assert complaints == []
