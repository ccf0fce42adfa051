// Signing in by phone and code, over whatever the rider is doing.

import { useState } from "preact/hooks";
import { Sheet, Trouble } from "../phone/Parts";
import { said } from "../phone/problems";
import { askForCode, enter, giveUp, session } from "./session";
import type { CodeSaid } from "./types";
import { t } from "./words";

export function SignInForm() {
  const [phone, setPhone] = useState("");
  const [code, setCode] = useState("");
  const [sent, setSent] = useState<CodeSaid | null>(null);
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<string | null>(null);
  const w = t.value.signIn;

  const attempt = async (work: () => Promise<void>): Promise<void> => {
    if (busy) return;
    setBusy(true);
    setTrouble(null);
    try {
      await work();
    } catch (error) {
      setTrouble(said(error));
    } finally {
      setBusy(false);
    }
  };
  const ask = (event: Event) => {
    event.preventDefault();
    if (phone.replace(/\D/g, "").length < 6) {
      setTrouble(w.needPhone);
      return;
    }
    void attempt(async () => setSent(await askForCode(phone)));
  };
  const go = (event: Event) => {
    event.preventDefault();
    const digits = code.replace(/\D/g, "");
    if (digits.length !== 6) {
      setTrouble(w.needCode);
      return;
    }
    void attempt(() => enter(phone, digits));
  };

  return (
    <div class="stack">
      {session.expired.value && <p class="note warn">{w.expired}</p>}
      {sent === null ? (
        <form class="stack" onSubmit={ask} noValidate>
          <div class="field">
            <label for="phone">{w.phone}</label>
            <input id="phone" type="tel" inputMode="tel" autocomplete="tel" maxLength={30} value={phone} onInput={(event) => setPhone(event.currentTarget.value)} />
          </div>
          <button class="button primary big" disabled={busy}>
            {busy ? w.sending : w.sendCode}
          </button>
        </form>
      ) : (
        <form class="stack" onSubmit={go} noValidate>
          <p>{w.codeSent(phone)}</p>
          {sent.development_code !== null && <p class="note warn">{w.development(sent.development_code)}</p>}
          <div class="field">
            <label for="code">{w.code}</label>
            <input
              id="code"
              class="digits"
              type="text"
              inputMode="numeric"
              autocomplete="one-time-code"
              maxLength={12}
              value={code}
              onInput={(event) => setCode(event.currentTarget.value)}
            />
          </div>
          <button class="button primary big" disabled={busy}>
            {w.enter}
          </button>
          <button type="button" class="button quiet" onClick={() => { setSent(null); setCode(""); setTrouble(null); }}>
            {w.other}
          </button>
        </form>
      )}
      <Trouble text={trouble} />
    </div>
  );
}

export function SignInSheet() {
  return (
    <Sheet title={t.value.signIn.heading} onClose={giveUp}>
      <SignInForm />
    </Sheet>
  );
}
