// Values entered on the cards of Today, faster than they are saved; one script with keyboard.js.
//
// Streamlit knows a card by its place in the list, and can lose a click in a list that moves. So cards
// are saved one after the other, and again if their form is still the same after the run. A value
// belongs to the question whose title was shown when it was typed. If the page has no card of that
// question yet, the value is typed into a box with the title, and waits there in sight, to be saved
// or discarded.

const VALUE = /-value(-\d+)?$/; // of the key of a forecast's field
const TRIES = 3; // clicks on Save; after that the value stays in the box
const DRAWN = 50; // ms of rest until fields that were just drawn have their text
const END = "End of the list. Nothing that you type here is saved.";

// Lists of cards with their acts and titles, in the page's order, whether drawn yet or not.
const lists = () => (document.querySelector(".st-key-keyboard-today") ? state.lists : []);
const listOf = (act) => lists().find((list) => list.some((card) => card.act === act)) ?? [];
const cardOf = (act) => listOf(act).find((card) => card.act === act);
const valueIn = (act) =>
  [...document.querySelectorAll(`.${act}:not([data-retained] *)`)].map(fieldIn).find(Boolean);

function nextCard(act) {
  const list = listOf(act);
  const isFree = (card) => !state.entered.some((one) => one.act === card.act);
  return list.slice(list.findIndex((card) => card.act === act) + 1).find(isFree);
}

// Save the value in its turn and go to the next card. ``other``: another field of the card, to be
// written too. ``isSent``: Streamlit has been told to save; ``isClicked``: by the mouse, so that the
// next card is not typed into before it is drawn.
function enterCard(
  card,
  { text = valueIn(card.act)?.value, other = null, isSent = false, isClicked = false } = {},
) {
  const next = nextCard(card.act);
  state.entered = state.entered.filter((one) => one.act !== card.act || one.isSent);
  const one = { ...card, text, other, tries: 0 };
  state.entered.push(one);
  if (isSent) noteSent(one);
  startLooking();
  const field = !state.box && next && valueIn(next.act);
  if (field) enter(field);
  else if (!isClicked) openBox(next);
  Object.assign(state, { isBusy: false, hasMoved: true, savedAt: Date.now() });
}

function noteSent(one) {
  Object.assign(one, { isSent: true, hasRun: false, form: formOf(one.act), refusals: refusals() });
  one.tries += 1;
  state.rest = 0;
}

function saveInTurn() {
  state.entered = state.entered.filter((one) => one.isSent || !isRenewed(one));
  state.rest = isAtRest() ? state.rest || Date.now() : 0;
  const rested = state.rest && Date.now() - state.rest + 1;
  const sent = state.entered.find((one) => one.isSent);
  if (rested && sent) finish(sent, rested);
  else if (rested > DRAWN) sendNext();
  drawBox();
}

function sendNext() {
  const canBeSent = ({ act, tries }) => {
    const field = tries < TRIES && valueIn(act);
    return field && field !== document.activeElement; // there, it is perhaps being corrected
  };
  const one = state.entered.find(canBeSent);
  if (!one) {
    if (state.box?.card) handOverBox(state.box);
    return;
  }
  const field = valueIn(one.act);
  const other = one.other && fieldLike(one.other);
  fill(field, one.text);
  if (other) fill(other, one.other.text);
  noteSent(one);
  window.setTimeout(() => {
    if (field.value === (one.text ?? field.value)) saveButton(field.closest(ACT))?.click();
    else one.isSent = false;
  }, 0);
}

// A field hands over its text when it is left.
function fill(field, text = field.value) {
  if (field.value !== text) write(field, text);
  field.dispatchEvent(new FocusEvent("focusout", { bubbles: true }));
}

