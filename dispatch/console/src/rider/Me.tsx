// What is known of the rider: to change, to take away, to delete. And how the page looks.

import { useEffect, useState } from "preact/hooks";
import { LanguageChoice, LookChoice, Sheet, Trouble } from "../phone/Parts";
import { keep } from "../phone/keeping";
import { Words } from "./AfterRide";
import { useStep } from "./Answer";
import { leave } from "./asking";
import { forgetRides } from "./following";
import { draft, NOTHING } from "./journey";
import { asRider, session } from "./session";
import { TellingSwitch } from "./Telling";
import { leavePhone } from "./telling";
import { AGE_GROUPS, type PersonSaid } from "./types";
import { t } from "./words";

async function signOut(): Promise<void> {
  await leavePhone();
  leave();
  forgetRides();
  draft.value = NOTHING;
  session.end();
}

/** All that is kept of the rider, as a file of the phone. */
async function takeAway(): Promise<void> {
  const all = await asRider<unknown>("GET", "/v1/me/export");
  const url = URL.createObjectURL(new Blob([JSON.stringify(all, null, 2)], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = "naru-my-data.json";
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export function Me() {
  const w = t.value.me;
  const signedIn = session.current.value !== null;
  const [gone, setGone] = useState(false);
  return (
    <section class="page stack">
      <h1>{w.heading}</h1>
      {gone && <p class="note" role="status">{w.deleted}</p>}
      {signedIn ? <Person onDeleted={() => setGone(true)} /> : <SignedOut />}
      <LanguageChoice />
      <LookChoice />
    </section>
  );
}

function SignedOut() {
  const { trouble, step } = useStep();
  return (
    <div class="stack">
      <button type="button" class="button primary big" onClick={() => step(async () => void (await asRider<PersonSaid>("GET", "/v1/me")))}>
        {t.value.me.signIn}
      </button>
      <Trouble text={trouble} />
    </div>
  );
}

export function Person({ onDeleted }: { onDeleted: () => void }) {
  const [person, setPerson] = useState<PersonSaid | null>(null);
  const [saved, setSaved] = useState(false);
  const [deleting, setDeleting] = useState(false);
  const { busy, trouble, step } = useStep();
  const w = t.value.me;
  useEffect(() => step(async () => setPerson(await asRider<PersonSaid>("GET", "/v1/me"))), []);
  const change = (part: Partial<PersonSaid>) => {
    setSaved(false);
    setPerson((now) => (now === null ? null : { ...now, ...part }));
  };
  const save = (event: Event) => {
    event.preventDefault();
    if (person === null) return;
    const or = (text: string | null): string | null => (text === null || text.trim() === "" ? null : text.trim());
    const { email, language, age_group } = person;
    const body = { name: or(person.name), note: or(person.note), address: or(person.address), email, language, age_group };
    step(async () => {
      setPerson(await asRider<PersonSaid>("PUT", "/v1/me", { body }));
      setSaved(true);
    });
  };
  const erase = () =>
    step(async () => {
      await asRider("DELETE", "/v1/me");
      setDeleting(false);
      onDeleted();
      await signOut();
      keep("naru.zone", null);
    });
  return (
    <>
      <Trouble text={trouble} />
      {person !== null && (
        <form class="stack" onSubmit={save}>
          <p class="muted">
            {w.phone}: <bdi>{person.phone}</bdi>
          </p>
          <div class="field">
            <label for="name">{w.name}</label>
            <input id="name" type="text" autocomplete="name" maxLength={80} dir="auto" value={person.name ?? ""} onInput={(event) => change({ name: event.currentTarget.value })} aria-describedby="name-hint" />
            <small id="name-hint" class="muted">
              {w.nameHint}
            </small>
          </div>
          <Words id="note" label={w.note} value={person.note ?? ""} onInput={(note) => change({ note })} most={300} />
          <small class="muted">{w.noteHint}</small>
          <div class="field">
            <label for="address">{w.address}</label>
            <input id="address" type="text" autocomplete="street-address" maxLength={200} dir="auto" value={person.address ?? ""} onInput={(event) => change({ address: event.currentTarget.value })} />
          </div>
          <div class="field">
            <label for="age">{w.age}</label>
            <select id="age" value={person.age_group ?? ""} onChange={(event) => change({ age_group: AGE_GROUPS.find((group) => group === event.currentTarget.value) ?? null })} aria-describedby="age-hint">
              <option value="">{w.ageNone}</option>
              {AGE_GROUPS.map((group) => (
                <option key={group} value={group}>
                  {w.ages[group]}
                </option>
              ))}
            </select>
            <small id="age-hint" class="muted">
              {w.ageHint}
            </small>
          </div>
          <button class="button primary big" disabled={busy}>
            {w.save}
          </button>
          <p role="status" class={saved ? "note" : "visually-hidden"}>
            {saved ? w.saved : ""}
          </p>
        </form>
      )}
      <div class="stack">
        <TellingSwitch />
        <button type="button" class="button" onClick={() => step(takeAway)}>
          {w.export}
        </button>
        <small class="muted">{w.exportHint}</small>
        <button type="button" class="button" onClick={() => step(signOut)}>
          {w.signOut}
        </button>
        <button type="button" class="button danger" onClick={() => setDeleting(true)}>
          {w.delete}
        </button>
      </div>
      {deleting && (
        <Sheet title={w.deleteTitle} onClose={() => setDeleting(false)}>
          <div class="stack">
            <p class="note warn">{w.deleteNote}</p>
            <button type="button" class="button danger big" disabled={busy} onClick={erase}>
              {w.deleteYes}
            </button>
            <button type="button" class="button big" onClick={() => setDeleting(false)}>
              {w.keep}
            </button>
            <Trouble text={trouble} />
          </div>
        </Sheet>
      )}
    </>
  );
}
