// The press of a button, one act with the text of the field before it; one script with keyboard.js.
//
// A field sends its text when it is left, and a press leaves it. Streamlit sends a form at once and
// the text just after it, and the run of the text takes the place of the form's: the press is lost.
// Or that run moves the button away from under the pointer. So the field keeps the focus until the
// button is released. Then it sends its text and, after that, the button is clicked, once.

const PRESSED = `:is(${BUTTON}) button`;
const TYPED = `:is(${TEXT}), [role=spinbutton]`;

function beginPress({ target, isPrimary, button: which }) {
  const button = isPrimary && which === 0 && target.closest?.(PRESSED);
  state.press = button ? { button, box: button.getBoundingClientRect() } : null;
}

function keepField(event) {
  if (state.press && document.activeElement?.matches(TYPED)) event.preventDefault();
}

// A run may have moved the button or drawn it again. The click is its own if the pointer has stayed.
function endPress({ target, clientX: x, clientY: y }) {
  const { press } = state;
  state.press = null;
  if (!press || press.button.contains(target)) return;
  const { left, right, top, bottom } = press.box;
  if (x < left || x > right || y < top || y > bottom) return;
  state.isMissed = true;
  window.setTimeout(() => {
    state.isMissed = false;
    pressOnce(press.button);
  }, 0);
}

function click(event) {
  if (!event.isTrusted) return; // it is one of our own
  const button = event.target.closest?.("button");
  if (state.isMissed) {
    stop(event);
  } else if (button?.matches(PRESSED)) {
    stop(event);
    pressOnce(button);
  } else if (button) {
    noteClick(button);
  }
}

function pressOnce(button) {
  asDrawn(button)?.focus({ preventScroll: true }); // the field is left
  noteClick(button);
  const clickIt = () => {
    const here = asDrawn(button);
    if (here) here.click();
    else whenDrawn(() => asDrawn(button), (drawn) => drawn.click());
  };
  // Between these two the field sends its text.
  window.setTimeout(() => window.setTimeout(clickIt, 0), 0);
}

// The button, or the one with the same key after a run has drawn it again. A form has a new key
// after a save, so it is never saved twice.
function asDrawn(button) {
  if (button.isConnected) return button;
  const key = keyOf(elementOf(button));
  const all = key ? document.querySelectorAll(`.${key}:not([data-retained] *) button`) : [];
  return [...all].find((one) => one.checkVisibility());
}
