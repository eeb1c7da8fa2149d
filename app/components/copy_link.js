// Copies a page's address. Where the app has no secure address, a browser copies a selection only.
export default function ({ data, parentElement }) {
  const button =
    parentElement.querySelector("button") ??
    parentElement.appendChild(document.createElement("button"));
  button.type = "button";
  button.textContent = data.label;
  button.onclick = async () => {
    const address = new URL(data.address, window.location.href).href;
    if (navigator.clipboard) {
      await navigator.clipboard.writeText(address);
    } else {
      const field = document.body.appendChild(document.createElement("textarea"));
      field.value = address;
      field.select();
      document.execCommand("copy");
      field.remove();
    }
    button.textContent = data.done;
  };
}
