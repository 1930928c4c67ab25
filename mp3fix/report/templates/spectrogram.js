"use strict";

// Spectrograms of every source, drawn from the sound itself: as wide as the window, as fine as the zoom.
// For long views there is a coarse one of each piece, kept when the piece's sound is not.
class Spectrograms extends EventTarget {
  constructor(facts, store) {
    super();
    this.facts = facts;
    this.store = store;
    this.spectrum = new Spectrum(Spectrograms.WINDOW, Spectrograms.ROWS);
    this.coarse = new Map(); // "source-piece" -> levels, ROWS for each COARSE samples
    this.from = 0; // what is shown, in samples
    this.to = facts.frames;
    this.canvases = new Map(); // canvas -> source
    this.generation = 0; // of what is drawn: an older drawing gives up
    this.colours = Spectrograms.palette();
    store.addEventListener("loaded", (event) => this.analyse(event.detail));
  }

  // Show a source on a canvas.
  show(canvas, source) {
    this.canvases.set(canvas, source);
    this.redraw();
  }

  // Show these samples; moved and shortened to lie within the excerpt.
  view(from, to) {
    const least = Math.min(this.facts.frames, Spectrograms.LEAST);
    const span = Math.max(least, Math.min(this.facts.frames, to - from));
    this.from = Math.max(0, Math.min(this.facts.frames - span, from + (to - from - span) / 2));
    this.to = this.from + span;
    this.redraw();
    this.dispatchEvent(new Event("viewed"));
  }

  zoom(factor, around = (this.from + this.to) / 2) {
    this.view(around - (around - this.from) / factor, around + (this.to - around) / factor);
  }

  move(frames) {
    this.view(this.from + frames, this.to + frames);
  }

