// Streamlit reads the theme from the browser's storage when it starts. The choice "System" is the
// same as none.
export default function ({ data }) {
<<<<<<< HEAD
  // On every page, so that any of them can be installed on a phone.
  navigator.serviceWorker?.register("/service-worker.js").catch(() => {});
  mendMenu();
=======
  beInstallable();
  mendMenu(data.current);
>>>>>>> 770da48b (Today: a pasted article is read at once; acts confirmed in the header)
  const here = window.location.pathname;
  const root = here.slice(0, here.length - data.current.length);
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

<<<<<<< HEAD
// On a narrow screen Streamlit puts headings between the items of its lists of pages, and items
=======
// On every page, so that any of them can be installed on a phone.
function beInstallable() {
  if (document.querySelector("link[rel=manifest]")) return;
  const manifest = document.createElement("link");
  manifest.rel = "manifest";
  manifest.href = "/app.webmanifest";
  document.head.append(manifest);
  const view = document.querySelector("meta[name=viewport]");
  if (view) view.content += ", viewport-fit=cover"; // the bar below leaves the safe area free
  navigator.serviceWorker?.register("/service-worker.js").catch(() => {});
}

// On a screen of middle width Streamlit puts headings between the items of its lists of pages, and items
>>>>>>> 770da48b (Today: a pasted article is read at once; acts confirmed in the header)
// outside of lists, which misleads a screen reader. Without a role they are read as plain links.
function mendMenu(current) {
  const parts = '[data-testid="stSidebarNav"] :is(ul, li)';
  for (const part of document.querySelectorAll(parts)) part.setAttribute("role", "none");
  const bar = document.querySelector(".st-key-bar");
  bar?.setAttribute("role", "navigation");
  bar?.setAttribute("aria-label", "Places");
  for (const link of bar?.querySelectorAll("a") ?? []) {
    const isHere = link.getAttribute("href") === current;
    link.setAttribute("aria-current", isHere ? "page" : "false");
  }
}
