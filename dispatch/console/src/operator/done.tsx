// What was just done, with its undo; and the bar that is there while a line is drawn.

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { askClose } from "./act_dialogs";
import { dones, undo } from "./acts";
import { drawing, foundEdges, stopDrawing, takeBack } from "./drawing";
import { t } from "./words";

const SHOWN_MS = 30_000;

/** acts up to this one are no longer shown; the shortcut still undoes the last */
const hiddenTo = signal(0);
const hide = (id: number): void => {
  hiddenTo.value = Math.max(hiddenTo.value, id);
};

export function Dones() {
  const last = dones.value.at(-1);
  useEffect(() => {
    if (last === undefined) return;
    const timer = window.setTimeout(() => hide(last.id), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [last?.id]);
  const show = dones.value.filter((one) => one.id > hiddenTo.value).slice(-3);
  return (
    <div class="dones" role="status" aria-live="polite">
      {show.map((one) => (
        <div key={one.id} class={`done ${one.state}`}>
          <span>
            {one.state === "undone" ? `${one.words} – ${t.value.acts.undone}` : one.words}
            {one.problem !== null && <span class="bad"> {one.problem}</span>}
          </span>
          {one.undo !== null && (
            <button type="button" class="button small" onClick={() => void undo(one)}>
              {t.value.acts.undo} <kbd aria-hidden="true">u</kbd>
            </button>
          )}
          <button type="button" class="icon-button" aria-label={t.value.acts.dismiss} onClick={() => hide(one.id)}>
            ×
          </button>
        </div>
      ))}
    </div>
  );
}


export function DrawBar() {
  const drawn = drawing.value;
  if (drawn === null) return null;
  const w = t.value.draw;
  const edges = foundEdges();
  return (
    <div class="draw-bar" role="group" aria-label={w.title}>
      <p>
        <strong>{w.title}.</strong> {w.how}
      </p>
      <p role="status">
        {w.points(drawn.points.length)}
        {drawn.points.length > 1 && `, ${edges.length ? w.found(edges.length) : w.none}`}
      </p>
      <div class="answers">
        <button type="button" class="button small" disabled={drawn.points.length === 0} onClick={takeBack}>
          {w.back} <kbd aria-hidden="true">⌫</kbd>
        </button>
        <button type="button" class="button small" onClick={stopDrawing}>
          {w.stop} <kbd aria-hidden="true">Esc</kbd>
        </button>
        <button type="button" class="button small primary" disabled={edges.length === 0} onClick={() => askClose(edges)}>
          {w.done} <kbd aria-hidden="true">↵</kbd>
        </button>
      </div>
    </div>
  );
}
