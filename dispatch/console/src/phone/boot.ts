// How a page on a phone starts: the zone from the service, or, without connection, as it was known last.

import { signal } from "@preact/signals";
import { loadZone, serviceNow, serviceTold, zone } from "../shared/zone";
import type { ZoneSaid } from "../shared/types";
import { keep, kept } from "./keeping";

const KEPT = "naru.zone";
const AGAIN_MS = 4_000;

interface Kept {
  zone: ZoneSaid;
  service: number;
  page: number;
}

/** whether the service answered last time it was asked for anything */
export const connected = signal(true);

/** Know the zone: at once from the last time, then from the service, asked again until it answers. */
export function boot(): void {
  const last = kept<Kept>(KEPT);
  if (last !== null && zone.value === null) {
    zone.value = last.zone;
    serviceTold(new Date(last.service + (Date.now() - last.page) * last.zone.clock_speed).toISOString());
  }
  const ask = async (): Promise<void> => {
    try {
      const said = await loadZone();
      keep(KEPT, { zone: said, service: serviceNow(), page: Date.now() } satisfies Kept);
      connected.value = true;
    } catch {
      connected.value = false;
      window.setTimeout(() => void ask(), AGAIN_MS);
    }
  };
  void ask();
}

/** Let the page open without connection, and from the home screen. */
export function serveOffline(scope: string): void {
  if (!("serviceWorker" in navigator)) return;
  const start = async (): Promise<void> => {
    try {
      await navigator.serviceWorker.register("/pages/sw.js", { scope });
      const ready = await navigator.serviceWorker.ready;
      const loaded = new Set([location.pathname]);
      let due = 0;
      // whatever the page loads, before the worker sees its requests and after: the map's own worker may come late
      new PerformanceObserver((list) => {
        const before = loaded.size;
        for (const { pathname } of list.getEntries().map((entry) => new URL(entry.name))) if (pathname.startsWith("/pages/")) loaded.add(pathname);
        if (loaded.size > before) due ||= window.setTimeout(() => ((due = 0), ready.active?.postMessage({ keep: [...loaded] })), 300);
      }).observe({ type: "resource", buffered: true });
    } catch {
      // private windows and plain http allow none: the page works with a connection
    }
  };
  // what the page shows first (the map among it) has come by then
  window.setTimeout(() => void start(), 3_000);
}
