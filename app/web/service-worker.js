// Browsers install an app only with a worker that answers without a network: it says so, and keeps
// nothing, since a page of yesterday would pass for one of today.
const page = `<!doctype html><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>Offline · Forecast Ledger</title>
<body style="font: 1.1rem sans-serif; margin: 15vh auto; max-width: 30rem; padding: 0 1rem">
<h1>Offline</h1><p>The ledger cannot be reached from here. All that was saved is there.</p>
<p><button onclick="location.reload()">Try again</button></p>`;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  if (event.request.mode !== "navigate") return;
  const headers = { "content-type": "text/html; charset=utf-8" };
  event.respondWith(fetch(event.request).catch(() => new Response(page, { headers })));
});
