// Copies a page's address. Where the app has no secure address, a browser copies a selection only;
// where it copies nothing at all, the address is shown, selected, to be copied by hand.
export default function ({ data, parentElement }) {
  const button =
    parentElement.querySelector("button") ??
    parentElement.appendChild(document.createElement("button"));
  button.type = "button";
  button.textContent = data.label;
  button.onclick = async () => {
    const field =
      parentElement.querySelector("input") ??
      parentElement.appendChild(document.createElement("input"));
    field.readOnly = true;
    field.ariaLabel = "Link";
    field.value = new URL(data.address, window.location.href).href;
    const write = navigator.clipboard?.writeText(field.value);
    field.hidden = (await write?.then(() => true, () => false)) ?? false;
    if (!field.hidden) {
      field.select();
      field.hidden = document.execCommand("copy");
    }
    button.textContent = field.hidden ? data.done : data.failed;
  };
}
