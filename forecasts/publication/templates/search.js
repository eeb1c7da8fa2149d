"use strict";
// Hide the rows that lack one of the words; the index has a text for each row.
const texts = JSON.parse(document.getElementById("index").textContent);
const rows = [...document.querySelectorAll("tbody tr")];
const form = document.querySelector("form.search");
const words = document.getElementById("words");
const status_ = document.getElementById("status");
const found = document.getElementById("found");
const nothing = document.getElementById("nothing");

function show() {
  const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  rows.forEach((row, place) => {
    const fits = (!status_.value || row.dataset.filter === status_.value)
      && wanted.every((word) => texts[place].includes(word));
    row.hidden = !fits;
    shown += fits;
  });
  found.textContent = `${shown.toLocaleString("en")} of ${rows.length.toLocaleString("en")} questions`;
  nothing.hidden = shown > 0;
  const kept = new URLSearchParams();
  if (words.value) kept.set("q", words.value);
  if (status_.value) kept.set("status", status_.value);
  history.replaceState(null, "", kept.size ? `#${kept}` : "#");
}

const asked = new URLSearchParams(location.hash.slice(1));
words.value = asked.get("q") ?? "";
status_.value = asked.get("status") ?? "";
form.hidden = false;
form.addEventListener("submit", (event) => event.preventDefault());
words.addEventListener("input", show);
status_.addEventListener("change", show);
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !event.target.matches("input, select")) {
    event.preventDefault();
    words.focus();
  }
});
if (words.value || status_.value) show();
