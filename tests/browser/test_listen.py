"""Listening tests as listeners meet them: opened from the disk, in a browser."""

import json
import shutil
import socket
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import listening_pages
import numpy as np
import pytest
from counted import played, until
from listening_pages import RATE, answer, begin, hear, made, onward, sound, trial
from pages import Open

pytestmark = [pytest.mark.slow, pytest.mark.browser]

pytest.importorskip("scipy", reason="needs the extra [listen]")
pytest.importorskip("pyloudnorm", reason="needs the extra [listen]")

from mp3fix.listening import analysis  # noqa: E402
from mp3fix.listening.results import read_key, read_result  # noqa: E402

METHODS = ["mos", "mushra", "abx", "which"]
SAYS = {
    "mushra": {"reference": 100, "mp3": 40, "anchor70": 30, "anchor35": 10},
    "mos": {"reference": 4, "mp3": 1},
    "abx": {},
    "which": {"reference": "Lossless", "mp3": "MP3", "ours": "Restored"},
}


@pytest.mark.parametrize(
    ("method", "one_file"),
    [("mos", False), ("mos", True), ("mushra", False), ("abx", False), ("which", False)],
)
def test_a_whole_test(method: str, one_file: bool, opened: Open, tmp_path: Path) -> None:
    test = made(tmp_path, method, one_file=one_file)
    data = json.loads(test.key.read_text())
    systems = {id: each["stimuli"] for id, each in data["items"].items()}
    page = opened(test.page, accept_downloads=True)
    assert page.locator("h1").text_content() == "A <b>test</b>"
    begin(page)
    pages = 0
    while not page.locator("#save").count():
        assert page.locator("text=Next").is_disabled()
        hear(page)
        assert page.locator("text=Next").is_disabled()
        answer(page, method, lambda item, stimulus: SAYS[method][systems[item][stimulus]])
        pages += 1
        onward(page)
    assert pages == test.trials + (2 if method == "mos" else 1)  # with practice
    page.fill("#all", "Nice.\n<script>")
    with page.expect_download() as download:
        page.click("#save")
    download.value.save_as(tmp_path / "anna.json")
    key = read_key(test.key)
    result = read_result(tmp_path / "anna.json", key)
    assert download.value.suggested_filename == f"ANNA-{key.test}.json"
    assert (result.participant, result.heard_with, result.comment) == ("ANNA", "Headphones", "Nice. <script>")
    assert json.loads(page.input_value(".raw")) == json.loads((tmp_path / "anna.json").read_text())
    if method == "abx":
        assert analysis.abx([result], key).pooled.right == test.trials
    elif method == "which":
        assert np.trace(analysis.which([result], key).confusion) == 3 * test.trials
    else:
        rated = analysis.ratings([result], key)
        assert {system: each.mean for system, each in rated.overall.items()} == SAYS[method]


def test_one_goes_on_after_hearing_and_rating_all(opened: Open, tmp_path: Path) -> None:
    page = opened(made(tmp_path, "mushra").page)
    begin(page)
    hint = page.locator(".foot .hint")
    assert hint.text_content() == "Listen to each of them, then rate A, B, C, D."
    page.locator("input[type=range]").nth(1).fill("50")
    assert "rate A, C, D." in hint.text_content()
    for index in (0, 2, 3):
        page.locator("input[type=range]").nth(index).fill("0")
    for index, name in enumerate(("Reference", "A", "B", "C", "D")):
        assert name in hint.text_content() or "each of them" in hint.text_content()
        assert page.locator("text=Next").is_disabled()
        page.locator(".source").nth(index).click()
        page.wait_for_selector(f".source.heard >> nth={index}")
    until(page, "!document.querySelector('.foot .next').disabled")
    assert hint.text_content() == ""


def test_a_slider_that_was_clicked_where_it_stands_has_a_value(opened: Open, tmp_path: Path) -> None:
    page = opened(made(tmp_path, "mushra").page)
    begin(page)
    slider = page.locator("input[type=range]").nth(0)
    assert page.locator("output").nth(0).text_content() == "–"
    slider.click()  # in the middle: 50, where a range begins
    assert page.locator("output").nth(0).text_content() in ("50", "51")


def test_a_label_is_given_once(opened: Open, tmp_path: Path) -> None:
    page = opened(made(tmp_path, "which").page)
    begin(page)
    rows = page.locator(".which .row")
    for index in (0, 1):
        rows.nth(index).get_by_text("MP3").click()
    assert not rows.nth(0).locator("input").nth(1).is_checked()
    assert rows.nth(1).locator("input").nth(1).is_checked()
    assert len(page.evaluate("state.draft.answers")) == 1


def test_mos_is_heard_to_its_end(opened: Open, tmp_path: Path) -> None:
    page = opened(made(tmp_path, "mos").page)
    begin(page)
    page.check("input[value='3']")
    for _ in range(3):  # three halves are no whole
        page.click(".main")
        until(page, "transport.heard[0] > 0.4")
        page.click(".main")
        assert page.locator("text=Next").is_disabled()
    page.click(".main")
    until(page, "!document.querySelector('.foot .next').disabled")
    until(page, "!transport.player.playing")


