"use strict";

// What all of the page's scripts use.
const facts = JSON.parse(document.getElementById("facts").textContent);
const store = new Store(facts);
const player = new Player(facts, store);
const spectrograms = new Spectrograms(facts, store);

const element = (id) => document.getElementById(id);
const tracks = [...document.querySelectorAll(".track")];
const views = tracks.map((track) => track.querySelector(".view"));
const rows = tracks.map((track) => Number(track.dataset.source)); // the source that each row stands for
const differences = facts.sources.findIndex((source) => source.of !== undefined);

// "+1.5 dB", "0.0 dB"
function decibels(gain) {
  const text = Math.abs(gain).toFixed(1);
  return `${text === "0.0" ? "" : gain < 0 ? "−" : "+"}${text} dB`;
}
