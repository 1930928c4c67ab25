"use strict";

// Where the sound is, on the spectrograms: playhead, region, times and frequencies.

// "1:02.5", and with more places where the zoom shows more.
function clock(seconds, places = 1) {
  const rounded = Number(Math.max(0, seconds).toFixed(places));
  const minutes = Math.floor(rounded / 60);
  const rest = (rounded - 60 * minutes).toFixed(places);
  return `${minutes}:${rest.padStart(places ? places + 3 : 2, "0")}`;
}

const fraction = (frame) => (frame - spectrograms.from) / (spectrograms.to - spectrograms.from);

function place() {
  const position = player.position;
  const at = fraction(position);
  const region = player.region;
  for (const view of views) {
    const head = view.querySelector(".playhead");
    head.hidden = at < 0 || at > 1;
    head.style.left = `${100 * at}%`;
    const marked = view.querySelector(".region");
    marked.hidden = !region;
    if (!region) continue;
    const [left, right] = region.map((frame) => Math.max(0, Math.min(1, fraction(frame))));
    marked.hidden = left >= right;
    marked.classList.toggle("looping", player.looping);
    marked.style.left = `${100 * left}%`;
    marked.style.width = `${100 * (right - left)}%`;
  }
  const seconds = facts.start + position / facts.rate;
  element("time").textContent = `${clock(seconds)} / ${clock(facts.start + facts.frames / facts.rate)}`;
  if (document.activeElement !== element("seek") || player.playing) {
    element("seek").value = (1000 * position) / facts.frames;
  }
  element("seek").setAttribute("aria-valuetext", clock(seconds));
}

function follow() {
  if (player.playing) {
    const at = fraction(player.position);
    const span = spectrograms.to - spectrograms.from;
    if (at > 1 && at < 1.5 && !gesture) spectrograms.move(span);
    else if ((at < 0 || at > 1) && !gesture) spectrograms.view(player.position, player.position + span);
    place();
  }
  requestAnimationFrame(follow);
}

function ticks() {
  const { from, to } = spectrograms;
  const wanted = Math.max(2, element("ticks").clientWidth / 90);
  const rough = (to - from) / facts.rate / wanted;
  const steps = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300];
  const step = steps.find((each) => each >= rough) || 600;
  const places = step >= 1 ? 0 : step >= 0.1 ? 1 : 2;
  const first = Math.ceil((facts.start + from / facts.rate) / step);
  const last = Math.floor((facts.start + to / facts.rate) / step);
  const labels = [];
  const { clientWidth } = element("ticks");
  for (let number = first; number <= last; number += 1) {
    const at = fraction((number * step - facts.start) * facts.rate);
    if (at * clientWidth > clientWidth - 45) break; // it would be cut
    const label = document.createElement("span");
    label.textContent = clock(number * step, places);
    label.style.left = `${100 * at}%`;
    labels.push(label);
  }
  element("ticks").replaceChildren(...labels);
}

function frequencies(view) {
  const labels = [];
  for (let kilohertz = 5; kilohertz < facts.rate / 2000 - 0.5; kilohertz += facts.rate > 100000 ? 20 : 5) {
    const label = document.createElement("span");
    label.textContent = labels.length ? kilohertz : `${kilohertz} kHz`;
    label.style.bottom = `${(200000 * kilohertz) / facts.rate}%`;
    labels.push(label);
  }
  view.querySelector(".scale").replaceChildren(...labels);
}