def test_a_lost_tab_goes_on_where_it_was(opened: Open, tmp_path: Path) -> None:
    test = made(tmp_path, "mushra")
    page = opened(test.page)
    begin(page)
    for value in (10, 20):
        hear(page)
        answer(page, "mushra", lambda item, stimulus, value=value: value)
        onward(page)
    page.click("summary")
    page.fill("textarea", "half done")
    page.locator("input[type=range]").nth(2).fill("77")
    asked = trial(page)
    page.reload()
    page.click("text=Go on as ANNA (1 of 2)")
    page.wait_for_selector(".transport")
    assert trial(page) == asked
    assert page.input_value("textarea") == "half done"
    assert page.locator("output").all_text_contents() == ["–", "–", "77", "–"]
    assert page.evaluate("state.trials.map((each) => Object.values(each.answers))") == [[20] * 4]
    assert page.locator("text=Next").is_disabled()  # nothing was heard since


def test_a_browser_that_keeps_nothing(chromium: Any, tmp_path: Path) -> None:
    page = chromium.new_page()
    page.add_init_script("Object.defineProperty(window, 'localStorage', {get() { throw new Error('no'); }})")
    page.goto(made(tmp_path, "abx").page.as_uri())
    begin(page)
    hear(page)
    page.check("text=X is A")
    page.click("text=Next")
    assert "do not close or reload" in page.text_content("#page")
    page.close()


def expected_numbers(text: str, count: int) -> list[float]:
    """FNV-1a and mulberry32 as they are published, in Python."""
    state = 0x811C9DC5
    for byte in text.encode():
        state = (state ^ byte) * 0x01000193 & 0xFFFFFFFF
    numbers = []
    for _ in range(count):
        state = (state + 0x6D2B79F5) & 0xFFFFFFFF
        t = (state ^ state >> 15) * (state | 1) & 0xFFFFFFFF
        t ^= (t + ((t ^ t >> 7) * (t | 61) & 0xFFFFFFFF)) & 0xFFFFFFFF
        numbers.append((t ^ t >> 14) / 2**32)
    return numbers


def test_a_code_gives_one_order_everywhere(opened: Open, tmp_path: Path) -> None:
    file = made(tmp_path, "mos", items=4).page
    pages = [opened(file), opened(file, viewport={"width": 360, "height": 740}, locale="tr-TR")]
    orders = [page.evaluate("['ANNA', 'BEN', 'CLEO'].map((code) => plan(TEST, code))") for page in pages]
    assert orders[0] == orders[1]
    anna, ben, cleo = ([each["stimuli"][0] for each in order] for order in orders[0])
    assert sorted(anna[2:]) == sorted(ben[2:]) and len({*map(tuple, (anna, ben, cleo))}) == 3
    begin(pages[1], "ben")
    assert trial(pages[1])["stimuli"] == orders[0][1][0]["stimuli"]
    numbers = pages[0].evaluate(
        "(() => { const draw = random('Ünicode/ANNA'); return [draw(), draw(), draw()]; })()"
    )
    assert numbers == expected_numbers("Ünicode/ANNA", 3)


def test_orders_are_fair(opened: Open, tmp_path: Path) -> None:
    """Over many participants, each stimulus comes first equally often, X is A as often as B, no item follows itself."""
    codes = "Array.from({length: 600}, (_, n) => plan(TEST, `P${n}`))"
    page = opened(made(tmp_path, "abx", items=3).page)
    trials = [each for order in page.evaluate(codes) for each in order if not each["practice"]]
    is_first = np.mean([each["x"] == each["stimuli"][0] for each in trials])
    assert is_first == pytest.approx(0.5, abs=0.04) and len(trials) == 1800
    shutil.rmtree(tmp_path / "test")
    (tmp_path / "test.key.json").unlink()
    page = opened(made(tmp_path, "mos", items=4).page)
    orders = [[each for each in order if not each["practice"]] for order in page.evaluate(codes)]
    first = [order[0]["stimuli"][0] for order in orders]
    assert max(first.count(id) for id in set(first)) < 600 / 8 * 1.5 and len(set(first)) == 8
    doubled = [a["item"] == b["item"] for order in orders for a, b in pairwise(order)]
    assert not any(doubled)


