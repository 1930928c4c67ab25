"""The page as people use it: opened from disk, by mouse, keys and touch, wide and narrow, light and dark."""

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from counted import RATE, loaded, until
from pages import Open, watch

from mp3fix.report import page as pages_of_songs
from mp3fix.report import pagefile
from mp3fix.report.page import Restoration, Subject, write_page

pytestmark = [pytest.mark.slow, pytest.mark.browser]

pytest.importorskip("jinja2", reason="needs the extra [page]")

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds of a sweep and its restoration, under a long name, in a folder with an odd one."""
    folder = tmp_path_factory.mktemp("page") / "50 % of #1 ü"
    folder.mkdir()
    time = np.arange(4 * RATE) / RATE
    sweep = 0.3 * np.sin(2 * np.pi * 1000 * time * (1 + time))
    for name, samples in (("before", sweep), ("after", 0.5 * sweep)):
        soundfile.write(folder / f"{name}.wav", samples, RATE)
    title = "Averylongnamewithoutanyspaceinit" * 4 + ".mp3"
    subject = Subject(
        folder / "before.wav", title, [Restoration(folder / "after.wav", "Restored")], "tiny 1.0"
    )
    return write_page(folder / "out.html", subject, 30).page


@pytest.fixture
def page(opened: Open, page_file: Path) -> Any:
    page = opened(page_file)
    loaded(page)
    return page


def second(page: Any) -> float:
    return float(page.evaluate("player.position / facts.rate"))


def pressed(page: Any, name: str) -> bool:
    return page.get_by_role("button", name=name, exact=True).get_attribute("aria-pressed") == "true"


def heard(page: Any) -> int:
    """Which row is heard; exactly one is."""
    (row,) = [
        n
        for n, each in enumerate(page.locator(".source").all())
        if each.get_attribute("aria-pressed") == "true"
    ]
    return row


def drawn(page: Any, row: int) -> float:
    """Brightness of a spectrogram."""
    until(
        page, "spectrograms.drawn === spectrograms.generation && spectrograms.coarse.size === 3 * store.count"
    )
    script = """(row) => {
      const canvas = document.querySelectorAll(".view canvas")[row];
      const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return data.reduce((sum, value, i) => sum + (i % 4 === 3 ? 0 : value), 0) / data.length;
    }"""
    return float(page.evaluate(script, row))


def test_keys(page: Any) -> None:
    keys = page.keyboard
    keys.press("ArrowRight")
    assert second(page) == 1
    keys.press("Shift+ArrowRight")
    assert second(page) == pytest.approx(4, abs=0.01)
    keys.press("ArrowLeft")
    assert second(page) == pytest.approx(3, abs=0.01)
    keys.press("Home")
    assert second(page) == 0
    for key, row in (
        ("2", 1),
        ("3", 2),
        ("9", 2),
        ("ArrowUp", 1),
        ("1", 0),
        ("ArrowUp", 0),
        ("ArrowDown", 1),
    ):
        keys.press(key)
        assert heard(page) == row
    for key, name, on in (("l", "Loop", True), ("L", "Loop", False), ("m", "Match loudness", False)):
        keys.press(key)
        assert pressed(page, name) == on
    for key, share in (("+", 0.5), ("+", 0.25), ("-", 0.5), ("0", 1)):
        keys.press(key)
        assert page.evaluate("(spectrograms.to - spectrograms.from) / facts.frames") == pytest.approx(
            share, abs=0.01
        )
    keys.press("Space")
    assert page.locator("#play").text_content() == "Pause"
    until(page, "player.position > 0.2 * facts.rate")
    keys.press("Space")
    assert page.locator("#play").text_content() == "Play" and not page.evaluate("player.playing")


def test_keys_of_the_browser_are_left_alone(page: Any) -> None:
    page.keyboard.press("Control+ArrowRight")
    page.keyboard.press("Alt+3")
    assert second(page) == 0 and heard(page) == 0


def test_by_keyboard_alone(page: Any) -> None:
    """Tab reaches everything, in order, and what has the focus is seen."""
    names = []
    for _ in range(11):
        page.keyboard.press("Tab")
        names.append(
            page.evaluate(
                "document.activeElement.getAttribute('aria-label') || document.activeElement.textContent"
            )
        )
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    wanted = [
        "Light",
        "Play",
        "Position",
        "Loop",
        "Match",
        "Zoom out",
        "Zoom in",
        "Whole",
        "Original",
        "Restored",
        "Diff",
    ]
    assert all(word in name for word, name in zip(wanted, names, strict=True))
    page.keyboard.press("Enter")
    assert heard(page) == 2


def test_mouse(page: Any) -> None:
    view = page.locator(".view").nth(1)
    box = view.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 4, box["y"] + 20)
    assert second(page) == pytest.approx(1, abs=0.01)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 3 / 4, box["y"] + 30, steps=4)
    page.mouse.up()
    assert page.evaluate("player.region.map((frame) => frame / facts.rate)") == pytest.approx(
        [2, 3], abs=0.02
    )
    assert pressed(page, "Loop") and second(page) == pytest.approx(2, abs=0.02)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    page.mouse.wheel(0, -300)
    until(page, "spectrograms.to - spectrograms.from < 0.6 * facts.frames")
    # What is under the pointer stays there.
    middle = page.evaluate("(spectrograms.from + spectrograms.to) / 2 / facts.rate")
    assert middle == pytest.approx(2, abs=0.02)
    page.mouse.click(box["x"] + 2, box["y"] + 20)
    assert page.evaluate("player.region") is None and second(page) == pytest.approx(1, abs=0.02)


def test_the_position_follows_what_plays(page: Any) -> None:
    page.keyboard.press("Space")
    until(page, "player.position > facts.rate")
    page.keyboard.press("Space")
    for head in page.locator(".playhead").all():
        assert float(head.evaluate("(head) => parseFloat(head.style.left)")) == pytest.approx(
            25 * second(page), abs=0.1
        )
    assert re.fullmatch(r"0:0[1-3]\.\d / 0:04\.0", page.locator("#time").text_content())
    page.keyboard.press("Space")
    until(page, "!player.playing")
    assert page.locator("#play").text_content() == "Play" and second(page) == 0


def test_spectrograms(page: Any) -> None:
    """Each source has its own; a louder one is brighter, and zoom shows more."""
    original, restored, difference = (drawn(page, row) for row in range(3))
    assert original > restored > 2 and difference == pytest.approx(restored, rel=0.1)
    page.keyboard.press("Home")
    for _ in range(6):
        page.keyboard.press("+")
    assert drawn(page, 0) > 2
    shown = page.locator("#ticks span").all_text_contents()
    assert len(shown) >= 3 and all(re.fullmatch(r"0:0\d\.\d\d?", text) for text in shown)


def test_light_and_dark(opened: Open, page_file: Path) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    for scheme, other in (("light", "dark"), ("dark", "light")):
        page = opened(page_file, color_scheme=scheme)
        before = page.evaluate(ground)
        bright = int(re.findall(r"\d+", before)[0]) > 128
        assert bright == (scheme == "light")
        page.get_by_role("button", name="Light or dark").click()
        assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == other
        assert page.evaluate(ground) != before
        page.keyboard.press("d")
        assert page.evaluate(ground) == before


def test_the_system_changes_to_dark_in_the_evening(opened: Open, page_file: Path) -> None:
    page = opened(page_file, color_scheme="light")
    ground = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(ground)
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(ground) != before  # it follows
    page.keyboard.press("d")
    assert page.evaluate(ground) == before
    page.emulate_media(color_scheme="light")
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(ground) == before  # what was chosen stays


def test_a_phone(opened: Open, page_file: Path) -> None:
    page = opened(page_file, **PHONE)
    loaded(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for each in page.locator("button:visible").all():
        box = each.bounding_box()
        assert box["width"] >= 36 and box["height"] >= 36 and box["x"] >= 0 and box["x"] + box["width"] <= 390
    page.locator(".source").nth(1).tap()
    assert heard(page) == 1
    page.locator("#play").tap()
    until(page, "player.playing && player.position > 0.2 * facts.rate")
    page.locator("#play").tap()
    view = page.locator(".view").first
    view.scroll_into_view_if_needed()
    box = view.bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + 30)
    assert second(page) == pytest.approx(2, abs=0.05)


def test_two_fingers(opened: Open, page_file: Path) -> None:
    page = opened(page_file, **PHONE)
    loaded(page)
    box = page.locator(".view").first.bounding_box()
    touches = page.context.new_cdp_session(page)

    def touch(kind: str, *at: float) -> None:
        points = [{"x": box["x"] + x * box["width"], "y": box["y"] + 30, "id": n} for n, x in enumerate(at)]
        touches.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", 0.4, 0.6)
    for spread in (0.15, 0.2, 0.3):
        touch("touchMove", 0.5 - spread, 0.5 + spread)
    touch("touchEnd")
    shown = page.evaluate("[spectrograms.from, spectrograms.to].map((frame) => frame / facts.frames)")
    assert shown == pytest.approx([1 / 3, 2 / 3], abs=0.02)
    assert page.evaluate("player.region") is None and second(page) == 0


def test_a_folder_of_sound(opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many pieces, of which only some are kept: all can be played, and the page works wherever both are moved to."""
    monkeypatch.setattr(pagefile, "LARGEST", 1000)
    monkeypatch.setattr(pages_of_songs, "PIECE_SECONDS", 1)
    song = tmp_path / "in.wav"
    soundfile.write(song, np.arange(12 * 8000) % 8000 / 16000, 8000)
    subject = Subject(song, "in.wav", [Restoration(song, "Restored")], "tiny 1.0")
    write_page(tmp_path / "100 % #1.html", subject, 12)
    moved = tmp_path / "moved"
    moved.mkdir()
    for name in ("100 % #1.html", "100 % #1_files"):
        shutil.move(tmp_path / name, moved / name)
    page = opened(moved / "100 % #1.html")
    page.evaluate("Store.MEMORY = 0")
    until(page, "spectrograms.coarse.size === 36")
    assert page.evaluate("store.count") == 12 and page.evaluate("store.pieces.size") < 12
    page.evaluate("player.seek(0.9 * facts.rate); player.play()")
    until(page, "player.position > 2.2 * facts.rate")
    page.evaluate("player.seek(10.5 * facts.rate)")
    until(page, "player.position > 10.7 * facts.rate && player.planned.length > 0")


