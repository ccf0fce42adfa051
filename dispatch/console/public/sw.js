// Service worker of the pages on a phone: they open without connection, from the home screen too. It keeps the pages
// and the map, which are everybody's; nothing that belongs to a person, and no answer of the API that can grow old.

const KEPT = `naru-${new URL(self.registration.scope).pathname}`;
const MAP = ["/v1/roads", "/v1/stop-points"];
const PATIENCE_MS = 4000;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

// The page tells what it is made of: files of older builds are dropped.
self.addEventListener("message", (event) => {
  const asked = event.data?.keep;
  if (Array.isArray(asked)) event.waitUntil(keepOnly(asked.filter((path) => typeof path === "string")));
});

async function keepOnly(paths) {
  const cache = await caches.open(KEPT);
  for (const request of await cache.keys()) {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/pages/assets/") && !paths.includes(pathname)) await cache.delete(request);
  }
  const missing = async (path) => {
    if (await cache.match(path)) return;
    const answer = await fetch(path);
    if (answer.ok) await cache.put(path, answer);
  };
  await Promise.allSettled([...paths, ...MAP].map(missing));
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (pathname.startsWith("/pages/assets/")) event.respondWith(keptFirst(request, pathname));
  else if (request.mode === "navigate" || pathname.startsWith("/pages/") || MAP.includes(pathname)) event.respondWith(freshFirst(request, pathname));
});

// A message to the rider: shown, and a tap leads to its ride. One that comes twice has the same tag, and is shown once.
self.addEventListener("push", (event) => {
  const { id, title, body, ride } = event.data.json();
  event.waitUntil(self.registration.showNotification(title, { body, tag: id, icon: "/pages/icon-192.png", data: { ride } }));
});
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { ride } = event.notification.data ?? {};
  const page = new URL(self.registration.scope).pathname;
  event.waitUntil(show(ride ? `${page}#/ride/${encodeURIComponent(ride)}` : page));
});

/** In a page that is open already, else in a new one. */
async function show(address) {
  const [open] = await self.clients.matchAll({ type: "window" });
  const there = await open?.navigate(address).catch(() => null);
  await (there ? there.focus() : self.clients.openWindow(address));
}

/** Names of assets change with what they hold. */
async function keptFirst(request, path) {
  const cache = await caches.open(KEPT);
  const kept = await cache.match(path);
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok) await cache.put(path, answer.clone());
  return answer;
}

/** From the service; what is kept where it does not answer, or answers that it cannot. */
async function freshFirst(request, path) {
  const cache = await caches.open(KEPT);
  const kept = await cache.match(path);
  const asked = fetch(request).then(async (answer) => {
    if (answer.ok) await cache.put(path, answer.clone());
    return answer.ok || !kept ? answer : kept;
  });
  if (!kept) return asked;
  const late = new Promise((resolve) => setTimeout(() => resolve(kept), PATIENCE_MS));
  return Promise.race([asked.catch(() => kept), late]);
}
