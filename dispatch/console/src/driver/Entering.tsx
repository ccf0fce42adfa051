// Signing in, and choosing the shift to work.

import { useEffect, useState } from "preact/hooks";
import { Icon } from "../phone/Icon";
import { LanguageChoice, LookChoice, Trouble } from "../phone/Parts";
import { said } from "../phone/problems";
import { spokenClock } from "../shared/format";
import type { ShiftSaid } from "../shared/types";
import { enter, session } from "./session";
import { begin, shiftsOpen, watch } from "./shift";
import { t } from "./words";

export function SignIn() {
  const [driver, setDriver] = useState("");
  const [pin, setPin] = useState("");
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<string | null>(null);
  const w = t.value.signIn;
  const go = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (busy) return;
    if (driver.trim() === "" || !/^\d{4,12}$/.test(pin)) {
      setTrouble(w.need);
      return;
    }
    setBusy(true);
    setTrouble(null);
    try {
      await enter(driver.trim(), pin);
      watch();
    } catch (error) {
      setTrouble(said(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <section class="page stack">
      <h1>{w.heading}</h1>
      {session.expired.value && <p class="note warn">{w.expired}</p>}
      <form class="stack" onSubmit={(event) => void go(event)} noValidate>
        <div class="field">
          <label for="driver">{w.driver}</label>
          <input id="driver" type="text" autocomplete="username" autocapitalize="none" maxLength={80} value={driver} onInput={(event) => setDriver(event.currentTarget.value)} />
        </div>
        <div class="field">
          <label for="pin">{w.pin}</label>
          <input
            id="pin"
            class="digits"
            type="password"
            inputMode="numeric"
            autocomplete="current-password"
            maxLength={12}
            value={pin}
            onInput={(event) => setPin(event.currentTarget.value)}
          />
        </div>
        <button class="button primary big" disabled={busy}>
          {w.enter}
        </button>
      </form>
      <Trouble text={trouble} />
      <LanguageChoice />
      <LookChoice />
    </section>
  );
}

export function Shifts() {
  const [shifts, setShifts] = useState<ShiftSaid[] | null>(null);
  const [trouble, setTrouble] = useState<string | null>(null);
  const w = t.value.shifts;
  const attempt = (work: () => Promise<void>): void => {
    setTrouble(null);
    work().catch((error: unknown) => setTrouble(said(error)));
  };
  const load = () => attempt(async () => setShifts(await shiftsOpen()));
  useEffect(load, []);
  const mine = session.current.value?.subject;
  return (
    <section class="page stack">
      <h1>{w.heading}</h1>
      <Trouble text={trouble} />
      {shifts !== null && shifts.length === 0 && <p class="muted">{w.none}</p>}
      <ul class="shifts">
        {(shifts ?? []).map((shift) => {
          const others = shift.driver !== null && shift.driver !== mine;
          const over = shift.state !== "on";
          return (
            <li key={shift.id} class="card">
              <span>
                <strong>
                  <bdi>{shift.vehicle}</bdi>
                </strong>
                <br />
                {spokenClock(shift.start)} – {spokenClock(shift.end)}
                {(others || over) && (
                  <>
                    <br />
                    <span class="muted">{over ? w[shift.state === "broken" ? "broken" : "closed"] : w.taken(shift.driver ?? "")}</span>
                  </>
                )}
              </span>
              <button type="button" class="button primary" disabled={others || over} onClick={() => attempt(() => begin(shift.id))} aria-label={`${shift.driver === mine ? w.resume : w.start}: ${shift.vehicle}`}>
                {shift.driver === mine ? w.resume : w.start}
              </button>
            </li>
          );
        })}
      </ul>
      <button type="button" class="button" onClick={load}>
        {w.reload}
      </button>
      <button type="button" class="button quiet" onClick={() => session.end()}>
        <Icon name="back" /> {w.signOut}
      </button>
      <LanguageChoice />
      <LookChoice />
    </section>
  );
}
