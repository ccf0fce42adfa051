// Everything by keyboard: single letters (which can be switched off), arrows in lists, Escape to go back.

import { signal } from "@preact/signals";
import { nextTheme } from "./header";
import { askAssign, askClose, askLock, askMessage, askPause, askServiceOf } from "./act_dialogs";
import { lastUndoable, undo } from "./acts";
import { askBooking } from "./booking";
import { Dialog, dialog } from "./dialog";
import { addPoint, drawing, foundEdges, startDrawing, stopDrawing, takeBack } from "./drawing";
import { fitZone, view } from "./map";
import { tab, type Tab } from "./rides";
import { askOffice } from "./office";
import { askRules } from "./rules";
import { askSearch } from "./search";
import { chooseNone, isPast, live, moment, rideOf, story, subject, travel } from "./store";
import { t } from "./words";

const KEPT = "naru.console.letters";
/** whether single letters are shortcuts: who speaks to their computer, or types by accident, switches them off */
const letters = signal(readLetters());

function readLetters(): boolean {
  try {
    return localStorage.getItem(KEPT) !== "off";
  } catch {
    return true;
  }
}

function switchLetters(on: boolean): void {
  letters.value = on;
  try {
    localStorage.setItem(KEPT, on ? "on" : "off");
  } catch {
    // storage is forbidden: for this page only
  }
}

/** Up and down between a list's rows, Home and End to its ends. */
export function listKeys(event: KeyboardEvent): void {
  const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1, Home: -Infinity, End: Infinity };
  const by = steps[event.key];
  if (by === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key.length === 1 && (!letters.value || subject.value !== null)) return;
  const rows = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>("[data-row]:not(:disabled)")];
  if (rows.length === 0) return;
  const at = rows.findIndex((row) => row === document.activeElement);
  const to = Math.max(0, Math.min(rows.length - 1, by === -Infinity ? 0 : by === Infinity ? rows.length - 1 : at + by));
  rows[to]?.focus();
  event.preventDefault();
  event.stopPropagation();
}

function focusList(id: string): void {
  const list = document.getElementById(id);
  (list?.querySelector<HTMLElement>("[data-row]:not(:disabled)") ?? list)?.focus();
}

function focusTab(which: Tab): void {
  chooseNone();
  tab.value = which;
  requestAnimationFrame(() => focusList("tab-panel"));
}

function focusMap(): void {
  (document.querySelector<HTMLElement>("#map canvas") ?? document.getElementById("map"))?.focus();
}

/** The ride that is looked at, as the service last told it. */
const rideNow = () => {
  const looked = subject.value;
  if (looked?.kind !== "ride") return undefined;
  return (story.value?.ride.id === looked.id ? story.value.ride : undefined) ?? rideOf(looked.id);
};

const MINUTE = 60_000;
function step(ms: number): void {
  const from = moment.value ?? (live.value === null ? null : Date.parse(live.value.at));
  if (from === null || (moment.value === null && ms > 0)) return;
  const to = from + ms;
  travel(live.value !== null && to >= Date.parse(live.value.at) ? null : to);
}

const ACTS: readonly { keys: string; words: keyof (typeof t.value)["keys"]; act: () => void; live?: boolean }[] = [
  { keys: "?", words: "help", act: askHelp },
  { keys: "a", words: "alerts", act: () => focusList("alerts") },
  { keys: "s", words: "shuttles", act: () => focusList("shuttles") },
  { keys: "r", words: "rides", act: () => focusTab("rides") },
  { keys: "q", words: "queue", act: () => focusTab("queue") },
  { keys: "d", words: "refused", act: () => focusTab("refused") },
  { keys: "l", words: "log", act: () => focusTab("log") },
  { keys: "m", words: "map", act: focusMap },
  { keys: "f", words: "fit", act: fitZone },
  { keys: "/", words: "search", act: askSearch },
  { keys: "b", words: "book", act: askBooking, live: true },
  { keys: "c", words: "close", act: () => (startDrawing(), focusMap()), live: true },
  { keys: "p", words: "pause", act: askPause, live: true },
  { keys: "o", words: "rules", act: askRules, live: true },
  { keys: "e", words: "office", act: askOffice, live: true },
  { keys: "w", words: "message", act: () => askMessage(rideNow() ?? null), live: true },
  { keys: "x", words: "withdraw", act: () => subject.value?.kind === "shuttle" && askServiceOf(subject.value.id), live: true },
  { keys: "g", words: "assign", act: () => withOpenRide(askAssign), live: true },
  { keys: "k", words: "lock", act: () => withOpenRide(askLock), live: true },
  { keys: "u", words: "undo", act: () => { const last = lastUndoable(); if (last !== undefined) void undo(last); }, live: true },
  { keys: "[", words: "time", act: () => step(-MINUTE) },
  { keys: "]", words: "time", act: () => step(MINUTE) },
  { keys: "{", words: "timeFar", act: () => step(-10 * MINUTE) },
  { keys: "}", words: "timeFar", act: () => step(10 * MINUTE) },
  { keys: "0", words: "now", act: () => travel(null) },
  { keys: "n", words: "theme", act: nextTheme },
];

function withOpenRide(act: (ride: NonNullable<ReturnType<typeof rideNow>>) => void): void {
  const ride = rideNow();
  if (ride !== undefined && (ride.state === "booked" || ride.state === "stranded")) act(ride);
}

/** Listen on the whole page; returns what ends that. */
export function listen(): () => void {
  const onKey = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (dialog.value !== null) return;
    const target = event.target as HTMLElement;
    if (target.closest("input:not([type=range], [type=checkbox], [type=radio]), textarea, select")) return;
    if (event.key === "Escape") {
      if (drawing.value !== null) stopDrawing();
      else if (subject.value !== null) chooseNone();
      else if (moment.value !== null) travel(null);
      return;
    }
    if (drawing.value !== null && drawKeys(event, target)) {
      event.preventDefault();
      return;
    }
    if (!letters.value) return;
    const found = ACTS.find((one) => one.keys === event.key);
    if (found === undefined || (found.live && isPast.value)) return;
    event.preventDefault();
    found.act();
  };
  document.addEventListener("keydown", onKey);
  return () => document.removeEventListener("keydown", onKey);
}

/** While a line is drawn and the map has the keyboard. */
function drawKeys(event: KeyboardEvent, target: HTMLElement): boolean {
  if (target.closest("#map") === null || view === null) return false;
  if (event.key === " ") {
    const { lat, lng } = view.getCenter();
    addPoint([lat, lng]);
    return true;
  }
  if (event.key === "Backspace") {
    takeBack();
    return true;
  }
  if (event.key === "Enter") {
    if (foundEdges().length) askClose(foundEdges());
    return true;
  }
  return false;
}

export function askHelp(): void {
  dialog.value = () => {
    const w = t.value.keys;
    const rows = new Map<string, string[]>();
    for (const one of ACTS) rows.set(w[one.words], [...(rows.get(w[one.words]) ?? []), one.keys]);
    rows.set(w.lists, ["↑", "↓", "Enter"]);
    rows.set(w.escape, ["Esc"]);
    return (
      <Dialog title={w.title} wide>
        <label class="toggle">
          <input type="checkbox" autofocus checked={letters.value} onChange={(event) => switchLetters(event.currentTarget.checked)} /> {w.on}
        </label>
        <dl class="keys">
          {[...rows].map(([words, keys]) => (
            <div key={words}>
              <dt>
                {keys.map((key) => (
                  <kbd key={key}>{key}</kbd>
                ))}
              </dt>
              <dd>{words}</dd>
            </div>
          ))}
        </dl>
      </Dialog>
    );
  };
}
