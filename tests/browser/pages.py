"""What a page must not do, noticed."""

from collections.abc import Callable
from typing import Any

Open = Callable[..., Any]  # (path, **options of a browser context) -> Page of Playwright

_LOCAL = ("file:", "data:", "blob:", "about:")


def watch(page: Any, complaints: list[str]) -> None:
    """Note errors in the console, exceptions, and requests that leave the disk."""

    def said(message: Any) -> None:
        if message.type == "error":
            complaints.append(f"console: {message.text}")

    def asked(request: Any) -> None:
        if not request.url.startswith(_LOCAL):
            complaints.append(f"request: {request.url[:200]}")

    page.on("console", said)
    page.on("pageerror", lambda error: complaints.append(f"exception: {error}"))
    page.on("request", asked)
