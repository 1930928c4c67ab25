// The course of a test: welcome, practice, trials, results. All is kept in this browser until it is sent.

const KEEP = `mp3fix-listening/${TEST.id}/`;
const question = QUESTIONS[TEST.method];
const page = document.getElementById("page");
let transport = null;
let state = null; // {participant, heard_with, started, finished, practised, trials, draft, comment}
let trials = [];

// Browsers may forbid to keep anything; the test can be done all the same.
function keep() {
  try {
    localStorage.setItem(KEEP + state.participant, JSON.stringify(state));
  } catch {
    keepFails = true;
  }
}
let keepFails = false;

function kept(code) {
  try {
    return JSON.parse(localStorage.getItem(KEEP + code));
  } catch {
    return null;
  }
}

function keptCodes() {
  try {
    return Object.keys(localStorage).filter((key) => key.startsWith(KEEP)).map((key) => key.slice(KEEP.length));
  } catch {
    return [];
  }
}

function drawnCode() {
  const letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"; // without I and O
  return Array.from(crypto.getRandomValues(new Uint8Array(5)), (byte) => letters[byte % letters.length]).join("");
}

function show(...children) {
  page.replaceChildren(...children.filter(Boolean));
  scrollTo(0, 0);
}

function paragraph(text, className = null) {
  return element("p", { class: className }, text);
}

function welcome() {
  const code = element("input", { type: "text", id: "code", maxlength: 20, autocomplete: "off", autocapitalize: "characters", spellcheck: "false" });
  const hint = paragraph("", "hint");
  const devices = ["Headphones", "Loudspeakers", "Built-in loudspeaker"];
  const heard = element("select", { id: "heard" }, element("option", { value: "" }, "Choose"), ...devices.map((name) => element("option", {}, name)));
  const begin = (event) => {
    event.preventDefault();
    const participant = code.value.trim().toUpperCase();
    if (!/^[A-Z0-9-]{1,20}$/.test(participant)) hint.textContent = "A code is of letters A to Z, digits and hyphens.";
    else if (!heard.value && !kept(participant)) hint.textContent = "Say what you listen with.";
    else enter(participant, heard.value);
  };
  const open = keptCodes().map((name) => {
    const done = kept(name);
    if (!done || !Array.isArray(done.trials)) return null;
    const total = plan(TEST, name).filter((trial) => !trial.practice).length;
    const text = done.trials.length < total ? `Go on as ${name} (${done.trials.length} of ${total})` : `Results of ${name}`;
    return element("button", { type: "button", class: "next", onclick: () => enter(name, done.heard_with) }, text);
  });
  show(
    element("h1", {}, TEST.title),
    ...question.about.map((text) => paragraph(text)),
    paragraph("Use headphones if you can, in a quiet room. Set the volume during the practice, then leave it as it is."),
    ...open,
    element("form", { onsubmit: begin },
      element("label", { for: "code" }, "Your code"),
      element("div", { class: "side" }, code, element("button", { type: "button", onclick: () => (code.value = drawnCode()) }, "Draw one")),
      element("label", { for: "heard" }, "You listen with"), heard, hint,
      element("button", { type: "submit", class: "next" }, "Begin")),
    paragraph("Nothing is sent anywhere. Your answers stay in this browser until you save them at the end.", "small"),
  );
}

function enter(participant, heardWith) {
  state = kept(participant) || {
    participant, heard_with: heardWith, started: new Date().toISOString(), finished: null, practised: 0, trials: [], draft: null, comment: "",
  };
  trials = plan(TEST, participant);
  transport ??= new Transport(TEST);
  keep();
  next();
}

function next() {
  const practice = trials.filter((trial) => trial.practice);
  if (state.practised < practice.length) return ask(practice[state.practised], state.practised, practice.length);
  const tested = trials.filter((trial) => !trial.practice);
  if (state.trials.length >= tested.length) return results();
  if (state.practised === practice.length && !state.trials.length && !state.draft) return ready(practice.length, tested.length);
  return ask(tested[state.trials.length], state.trials.length, tested.length);
}

function ready(practice, tested) {
  transport.clear();
  show(
    element("h1", {}, "That was the practice"),
    paragraph(`Now the test: ${tested} page${tested === 1 ? "" : "s"}. Leave the volume as it is. You may pause at any time, close this page and go on later with your code, ${state.participant}.`),
    keepFails && paragraph("This browser keeps nothing: do not close or reload the page before the end.", "hint"),
    element("button", { type: "button", class: "next", onclick: () => ((state.draft = { answers: {}, comment: "" }), keep(), next()) }, "Begin the test"),
  );
}

