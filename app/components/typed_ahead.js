// What is typed while a save runs; one script with keyboard.js.
//
// A save gives the fields of its act new keys, and a run may draw any field again. What is typed
// before the new field is there goes into a field of our own that covers the old one, and from
// there into the new one. So nothing is lost, and what is being saved stays as it was sent.

const labelOf = (field) => field.getAttribute("aria-label");
const keyOf = (element) => [...element.classList].find((name) => name.startsWith("st-key-")) ?? "";
const elementOf = (field) => field.closest(".stElementContainer") ?? field;
const actOf = (field) => (field.closest(ACT) ? nameOf(field.closest(ACT)) : "");
// A form's key ends in the number of its saves, before the name of the field.
const afterSave = (key) => key.replace(/-(\d+)(?=\D*$)/, (_, count) => `-${Number(count) + 1}`);
// The server numbers its refusals.
const refusals = () =>
  [...document.querySelectorAll('[class*="st-key-refusal-"]')]
    .map((element) => Number(keyOf(element).split("-").pop()))
    .reduce((most, one) => Math.max(most, one), 0);
const isRefused = (one) => one.saved && refusals() > one.refusals;

function identify(field) {
  const box = (field.closest('[data-testid$="RootElement"]') ?? field).getBoundingClientRect();
  const key = keyOf(elementOf(field));
  const act = actOf(field);
  const place = act || placeOf(field);
  return { field, box, key, label: labelOf(field), act, place, path: window.location.pathname };
}

// The field with the same key, label and act, or else with a key that ``fits``.
const fieldLike = (one, fits = (key) => key === one.key) =>
  [...document.querySelectorAll(TEXT)].find(
    (field) =>
      labelOf(field) === one.label &&
      actOf(field) === one.act &&
      !field.closest("[data-retained]") &&
      fits(keyOf(elementOf(field))),
  );

// The form of a forecast, which has a new key after each save; "" elsewhere.
const formOf = (act) => {
  const field = act.startsWith(CARD) && valueIn(act);
  return field ? keyOf(elementOf(field)).replace(VALUE, "") : "";
};
// The save that began with ``form`` is stored, perhaps after it was taken for lost.
const isRenewed = ({ act, form }) => Boolean(form) && ![form, ""].includes(formOf(act));

// Waits for the field to be drawn again or, if its act is ``saved``, for the one after the save.
function wait(identity, saved) {
  const one = { ...identity, saved, refusals: refusals(), lines: [], hasRun: false, rest: 0 };
  one.form = formOf(one.act);
  state.waits.add(one);
  startLooking();
  return one;
}

function startLooking() {
  if (!state.isLooking) window.setTimeout(look, 30);
  state.isLooking = true;
}

function look() {
  for (const one of [...state.waits]) meet(one);
  saveInTurn();
  state.isLooking = false;
  if (state.waits.size || state.entered.length || state.box?.card) startLooking();
}

function meet(one) {
  one.rest = isAtRest() ? one.rest || Date.now() : 0;
  const rested = one.rest && Date.now() - one.rest + 1;
  const same = fieldLike(one);
  const isLater = (key) => key === afterSave(one.key) || (one.act && key !== one.key);
  const next = one.saved && fieldLike(one, isLater);
  const hasEnded = isRefused(one) || (one.hasRun && rested > SETTLED);
  const isLate = rested > (one.saved ? PATIENCE : SETTLED) || one.path !== window.location.pathname;
  if (next && rested) handOver(one, next);
  else if (same && (!one.saved || (rested && hasEnded) || isLate)) handOver(one, same);
  else if (rested && (hasEnded || isLate)) giveUp(one);
}

// A cover with something typed into it stays, so that it can be copied.
function giveUp(one) {
  state.waits.delete(one);
  if (one.cover && one.cover.value === one.text) one.cover.remove();
}

// Cover the field by one of our own, which is seen once something is typed into it.
function cover(one, text = "") {
  const own = document.createElement(one.field.tagName);
  own.className = "typed-ahead";
  own.placeholder = " ";
  own.setAttribute("aria-label", `Next: ${one.label}`);
  for (const side of ["left", "top", "width", "height"]) own.style[side] = `${one.box[side]}px`;
  own.value = one.text = text;
  own.addEventListener("keydown", (event) => pressAhead(event, one));
  document.body.append(own);
  one.cover = own;
  own.focus();
  if (text) select(own, one.field);
}

