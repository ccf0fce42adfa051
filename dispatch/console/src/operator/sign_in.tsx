// The sign-in of staff: a pasted key, one in the address (`#key=…`, which no server sees), or a name in development mode.

import "./sign_in.css";
import { useEffect, useState } from "preact/hooks";
import { call } from "../shared/api";
import { problemWords } from "../shared/problems";
import type { SessionKeeper } from "../shared/session";
import type { Role, TokenSaid } from "../shared/types";
import { loadZone, zone } from "../shared/zone";
import { t } from "./words";

/** Take a key from the address and the address bar's history. */
export function takeKey(session: SessionKeeper): void {
  const key = new URLSearchParams(location.hash.slice(1)).get("key");
  if (key === null) return;
  history.replaceState(null, "", location.pathname + location.search);
  session.beginWithKey(key);
}

export function SignIn(props: { session: SessionKeeper; role: Role & ("operator" | "planner"); title: string }) {
  const w = t.value.signIn;
  const [key, setKey] = useState("");
  const [name, setName] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    let timer = 0;
    const ask = () => void loadZone().catch(() => (timer = window.setTimeout(ask, 2_000)));
    ask();
    return () => clearTimeout(timer);
  }, []);
  const withKey = (event: Event) => {
    event.preventDefault();
    setProblem(props.session.beginWithKey(key) ? null : w.wrong);
  };
  const withName = async (event: Event) => {
    event.preventDefault();
    try {
      props.session.begin(await call<TokenSaid>("POST", "/v1/sign-in/development", { body: { role: props.role, subject: name.trim() || props.role } }));
    } catch (error) {
      setProblem(problemWords(error));
    }
  };
  return (
    <main class="sign-in">
      <h1>{props.title}</h1>
      {zone.value !== null && <p class="muted">{zone.value.name}</p>}
      {props.session.expired.value && <p class="note warn">{w.expired}</p>}
      {problem !== null && (
        <p class="note bad" role="alert">
          {problem}
        </p>
      )}
      <form onSubmit={withKey}>
        <div class="field">
          <label for="key">{w.key}</label>
          <input id="key" type="password" autoComplete="off" autofocus value={key} aria-describedby="key-hint" onInput={(event) => setKey(event.currentTarget.value)} />
          <p id="key-hint" class="hint">
            {w.keyHint}
          </p>
        </div>
        <button class="button primary" type="submit">
          {w.go}
        </button>
      </form>
      {zone.value === null && <p role="status">{w.starting}</p>}
      {zone.value?.development && (
        <form onSubmit={withName} class="development">
          <div class="field">
            <label for="name">
              {w.development} <span class="visually-hidden">{w.name}</span>
            </label>
            <input id="name" maxLength={40} autoComplete="off" placeholder={props.role} value={name} onInput={(event) => setName(event.currentTarget.value.replace(/[\s/?]/g, "-"))} />
          </div>
          <button class="button" type="submit">
            {w.go}
          </button>
        </form>
      )}
    </main>
  );
}
