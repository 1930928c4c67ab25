// What each kind of test asks. A question has stimuli, names for their buttons, and a form that fills `answers`.

const LEVELS = ["Bad", "Poor", "Fair", "Good", "Excellent"];
const LABELS = { lossless: "Lossless", mp3: "MP3", restored: "Restored" };
const LETTERS = "ABCDEFGHIJKL";

const QUESTIONS = {
  mos: {
    about: [
      "You hear short excerpts of music, one at a time. Rate how good each sounds to you, on five levels.",
      "There is no right answer, and no comparison: rate each as if it were the only one. Think of the sound, not of whether you like the music.",
    ],
    ask: "How good does this sound?",
    whole: true,
    stimuli: (trial) => trial.stimuli,
    names: () => ["Excerpt"],
    missing: (trial, answers) => (trial.stimuli[0] in answers ? [] : ["choose a level"]),
    form(trial, answers, transport, changed) {
      const [id] = trial.stimuli;
      const level = (score) => {
        const input = element("input", { type: "radio", name: "level", value: score, onchange: () => ((answers[id] = score), changed()) });
        input.checked = answers[id] === score;
        return element("label", { class: "choice" }, input, element("span", {}, LEVELS[score]));
      };
      return element("div", { class: "levels", role: "radiogroup" }, ...[4, 3, 2, 1, 0].map(level));
    },
  },

  mushra: {
    about: [
      "On each page you hear one excerpt in several versions. Rate how close in quality each comes to the reference, from 0 to 100.",
      "One of the versions is the reference itself, hidden: at least one rating on each page should be 100. Switch between them as often as you like: they play on at the same place.",
    ],
    ask: "How good is each, compared with the reference?",
    stimuli: (trial) => [trial.open, ...trial.stimuli],
    names: (trial) => ["Reference", ...trial.stimuli.map((_, index) => LETTERS[index])],
    missing(trial, answers) {
      const left = trial.stimuli.map((id, index) => (id in answers ? "" : LETTERS[index])).filter(Boolean);
      return left.length ? [`rate ${left.join(", ")}`] : [];
    },
    form(trial, answers, transport, changed) {
      const rows = trial.stimuli.map((id, index) => {
        const value = element("output", {}, answers[id] ?? "–");
        const rate = () => {
          answers[id] = Number(slider.value);
          slider.classList.remove("unset");
          value.textContent = slider.value;
          changed();
        };
        const slider = element("input", {
          type: "range", min: 0, max: 100, value: answers[id] ?? 50, oninput: rate, onclick: rate,
          class: id in answers ? null : "unset", "aria-label": `Rating of ${LETTERS[index]}`,
        });
        slider.value = answers[id] ?? 50;
        return element("div", { class: "row" }, transport.buttons[index + 1], slider, value);
      });
      const words = element("div", { class: "row words" }, transport.buttons[0], element("div", { class: "scale" }, ...LEVELS.map((word) => element("span", {}, word))));
      return element("div", { class: "sliders" }, words, ...rows);
    },
  },

  abx: {
    about: [
      "On each page, A and B are two versions of an excerpt, and X is one of them again. Say which.",
      "Switch as often as you like: they play on at the same place. If you hear no difference, guess.",
    ],
    ask: "Is X the same as A, or as B?",
    stimuli: (trial) => [...trial.stimuli, trial.x],
    names: () => ["A", "B", "X"],
    missing: (trial, answers) => ("answer" in answers ? [] : ["choose A or B"]),
    form(trial, answers, transport, changed) {
      const choice = (id, name) => {
        const input = element("input", {
          type: "radio", name: "answer",
          onchange: () => (Object.assign(answers, { a: trial.stimuli[0], b: trial.stimuli[1], x: trial.x, answer: id }), changed()),
        });
        input.checked = answers.answer === id;
        return element("label", { class: "choice" }, input, element("span", {}, `X is ${name}`));
      };
      return element("div", {}, element("div", { class: "sources" }, ...transport.buttons),
        element("div", { class: "levels two", role: "radiogroup" }, choice(trial.stimuli[0], "A"), choice(trial.stimuli[1], "B")));
    },
  },

  which: {
    about: [
      "On each page you hear an excerpt in three versions: lossless as it was recorded, as an MP3, and restored from that MP3. Say which is which.",
      "Switch as often as you like: they play on at the same place. If you hear no difference, guess.",
    ],
    ask: "Which is which?",
    stimuli: (trial) => trial.stimuli,
    names: () => ["A", "B", "C"],
    missing(trial, answers) {
      const left = trial.stimuli.map((id, index) => (id in answers ? "" : LETTERS[index])).filter(Boolean);
      return left.length ? [`say what ${left.join(", ")} ${left.length > 1 ? "are" : "is"}`] : [];
    },
    form(trial, answers, transport, changed) {
      const inputs = [];
      const row = (id, index) => element("div", { class: "row" }, transport.buttons[index],
        element("div", { class: "levels three", role: "radiogroup" }, ...Object.entries(LABELS).map(([label, word]) => {
          const input = element("input", { type: "radio", name: `label-${index}`, onchange: () => choose(id, label) });
          inputs.push({ input, id, label });
          return element("label", { class: "choice" }, input, element("span", {}, word));
        })));
      // Each label is given once: from another, it is taken away.
      const choose = (id, label) => {
        for (const other of trial.stimuli) if (other !== id && answers[other] === label) delete answers[other];
        answers[id] = label;
        mark();
        changed();
      };
      const mark = () => inputs.forEach(({ input, id, label }) => (input.checked = answers[id] === label));
      const form = element("div", { class: "which" }, ...trial.stimuli.map(row));
      mark();
      return form;
    },
  },
};