def test_switching_keeps_the_position_to_the_sample(opened: Open, tmp_path: Path) -> None:
    test = made(tmp_path, "abx", items=1)
    page = opened(test.page, bypass_csp=True)
    begin(page)
    page.evaluate("window.player = transport.player, window.facts = transport.facts")
    left, right = played(page, 1.0, (0.5, "transport.press(1)"))
    original = sound(0, 0)[0]
    lag = int(np.argmax(np.correlate(original[: RATE // 2], left[2000:12000], "valid")))
    for begin_at in (2000, 30000):  # before the switch and after it
        heard = left[begin_at : begin_at + 10000]
        there = original[lag + begin_at - 2000 : lag + begin_at + 8000]
        assert np.corrcoef(heard, there)[0, 1] > 0.999
    ids = page.evaluate("transport && trials[0].stimuli")
    stimuli = next(iter(json.loads(test.key.read_text())["items"].values()))["stimuli"]
    for begin_at, id in ((2000, ids[0]), (30000, ids[1])):
        system = ("reference", "mp3").index(stimuli[id])
        there = sound(0, system)[1][lag + begin_at - 2000 : lag + begin_at + 8000]
        assert np.corrcoef(right[begin_at : begin_at + 10000], there)[0, 1] > 0.999


def test_keys_bar_and_loop(opened: Open, tmp_path: Path) -> None:
    page = opened(made(tmp_path, "mushra").page)
    begin(page)
    page.keyboard.press("3")
    until(page, "transport.player.playing && transport.player.selected === 3")
    page.keyboard.press("0")
    until(page, "transport.player.selected === 0")
    page.keyboard.press("Space")
    until(page, "!transport.player.playing")
    bar = page.locator(".bar").bounding_box()
    page.mouse.click(bar["x"] + 0.5 * bar["width"], bar["y"] + 5)
    frames = round(listening_pages.SECONDS * RATE)
    assert page.evaluate("transport.player.position") == pytest.approx(frames / 2, rel=0.02)
    page.mouse.move(bar["x"] + 0.2 * bar["width"], bar["y"] + 5)
    page.mouse.down()
    page.mouse.move(bar["x"] + 0.6 * bar["width"], bar["y"] + 5)
    page.mouse.up()
    assert page.evaluate("transport.player.region") == [
        pytest.approx(0.2 * frames, rel=0.03),
        pytest.approx(0.6 * frames, rel=0.03),
    ]
    page.click(".main")
    end = time.monotonic() + 1.5
    while time.monotonic() < end:
        position = page.evaluate("transport.player.positionAt(transport.player.context.currentTime)")
        assert 0.19 * frames < position < 0.61 * frames
    page.click("text=Repeat all")
    assert page.evaluate("transport.player.region") is None
    page.locator("input[type=range]").nth(0).focus()
    page.keyboard.press("ArrowRight")  # moves the slider, not the sound
    assert page.locator("output").nth(0).text_content() == "51"


@pytest.mark.parametrize("method", METHODS)
def test_a_phone(method: str, opened: Open, tmp_path: Path) -> None:
    options = {
        "viewport": {"width": 320, "height": 640},
        "has_touch": True,
        "is_mobile": True,
        "color_scheme": "dark",
    }
    page = opened(made(tmp_path, method).page, **options)
    widths = [page.evaluate("document.documentElement.scrollWidth")]
    begin(page)
    widths.append(page.evaluate("document.documentElement.scrollWidth"))
    assert max(widths) <= 320
    for target in page.locator("button:visible, input[type=range]:visible, .choice:visible").all():
        box = target.bounding_box()
        assert box["height"] >= 38 and box["x"] >= 0 and box["x"] + box["width"] <= 320


def test_sound_that_is_not_there_is_told(chromium: Any, tmp_path: Path) -> None:
    """Of an archive that was looked into, not unpacked, browsers get index.html alone."""
    test = made(tmp_path, "mushra")
    alone = shutil.copy(test.page, tmp_path / "index.html")
    page = chromium.new_page()
    page.goto(Path(alone).as_uri())
    page.fill("#code", "anna")
    page.select_option("#heard", "Headphones")
    page.click("text=Begin")
    page.wait_for_selector("text=unpack all of the archive")
    page.close()


def test_the_page_may_ask_the_network_for_nothing(chromium: Any, tmp_path: Path) -> None:
    page = chromium.new_page()
    page.goto(made(tmp_path, "mos").page.as_uri())
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        blocked = page.evaluate(
            """async (address) => {
              const blocked = [];
              document.addEventListener("securitypolicyviolation", (event) => blocked.push(event.effectiveDirective));
              await fetch(address).catch(() => {});
              document.body.append(Object.assign(new Image(), {src: `${address}/a.png`}));
              const scripts = [{textContent: "window.ran = true"}, {src: `${address}/a.js`}];
              for (const each of scripts) document.body.append(Object.assign(document.createElement("script"), each));
              await new Promise((resolve) => setTimeout(resolve, 500));
              return [blocked.sort(), window.ran === undefined];
            }""",
            f"http://127.0.0.1:{server.getsockname()[1]}",
        )
        assert blocked == [["connect-src", "img-src", "script-src-elem", "script-src-elem"], True]
        with pytest.raises(TimeoutError):
            server.accept()
    page.close()


def test_a_code_is_asked_for(opened: Open, tmp_path: Path) -> None:
    page = opened(made(tmp_path, "mos").page)
    page.fill("#code", "<b>")
    page.click("text=Begin")
    assert "letters A to Z" in page.text_content("form")
    page.click("text=Draw one")
    drawn = page.input_value("#code")
    assert len(drawn) == 5
    page.click("text=Begin")
    assert "Say what you listen with." in page.text_content("form")
    page.select_option("#heard", "Loudspeakers")
    page.click("text=Begin")
    page.wait_for_selector(".transport")
    assert page.evaluate("state.participant") == drawn