def test_a_missing_folder_is_told(chromium: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pagefile, "LARGEST", 1000)
    written = write_page(tmp_path / "out.html", _short(tmp_path), 1)
    assert written.folder is not None
    shutil.rmtree(written.folder)
    page = chromium.new_page()
    complaints: list[str] = []
    watch(page, complaints)
    page.goto(written.page.as_uri())
    page.locator("#message").wait_for(state="visible")
    assert "out_files must be beside this page" in page.locator("#message").text_content()
    assert page.locator("#play").is_disabled()
    assert not [each for each in complaints if not each.startswith("console: Failed to load resource")]


def test_hostile_words_stay_words(opened: Open, tmp_path: Path) -> None:
    evil = "</script><img src=x onerror=\"document.title='hit'\"><b>"
    short = _short(tmp_path)
    subject = Subject(short.input, evil, [Restoration(short.input, evil)], evil)
    page = opened(write_page(tmp_path / "out.html", subject, 1).page)
    loaded(page)
    assert page.locator("h1").text_content() == evil and page.title().startswith(evil)
    assert page.locator("img, b").count() == 0


def test_nothing_can_leave(chromium: Any, page_file: Path) -> None:
    """Even a script that got into the page could ask for nothing."""
    page = chromium.new_page()
    complaints: list[str] = []
    arrived: list[str] = []
    watch(page, complaints)
    page.on("response", lambda response: arrived.append(response.url))
    page.goto(page_file.as_uri())
    page.evaluate("fetch('https://example.invalid/').catch(() => 0)")
    page.evaluate("new Image().src = 'https://example.invalid/x.png'")
    page.evaluate("document.head.append(Object.assign(document.createElement('script'), {src: 'x.js'}))")
    page.wait_for_timeout(300)
    assert sum("Content Security Policy" in each for each in complaints) >= 3
    assert arrived == [page_file.as_uri()]


def _short(folder: Path) -> Subject:
    song = folder / "in.wav"
    soundfile.write(song, 0.1 * np.sin(np.arange(RATE) / 9), RATE)
    return Subject(song, "in.wav", [Restoration(song, "Restored")], "tiny 1.0")
