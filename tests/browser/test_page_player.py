"""The player of the page: what is heard is the sample that should be, whatever is switched, sought or repeated."""

from pathlib import Path
from typing import Any

import counted
import numpy as np
import pytest
from counted import CYCLE, GAIN_DB, RATE, RIGHT, loaded, places, played, until
from pages import Open

from mp3fix.report.excerpt import as_16_bits

pytestmark = [pytest.mark.slow, pytest.mark.browser]

pytest.importorskip("jinja2", reason="needs the extra [page]")

RAMP = (
    0.004 * RATE + 128
)  # samples that a switch may take: the fade, and the block of Web Audio in which it begins
BEGUN = RATE // 50  # behind the fade of the beginning


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return counted.counted(tmp_path_factory.mktemp("page"))


@pytest.fixture
def page(opened: Open, page_file: Path) -> Any:
    """The page, with all sound decoded; gains are as in the files."""
    page = opened(page_file, bypass_csp=True)
    loaded(page)
    page.evaluate("player.match(false)")
    return page


def counts_on(left: np.ndarray, level: float = 1.0) -> bool:
    """Whether each sample is the one behind the last."""
    return bool((np.diff(places(left, level)) % CYCLE == 1).all())


def test_switching_keeps_the_position_to_the_sample(page: Any) -> None:
    left, right = played(page, 1.5, (0.5, "choose(1)"), (1, "choose(0)"))[:, BEGUN:]
    assert counts_on(left)
    changes = np.flatnonzero(np.abs(np.diff(right)) > 1e-4)
    there, back = changes[changes < RATE // 2 + RAMP], changes[changes > RATE // 2 + RAMP]
    for change in (there, back):
        assert 50 < change[-1] - change[0] < RAMP
    assert back[0] - there[0] == pytest.approx(RATE / 2, abs=128)
    assert np.allclose(right[: there[0]], RIGHT[0], atol=1e-4)
    assert np.allclose(right[there[-1] + 2 : back[0]], RIGHT[1], atol=1e-4)
    assert np.allclose(right[back[-1] + 2 :], RIGHT[0], atol=1e-4)


def test_switching_while_it_plays(page: Any) -> None:
    """In real time: the clock of the sound and the position go on together, and nothing is begun anew."""
    page.evaluate("player.play()")
    until(page, "player.position > 0.3 * facts.rate")
    now = "player.context.currentTime"
    state = f"[player.positionAt({now}) - {now} * facts.rate, player.planned[0].at]"
    before = page.evaluate(state)
    for source in (1, 3, 0, 2):
        page.evaluate(f"choose({source})")
        page.wait_for_timeout(50)
        after = page.evaluate(state)
        assert after[0] == pytest.approx(before[0], abs=1) and after[1] == before[1]


def test_pieces_join(page: Any) -> None:
    page.evaluate("player.seek(14.5 * facts.rate)")
    left = played(page, 1)[0, BEGUN:]
    assert counts_on(left) and len(left) > 0.9 * RATE


def test_seeking(page: Any) -> None:
    aim = 1234567
    at = places(played(page, 1, (0.5, f"player.seek({aim})"))[0])
    fade = np.flatnonzero(np.diff(at)[BEGUN:] % CYCLE != 1) + BEGUN
    assert fade[-1] - fade[0] < RAMP
    # As the new sound counts on behind the fade, its first sample was the one sought.
    began, behind = fade[0] + 1, fade[-1] + 20
    assert (at[behind] - (behind - began) - aim + 2) % CYCLE <= 4


def test_a_loop_is_exact(page: Any) -> None:
    first, end = 100_000, 100_000 + 9_001
    page.evaluate(f"player.loop(true, [{first}, {end}]); player.seek({first})")
    at = places(played(page, 1)[0])[BEGUN:]
    jumps = np.flatnonzero(np.diff(at) % CYCLE != 1)
    assert len(jumps) >= 3 and (np.diff(jumps) == end - first).all()
    assert (at[jumps] == (end - 1) % CYCLE).all() and (at[jumps + 1] == first % CYCLE).all()


def test_the_end(page: Any) -> None:
    page.evaluate("player.seek(facts.frames - 9000)")
    left = played(page, 1)[0]
    assert len(left) == pytest.approx(9000, abs=1) and counts_on(left[BEGUN:])
    assert not page.evaluate("player.playing") and page.evaluate("player.position") == 0


def test_pausing_and_going_on(page: Any) -> None:
    """Without a click, and where it was."""
    page.evaluate("player.seek(5000)")
    right = played(page, 1, (0.5, "player.pause()"))[1]
    assert RATE * 0.4 < len(right) < RATE * 0.5 + RAMP
    assert np.abs(np.diff(right)).max() < 0.01
    assert page.evaluate("player.resting") == pytest.approx(5000 + 0.48 * RATE, abs=200)


def test_loudness_gains_are_applied(page: Any) -> None:
    """Seed 8 is 6 dB quieter, and a switch away all are equally loud."""
    page.evaluate("player.match(true)")
    right = played(page, 1.5, (0.5, "choose(1)"), (1, "choose(2)"))[1]
    gains = [right[round(at * RATE)] / level for at, level in zip((0.3, 0.8, 1.3), RIGHT, strict=True)]
    assert 20 * np.log10(gains) == pytest.approx([-6.02, -6.02, 0], abs=0.03)
    told = page.locator(".gain").all_text_contents()
    assert told[:3] == ["−6.0 dB", "−6.0 dB", "0.0 dB"]
    page.get_by_role("button", name="Match loudness").click()
    assert page.locator(".gain").all_text_contents()[:3] == ["0.0 dB"] * 3


def test_the_difference(page: Any) -> None:
    """That to the restoration heard last; of the second, the gain that its file got is left out first."""
    row = page.locator(".track").nth(3)
    assert "seed 7 minus original" in row.text_content()
    worst = """(source) => {
      let worst = 0;
      for (const buffers of store.pieces.values()) {
        const [original, restored, difference] = [0, source, source + 2].map((each) => buffers[each]);
        const undo = 10 ** (-facts.sources[source].fileGain / 20);
        for (let channel = 0; channel < 2; channel += 1) {
          const [a, b, d] = [restored, original, difference].map((each) => each.getChannelData(channel));
          for (let i = 0; i < d.length; i += 1) worst = Math.max(worst, Math.abs(d[i] - (a[i] * undo - b[i])));
        }
      }
      return worst;
    }"""
    assert [page.evaluate(worst, source) for source in (1, 2)] == pytest.approx([0, 0], abs=1e-7)
    page.evaluate("choose(2)")
    assert "seed 8 minus original" in row.text_content()
    page.evaluate("choose(3)")
    gain = page.evaluate("10 ** (facts.sources[4].gain / 20)")
    expected = gain * (RIGHT[2] * 10 ** (-GAIN_DB / 20) - RIGHT[0])
    assert np.median(played(page, 0.3)[1]) == pytest.approx(expected, abs=1e-4)


def test_what_is_decoded_is_what_was_written(page: Any) -> None:
    """Sample by sample: FLAC has no delay, and pieces are cut where they should be."""
    for piece in range(3):
        first = piece * 15 * RATE
        for source in range(3):
            wanted = as_16_bits(counted.samples(source), 1.0)[:, first : first + 15 * RATE]
            script = """([piece, source]) => [0, 1].map((channel) => {
              const data = store.pieces.get(piece)[source].getChannelData(channel);
              return [data.length, ...[...data.subarray(0, 500), ...data.subarray(-500)].map((x) => x * 32767)];
            })"""
            for channel, (length, *ends) in enumerate(page.evaluate(script, [piece, source])):
                assert length == wanted.shape[1]
                # Chromium divides what is negative by 32768, the rest by 32767.
                assert np.rint(ends).tolist() == [*wanted[channel, :500], *wanted[channel, -500:]]


def test_no_sound_before_it_is_asked_for(opened: Open, page_file: Path) -> None:
    page = opened(page_file)
    loaded(page)
    assert page.evaluate("player.context") is None
