// What a participant hears, and in which order. The same test and code give the same order in every browser.

// Random numbers in [0, 1) from a text: FNV-1a (Fowler, Noll, Vo) makes 32 bits of it, mulberry32 (Ettinger, 2017,
// public domain) numbers of these.
function random(text) {
  let state = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) state = Math.imul(state ^ byte, 0x01000193);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

// A copy in random order (Durstenfeld 1964).
function shuffled(list, draw) {
  const mixed = [...list];
  for (let last = mixed.length - 1; last > 0; last -= 1) {
    const other = Math.floor(draw() * (last + 1));
    [mixed[last], mixed[other]] = [mixed[other], mixed[last]];
  }
  return mixed;
}

// In random order, no item after itself where that can be had.
function apart(trials, draw) {
  let mixed = shuffled(trials, draw);
  for (let tries = 0; tries < 200; tries += 1) {
    if (mixed.every((trial, place) => !place || trial.item !== mixed[place - 1].item)) break;
    mixed = shuffled(trials, draw);
  }
  return mixed;
}

// All trials of a participant: [{item, practice, stimuli, open, x}]. `stimuli` are in the order of their buttons, `open`
// is MUSHRA's reference, `x` ABX's X.
function plan(test, code) {
  const draw = random(`${test.id}/${code}`);
  const trialsOf = (item, practice, repeats) => {
    if (test.method === "mos") return item.stimuli.map((id) => ({ item: item.id, practice, stimuli: [id] }));
    return Array.from({ length: repeats }, () => {
      const stimuli = shuffled(item.stimuli, draw);
      const trial = { item: item.id, practice, stimuli };
      if (test.method === "mushra") trial.open = item.reference;
      if (test.method === "abx") trial.x = stimuli[Math.floor(draw() * 2)];
      return trial;
    });
  };
  const tested = test.items.filter((item) => !item.practice);
  const kept = test.items.filter((item) => item.practice);
  // Without items for practice, one of the test is heard for practice first.
  const practised = kept.length ? kept : [tested[Math.floor(draw() * tested.length)]];
  return [
    ...apart(practised.flatMap((item) => trialsOf(item, true, 1)), draw),
    ...apart(tested.flatMap((item) => trialsOf(item, false, test.repeats)), draw),
  ];
}