function finish(one, rested) {
  const isOver = rested > (one.hasRun ? SETTLED : PATIENCE);
  const isNew = valueIn(one.act) ? isRenewed(one) : isOver;
  if (one.isSaved || refusals() > one.refusals || isNew) {
    state.entered = state.entered.filter((other) => other !== one);
  } else if (isOver) {
    one.isSent = false; // Streamlit has lost the click
  }
}

// --- the box -------------------------------------------------------------------------------------

// ``from``: the field of the card, if a run has taken it away.
function openBox(card, from = null) {
  const box = (state.box ??= newBox());
  const text = from ? from.value : "";
  Object.assign(box, { card, from, text });
  box.title.textContent = card?.title ?? END;
  box.own.value = text;
  box.own.setAttribute("aria-label", card ? `Next: ${card.title}` : END);
  drawBox();
  box.own.focus(); // it must be drawn
  if (from) select(box.own, from);
  startLooking();
}

function newBox() {
  const [title, own] = ["strong", "input"].map((tag) => document.createElement(tag));
  own.className = "typed-ahead";
  own.addEventListener("keydown", pressInBox);
  own.addEventListener("blur", () => {
    if (document.activeElement !== own && own.value === state.box?.text) closeBox();
  });
  panel().append(title, own);
  return { title, own };
}

function panel() {
  if (!state.panel) {
    state.panel = document.createElement("section");
    state.panel.setAttribute("aria-label", "Typed ahead");
    state.panel.className = "entered-ahead";
    state.panel.append(document.createElement("p"), document.createElement("ul"));
    document.body.append(state.panel);
  }
  return state.panel;
}

// It is seen if something waits in it. A card that a run draws again is there in a moment.
function drawBox() {
  const waiting = state.entered.filter((one) => !one.isSent);
  const { box } = state;
  const [words, list] = panel().children;
  const heading = waiting.length ? "Not saved yet:\n" : "";
  if (words.textContent !== heading) words.textContent = heading;
  for (const line of [...list.children]) {
    if (!waiting.some((one) => one.line === line)) line.remove();
  }
  for (const one of waiting) if (!one.line?.isConnected) list.append((one.line ??= newLine(one)));
  panel().hidden = !heading && !box;
  panel().classList.toggle("quiet", !heading && Boolean(box?.from) && box.own.value === box.text);
}

function newLine(one) {
  const [line, button] = ["li", "button"].map((tag) => document.createElement(tag));
  const words = `${one.text} · ${one.title}`;
  button.type = "button";
  button.title = "Discard";
  button.setAttribute("aria-label", `Discard ${words}`);
  button.addEventListener("click", () => discard(one));
  line.append(words, button);
  return line;
}

// The value is not saved, and its field, if it is there, gets the earlier text back.
function discard(one) {
  const field = valueIn(one.act);
  state.entered = state.entered.filter((other) => other !== one);
  if (field && field.value === one.text) fill(field, state.start.get(field) ?? "");
  drawBox();
  const next = panel().querySelector("li button") ?? state.box?.own;
  if (next) next.focus();
  else SHORTCUTS.f();
}

function closeBox() {
  const { title, own } = state.box;
  state.box = null;
  title.remove();
  own.remove();
  drawBox();
}

function pressInBox(event) {
  const { key, target } = event;
  const isSave = key === "Enter" || ((event.ctrlKey || event.metaKey) && key === "s");
  if (!isSave || event.isComposing) return;
  event.preventDefault();
  const isBounce = event.repeat || Date.now() - state.savedAt < BOUNCE;
  const { card } = state.box;
  if (card && target.value && !isBounce) enterCard(card, { text: target.value });
}

// The page has the card: its field takes what was typed for it.
function handOverBox({ card, from, text, own }) {
  const field = valueIn(card.act);
  if (!field) return;
  const hasFocus = document.activeElement === own;
  const before = from ? state.start.get(from) ?? text : text;
  if (own.value !== before && own.value !== field.value) write(field, own.value);
  if (hasFocus) enter(field);
  if (hasFocus && own.value) select(field, own);
  if (state.box) closeBox();
}
