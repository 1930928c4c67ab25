"""Listening tests of short noises, and a participant who does them by a script."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from counted import until

from mp3fix.listening.pages import Made, make
from mp3fix.listening.stimuli import Item

RATE = 44100
SECONDS = 1.1
SYSTEMS = {"mushra": ("reference", "mp3"), "mos": ("reference", "mp3"), "abx": ("reference", "mp3")}

Answer = Callable[[str, str], Any]  # (item, stimulus) -> what the participant says


def noise(seed: int) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal((1, round(SECONDS * RATE)))).astype(np.float32)


def sound(item: int, system: int) -> np.ndarray:
    """Float32 (2, n): all systems of an item are the same on the left."""
    return np.concatenate([noise(item), noise(100 + 10 * item + system)])


def made(folder: Path, method: Any, items: int = 2, one_file: bool = False) -> Made:
    systems = SYSTEMS.get(method, ("reference", "mp3", "ours"))
    given = [
        Item(f"song {item}", {system: sound(item, k) for k, system in enumerate(systems)}, {})
        for item in range(items)
    ]
    return make(given, RATE, method, folder / "test", "A <b>test</b>", 1, one_file)


def begin(page: Any, code: str = "anna") -> None:
    page.fill("#code", code)
    page.select_option("#heard", "Headphones")
    page.click("text=Begin")
    page.wait_for_selector(".transport")


def hear(page: Any) -> None:
    """Press each button until it is marked as heard; of MOS the one to play."""
    buttons = page.locator(".source")
    for index in range(buttons.count()):
        buttons.nth(index).click()
        page.wait_for_selector(f".source.heard >> nth={index}")
    if not buttons.count():
        page.click(".main")
        until(page, "transport.missing.length === 0")


def trial(page: Any) -> dict[str, Any]:
    """What the page asks now."""
    return page.evaluate(
        "(() => { const each = trials.filter((t) => t.practice), rest = trials.filter((t) => !t.practice);"
        "return state.practised < each.length ? each[state.practised] : rest[state.trials.length]; })()"
    )


def answer(page: Any, method: str, says: Answer) -> None:
    asked = trial(page)
    if method == "mushra":
        for index, stimulus in enumerate(asked["stimuli"]):
            page.locator("input[type=range]").nth(index).fill(str(says(asked["item"], stimulus)))
    elif method == "mos":
        page.check(f"input[value='{says(asked['item'], asked['stimuli'][0])}']")
    elif method == "abx":
        page.check(f"text=X is {'AB'[asked['stimuli'].index(asked['x'])]}")
    else:
        for index, stimulus in enumerate(asked["stimuli"]):
            page.locator(".which .row").nth(index).get_by_text(says(asked["item"], stimulus)).click()


def onward(page: Any) -> None:
    page.click("text=Next")
    ready = page.locator("text=Begin the test")
    page.wait_for_selector(".transport, #save, h1")
    if ready.count():
        ready.click()
        page.wait_for_selector(".transport")
