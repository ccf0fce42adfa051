// The dialogs of acts that need little more than a reason.

import { useState } from "preact/hooks";
import { length } from "../shared/format";
import { assign, bringBack, cancel, clear, closeRoads, lock, message, pause, reopenRoads, seenNow, withdraw } from "./acts";
import { ActForm, Dialog, dialog } from "./dialog";
import { stopDrawing } from "./drawing";
import { byName, status } from "./status";
import { live, shuttleOf } from "./store";
import type { RideLine, ShuttleSaid } from "./types";
import { t } from "./words";

interface Question {
  title: string;
  note: string;
  go: string;
  danger?: boolean;
  on?: string;
  run: (reason: string) => Promise<void>;
}

function ask(question: () => Question): void {
  dialog.value = () => {
    const { title, note, go, danger, on, run } = question();
    return (
      <Dialog title={title}>
        <p>{note}</p>
        <ActForm go={go} danger={danger ?? false} on={on} run={run} />
      </Dialog>
    );
  };
}

export function askWithdraw(shuttle: ShuttleSaid): void {
  const waiting = (live.value?.rides ?? []).filter((ride) => ride.shuttle === shuttle.id && ride.state === "booked").length;
  const seen = seenNow(shuttle.id);
  ask(() => ({
    title: `${t.value.acts.withdraw}: ${shuttle.id}`,
    note: `${t.value.notes.withdraw(shuttle.aboard, waiting)} ${t.value.notes.withdrawUndo}`,
    go: t.value.acts.withdraw,
    danger: true,
    on: shuttle.id,
    run: (reason) => withdraw(shuttle, reason, seen),
  }));
}

export function askBringBack(shuttle: ShuttleSaid): void {
  ask(() => ({ title: `${t.value.acts.bringBack}: ${shuttle.vehicle}`, note: t.value.notes.bringBack, go: t.value.acts.bringBack, on: shuttle.id, run: (reason) => bringBack(shuttle, reason) }));
}

export function askClear(shuttle: ShuttleSaid): void {
  ask(() => ({ title: `${t.value.acts.clear}: ${shuttle.id}`, note: t.value.notes.clear, go: t.value.acts.clear, on: shuttle.id, run: (reason) => clear(shuttle, reason) }));
}

export function askLock(ride: RideLine): void {
  const seen = seenNow(ride.id);
  const words = () => (ride.locked ? t.value.acts.unlock : t.value.acts.lock);
  ask(() => ({
    title: `${words()}: ${ride.id}`,
    note: ride.locked ? t.value.notes.unlock : t.value.notes.lock,
    go: words(),
    on: ride.id,
    run: (reason) => lock(ride, !ride.locked, reason, seen),
  }));
}

export function askCancel(ride: RideLine): void {
  ask(() => ({ title: `${t.value.acts.cancel}: ${ride.id}`, note: t.value.notes.cancel, go: t.value.acts.cancel, danger: true, on: ride.id, run: (reason) => cancel(ride, reason) }));
}

export function askPause(): void {
  const paused = live.value?.paused ?? false;
  const words = () => (paused ? t.value.acts.resume : t.value.acts.pause);
  ask(() => ({ title: words(), note: paused ? t.value.notes.resume : t.value.notes.pause, go: words(), run: (reason) => pause(!paused, reason) }));
}

export function askClose(edges: number[]): void {
  ask(() => ({
    title: t.value.acts.close,
    note: t.value.notes.close(edges.length),
    go: t.value.draw.done,
    danger: true,
    run: async (reason) => {
      await closeRoads(edges, reason);
      stopDrawing();
    },
  }));
}

export function askReopen(edges: number[]): void {
  ask(() => ({ title: t.value.acts.reopen, note: t.value.notes.reopen(edges.length), go: t.value.acts.reopen, run: (reason) => reopenRoads(edges, reason) }));
}

export function askAssign(ride: RideLine): void {
  const seen = seenNow(ride.id);
  dialog.value = () => <Assign ride={ride} seen={seen} />;
}

function Assign({ ride, seen }: { ride: RideLine; seen: number }) {
  const [chosen, setChosen] = useState<string | null>(null);
  const from = ride.pickup ?? ride.origin;
  const away = (shuttle: ShuttleSaid) => Math.hypot((shuttle.lat - from.lat) * 111_200, (shuttle.lon - from.lon) * 111_200 * Math.cos((from.lat * Math.PI) / 180));
  const could = (live.value?.shuttles ?? [])
    .filter((one) => one.state === "on" && one.id !== ride.shuttle && status(one) !== "notYet")
    .sort((a, b) => away(a) - away(b) || byName(a.id, b.id));
  return (
    <Dialog title={t.value.assign.title(ride.id)}>
      <ActForm on={ride.id} go={ride.shuttle === null ? t.value.acts.place : t.value.acts.assign} first={false} run={(reason) => assign(ride, chosen, reason, seen)}>
        <fieldset class="choices">
          <legend class="visually-hidden">{t.value.ride.shuttle}</legend>
          <label>
            <input type="radio" name="shuttle" checked={chosen === null} autofocus onChange={() => setChosen(null)} />
            <span>{t.value.assign.any}</span>
          </label>
          {could.map((one) => (
            <label key={one.id}>
              <input type="radio" name="shuttle" checked={chosen === one.id} onChange={() => setChosen(one.id)} />
              <strong>{one.id}</strong>
              <span class="muted">
                {t.value.assign.free(one.seats - one.aboard)} · {t.value.assign.away(length(away(one)))}
              </span>
            </label>
          ))}
        </fieldset>
      </ActForm>
    </Dialog>
  );
}

/** To one ride's rider, or (null) to all with an open ride. */
export function askMessage(ride: RideLine | null): void {
  dialog.value = () => <Message ride={ride} />;
}

function Message({ ride }: { ride: RideLine | null }) {
  const [words, setWords] = useState("");
  const [missing, setMissing] = useState(false);
  const all = new Set((live.value?.rides ?? []).filter((one) => ["queued", "booked", "aboard", "stranded"].includes(one.state)).map((one) => one.rider)).size;
  return (
    <Dialog title={t.value.acts.message}>
      <p>{ride === null ? t.value.message.toAll(all) : t.value.message.toRider(ride.id)}</p>
      <ActForm
        first={false}
        go={t.value.acts.message}
        on={ride?.id}
        run={(reason) => {
          if (!words.trim()) {
            setMissing(true);
            return null;
          }
          return message(ride?.rider ?? null, words.trim(), reason);
        }}
      >
        <div class="field">
          <label for="message-words">{t.value.message.words}</label>
          <textarea id="message-words" rows={4} maxLength={2000} autofocus value={words} aria-invalid={missing && !words.trim()} onInput={(event) => setWords(event.currentTarget.value)} />
          <p class="hint">{t.value.message.hint}</p>
        </div>
      </ActForm>
    </Dialog>
  );
}

/** The act of the chosen shuttle's state. */
export function askServiceOf(id: string): void {
  const shuttle = shuttleOf(id);
  if (shuttle === undefined) return;
  if (shuttle.state === "on") askWithdraw(shuttle);
  else askBringBack(shuttle);
}