// With the same part selected as in ``other``.
function select(field, other) {
  if (field.selectionStart === null || other.selectionStart === null) return;
  field.setSelectionRange(other.selectionStart, other.selectionEnd);
}

function pressAhead(event, one) {
  const { key, target } = event;
  const command = event.ctrlKey || event.metaKey;
  if (event.isComposing) return;
  if ((key === "Enter" && (command || target.matches("input"))) || (command && key === "s")) {
    event.preventDefault();
    const card = cardOf(one.act);
    if (card) {
      const text = target.value;
      state.waits.delete(one);
      enterCard(card, VALUE.test(one.key) ? { text } : { other: { ...one, text } });
      target.remove();
      return;
    }
    if (target.value) one.lines.push(target.value);
    target.value = "";
  } else if (key === "Tab" && one.field.isConnected) {
    one.field.focus(); // the browser goes on from there
  }
}

function handOver(one, field) {
  const { cover: own, lines, saved } = one;
  const hasFocus = own && document.activeElement === own;
  state.waits.delete(one);
  if (!own) {
    if (isRefused(one) && !state.isBusy) field.focus();
    return;
  }
  const isNext = saved && keyOf(elementOf(field)) !== one.key;
  // A form that was saved from a text area is followed by a field in which Enter saves.
  const last = field.matches("input") ? own.value.split("\n") : [own.value];
  const typed = [...lines, ...last];
  const canSave = (isNext || (!saved && lines.length)) && placeOf(field);
  const [first, ...later] = canSave ? typed : [typed.filter(Boolean).join(" ")];
  const text = saved && !isNext ? field.value + first : first;
  const isCleared = !saved && !text && own.value !== one.text;
  if ((first || isCleared) && text !== field.value) write(field, text);
  if (hasFocus) {
    field.focus();
    if (isNext && !first) field.select();
    else if (!saved) select(field, own);
  }
  own.remove();
  if (later.length === 0) return;
  const after = save(field);
  if (!after.cover) cover(after);
  after.lines = later.slice(0, -1);
  after.cover.value = later.at(-1);
}

// As if it were typed.
function write(field, text) {
  if (!state.start.has(field)) state.start.set(field, field.value);
  Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), "value").set.call(field, text);
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

// Note the field with the focus; if its act is being saved, cover it.
function divert({ target }) {
  const isField = target.matches?.(TEXT) && !target.matches(".typed-ahead");
  state.at = isField ? identify(target) : null;
  const saving = [...state.waits].find(
    (one) => one.saved && !one.cover && one.place === state.at?.place && !isRenewed(one),
  );
  if (saving) cover(Object.assign(saving, state.at));
}

// A run has taken away the field with the focus, to draw it again.
function keepFocus() {
  const { at } = state;
  if (!at || at.field.isConnected || document.activeElement !== document.body) return;
  state.at = null;
  if (at.path !== window.location.pathname) return;
  const card = cardOf(at.act);
  if (card && VALUE.test(at.key)) openBox(card, at.field);
  else cover(wait(at, false), at.field.value);
}

// What is typed after a save is for the next act, or for the same one again.
function leave(field) {
  const act = field.closest(ACT);
  const all = acts();
  const next = act && !act.matches(ONE_LINE) && (all[all.indexOf(act) + 1] ?? all[0]);
  const saving = waitForSave(act ? fieldIn(act) : field);
  state.hasMoved = Boolean(next) && next !== act;
  if (state.hasMoved) enter(fieldIn(next));
  else cover(saving);
  state.isBusy = false;
  state.savedAt = Date.now();
  return saving;
}

function waitForSave(field) {
  const identity = identify(field);
  for (const one of state.waits) {
    if (one.place !== identity.place || !one.saved) continue;
    if (one.cover) return one;
    state.waits.delete(one);
  }
  return wait(identity, true);
}

function noteClick(button) {
  state.isBusy = state.hasMoved = false;
  const place = button.closest(ACT) ?? button.closest(FORM);
  if (!button.matches(SAVE) || !place?.querySelector(TEXT)) return;
  const card = cardOf(actOf(button));
  if (card) enterCard(card, { isSent: true, isClicked: true });
  else waitForSave(fieldIn(place));
}
