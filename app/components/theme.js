// Streamlit reads the theme from the browser's storage when it starts. The choice "System" is the
// same as none.
export default function ({ data }) {
  // On every page, so that any of them can be installed on a phone.
  navigator.serviceWorker?.register("/service-worker.js").catch(() => {});
  const here = window.location.pathname;
  const root = here.slice(0, here.length - data.current.length);
  mendMenu(root, data.place);
  const chosen = JSON.stringify(data.theme);
  let changed = false;
  for (const page of data.pages) {
    const key = `stActiveTheme-${root}${page}-v2`;
    if ((window.localStorage.getItem(key) ?? '"System"') !== chosen) {
      window.localStorage.setItem(key, chosen);
      changed = true;
    }
  }
  if (changed) window.location.reload();
}

// On a screen of middle width Streamlit puts headings between the items of its lists of pages and items
// outside of lists, which misleads a screen reader. Without a role they are read as plain links. It marks
// no place on a page that is in none of them.
function mendMenu(root, place) {
  const parts = '[data-testid="stSidebarNav"] :is(ul, li)';
  for (const part of document.querySelectorAll(parts)) part.setAttribute("role", "none");
  const view = document.querySelector("meta[name=viewport]"); // the bar leaves the safe area free
  if (!view.content.includes("fit")) view.content += ", viewport-fit=cover";
  const bar = document.querySelector(".st-key-bar");
  bar?.setAttribute("role", "navigation");
  bar?.setAttribute("aria-label", "Places");
  const menus = ':is(.st-key-bar, [data-testid="stTopNav"], [data-testid="stSidebarNav"])';
  for (const link of document.querySelectorAll(`${menus} a`)) {
    const { pathname } = new URL(link.getAttribute("href"), window.location.origin + root);
    link.setAttribute("aria-current", pathname === root + place ? "page" : "false");
  }
}
