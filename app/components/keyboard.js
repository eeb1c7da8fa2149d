// Focus after a save, Enter in the fields of an act, shortcuts, text typed while a save runs, and a
// question before typed text is lost. Streamlit calls the exported function again with each request
// for the focus; the listeners are added once.

const QUESTION = "You have typed something that is not saved. Leave it?";
const ACT = '[class*="st-key-act-"]';
const ONE_LINE = ".st-key-act-one-line";
const CARD = "st-key-act-forecast-"; // in a list, or alone on the question's page
const FORM = '[data-testid="stForm"]';
const AROUND = '[class*="st-key-around-"]'; // a form and its fields that are read at once
const FIELD = "input:not([type=range]):not([type=file]), textarea";
const TEXT = "input:not([type=range], [type=file], [type=checkbox], [type=radio], [role=combobox]), textarea";
// Kept in the address, or read at once: nothing is lost by leaving them.
const KEPT = '[type=search], [role=combobox], [class*="st-key-filters"] *';
const LEADS_AWAY = 'a[href]:not([href^="#"]), .st-key-open-sample button, .st-key-leave-sample button';
const MARK = 'a[href^="#draft-"]';
const HELP = '[data-testid="stTooltipIcon"] button[aria-label^="Help"]';
const SAVE = '[class*="-save"] button, [data-testid="stFormSubmitButton"] button';
const BUTTON = '[data-testid="stButton"], [data-testid="stFormSubmitButton"]';
const SAID = ".st-key-said"; // the place of the last act's message
const PATIENCE = 5000; // ms of rest until a field that should be there will not come
const BOUNCE = 500; // ms in which a second Enter, with nothing typed, is the first one still
const SENT = 50; // ms in which a field sends its text once it has lost the focus
const SETTLED = 600; // ms of rest after which a save has ended; it takes more than one run

const state = (window.forecastLedger ??= {
  turn: 0,
  savedAt: 0,
  order: [],
  start: new WeakMap(),
  typed: new Map(),
  waits: new Set(),
  lists: [],
  entered: [],
});

// --- typed and unsaved ---------------------------------------------------------------------------

const valueOf = (field) => field.value ?? field.getAttribute("aria-valuenow") ?? "";

function isUnsaved() {
  for (const [field, identity] of state.typed) {
    // A run may have drawn the field again; after a save its successor may stand beside it.
    const isSaved = fieldLike(identity, (key) => key === afterSave(identity.key) && key !== identity.key);
    const here = field.isConnected ? field : fieldLike(identity);
    const value = here ? valueOf(here) : ""; // blank: nothing to lose
    if (isSaved || value === "" || value === state.start.get(field)) state.typed.delete(field);
  }
  return state.typed.size + state.entered.length > 0;
}

function remember({ target }) {
  const field = target.closest?.("input, textarea, [role=spinbutton]");
  if (field && !field.matches(KEPT) && !state.start.has(field)) {
    state.start.set(field, valueOf(field));
  }
}

function touch({ target, type }) {
  if (state.start.has(target)) state.typed.set(target, identify(target));
  if (type === "input") state.savedAt = 0;
}

// Returns whether the page may be left; asks if something typed would be lost.
function mayLeave() {
  if (!isUnsaved()) return true;
  if (!window.confirm(QUESTION)) return false;
  state.typed.clear();
  for (const own of document.querySelectorAll(".typed-ahead")) own.remove();
  state.waits.clear();
  state.entered = [];
  if (state.box) closeBox();
  return true;
}

function stop(event) {
  event.preventDefault();
  event.stopImmediatePropagation();
}

function followLink(event) {
  const link = event.target.closest?.(LEADS_AWAY);
  const elsewhere = event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.button;
  if (!link || elsewhere || link.target === "_blank" || link.hasAttribute("download")) return;
  // The line's text goes along to the full form.
  if (link.closest(".st-key-goes-along")) state.typed.delete(link.closest(ACT)?.querySelector(TEXT));
  if (!mayLeave()) stop(event);
  else state.isBusy = state.hasMoved = false; // the next page may have the focus in its field
}

// A mark in the text of an article and the quote of its draft lead to each other.
function crossOver(event) {
  const mark = event.target.closest?.(MARK);
  if (!mark) return;
  stop(event);
  const other = [...document.querySelectorAll(MARK)].find(
    (one) => one !== mark && one.hash === mark.hash,
  );
  other?.closest("details:not([open])")?.querySelector("summary").click();
  // A draft that is not shown yet is behind the button.
  const target = other ?? document.querySelector('[class*="-shown-more"] button');
  target?.scrollIntoView({ block: "center" });
  target?.focus({ preventScroll: true });
}

