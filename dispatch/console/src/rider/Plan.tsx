// The first screen: from, to, when, who.

import { useMemo, useState } from "preact/hooks";
import { Icon } from "../phone/Icon";
import { Choice, Stepper, Trouble } from "../phone/Parts";
import { type Mark, PhoneMap } from "../phone/PhoneMap";
import { go } from "../phone/route";
import { spokenClock } from "../shared/format";
import { said } from "../phone/problems";
import { zone } from "../shared/zone";
import { ask } from "./asking";
import { asked, change, draft, likelyTime, swap, type When } from "./journey";
import { placeName, placeNote } from "./naming";
import { PlacePicker } from "./PlacePicker";
import { type Place, stops } from "./places";
import { isAhead, rides } from "./following";
import { NotSignedIn } from "./session";
import { party, span } from "./naming";
import { t } from "./words";

type End = "from" | "to";

/** Ask for the drafted journey and show the answer; what is missing or refused, in words. */
async function search(): Promise<string | null> {
  const journey = asked(draft.value);
  if (journey === null) {
    const { from, to } = draft.value;
    return from === null || to === null ? t.value.plan.missing : t.value.plan.missingTime;
  }
  try {
    const answer = await ask(journey);
    go(answer.state === "queued" || answer.state === "refused" ? `ride/${answer.request}` : "offers");
    return null;
  } catch (error) {
    return error instanceof NotSignedIn ? null : said(error);
  }
}

/** The form's state: one search at a time, and what went wrong in words. */
export function useSearch() {
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<string | null>(null);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setTrouble(null);
    setTrouble(await search());
    setBusy(false);
  };
  return { busy, trouble, setTrouble, submit };
}

export function Plan() {
  const [choosing, setChoosing] = useState<End | null>(null);
  const { busy, trouble, setTrouble, submit } = useSearch();
  const { from, to } = draft.value;
  const w = t.value.plan;

  const marks = useMemo<Mark[]>(() => {
    const found: Mark[] = [];
    if (from) found.push({ id: "from", kind: "from", lat: from.lat, lon: from.lon, label: w.from });
    if (to) found.push({ id: "to", kind: "to", lat: to.lat, lon: to.lon, label: w.to });
    return found;
  }, [from, to, w]);

  const tapped = (at: { lat: number; lon: number }) => {
    const place: Place = { kind: "point", lat: at.lat, lon: at.lon, here: false };
    change(from === null ? { from: place } : to === null ? { to: place } : { to: place });
    setTrouble(null);
  };

  return (
    <div class="plan">
      <div class="plan-map">
        <PhoneMap label={w.heading} marks={marks} stops={stops.value ?? []} fit={marks.length > 0 ? "marks" : "zone"} fitKey={`${from?.lat} ${from?.lon} ${to?.lat} ${to?.lon}`} onTap={tapped} />
        {(from === null || to === null) && <p class="map-hint">{w.tapMap}</p>}
      </div>
      <form class="panel stack" onSubmit={(event) => void submit(event)}>
        <h1 class="visually-hidden">{w.heading}</h1>
        <Current />
        <div class="ends">
          <EndButton end="from" place={from} onClick={() => setChoosing("from")} />
          <EndButton end="to" place={to} onClick={() => setChoosing("to")} />
          <button type="button" class="round swap" aria-label={w.swap} onClick={swap}>
            <Icon name="swap" />
          </button>
        </div>
        <WhenChoice />
        <Party />
        <button class="button primary big" disabled={busy} aria-busy={busy}>
          <Icon name="search" /> {busy ? w.searching : w.search}
        </button>
        <Trouble text={trouble} />
        <Hours />
      </form>
      {choosing !== null && (
        <PlacePicker
          title={choosing === "from" ? w.chooseFrom : w.chooseTo}
          start={draft.value[choosing]}
          onClose={() => setChoosing(null)}
          onChoose={(place) => {
            change({ [choosing]: place });
            setChoosing(null);
            setTrouble(null);
          }}
        />
      )}
    </div>
  );
}

function EndButton({ end, place, onClick }: { end: End; place: Place | null; onClick: () => void }) {
  const w = t.value.plan;
  return (
    <button type="button" class={`end ${end}`} onClick={onClick}>
      <span class="end-sign">
        <Icon name={end} />
      </span>
      <span class="end-text">
        <span class="end-label">{w[end]}</span>{" "}
        {place === null ? (
          <span class="end-name empty">{end === "from" ? w.chooseFrom : w.chooseTo}</span>
        ) : (
          <span class="end-name">
            <bdi>{placeName(place)}</bdi> {place.kind === "point" && <small>{placeNote(place)}</small>}
          </span>
        )}
      </span>
    </button>
  );
}

export function WhenChoice() {
  const w = t.value.plan;
  const { when, time } = draft.value;
  const options = [["now", w.now], ["depart", w.depart], ["arrive", w.arrive]] as const;
  const choose = (one: When) => change({ when: one, time: one !== "now" && time === "" ? likelyTime() : time });
  return (
    <div class="when">
      <Choice<When> name="when" label={w.when} hidden options={options} chosen={when} onChoose={choose} />
      {when !== "now" && (
        <div class="field inline">
          <label for="time">{w.time}</label>
          <input id="time" type="time" value={time} required onInput={(event) => change({ time: event.currentTarget.value })} />
        </div>
      )}
    </div>
  );
}

export function Party() {
  const w = t.value.plan;
  const { seats, wheelchairs } = draft.value;
  const most = zone.value?.max_party ?? 6;
  const step = (label: string, value: number, least: number, top: number, onChange: (n: number) => void) => (
    <Stepper label={label} value={value} least={least} most={top} shown={w.persons(value)} less={w.fewer(label)} more={w.more(label)} onChange={onChange} />
  );
  return (
    <div class="party">
      {step(w.people, seats, 1, most, (n) => change({ seats: n, wheelchairs: Math.min(wheelchairs, n) }))}
      {step(w.wheelchairs, wheelchairs, 0, seats, (n) => change({ wheelchairs: n }))}
    </div>
  );
}

export function Hours() {
  const known = zone.value;
  if (known === null) return null;
  const w = t.value.plan;
  return <p class={known.paused ? "note warn" : "muted small"}>{known.paused ? w.paused : w.hours(spokenClock(known.service_from), spokenClock(known.service_to))}</p>;
}

/** The ride that is ahead or under way, one tap away. */
function Current() {
  const ride = rides.value?.find(isAhead);
  if (ride === undefined) return null;
  const [from, to] = span(ride.pickup_from, ride.pickup_to);
  return (
    <a class="current" href={`#/ride/${ride.id}`}>
      <Icon name="bus" size={28} />
      <span>
        <strong>{t.value.plan.current}</strong>
        <br />
        {ride.state === "booked" ? `${from} – ${to} · ${party(ride)}` : t.value.rides.states[ride.state]}
      </span>
    </a>
  );
}
