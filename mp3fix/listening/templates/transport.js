// Playing a trial: buttons that switch, a bar to seek and to loop, keys, and what was heard for how long.

class Transport {
  constructor(test) {
    const most = Math.max(...test.items.map((item) => item.stimuli.length)) + 1; // and a reference, or X
    this.facts = { rate: test.rate, frames: 0, pieceFrames: 0, sources: Array.from({ length: most }, () => ({ gain: 0 })) };
    this.store = new TrialSound(test.rate);
    this.player = new Player(this.facts, this.store);
    this.player.addEventListener("changed", () => this.show());
    this.last = 0;
    this.clear();
    setInterval(() => this.follow(), 50);
    addEventListener("keydown", (event) => this.key(event));
  }

  clear() {
    this.player.pause();
    this.names = [];
    this.buttons = [];
    this.heard = [];
    this.bar = null;
  }

  // Loads what a trial needs. `names` are on the buttons; `enough` is how long each must be heard, in seconds.
  async prepare(trial, stimuli, names, options) {
    this.clear();
    this.facts.frames = this.facts.pieceFrames = await this.store.load(trial.item, stimuli);
    this.names = names;
    this.heard = names.map(() => 0);
    this.seconds = this.facts.frames / this.facts.rate;
    this.enough = options.whole ? this.seconds - 0.15 : Math.min(2, this.seconds - 0.15);
    this.whole = options.whole;
    this.onheard = options.onheard;
    this.player.loop(!options.whole, null);
    this.player.seek(0);
    this.player.select(0);
    this.buttons = names.map((name, index) => element("button", { type: "button", class: "source", onclick: () => this.press(index) }, name));
    this.build();
    this.show();
  }

  build() {
    this.main = element("button", { type: "button", class: "main", onclick: () => this.toggle() }, "Play");
    this.time = element("span", { class: "time" });
    const parts = [this.main];
    if (!this.whole) {
      this.region = element("span", { class: "region" });
      this.playhead = element("span", { class: "playhead" });
      this.bar = element("div", { class: "bar", title: "Click to jump, drag to repeat a part" }, this.region, this.playhead);
      this.release = element("button", { type: "button", class: "release", onclick: () => this.player.loop(true, null) }, "Repeat all");
      this.drag();
      parts.push(this.bar, this.time, this.release);
    } else {
      this.playhead = element("span", { class: "playhead" });
      this.region = element("span", { class: "region" });
      parts.push(element("div", { class: "bar still" }, this.region, this.playhead), this.time);
    }
    this.panel = element("div", { class: "transport" }, ...parts);
  }

  drag() {
    const at = (event) => {
      const box = this.bar.getBoundingClientRect();
      return Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)) * this.facts.frames;
    };
    let from = null;
    this.bar.onpointerdown = (event) => {
      from = at(event);
      this.bar.setPointerCapture(event.pointerId);
    };
    this.bar.onpointerup = (event) => {
      if (from === null) return;
      const [first, end] = [from, at(event)].sort((a, b) => a - b).map(Math.round);
      from = null;
      if (end - first >= 0.3 * this.facts.rate) this.player.loop(true, [first, end]);
      else {
        if (this.player.region && (end < this.player.first || end >= this.player.end)) this.player.loop(true, null);
        this.player.seek(end);
      }
    };
    this.bar.onpointercancel = () => (from = null);
  }

  press(index) {
    this.player.select(index);
    if (!this.player.playing) this.start();
  }

  toggle() {
    if (this.player.playing) this.player.pause();
    else this.start();
    if (this.whole && !this.player.playing) this.player.seek(0);
  }

  start() {
    this.last = 0;
    if (this.whole && this.heard[0] < this.enough) this.heard[0] = 0; // it begins again
    this.player.play();
  }

  // Counts what is heard, by the clock of the sound.
  follow() {
    const { context, playing, selected } = this.player;
    if (!this.names.length) return;
    if (!playing || context.state !== "running") {
      this.last = 0;
      return;
    }
    const now = context.currentTime;
    if (this.last) {
      const before = this.heard[selected] >= this.enough;
      this.heard[selected] += now - this.last;
      if (!before && this.heard[selected] >= this.enough) this.onheard();
    }
    this.last = now;
    this.show();
  }

  // Names of what was not heard long enough.
  get missing() {
    return this.names.filter((_, index) => this.heard[index] < this.enough);
  }

  show() {
    if (!this.panel) return;
    const { playing, selected, position, region } = this.player;
    this.main.textContent = playing ? (this.whole ? "Stop" : "Pause") : "Play";
    this.buttons.forEach((button, index) => {
      button.setAttribute("aria-pressed", String(index === selected));
      button.classList.toggle("sounding", playing && index === selected);
      button.classList.toggle("heard", this.heard[index] >= this.enough);
    });
    const share = (frame) => `${(100 * frame) / this.facts.frames}%`;
    this.playhead.style.left = share(position);
    this.region.style.left = share(region ? region[0] : 0);
    this.region.style.width = share(region ? region[1] - region[0] : this.facts.frames);
    if (this.release) this.release.style.visibility = region ? "visible" : "hidden";
    this.time.textContent = `${(position / this.facts.rate).toFixed(1)} / ${this.seconds.toFixed(1)} s`;
  }

  key(event) {
    const typing = event.target.closest?.("textarea, input[type=text], select");
    if (!this.names.length || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const arrows = !event.target.matches?.("input");
    if (event.code === "Space") this.toggle();
    else if (this.whole) return;
    else if (/^[0-9]$/.test(event.key) && this.names[this.digit(event.key)]) this.press(this.digit(event.key));
    else if (arrows && event.key === "ArrowLeft") this.player.seek(this.player.position - this.facts.rate);
    else if (arrows && event.key === "ArrowRight") this.player.seek(this.player.position + this.facts.rate);
    else return;
    event.preventDefault();
  }

  // 0 is the reference where there is one, 1 the first stimulus.
  digit(key) {
    const open = this.names[0] === "Reference";
    return open ? Number(key) : Number(key) - 1;
  }
}

// A piece of the page: attributes, functions for events, children.
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") made[key] = value;
    else if (value !== false && value !== null) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}