// Back and forward. Streamlit hears of them first, so they are stopped before they happen.
function traverse(event) {
  const { destination } = event;
  const field = document.activeElement;
  if (event.navigationType !== "traverse" || !event.cancelable) return;
  if (!mayLeave()) event.preventDefault();
  else if (destination.sameDocument && field?.matches(TEXT)) {
    // Streamlit sends what was typed a moment later. If the page is left before, its request draws
    // it again, at the address of the other page. So the field sends it first.
    event.preventDefault();
    field.blur();
    window.setTimeout(() => window.navigation.traverseTo(destination.key), SENT);
  }
}

// Streamlit opens another page in two steps if something was kept in the address, such as a search:
// it gives the old page the new one's query, then opens the new page. Back must lead to what was seen.
function keepAddresses() {
  const push = window.history.pushState.bind(window.history);
  let samePage = false; // the last step
  window.history.pushState = (data, title, address) => {
    const { pathname, search } = new URL(address, window.location.href);
    const isSecond = samePage && search === window.location.search;
    samePage = pathname === window.location.pathname;
    if (isSecond && !samePage) window.history.replaceState(data, title, address);
    else push(data, title, address);
  };
}

function unload(event) {
  if (isUnsaved()) event.preventDefault();
}

// The second click of a double click. By then the first may be stored and a new form drawn: its
// button would store the values that the new form begins with.
function bounce(event) {
  if (event.detail > 1 && event.target.closest?.(BUTTON)) stop(event);
}

// --- focus ---------------------------------------------------------------------------------------

// Streamlit makes a class of each key.
const classOf = (key) => `st-key-${key.replace(/[^a-zA-Z0-9_-]/g, "-")}`;
const named = (key) => document.querySelector(`.${classOf(key)}`);
// The field to type in first: a forecast's value, once its code has loaded, or else the first field.
const fieldIn = (element) =>
  element?.matches(FIELD)
    ? element
    : element?.querySelector(
        element.querySelector('.stElementContainer[class*="-value"]')
          ? '.stElementContainer[class*="-value"] input'
          : FIELD,
      );
const isAtRest = () =>
  document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState === "notRunning";
const acts = () => [...document.querySelectorAll(ACT)].filter((act) => fieldIn(act));
const nameOf = (act) => [...act.classList].find((name) => name.startsWith("st-key-act-"));

// The acts of the page as it was when something was last typed or pressed.
function noteActivity() {
  state.order = acts().map(nameOf);
  state.isBusy = true;
}

function followingAct(name) {
  const later = state.order.slice(state.order.indexOf(name) + 1);
  const next = later.find((one) => document.querySelector(`.${one}`));
  return next ? document.querySelector(`.${next}`) : acts()[0];
}

// With its text selected, as by Tab: what is typed next replaces it.
function enter(field) {
  field?.focus();
  if (field?.matches("input")) field.select();
  state.justEntered = field && { field, text: field.value };
}

// A field that was just drawn gets its text a moment later, with the cursor behind it.
function selectLateText({ target }) {
  const entered = state.justEntered;
  state.justEntered = null;
  if (target === entered?.field && target.value !== entered.text) target.select?.();
}

// The field is there once the run has drawn it, and no earlier than the old one is gone.
function whenDrawn(find, use) {
  let rest = 0;
  const look = () => {
    rest = isAtRest() ? rest || Date.now() : 0;
    const field = rest && find();
    if (field) {
      use(field);
    } else if (!rest || Date.now() - rest < PATIENCE) {
      window.setTimeout(look, 30);
    }
  };
  window.setTimeout(look, 30);
}

// The server asks for the focus after a save, and points to the wrong field after a refusal. The
// focus stays where it has been put since.
function focusAsAsked(field) {
  for (const one of state.waits) {
    if (one.saved && !one.act && keyOf(elementOf(field)) !== one.key) handOver(one, field);
  }
  const covering = [...state.waits].find((one) => one.cover === document.activeElement);
  const isWriting = covering && (covering.lines.length || covering.cover.value !== covering.text);
  const isTaken = state.isBusy || state.hasMoved || (isWriting && !isRefused(covering));
  if (!isTaken) enter(field);
}