  redraw() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      this.draw(++this.generation);
    });
  }

  // First what is known, at once; then column by column what this zoom can show.
  async draw(generation) {
    const sharp = [];
    for (const [canvas, source] of this.canvases) {
      const box = canvas.getBoundingClientRect();
      const width = Math.max(1, Math.round(box.width * devicePixelRatio));
      const height = Math.max(1, Math.round(box.height * devicePixelRatio));
      if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
      const picture = new ImageData(width, height);
      const perColumn = (this.to - this.from) / width;
      for (let x = 0; x < width; x += 1) {
        const levels = this.known(source, this.from + x * perColumn, this.from + (x + 1) * perColumn);
        if (levels) this.paint(picture, x, levels);
      }
      const context = canvas.getContext("2d");
      context.putImageData(picture, 0, 0);
      if (perColumn < Spectrograms.COARSE) sharp.push({ source, picture, context, perColumn });
    }
    const levels = new Uint8Array(Spectrograms.ROWS);
    for (const { source, picture, context, perColumn } of sharp) {
      let until = performance.now() + Spectrograms.BUDGET;
      for (let x = 0; x < picture.width; x += 1) {
        const samples = this.samples(source, this.from + (x + 0.5) * perColumn);
        if (samples) {
          this.spectrum.levels(samples.channels, samples.centre, levels);
          this.paint(picture, x, levels);
        }
        if (performance.now() > until) {
          await Spectrograms.breath();
          if (generation !== this.generation) return;
          until = performance.now() + Spectrograms.BUDGET;
        }
      }
      context.putImageData(picture, 0, 0);
    }
    this.drawn = generation;
    this.dispatchEvent(new Event("drawn"));
  }

  // The strongest of the coarse columns between two samples; null where they are not known yet.
  known(source, from, to) {
    const { pieceFrames } = this.facts;
    const piece = Math.floor(from / pieceFrames);
    const all = this.coarse.get(`${source}-${piece}`);
    if (!all) return null;
    const rows = Spectrograms.ROWS;
    const columns = all.length / rows;
    const first = Math.min(columns - 1, Math.floor((from - piece * pieceFrames) / Spectrograms.COARSE));
    const last = Math.min(columns - 1, Math.floor((to - piece * pieceFrames) / Spectrograms.COARSE));
    if (first >= last) return all.subarray(first * rows, (first + 1) * rows);
    const strongest = new Uint8Array(rows);
    for (let column = first; column <= last; column += 1) {
      for (let row = 0; row < rows; row += 1) {
        strongest[row] = Math.max(strongest[row], all[column * rows + row]);
      }
    }
    return strongest;
  }

  // The sound around a sample, where it is there, with what the next or the last piece adds at an edge.
  samples(source, centre) {
    const { pieceFrames } = this.facts;
    const piece = Math.floor(centre / pieceFrames);
    const buffers = this.store.pieces.get(piece);
    if (!buffers) return null;
    const at = centre - piece * pieceFrames;
    const half = Spectrograms.WINDOW / 2;
    const beside = at < half ? piece - 1 : at + half > this.store.frames(piece) ? piece + 1 : piece;
    const other = this.store.pieces.get(beside);
    if (beside === piece) return { channels: Spectrograms.channelsOf(buffers[source]), centre: at };
    if (!other) {
      const centre = Math.max(half, Math.min(at, this.store.frames(piece) - half));
      return { channels: Spectrograms.channelsOf(buffers[source]), centre };
    }
    const [left, right] = beside < piece ? [other[source], buffers[source]] : [buffers[source], other[source]];
    const channels = [];
    for (let channel = 0; channel < left.numberOfChannels; channel += 1) {
      const joined = new Float32Array(4 * half);
      joined.set(left.getChannelData(channel).subarray(-2 * half), Math.max(0, 2 * half - left.length));
      joined.set(right.getChannelData(channel).subarray(0, 2 * half), 2 * half);
      channels.push(joined);
    }
    return { channels, centre: 2 * half + (beside < piece ? at : at - this.store.frames(piece)) };
  }

  // The coarse spectrogram of a piece that has come, source by source, with breath between them.
  async analyse(piece) {
    const buffers = this.store.pieces.get(piece);
    const { ROWS, COARSE } = Spectrograms;
    const shown = [...this.canvases.values()];
    for (const source of new Set([...shown, ...buffers.keys()])) {
      if (this.coarse.has(`${source}-${piece}`)) continue;
      await Spectrograms.breath();
      const columns = Math.ceil(buffers[source].length / COARSE);
      const levels = new Uint8Array(columns * ROWS);
      const channels = Spectrograms.channelsOf(buffers[source]);
      const half = Math.min(Spectrograms.WINDOW, buffers[source].length) / 2; // nothing is known beyond its ends
      for (let column = 0; column < columns; column += 1) {
        const into = levels.subarray(column * ROWS, (column + 1) * ROWS);
        const centre = Math.min(Math.max((column + 0.5) * COARSE, half), buffers[source].length - half);
        this.spectrum.levels(channels, centre, into);
      }
      this.coarse.set(`${source}-${piece}`, levels);
      this.redraw();
    }
  }

  paint(picture, x, levels) {
    const { width, height } = picture;
    const pixels = (picture.words ??= new Uint32Array(picture.data.buffer));
    for (let y = 0; y < height; y += 1) {
      const low = Math.floor(((height - 1 - y) * levels.length) / height);
      const high = Math.max(low + 1, Math.floor(((height - y) * levels.length) / height));
      let level = levels[low];
      for (let row = low + 1; row < high; row += 1) level = Math.max(level, levels[row]);
      pixels[y * width + x] = this.colours[level];
    }
  }

  static channelsOf(buffer) {
    return [...Array(buffer.numberOfChannels).keys()].map((channel) => buffer.getChannelData(channel));
  }

  static breath() {
    return new Promise((resolve) => setTimeout(resolve, 0));
  }

  // 256 colours, as words of pixels: "magma" of matplotlib by Smith and van der Walt (CC0), at nine points.
  static palette() {
    const points = [
      [0, 0, 4],
      [28, 16, 68],
      [79, 18, 123],
      [129, 37, 129],
      [181, 54, 122],
      [229, 80, 100],
      [251, 135, 97],
      [254, 194, 135],
      [252, 253, 191],
    ];
    const bytes = new Uint8ClampedArray(4 * 256);
    for (let level = 0; level < 256; level += 1) {
      const place = (level / 255) * (points.length - 1);
      const low = Math.min(points.length - 2, Math.floor(place));
      for (let channel = 0; channel < 3; channel += 1) {
        const [from, to] = [points[low][channel], points[low + 1][channel]];
        bytes[4 * level + channel] = from + (to - from) * (place - low);
      }
      bytes[4 * level + 3] = 255;
    }
    return new Uint32Array(bytes.buffer);
  }
}
Spectrograms.WINDOW = 2048; // samples
Spectrograms.ROWS = 512;
Spectrograms.COARSE = 1024; // samples a column of what is kept
Spectrograms.LEAST = 2048; // samples that fill the window at the highest zoom
Spectrograms.BUDGET = 12; // milliseconds of drawing before others have their turn
