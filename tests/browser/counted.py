"""Songs that say of each sample which one it is and which file it is from, and a way to hear what a page plays."""

from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from mp3fix.report.page import Restoration, Subject, write_page

RATE = 44100
SECONDS = 31  # three pieces
CYCLE, STEP = (
    4000,
    8,
)  # the left channel counts samples, 8 units of 16 bits each: dither does not reach the next
RIGHT = (0.25, 0.5, -0.25)  # constants on the right: original, seed 7, seed 8
LEVELS = (1.0, 1.0, 0.5)  # of the left
GAIN_DB = -6.0  # that the file of seed 8 is said to have got

# Runs in the page: the player plays into a file instead of a loudspeaker, as fast as it can, and what is done at a
# time is done at exactly that time, however busy the machine is.
_RENDER = """async ([seconds, actions]) => {
  const context = new OfflineAudioContext(2, seconds * facts.rate, facts.rate);
  const goOn = context.resume.bind(context);
  context.resume = async () => {};
  Object.defineProperty(context, "state", {get: () => "running"});
  window.AudioContext = class { constructor() { return context; } };
  await player.play();
  const times = new Map(actions);
  for (let time = 0.05; time < seconds; time += 0.1) times.set(time, null); // the clock of planning
  for (const [time, action] of times) {
    context.suspend(time).then(() => {
      if (typeof action === "string") (0, eval)(action);
      if (player.playing) player.fill();
      goOn();
    });
  }
  const heard = await context.startRendering();
  player.playing = false;
  return [0, 1].map((channel) => [...heard.getChannelData(channel)]);
}"""


def samples(number: int) -> np.ndarray:
    """The song of the original (0) or of a restoration, float32 (2, n)."""
    count = np.arange(SECONDS * RATE) % CYCLE * STEP / 32768 * LEVELS[number]
    return np.stack([count, np.full(len(count), RIGHT[number])]).astype(np.float32)


def counted(folder: Path) -> Path:
    """A page of three such songs."""
    paths = [folder / f"{name}.wav" for name in ("original", "seed7", "seed8")]
    for number, path in enumerate(paths):
        soundfile.write(path, samples(number).T, RATE, "FLOAT")
    restorations = [
        Restoration(paths[1], "Restored, seed 7"),
        Restoration(paths[2], "Restored, seed 8", GAIN_DB),
    ]
    subject = Subject(paths[0], "original.wav", restorations, "counter 1.0")
    return write_page(folder / "out.html", subject, SECONDS).page


def played(page: Any, seconds: float, *actions: tuple[float, str]) -> np.ndarray:
    """What is heard if Play is pressed at 0 and these are done at these times: (2, n), from the first sound on.

    The page must be opened with bypass_csp=True: its policy forbids eval.
    """
    heard = np.array(page.evaluate(_RENDER, [seconds, list(actions)]))
    sounding = np.flatnonzero(heard[1])
    return heard[:, sounding[0] : sounding[-1] + 1]


def loaded(page: Any) -> None:
    """Wait until all of a page's sound is decoded."""
    until(page, "store.pieces.size === store.count")


def until(page: Any, condition: str, seconds: float = 20) -> None:
    """Wait for something; Playwright's own way needs eval, which the page forbids."""
    for _ in range(round(seconds / 0.03)):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(30)
    raise AssertionError(f"not within {seconds} s: {condition}")


def places(left: np.ndarray, level: float = 1.0) -> np.ndarray:
    """Of each sample which it is, modulo CYCLE."""
    return np.rint(left * 32768 / STEP / level).astype(int) % CYCLE