async function ask(trial, place, total) {
  const draft = (state.draft ??= { answers: {}, comment: "" });
  const begun = Date.now();
  show(paragraph("Loading …"));
  const onward = element("button", { type: "button", class: "next", disabled: true, onclick: () => answer(trial, draft, begun) }, "Next");
  const hint = element("p", { class: "hint", role: "status" });
  const check = () => {
    const left = question.missing(trial, draft.answers);
    const missing = transport.missing;
    if (missing.length) {
      const all = missing.length === transport.names.length;
      left.unshift(question.whole ? "listen to the end" : `listen to ${all ? "each of them" : missing.join(", ")}`);
    }
    onward.disabled = left.length > 0;
    const text = left.join(", then ");
    hint.textContent = text && `${text[0].toUpperCase()}${text.slice(1)}.`;
  };
  const changed = () => (keep(), check());
  try {
    await transport.prepare(trial, question.stimuli(trial), question.names(trial), { whole: question.whole, onheard: check });
  } catch (error) {
    const broken = error instanceof DOMException || error instanceof TypeError;
    return show(element("h1", {}, "The sound is missing"), paragraph(broken ? "This browser cannot decode it (FLAC)." : error.message));
  }
  const comment = element("textarea", { rows: 2, maxlength: 1000, "aria-label": "Comment", oninput: () => ((draft.comment = comment.value), keep()) });
  comment.value = draft.comment;
  const progress = element("progress", { max: total, value: place });
  show(
    element("div", { class: "head" }, element("span", {}, `${trial.practice ? "Practice" : "Page"} ${place + 1} of ${total}`), progress),
    trial.practice && paragraph("This is practice: answers do not count yet. Find a volume that suits you, and keep it.", "note"),
    element("h2", {}, question.ask),
    transport.panel,
    question.form(trial, draft.answers, transport, changed),
    element("details", { open: Boolean(draft.comment) }, element("summary", {}, "Comment"), comment),
    element("div", { class: "foot" }, hint, onward),
    !question.whole && paragraph(`Keys: space plays, ${question.names(trial)[0] === "Reference" ? "0 is the reference, " : ""}1 to ${Math.min(9, trial.stimuli.length + (TEST.method === "abx"))} switch, arrows jump.`, "small keys"),
  );
  check();
}

function answer(trial, draft, begun) {
  transport.clear();
  if (trial.practice) state.practised += 1;
  else {
    const seconds = Math.round((Date.now() - begun) / 1000);
    state.trials.push({ item: trial.item, order: trial.stimuli, answers: draft.answers, comment: draft.comment, seconds });
  }
  const more = trials.filter((each) => !each.practice).length - state.trials.length;
  state.draft = null;
  if (state.trials.length && more) state.draft = { answers: {}, comment: "" };
  if (!more) state.finished = new Date().toISOString();
  keep();
  next();
}

function results() {
  transport.clear();
  const text = () => {
    const { participant, heard_with, started, finished, trials: done, comment } = state;
    const result = { "mp3fix-listening": 1, test: TEST.id, method: TEST.method, participant, heard_with, started, finished, trials: done, comment };
    return `${JSON.stringify(result, null, 1)}\n`;
  };
  const name = `${state.participant}-${TEST.id}.json`;
  const box = element("textarea", { rows: 4, readonly: true, class: "raw", "aria-label": "Results as text", onclick: () => box.select() });
  const comment = element("textarea", { id: "all", rows: 3, maxlength: 2000, oninput: () => ((state.comment = comment.value), keep(), (box.value = text())) });
  comment.value = state.comment;
  box.value = text();
  const save = () => {
    const link = element("a", { download: name, href: URL.createObjectURL(new Blob([text()], { type: "application/json" })) });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };
  show(
    element("h1", {}, "Thank you"),
    paragraph("Save the results and send the file to whoever gave you this test."),
    element("label", { for: "all" }, "Anything to add?"), comment,
    element("button", { type: "button", class: "next", id: "save", onclick: save }, "Save results"),
    paragraph(`The file is called ${name}.`, "small"),
    element("details", {}, element("summary", {}, "If saving does not work: copy this text and send it"), box),
  );
}

welcome();