function open(path, find) {
  const here = find();
  if (here) {
    enter(here);
    return;
  }
  const link = document.querySelector(`[data-testid="stTopNavLink"][href$="${path}"]`);
  if (!link) {
    window.location.assign(path);
    return;
  }
  link.click();
  whenDrawn(find, enter);
}

// --- keys ----------------------------------------------------------------------------------------

function saveButton(place) {
  const form = place.closest(FORM) ?? place.closest(AROUND);
  if (form) return form.querySelector('[data-testid="stFormSubmitButton"] button');
  return place.querySelector('[class*="-save"] button');
}

const placeOf = (field) => field.closest(FORM) ?? field.closest(ACT) ?? field.closest(AROUND);

function save(field) {
  const place = placeOf(field);
  const card = cardOf(actOf(field));
  if (card) return enterCard(card);
  const saving = leave(field);
  const clickSave = () => {
    const button = saveButton(place);
    if (button) button.click();
    else if (place.isConnected) window.setTimeout(clickSave, 30); // its code still loads
  };
  window.setTimeout(clickSave, 0); // the field hands over its text first
  return saving;
}

// A forecast that was typed: the slider, bars or quantiles that follow it are drawn again.
const isTypedValue = (field) =>
  field.closest('.stElementContainer[class*="-value"]') && state.start.get(field) !== field.value;

const SHORTCUTS = {
  n: () => open("/", () => fieldIn(document.querySelector(ONE_LINE))),
  "/": () => open("/questions", () => document.querySelector("input[type=search]")),
  f: () => enter(fieldIn(acts().find((act) => !act.matches(ONE_LINE)))),
  // A button with a help text is there twice, once for each width of the screen.
  u: () => [...document.querySelectorAll(`${SAID} button`)].find((one) => one.checkVisibility())?.focus(),
  d: () => document.querySelector(".entered-ahead li button")?.focus(),
  "?": () => document.querySelector(".st-key-shortcuts button")?.click(),
};

function press(event) {
  const { key, target } = event;
  if (event.isComposing || !target.closest) return;
  const command = event.ctrlKey || event.metaKey;
  const isAtEnd = target === state.box?.own && !state.box.card && !target.value;
  const writes = target.matches("input, textarea, [contenteditable=true]") && !isAtEnd;
  const saves = command && (key === "s" || (key === "Enter" && !target.closest(FORM)));
  const field = target.matches("input:not([type=checkbox], [type=radio])");
  const enters = key === "Enter" && field && !command && !target.closest(FORM);
  const submits = key === "Enter" && target.closest(FORM) && (field || command);
  if (saves || enters || submits) {
    if (!placeOf(target) || (enters && target.matches("[role=combobox]"))) return;
    event.preventDefault();
    if (event.repeat || Date.now() - state.savedAt < BOUNCE) return;
    if (submits) {
      const card = cardOf(actOf(target)); // Streamlit has submitted the form
      if (card) enterCard(card, { isSent: true });
      else leave(target);
      return;
    }
    if (saves) {
      target.blur(); // a text area hands over what was typed only when it is left
      target.focus();
    }
    save(target);
  } else if (key === "Tab" && !event.shiftKey && isTypedValue(target)) {
    const next = target.closest(ACT)?.querySelector(`${FORM} :is(${TEXT})`);
    if (!next) return;
    event.preventDefault();
    enter(next);
  } else if (key === "Escape" && field && !target.matches("[role=combobox], .typed-ahead")) {
    target.blur(); // for the shortcuts
  } else if (key === "F1" && writes) {
    const help = target.closest(".stElementContainer")?.querySelector(HELP);
    if (help) {
      event.preventDefault();
      help.focus();
    }
  } else if (!writes && !command && !event.altKey && Object.hasOwn(SHORTCUTS, key)) {
    event.preventDefault();
    SHORTCUTS[key]();
  }
}

// A drop-down would take Enter as a choice.
function saveFromDropDown(event) {
  const { key, target } = event;
  const command = event.ctrlKey || event.metaKey;
  if (!command || !["s", "Enter"].includes(key) || !target.matches?.("[role=combobox]")) return;
  if (!placeOf(target)) return;
  stop(event);
  if (!event.repeat && Date.now() - state.savedAt >= BOUNCE) save(target);
}

// A click into a probability selects it, as Tab does; another click sets the cursor.
function notePointer({ target }) {
  state.hadFocus = document.activeElement === target;
  state.justEntered = null;
}

