"use strict";

// The page's buttons and keys, and how it begins.

// --- what is heard

function choose(row) {
  if (rows[row] === undefined) return;
  player.select(rows[row]);
  const last = rows.length - 1;
  if (differences >= 0 && row > 0 && row < last) {
    // The difference row follows the restoration that was heard last.
    const of = differences + rows[row] - 1;
    if (rows[last] !== of) {
      rows[last] = of;
      tracks[last].dataset.source = of;
      spectrograms.show(views[last].querySelector("canvas"), of);
      describe();
    }
  }
}

function describe() {
  tracks.forEach((track, row) => {
    const source = facts.sources[rows[row]];
    const gain = player.matching || source.of !== undefined ? source.gain : 0;
    track.querySelector(".name").textContent = source.of === undefined ? source.name : "Difference";
    track.querySelector(".gain").textContent = source.lufs === null ? "too quiet or short to measure" : decibels(gain);
    const details = source.of === undefined ? [] : [source.name];
    if (source.lufs !== null) details.push(`${source.lufs.toFixed(1).replace("-", "−")} LUFS`);
    if (source.fileGain) details.push(`file ${decibels(source.fileGain)}`);
    track.querySelector(".detail").textContent = details.join(", ");
    const line = views[row].querySelector(".cutoff");
    line.hidden = source.of !== undefined || !source.cutoff;
    line.style.bottom = `${(200 * source.cutoff) / facts.rate}%`;
    line.classList.toggle("high", source.cutoff > 0.4 * facts.rate); // its label goes below it
    line.dataset.label = `${(source.cutoff / 1000).toFixed(1)} kHz`;
  });
  const gains =
    facts.target === null
      ? "none, for want of a loudness (ITU-R BS.1770-4)"
      : `all are lowered to ${facts.target.toFixed(1).replace("-", "−")} LUFS, the loudness (ITU-R BS.1770-4) of the quietest`;
  element("levels").textContent =
    `Gains: ${gains}. The difference is the restoration minus the original, sample by sample; ` +
    "its gain is what makes it audible.";
}

function refresh() {
  const { playing, looping, matching, selected } = player;
  element("play").textContent = playing ? "Pause" : "Play";
  element("loop").setAttribute("aria-pressed", looping);
  element("match").setAttribute("aria-pressed", matching);
  tracks.forEach((track, row) => {
    track.classList.toggle("heard", rows[row] === selected);
    track.querySelector(".source").setAttribute("aria-pressed", rows[row] === selected);
  });
  describe();
  place();
}

// --- keys

function zoomBy(factor) {
  const at = player.position;
  const inside = at >= spectrograms.from && at <= spectrograms.to;
  spectrograms.zoom(factor, inside ? at : undefined);
}

const step = (seconds) => player.seek(player.position + seconds * facts.rate);
const KEYS = {
  " ": () => player.toggle(),
  ArrowLeft: (event) => step(event.shiftKey ? -5 : -1),
  ArrowRight: (event) => step(event.shiftKey ? 5 : 1),
  ArrowUp: () => choose(Math.max(0, rows.indexOf(player.selected) - 1)),
  ArrowDown: () => choose(Math.min(rows.length - 1, rows.indexOf(player.selected) + 1)),
  Home: () => player.seek(player.first),
  l: () => player.loop(!player.looping),
  m: () => player.match(!player.matching),
  "+": () => zoomBy(2),
  "=": () => zoomBy(2),
  "-": () => zoomBy(0.5),
  0: () => spectrograms.view(0, facts.frames),
  d: () => theme(),
};

function keyed(event) {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const action = /^[1-9]$/.test(key) ? () => choose(Number(key) - 1) : KEYS[key];
  if (!action) return;
  event.preventDefault();
  action(event);
}

function theme() {
  const dark = element("dark"); // the style sheet, which follows the system until now
  dark.media = matchMedia(dark.media).matches ? "not all" : "all";
}

// --- begin

function failed() {
  element("message").textContent = `The sound cannot be played. ${store.error?.message || ""}`;
  element("message").hidden = false;
}

async function loadAll() {
  for (let piece = 0; piece < store.count; piece += 1) {
    if (!store.pieces.has(piece)) await store.load(piece);
    element("play").disabled = false;
    await Spectrograms.breath();
  }
}

element("play").addEventListener("click", () => player.toggle());
element("loop").addEventListener("click", KEYS.l);
element("match").addEventListener("click", KEYS.m);
element("in").addEventListener("click", KEYS["+"]);
element("out").addEventListener("click", KEYS["-"]);
element("whole").addEventListener("click", KEYS[0]);
element("theme").addEventListener("click", theme);
element("seek").addEventListener("input", (event) => player.seek((event.target.value / 1000) * facts.frames));
document.addEventListener("keydown", keyed);
tracks.forEach((track, row) => {
  track.querySelector(".source").addEventListener("click", () => choose(row));
  const view = views[row];
  view.addEventListener("pointerdown", pressed);
  view.addEventListener("pointermove", dragged);
  view.addEventListener("pointerup", released);
  view.addEventListener("pointercancel", released);
  view.addEventListener("wheel", wheeled, { passive: false });
  spectrograms.show(view.querySelector("canvas"), rows[row]);
  frequencies(view);
});
spectrograms.addEventListener("viewed", () => {
  ticks();
  place();
});
addEventListener("resize", () => {
  spectrograms.redraw();
  ticks();
});
player.addEventListener("changed", refresh);
store.addEventListener("failed", failed);
{
  const strip = new ImageData(256, 1);
  new Uint32Array(strip.data.buffer).set(spectrograms.colours);
  element("colours").getContext("2d").putImageData(strip, 0, 0);
}
element("tracks").style.setProperty("--rows", rows.length);
ticks();
refresh();
follow();
loadAll().catch(failed);
