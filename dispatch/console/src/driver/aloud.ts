// Reading aloud, and keeping the screen on.

import { signal } from "@preact/signals";
import { language } from "../shared/i18n";
import { keep, kept } from "../phone/keeping";

const KEPT = "naru.driver.aloud";

/** whether the driver wants it */
export const aloud = signal(kept<boolean>(KEPT) ?? false);
/** whether this phone can */
export const canSpeak = "speechSynthesis" in window;

export function setAloud(on: boolean): void {
  aloud.value = on;
  keep(KEPT, on);
  if (!on && canSpeak) speechSynthesis.cancel();
}

/** Say it in the page's language; what is being said is broken off. */
export function say(text: string): void {
  if (!aloud.value || !canSpeak || text === "") return;
  speechSynthesis.cancel();
  const spoken = new SpeechSynthesisUtterance(text);
  spoken.lang = language.value === "ko" ? "ko-KR" : "en-GB";
  speechSynthesis.speak(spoken);
}

let lock: WakeLockSentinel | null = null;
let wanted = false;

async function hold(): Promise<void> {
  if (!wanted || document.hidden || !("wakeLock" in navigator)) return;
  try {
    lock = await navigator.wakeLock.request("screen");
  } catch {
    // the battery is low, or the phone allows none
  }
}

/** Keep the screen on while a shift is worked. */
export function stayAwake(on: boolean): void {
  wanted = on;
  if (on) void hold();
  else {
    void lock?.release();
    lock = null;
  }
}

document.addEventListener("visibilitychange", () => void hold());
