"use strict";

// The sound, in pieces: FLAC in base64, in this page or in scripts beside it, decoded when it is needed.
// The differences are made here, so they are exactly restoration minus original.
class Store extends EventTarget {
  constructor(facts) {
    super();
    this.facts = facts;
    this.count = Math.ceil(facts.frames / facts.pieceFrames);
    this.stored = facts.sources.filter((source) => source.of === undefined).length;
    this.channels = 0;
    this.error = null;
    this.pieces = new Map(); // piece -> AudioBuffers, one a source; the one last used comes last
    this.waiting = new Map(); // piece -> promise of the same
    this.arrivals = new Map(); // name of a script's piece -> what takes its text
    // Pieces may be decoded before a click has allowed sound, and at the rate of the files.
    this.decoder = new OfflineAudioContext(1, 1, facts.rate);
    window.mp3fixPiece = (name, text) => this.arrivals.get(name)?.(text);
  }

  frames(piece) {
    return Math.min(this.facts.pieceFrames, this.facts.frames - piece * this.facts.pieceFrames);
  }

  // The buffers of a piece, where they are there; asks for them otherwise.
  get(piece) {
    const buffers = this.pieces.get(piece);
    if (buffers) {
      this.pieces.delete(piece);
      this.pieces.set(piece, buffers);
      return buffers;
    }
    this.load(piece).catch(() => {});
    return null;
  }

  load(piece) {
    if (this.pieces.has(piece)) return Promise.resolve(this.pieces.get(piece));
    if (!this.waiting.has(piece)) {
      const loading = this.decode(piece).finally(() => this.waiting.delete(piece));
      loading.catch((error) => {
        this.error = error;
        this.dispatchEvent(new Event("failed"));
      });
      this.waiting.set(piece, loading);
    }
    return this.waiting.get(piece);
  }

  async decode(piece) {
    const indices = [...Array(this.stored).keys()];
    const buffers = await Promise.all(indices.map((source) => this.decodeOne(source, piece)));
    for (const source of this.facts.sources) {
      if (source.of !== undefined) buffers.push(this.difference(buffers[source.of], buffers[0], source.of));
    }
    this.channels = buffers[0].numberOfChannels;
    this.pieces.set(piece, buffers);
    const bytes = buffers.length * this.channels * this.facts.pieceFrames * 4;
    const most = Math.max(4, Math.floor(Store.MEMORY / bytes));
    for (const oldest of [...this.pieces.keys()].slice(0, -most)) this.pieces.delete(oldest);
    this.dispatchEvent(new CustomEvent("loaded", { detail: piece }));
    return buffers;
  }

  async decodeOne(source, piece) {
    const text = await this.text(`${source}-${piece}`);
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    return this.decoder.decodeAudioData(bytes.buffer);
  }

  text(name) {
    const inside = document.getElementById(`sound-${name}`);
    if (inside) return Promise.resolve(inside.textContent);
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.nonce = Store.NONCE;
      script.src = `${encodeURIComponent(this.facts.folder)}/${this.facts.identity}-${name}.js`;
      script.onerror = () => reject(new Error(`The folder ${this.facts.folder} must be beside this page.`));
      this.arrivals.set(name, (text) => {
        this.arrivals.delete(name);
        script.remove();
        resolve(text);
      });
      document.head.append(script);
    });
  }

  difference(restored, original, number) {
    const { numberOfChannels, length, sampleRate } = original;
    const buffer = new AudioBuffer({ numberOfChannels, length, sampleRate });
    const undo = 10 ** (-this.facts.sources[number].fileGain / 20);
    for (let channel = 0; channel < numberOfChannels; channel += 1) {
      const into = buffer.getChannelData(channel);
      const a = restored.getChannelData(channel);
      const b = original.getChannelData(channel);
      for (let i = 0; i < length; i += 1) into[i] = a[i] * undo - b[i];
    }
    return buffer;
  }
}
Store.MEMORY = 300e6; // bytes of decoded sound that are kept, and at least four pieces
Store.NONCE = document.currentScript.nonce;
