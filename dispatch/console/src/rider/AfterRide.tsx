// After a ride: stars, and what went wrong with its answer; both tied to the ride.

import { useEffect, useState } from "preact/hooks";
import { Icon } from "../phone/Icon";
import { Trouble } from "../phone/Parts";
import { useStep } from "./Answer";
import { loadRide, told } from "./following";
import { asRider, session } from "./session";
import type { ComplaintSaid } from "../shared/types";
import type { RideSaid } from "./types";
import { t } from "./words";

const MOST = 2000;

export function Rating({ ride }: { ride: RideSaid }) {
  const { busy, trouble, step } = useStep();
  const [stars, setStars] = useState<number | null>(ride.stars);
  const [words, setWords] = useState("");
  const [changing, setChanging] = useState(false);
  const w = t.value.after;
  if (ride.stars !== null && !changing) {
    return (
      <section class="card stack">
        <p role="status">{w.thanks(ride.stars)}</p>
        <button type="button" class="button quiet" onClick={() => setChanging(true)}>
          {w.change}
        </button>
      </section>
    );
  }
  const send = (event: Event) => {
    event.preventDefault();
    if (stars === null) return;
    step(async () => {
      const body = words.trim() === "" ? { stars } : { stars, words: words.trim() };
      await asRider("PUT", `/v1/rides/${ride.id}/rating`, { body });
      setChanging(false);
      told({ ...((await loadRide(ride.id)) ?? ride), stars });
    });
  };
  return (
    <form class="card stack" onSubmit={send}>
      <fieldset class="stars">
        <legend>{w.rate}</legend>
        <div class="stars-row">
          {[1, 2, 3, 4, 5].map((n) => (
            <label key={n} class={stars !== null && n <= stars ? "on" : ""}>
              <input type="radio" name="stars" value={n} checked={stars === n} onChange={() => setStars(n)} />
              <Icon name="star" size={40} />
              <span class="visually-hidden">{w.stars(n)}</span>
            </label>
          ))}
        </div>
      </fieldset>
      {stars !== null && (
        <>
          <Words id="rating-words" label={w.words} value={words} onInput={setWords} />
          <button class="button primary big" disabled={busy}>
            {w.send}
          </button>
        </>
      )}
      <Trouble text={trouble} />
    </form>
  );
}

/** A field for many words, which says how many more it takes instead of cutting them off unseen. */
export function Words(props: { id: string; label: string; value: string; onInput: (value: string) => void; rows?: number; most?: number }) {
  const most = props.most ?? MOST;
  const left = most - props.value.length;
  return (
    <div class="field">
      <label for={props.id}>{props.label}</label>
      <textarea id={props.id} rows={props.rows ?? 3} maxLength={most} dir="auto" value={props.value} onInput={(event) => props.onInput(event.currentTarget.value)} />
      {left < 200 && <small class="muted">{t.value.after.left(Math.max(0, left))}</small>}
    </div>
  );
}

export function Complaints({ ride }: { ride: RideSaid }) {
  const { busy, trouble, step } = useStep();
  const [words, setWords] = useState("");
  const [open, setOpen] = useState(false);
  const [made, setMade] = useState<ComplaintSaid[]>([]);
  const w = t.value.after;
  const load = async (): Promise<void> => {
    const all = await session.call<ComplaintSaid[]>("GET", "/v1/complaints");
    setMade(all.filter((one) => one.ride === ride.id));
  };
  useEffect(() => void load().catch(() => undefined), [ride.id]);
  const send = (event: Event) => {
    event.preventDefault();
    if (words.trim() === "") return;
    step(async () => {
      await asRider("POST", `/v1/rides/${ride.id}/complaints`, { body: { words: words.trim() } });
      setWords("");
      setOpen(false);
      await load();
    });
  };
  return (
    <section class="stack">
      {made.map((one) => (
        <article key={one.id} class="card stack">
          <p role="status" class="muted">
            {w.complained}
          </p>
          <p dir="auto">
            <strong>{w.yourWords}:</strong> <span class="pre">{one.words}</span>
          </p>
          <p dir="auto">
            <strong>{w.answer}:</strong> <span class="pre">{one.answer ?? w.waiting}</span>
          </p>
        </article>
      ))}
      {open ? (
        <form class="card stack" onSubmit={send}>
          <Words id="complaint" label={w.complainHint} value={words} onInput={setWords} rows={4} />
          <button class="button primary big" disabled={busy || words.trim() === ""}>
            {w.send}
          </button>
          <Trouble text={trouble} />
        </form>
      ) : (
        <button type="button" class="button quiet" onClick={() => setOpen(true)}>
          {w.complain}
        </button>
      )}
    </section>
  );
}
