"use strict";

// Plays all sources at once and lets one of them be heard. Switching changes gains and nothing else.
// Positions are in samples (frames) of the excerpt; the plan is kept in samples of the audio context, too.
class Player extends EventTarget {
  constructor(facts, store) {
    super();
    this.facts = facts;
    this.store = store;
    this.selected = 0;
    this.matching = true;
    this.region = null; // [first, behind the last]
    this.looping = false;
    this.playing = false;
    this.resting = 0; // position while nothing plays
    this.context = null;
    this.planned = []; // [{at, frame, length}]: what plays at which sample of the context
    this.decks = []; // what sounds, or will: {fade: one gain a source, nodes}
    store.addEventListener("loaded", () => this.playing && this.fill());
  }

  open() {
    try {
      this.context = new AudioContext({ sampleRate: this.facts.rate, latencyHint: "interactive" });
    } catch {
      this.context = new AudioContext(); // a rate that this browser cannot play at: it converts
    }
    this.rate = this.context.sampleRate;
    this.scale = this.rate / this.facts.rate;
    this.output = new GainNode(this.context);
    this.output.connect(this.context.destination);
    this.gains = this.facts.sources.map((_, index) => {
      const gain = new GainNode(this.context, { gain: this.level(index) });
      gain.connect(this.output);
      return gain;
    });
    setInterval(() => this.playing && this.fill(), 100);
  }

  // The gain that a source has now, as a factor. A difference keeps its own when matching is off.
  level(index) {
    if (index !== this.selected) return 0;
    const source = this.facts.sources[index];
    return this.matching || source.of !== undefined ? 10 ** (source.gain / 20) : 1;
  }

  async play() {
    if (this.playing) return;
    if (!this.context) this.open();
    this.playing = true;
    this.changed();
    await this.context.resume();
    if (!this.playing) return;
    if (this.resting >= this.end - 1) this.resting = this.first;
    this.begin(this.resting);
  }

  pause() {
    if (!this.playing) return;
    this.resting = this.position;
    this.playing = false;
    this.stop(this.context.currentTime);
    this.changed();
  }

  toggle() {
    return this.playing ? this.pause() : this.play();
  }

  select(index) {
    if (!this.facts.sources[index]) return;
    this.selected = index;
    this.regain();
  }

  match(on) {
    this.matching = on;
    this.regain();
  }

  regain() {
    const now = this.context?.currentTime;
    this.gains?.forEach((gain, index) => {
      gain.gain.cancelScheduledValues(now);
      gain.gain.setValueAtTime(gain.gain.value, now);
      gain.gain.linearRampToValueAtTime(this.level(index), now + Player.RAMP);
    });
    this.changed();
  }

  seek(frame) {
    const at = Math.max(0, Math.min(this.facts.frames - 1, Math.round(frame)));
    this.resting = at;
    if (this.playing && this.context.state === "running") this.begin(at);
    this.changed();
  }

  // region: [first, behind the last], or null for the whole excerpt.
  loop(on, region = this.region) {
    this.looping = on;
    this.region = region;
    if (this.playing) {
      const at = this.positionAt(this.context.currentTime + Player.LEAD);
      this.begin(on && (at < this.first || at >= this.end) ? this.first : at);
    }
    this.changed();
  }

  get first() {
    return this.looping && this.region ? this.region[0] : 0;
  }

  get end() {
    return this.looping && this.region ? this.region[1] : this.facts.frames;
  }

  // What is heard now.
  get position() {
    if (!this.playing || !this.planned.length) return this.resting;
    return this.positionAt(this.context.currentTime - (this.context.outputLatency || 0));
  }

  positionAt(time) {
    const at = time * this.rate;
    const part = this.planned.findLast((each) => each.at <= at) || this.planned[0];
    if (!part) return this.resting;
    const passed = Math.max(0, Math.min(part.length, (at - part.at) / this.scale));
    return Math.min(this.facts.frames, Math.round(part.frame + passed));
  }

  // Go on from a position: what sounds fades while the new begins, at one sample of the context for all sources.
  begin(frame) {
    const at = Math.ceil((this.context.currentTime + Player.LEAD) * this.rate);
    this.stop(at / this.rate);
    const fade = this.gains.map((gain) => {
      const node = new GainNode(this.context, { gain: 0 });
      node.gain.setValueAtTime(0, at / this.rate);
      node.gain.linearRampToValueAtTime(1, at / this.rate + Player.RAMP);
      node.connect(gain);
      return node;
    });
    this.decks.push({ fade, nodes: new Set() });
    this.resting = frame;
    this.planned = [];
    this.next = { at, frame };
    this.fill();
  }

  // End what sounds, from a time on.
  stop(time) {
    for (const { fade, nodes } of this.decks.splice(0)) {
      for (const node of fade) {
        node.gain.cancelScheduledValues(time);
        node.gain.setValueAtTime(1, time);
        node.gain.linearRampToValueAtTime(0, time + Player.RAMP);
      }
      for (const node of nodes) node.stop(time + Player.RAMP);
    }
    this.planned = [];
  }

  // Plan ahead: for each piece of sound a node a source, all at the same sample.
  fill() {
    if (!this.next || !this.decks.length) return;
    const now = this.context.currentTime * this.rate;
    if (this.next.frame >= this.end && !this.looping) {
      if (now > this.next.at) this.finish();
      return;
    }
    while (this.next.at < now + Player.AHEAD * this.rate) {
      if (this.next.frame >= this.end) {
        if (!this.looping) return;
        this.next.frame = this.first;
      }
      const piece = Math.floor(this.next.frame / this.facts.pieceFrames);
      const buffers = this.store.get(piece);
      if (!buffers) return;
      if (this.next.at < now) {
        this.begin(this.next.frame); // it came too late
        return;
      }
      const offset = this.next.frame - piece * this.facts.pieceFrames;
      const length = Math.min(this.store.frames(piece) - offset, this.end - this.next.frame);
      this.start(buffers, offset, length);
      this.planned.push({ ...this.next, length });
      this.next = { at: this.next.at + Math.round(length * this.scale), frame: this.next.frame + length };
      this.store.get(Math.floor((this.next.frame % this.facts.frames) / this.facts.pieceFrames));
    }
    while (this.planned.length > 1 && this.planned[1].at < now - this.rate) this.planned.shift();
  }

  start(buffers, offset, length) {
    const { fade, nodes } = this.decks[this.decks.length - 1];
    buffers.forEach((buffer, index) => {
      const node = new AudioBufferSourceNode(this.context, { buffer });
      node.connect(fade[index]);
      node.start(this.next.at / this.rate, offset / this.facts.rate, length / this.facts.rate);
      nodes.add(node);
      node.onended = () => {
        nodes.delete(node);
        node.disconnect();
      };
    });
  }

  finish() {
    this.playing = false;
    this.decks = [];
    this.planned = [];
    this.resting = 0;
    this.changed();
  }

  changed() {
    this.dispatchEvent(new Event("changed"));
  }
}
Player.RAMP = 0.004; // seconds: short enough to be at once, long enough not to click
Player.LEAD = 0.02; // seconds between a decision and its sound
Player.AHEAD = 2.5; // seconds that are planned: timers of hidden pages come once a second
