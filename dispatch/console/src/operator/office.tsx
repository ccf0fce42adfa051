// What is not minute by minute: what riders complain of, the day's shifts, stop points.

import { useEffect, useState } from "preact/hooks";
import { clock, day } from "../shared/format";
import { problemWords } from "../shared/problems";
import type { ComplaintSaid, ShiftSaid } from "../shared/types";
import { answerComplaint, complaints, endShift, setStopClosed, shifts, stopPoints } from "./acts";
import { today } from "./booking";
import { ActForm, Dialog, dialog } from "./dialog";
import type { StopSaid } from "./types";
import { t } from "./words";

const PARTS = ["complaints", "shifts", "stops"] as const;
type Part = (typeof PARTS)[number];
const SHOWN = 40;

export function askOffice(): void {
  dialog.value = () => <Office />;
}

function Office() {
  const w = t.value.office;
  const [part, setPart] = useState<Part>("complaints");
  return (
    <Dialog title={w.title} wide>
      <div class="chips" role="group" aria-label={w.title}>
        {PARTS.map((one) => (
          <button key={one} type="button" class="chip" aria-pressed={part === one} autofocus={one === "complaints"} onClick={() => setPart(one)}>
            {w.parts[one]}
          </button>
        ))}
      </div>
      {part === "complaints" ? <Complaints /> : part === "shifts" ? <Shifts /> : <Stops />}
    </Dialog>
  );
}

/** A list read once, or why it could not be. */
function useRead<T>(read: () => Promise<readonly T[]>): { rows: readonly T[] | null; problem: unknown } {
  const [rows, setRows] = useState<readonly T[] | null>(null);
  const [problem, setProblem] = useState<unknown>(null);
  useEffect(() => {
    read().then(setRows, setProblem);
  }, []);
  return { rows, problem };
}

function Listed<T>({ rows, problem, none, children }: { rows: readonly T[] | null; problem: unknown; none: string; children: (row: T) => preact.ComponentChildren }) {
  if (problem !== null)
    return (
      <p class="note bad" role="alert">
        {problemWords(problem)}
      </p>
    );
  if (rows === null) return <p class="muted">…</p>;
  if (rows.length === 0) return <p class="muted">{none}</p>;
  return <ul class="office">{rows.map(children)}</ul>;
}

function Complaints() {
  const w = t.value.office;
  const { rows, problem } = useRead(complaints);
  const [chosen, setChosen] = useState<ComplaintSaid | null>(null);
  const [words, setWords] = useState("");
  if (chosen !== null)
    return (
      <ActForm first={false} go={w.answer} run={(reason) => (words.trim() ? answerComplaint(chosen, words.trim(), reason) : null)}>
        <blockquote>
          <bdi>{chosen.words ?? w.gone}</bdi>
        </blockquote>
        <div class="field">
          <label for="answer-words">{w.answerWords}</label>
          <textarea id="answer-words" rows={4} maxLength={2000} dir="auto" autofocus required value={words} onInput={(event) => setWords(event.currentTarget.value)} />
        </div>
      </ActForm>
    );
  const open = (one: ComplaintSaid) => one.state === "open";
  const sorted = rows === null ? null : [...rows].sort((a, b) => Number(open(b)) - Number(open(a))).slice(0, SHOWN);
  return (
    <Listed rows={sorted} problem={problem} none={w.noComplaints}>
      {(one) => (
        <li key={one.id}>
          <span>
            <span class="muted">
              {day(one.at)} {clock(one.at)} · {one.ride} · {open(one) ? w.open : w.answered}
            </span>
            <bdi>{one.words ?? w.gone}</bdi>
            {one.answer !== null && (
              <span class="muted">
                → <bdi>{one.answer}</bdi>
              </span>
            )}
          </span>
          <button type="button" class={open(one) ? "button small primary" : "button small"} onClick={() => (setWords(one.answer ?? ""), setChosen(one))}>
            {w.answer}
          </button>
        </li>
      )}
    </Listed>
  );
}

function Shifts() {
  const w = t.value.office;
  const { rows, problem } = useRead(shifts);
  const [chosen, setChosen] = useState<ShiftSaid | null>(null);
  const [end, setEnd] = useState("");
  if (chosen !== null)
    return (
      <ActForm first={false} go={w.changeEnd} run={(reason) => (end ? endShift(chosen, today(end), reason) : null)}>
        <p>{w.shift(chosen.id, clock(chosen.start), clock(chosen.end))}</p>
        <div class="field">
          <label for="shift-end">{w.newEnd}</label>
          <input id="shift-end" type="time" required autofocus value={end} onInput={(event) => setEnd(event.currentTarget.value)} />
        </div>
      </ActForm>
    );
  return (
    <Listed rows={rows} problem={problem} none={t.value.shuttles.none}>
      {(one) => (
        <li key={one.id}>
          <span>
            <bdi>{w.shift(one.id, clock(one.start), clock(one.end))}</bdi>
            <span class="muted">
              {one.state === "on" ? (one.driver ?? t.value.shuttles.nobody) : one.state === "broken" ? t.value.shuttles.out : t.value.shuttles.closed}
            </span>
          </span>
          <button type="button" class="button small" disabled={one.state !== "on"} onClick={() => setChosen(one)}>
            {w.changeEnd}
          </button>
        </li>
      )}
    </Listed>
  );
}

function Stops() {
  const w = t.value.office;
  const { rows, problem } = useRead(stopPoints);
  const [chosen, setChosen] = useState<StopSaid | null>(null);
  const [sought, setSought] = useState("");
  if (chosen !== null)
    return (
      <ActForm go={chosen.closed ? w.openStop : w.closeStop} danger={!chosen.closed} run={(reason) => setStopClosed(chosen, !chosen.closed, reason)}>
        <p>
          <bdi>{chosen.name}</bdi> – {chosen.closed ? w.openNote : w.closeNote}
        </p>
      </ActForm>
    );
  const named = rows?.filter((one) => `${one.name} ${one.id}`.toLowerCase().includes(sought.trim().toLowerCase())) ?? null;
  const sorted = named === null ? null : [...named].sort((a, b) => Number(b.closed) - Number(a.closed)).slice(0, SHOWN);
  return (
    <>
      <div class="field">
        <label for="stop-sought">{w.seek}</label>
        <input id="stop-sought" type="search" autoComplete="off" value={sought} onInput={(event) => setSought(event.currentTarget.value)} />
      </div>
      <Listed rows={sorted} problem={problem} none={w.noStops}>
        {(one) => (
          <li key={one.id}>
            <span>
              <bdi>{one.name}</bdi> <span class="muted">{one.closed ? w.stopClosed : one.id}</span>
            </span>
            <button type="button" class="button small" onClick={() => setChosen(one)}>
              {one.closed ? w.openStop : w.closeStop}
            </button>
          </li>
        )}
      </Listed>
    </>
  );
}
