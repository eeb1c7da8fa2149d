// Streamlit takes scripts out of links, rightly; this link is our own, and is made to be dragged.
export default function ({ data, parentElement }) {
  // Streamlit puts the style beside it, so the other children stay.
  const link =
    parentElement.querySelector("a") ?? parentElement.appendChild(document.createElement("a"));
  link.href = data.href;
  link.textContent = data.label;
  link.title = "Drag this link to your bookmarks bar";
  link.onclick = (event) => event.preventDefault();
}
