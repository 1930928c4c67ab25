// The sound of the trial: FLAC in base64, in scripts beside the page or in it.

const sounds = new Map(); // item -> {stimulus: base64}
const arriving = new Map(); // item -> function that goes on when its script has run

function takeSound(item, sound) {
  sounds.set(item, sound);
  arriving.get(item)?.();
}

function fetchSound(item) {
  if (sounds.has(item)) return Promise.resolve(sounds.get(item));
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    arriving.set(item, () => {
      arriving.delete(item);
      script.remove();
      const sound = sounds.get(item);
      sounds.delete(item); // of a test in many files, one item is kept at a time
      resolve(sound);
    });
    script.onerror = () => reject(new Error("The folder “sound” must be beside this page: unpack all of the archive."));
    script.src = `sound/${item}.js`;
    document.head.append(script);
  });
}

// What a Player plays: the stimuli of one trial at a time, each in one piece.
class TrialSound extends EventTarget {
  constructor(rate) {
    super();
    this.decoder = new OfflineAudioContext(1, 1, rate); // decodes to the rate of the files, whatever the device has
    this.buffers = [];
  }

  async load(item, stimuli) {
    const sound = await fetchSound(item);
    const once = new Map(); // an open reference and its hidden twin are one sound
    for (const id of new Set(stimuli)) {
      const bytes = Uint8Array.from(atob(sound[id]), (character) => character.charCodeAt(0));
      once.set(id, await this.decoder.decodeAudioData(bytes.buffer));
    }
    this.buffers = stimuli.map((id) => once.get(id));
    return this.buffers[0].length;
  }

  get() {
    return this.buffers;
  }

  frames() {
    return this.buffers[0].length;
  }
}
