"use strict";

// Gestures on the spectrograms: a press seeks, a drag marks a region, two fingers zoom and move, and so does the wheel.

let gesture = null; // {view, pointers: id -> x, start, moved}

function frameAt(view, x) {
  const box = view.getBoundingClientRect();
  const share = Math.max(0, Math.min(1, (x - box.left) / box.width));
  return spectrograms.from + share * (spectrograms.to - spectrograms.from);
}

function pressed(event) {
  if (event.button) return;
  const view = event.currentTarget;
  view.setPointerCapture(event.pointerId);
  if (!gesture) gesture = { view, pointers: new Map(), start: event.clientX, moved: false, pinched: false };
  gesture.pointers.set(event.pointerId, event.clientX);
  gesture.pinched ||= gesture.pointers.size > 1;
}

function dragged(event) {
  if (!gesture?.pointers.has(event.pointerId)) return;
  const { view, pointers } = gesture;
  const before = [...pointers.values()];
  pointers.set(event.pointerId, event.clientX);
  const now = [...pointers.values()];
  if (now.length === 2) {
    const box = view.getBoundingClientRect();
    const span = spectrograms.to - spectrograms.from;
    const middle = (pair) => (pair[0] + pair[1]) / 2;
    const distance = (pair) => Math.max(20, Math.abs(pair[0] - pair[1]));
    const held = frameAt(view, middle(before));
    const newSpan = (span * distance(before)) / distance(now);
    const from = held - ((middle(now) - box.left) / box.width) * newSpan;
    spectrograms.view(from, from + newSpan);
  } else if (!gesture.pinched) {
    gesture.moved ||= Math.abs(event.clientX - gesture.start) > 5;
    if (!gesture.moved) return;
    const ends = [frameAt(view, gesture.start), frameAt(view, event.clientX)].map(Math.round);
    gesture.region = ends.sort((a, b) => a - b);
    player.region = gesture.region;
    place();
  }
}

function released(event) {
  if (!gesture?.pointers.delete(event.pointerId) || gesture.pointers.size) return;
  const { view, moved, pinched, region } = gesture;
  gesture = null;
  if (event.type === "pointercancel" || pinched) return;
  if (moved && region && region[1] - region[0] >= 0.05 * facts.rate) {
    player.loop(true, region);
    if (!player.playing) player.seek(region[0]);
  } else if (moved) {
    player.loop(false, null);
  } else {
    const frame = frameAt(view, event.clientX);
    const outside = player.region && (frame < player.region[0] || frame >= player.region[1]);
    if (outside) player.loop(false, null);
    player.seek(frame);
  }
}

function wheeled(event) {
  const view = event.currentTarget;
  const span = spectrograms.to - spectrograms.from;
  const along = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
  if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
    event.preventDefault();
    spectrograms.move((along / view.clientWidth) * span);
    return;
  }
  if (event.deltaY > 0 && span >= facts.frames) return; // all is shown: the page scrolls
  event.preventDefault();
  spectrograms.zoom(2 ** (-event.deltaY / 300), frameAt(view, event.clientX));
}
