// Messages to this phone while the page is closed: web push, where the service and the browser have it.

import { signal } from "@preact/signals";
import { call } from "../shared/api";
import { asRider } from "./session";

const WORKER = "/pages/sw.js";
const SCOPE = "/rider";

interface Device {
  id: string;
  endpoint: string;
}

/** `unable`: not on this phone, or not from this service; `forbidden`: the phone's settings say no; `unreached`: its maker's service did not answer */
export type Telling = "unable" | "forbidden" | "unreached" | "off" | "on";

export const telling = signal<Telling>("unable");

function able(): boolean {
  return "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
}

async function subscription(): Promise<PushSubscription | null> {
  const registration = await navigator.serviceWorker.getRegistration(SCOPE);
  return (await registration?.pushManager.getSubscription()) ?? null;
}

async function device(endpoint: string): Promise<Device | undefined> {
  const all = await asRider<Device[]>("GET", "/v1/me/push-subscriptions");
  return all.find((one) => one.endpoint === endpoint);
}

/** Find out how it stands. Where that cannot be known, nothing is offered. */
export async function lookWhoIsTold(): Promise<void> {
  telling.value = "unable";
  if (!able()) return;
  try {
    await call("GET", "/v1/push-key");
    const mine = await subscription();
    const on = mine !== null && (await device(mine.endpoint)) !== undefined;
    telling.value = on ? "on" : Notification.permission === "denied" ? "forbidden" : "off";
  } catch {
    // the service sends none, or cannot be reached
  }
}

/** Tell this phone from now on. Throws as `call` does. */
export async function tellMe(): Promise<void> {
  if ((await Notification.requestPermission()) !== "granted") {
    telling.value = "forbidden";
    return;
  }
  const { public_key } = await call<{ public_key: string }>("GET", "/v1/push-key");
  await navigator.serviceWorker.register(WORKER, { scope: SCOPE });
  const { pushManager } = await navigator.serviceWorker.ready;
  const wanted = { userVisibleOnly: true, applicationServerKey: public_key };
  let made: PushSubscription;
  try {
    made = await pushManager.subscribe(wanted).catch(async (error: unknown) => {
      const old = await pushManager.getSubscription();
      if (old === null) throw error;
      await old.unsubscribe(); // it was made with a key that the service had before
      return pushManager.subscribe(wanted);
    });
  } catch {
    telling.value = "unreached";
    return;
  }
  await asRider("POST", "/v1/me/push-subscriptions", { body: made });
  telling.value = "on";
}

/** Tell this phone no longer. Throws as `call` does. */
export async function tellMeNoMore(): Promise<void> {
  const mine = await subscription();
  if (mine !== null) {
    const known = await device(mine.endpoint);
    if (known !== undefined) await asRider("DELETE", `/v1/me/push-subscriptions/${known.id}`);
    await mine.unsubscribe();
  }
  telling.value = "off";
}

/** The rider leaves this phone: the push service takes nothing for it any more, and the service learns of it there. */
export async function leavePhone(): Promise<void> {
  try {
    if (able()) await (await subscription())?.unsubscribe();
  } catch {
    // no connection to the push service: it will not find this phone either
  }
  telling.value = "unable";
}
