// Dialogs: native ones, so the page behind is out of reach of keyboard and screen reader while one is open.

import { signal } from "@preact/signals";
import { createContext, type ComponentChildren } from "preact";
import { useContext, useEffect, useId, useRef, useState } from "preact/hooks";
import { ApiProblem } from "../shared/api";
import { problemWords } from "../shared/problems";
import { seenNow } from "./acts";
import { readStory, session, subject } from "./store";
import { latestActOfOther, sentence } from "./telling";
import { quickReasons, t } from "./words";

/** the dialog that is open, as what it renders; null: none */
export const dialog = signal<(() => ComponentChildren) | null>(null);
/** the dialog that what is rendered belongs to */
const Own = createContext<typeof dialog.value>(null);

/** What closes the dialog it is asked for in, and no other: a close event or an answer may come when the next is open. */
export function useClose(): () => void {
  const own = useContext(Own);
  return () => {
    if (dialog.value === own) dialog.value = null;
  };
}

export function DialogHost() {
  const own = dialog.value;
  // the key: the next dialog takes over neither the last one's element, which may be closed, nor what was typed there
  return own === null ? null : (
    <Own.Provider key={own} value={own}>
      {own()}
    </Own.Provider>
  );
}

export function Dialog(props: { title: string; wide?: boolean; children: ComponentChildren }) {
  const frame = useRef<HTMLDialogElement>(null);
  const close = useClose();
  const name = useId();
  useEffect(() => {
    const came = document.activeElement as HTMLElement | null;
    frame.current?.showModal();
    return () => came?.focus?.();
  }, []);
  return (
    <dialog
      ref={frame}
      class={props.wide ? "dialog wide" : "dialog"}
      aria-labelledby={name}
      // not at its close alone: that the browser tells in a later task, and the next key may come before
      onCancel={close}
      onClose={close}
      onClick={(event) => {
        if (event.target === frame.current) close();
      }}
    >
      <div class="dialog-body">
        <header>
          <h2 id={name}>{props.title}</h2>
          <button type="button" class="icon-button" aria-label={t.value.dialog.close} onClick={close}>
            ×
          </button>
        </header>
        {props.children}
      </div>
    </dialog>
  );
}

const anothersAct = (problem: unknown): boolean =>
  problem instanceof ApiProblem && ["acted_meanwhile", "nothing_to_change", "ride_not_open"].includes(problem.code);

/** A form that does one act: fields, a reason, and what came of it if it could not be done. */
export function ActForm(props: {
  go?: string;
  danger?: boolean;
  /** the ride or shuttle that is acted on: another operator's act on it is told */
  on?: string | undefined;
  children?: ComponentChildren;
  /** throws where it cannot be done; null where fields are missing */
  run: (reason: string) => Promise<void> | null;
  first?: boolean;
}) {
  const close = useClose();
  const [reason, setReason] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  const seen = useRef(props.on ? seenNow(props.on) : 0);
  const [missing, setMissing] = useState(false);
  const name = useId();
  const field = useRef<HTMLInputElement>(null);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (busy) return;
    if (!reason.trim()) {
      setMissing(true);
      field.current?.focus();
      return;
    }
    setProblem(null);
    const work = props.run(reason.trim());
    if (work === null) return;
    setBusy(true);
    try {
      await work;
      close();
    } catch (error) {
      setProblem(error);
      setBusy(false);
      if (anothersAct(error) && subject.value?.kind === "ride") await readStory(subject.value.id);
    }
  };
  // The answer may be here before the stream has told of the act: it is looked for again when the log's lines change.
  const act =
    anothersAct(problem) && props.on !== undefined
      ? latestActOfOther(props.on, session.current.value?.subject ?? "", seen.current)
      : undefined;
  return (
    <form class="act-form" onSubmit={submit} noValidate>
      {props.children}
      <div class="field">
        <label for={name}>{t.value.reason.label}</label>
        <input
          id={name}
          ref={field}
          value={reason}
          maxLength={300}
          autoComplete="off"
          autofocus={props.first ?? true}
          aria-describedby={`${name}-hint`}
          aria-invalid={missing && !reason.trim()}
          onInput={(event) => setReason(event.currentTarget.value)}
        />
        <div class="chips">
          {quickReasons().map((one) => (
            <button type="button" key={one} class="chip" aria-pressed={reason === one} onClick={() => setReason(one)}>
              {one}
            </button>
          ))}
        </div>
        <p id={`${name}-hint`} class={missing && !reason.trim() ? "hint bad" : "hint"}>
          {missing && !reason.trim() ? t.value.reason.needed : t.value.reason.hint}
        </p>
      </div>
      {problem !== null && (
        <p class="note bad" role="alert">
          {problemWords(problem)}
          {act !== undefined && ` ${t.value.meanwhile(sentence(act))}`}
        </p>
      )}
      <footer>
        <button type="button" class="button" onClick={close}>
          {t.value.dialog.cancel}
        </button>
        <button type="submit" class={props.danger ? "button danger-fill" : "button primary"} disabled={busy}>
          {busy ? t.value.dialog.busy : (props.go ?? t.value.dialog.go)}
        </button>
      </footer>
    </form>
  );
}