function selectProbability({ target }) {
  const isProbability = target.matches?.('input[aria-label^="Probability"]:not([type=range])');
  if (isProbability && !state.hadFocus && target.selectionStart === target.selectionEnd) {
    target.select();
  }
}

// Help signs are reached with F1 from their field, not by Tab on the way to the next one.
function leaveOutHelp() {
  for (const sign of document.querySelectorAll(HELP)) {
    if (sign.tabIndex !== -1) sign.tabIndex = -1;
  }
}

// The first stop of Tab: it leads past the navigation to the first forecast, or to the page.
function addSkipButton() {
  const bar = document.createElement("nav");
  bar.setAttribute("aria-label", "Skip");
  bar.className = "skip-navigation";
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Skip to the first field";
  button.addEventListener("click", () => {
    const main = document.querySelector('[data-testid="stMain"]');
    const first = acts().find((act) => !act.matches(ONE_LINE));
    enter(fieldIn(first) ?? fieldIn(main) ?? main);
  });
  bar.append(button);
  document.body.prepend(bar);
}

// --- pasted articles -----------------------------------------------------------------------------

// A text pasted into the blank field of an article is read at once. One pasted into the one line goes
// to the server if it cannot be a line.
function paste(event) {
  const field = event.target;
  const text = event.clipboardData?.getData("text/plain").trim();
  if (!text || field.selectionEnd - field.selectionStart !== field.value?.length) return;
  const isLine = !/\n|^https?:\S+$/i.test(text) && text.length <= state.longest;
  if (field.matches(".st-key-pasted textarea")) {
    window.setTimeout(() => pressOnce(saveButton(placeOf(field))), 0);
  } else if (!isLine && field.matches(`${ONE_LINE} [class*="-title"] input`)) {
    event.preventDefault();
    field.blur();
    state.isBusy = state.hasMoved = false;
    state.sendPasted(text);
  }
}

function listen() {
  window.addEventListener("focusin", remember, true);
  window.addEventListener("input", touch, true);
  window.addEventListener("keydown", touch, true);
  window.addEventListener("focusin", divert, true);
  window.addEventListener("click", bounce, true);
  window.addEventListener("click", followLink, true);
  window.addEventListener("click", crossOver, true);
  window.addEventListener("click", click, true);
  window.navigation?.addEventListener("navigate", traverse);
  keepAddresses();
  window.addEventListener("beforeunload", unload);
  for (const kind of ["keydown", "pointerdown", "input"]) {
    window.addEventListener(kind, noteActivity, true);
  }
  window.addEventListener("keydown", selectLateText, true);
  window.addEventListener("keydown", saveFromDropDown, true);
  window.addEventListener("pointerdown", notePointer, true);
  window.addEventListener("pointerdown", beginPress, true);
  window.addEventListener("pointercancel", () => (state.press = null), true);
  window.addEventListener("mousedown", keepField, true);
  window.addEventListener("mouseup", endPress, true);
  window.addEventListener("click", selectProbability, true);
  document.addEventListener("keydown", press);
  document.addEventListener("paste", paste);
  addSkipButton();
  leaveOutHelp();
  new MutationObserver(follow).observe(document.body, {
    childList: true,
    subtree: true,
    attributeFilter: ["data-test-script-state"],
  });
}

function follow() {
  document.querySelector(SAID)?.setAttribute("role", "status");
  leaveOutHelp();
  keepFocus();
  if (!isAtRest()) for (const one of [...state.waits, ...state.entered]) one.hasRun = true;
}

export default function ({ data, setTriggerValue }) {
  if (!state.listening) {
    state.listening = true;
    listen();
  }
  if (data.turn !== state.turn) {
    state.turn = data.turn;
    const act = classOf(data.place);
    const entered = state.entered.find((one) => one.isSent && one.act === act);
    const next = cardOf(act) && nextCard(act);
    const place = () => (data.following ? followingAct(act) : named(data.place));
    if (entered) entered.isSaved = true;
    else if (!data.following || !cardOf(act)) whenDrawn(() => fieldIn(place()), focusAsAsked);
    else if (next) whenDrawn(() => valueIn(next.act), focusAsAsked);
  }
  if (data.longest) {
    state.longest = data.longest;
    state.sendPasted = (text) => setTriggerValue("pasted", text);
  }
  if (data.lists) {
    state.lists = data.lists.map((list) => list.map(([key, title]) => ({ act: classOf(key), title })));
  }
}
