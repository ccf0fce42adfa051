// Asking for a ride by forms alone: from, to, when, who. For screen readers, and for who likes no maps.

import { useId, useMemo, useState } from "preact/hooks";
import { Trouble } from "../phone/Parts";
import { zone } from "../shared/zone";
import { change, draft, likelyTime, type When } from "./journey";
import { placeName, placeNote } from "./naming";
import { placeHere } from "./PlacePicker";
import { find, type Place, stops } from "./places";
import { Hours, useSearch } from "./Plan";
import { t } from "./words";

const HERE = "here";

function PlaceFields({ legend, place, onChoose }: { legend: string; place: Place | null; onChoose: (place: Place | null) => void }) {
  const [text, setText] = useState("");
  const [trouble, setTrouble] = useState<string | null>(null);
  const [locating, setLocating] = useState(false);
  const id = useId();
  const w = t.value.places;
  const found = useMemo(() => find(text, null, 1000).sort((a, b) => a.name.localeCompare(b.name) || a.id.localeCompare(b.id)), [text, stops.value]);
  const chosen = place === null ? "" : place.kind === "stop" ? place.id : HERE;
  const listed = place?.kind !== "stop" || found.some((stop) => stop.id === place.id);
  const here = async (): Promise<void> => {
    setLocating(true);
    setTrouble(null);
    const at = await placeHere();
    setLocating(false);
    if (typeof at === "string") setTrouble(at);
    else onChoose(at);
  };
  const choose = (value: string): void => {
    if (value === HERE) return;
    const stop = stops.value?.find((one) => one.id === value);
    onChoose(stop === undefined ? null : { kind: "stop", ...stop });
  };
  const name = (stop: { id: string; name: string }): string => (stop.name === stop.id ? stop.name : `${stop.name} (${stop.id})`);
  return (
    <fieldset class="plain-set stack">
      <legend>{legend}</legend>
      <div class="field">
        <label for={`${id}-text`}>{w.filter}</label>
        <input id={`${id}-text`} type="text" autocomplete="off" maxLength={100} value={text} onInput={(event) => setText(event.currentTarget.value)} />
      </div>
      <p role="status" class="muted small">
        {stops.value === null ? w.loading : found.length === 0 ? w.nothing : w.found(found.length)}
      </p>
      <div class="field">
        <label for={`${id}-stop`}>{w.choose}</label>
        <select id={`${id}-stop`} value={chosen} onChange={(event) => choose(event.currentTarget.value)}>
          <option value="">{w.none}</option>
          {place?.kind === "point" && (
            <option value={HERE}>
              {placeName(place)} ({placeNote(place)})
            </option>
          )}
          {place?.kind === "stop" && !listed && <option value={place.id}>{name(place)}</option>}
          {found.map((stop) => (
            <option key={stop.id} value={stop.id}>
              {name(stop)}
            </option>
          ))}
        </select>
      </div>
      <button type="button" class="button" disabled={locating} onClick={() => void here()}>
        {legend}: {w.here}
      </button>
      <Trouble text={trouble} />
    </fieldset>
  );
}

export function PlainPlan() {
  const { busy, trouble, submit } = useSearch();
  const w = t.value.plan;
  const { when, time, seats, wheelchairs, from, to } = draft.value;
  const whens: readonly (readonly [When, string])[] = [["now", w.now], ["depart", w.depart], ["arrive", w.arrive]];
  const whole = (text: string, least: number, most: number): number => Math.min(most, Math.max(least, Math.round(Number(text)) || least));
  const most = zone.value?.max_party ?? 6;
  return (
    <form class="page stack" onSubmit={(event) => void submit(event)} noValidate>
      <h1 tabIndex={-1}>{w.heading}</h1>
      <Hours />
      <PlaceFields legend={w.from} place={from} onChoose={(place) => change({ from: place })} />
      <PlaceFields legend={w.to} place={to} onChoose={(place) => change({ to: place })} />
      <fieldset class="plain-set stack">
        <legend>{w.when}</legend>
        {whens.map(([value, label]) => (
          <label key={value} class="plain-radio">
            <input type="radio" name="when" checked={when === value} onChange={() => change({ when: value, time: value !== "now" && time === "" ? likelyTime() : time })} /> {label}
          </label>
        ))}
        {when !== "now" && (
          <div class="field">
            <label for="plain-time">{w.time}</label>
            <input id="plain-time" type="time" value={time} onInput={(event) => change({ time: event.currentTarget.value })} />
          </div>
        )}
      </fieldset>
      <div class="pair">
        <div class="field">
          <label for="plain-seats">{w.people}</label>
          <input id="plain-seats" type="number" inputMode="numeric" min={1} max={most} value={seats} onChange={(event) => change({ seats: whole(event.currentTarget.value, 1, most) })} />
        </div>
        <div class="field">
          <label for="plain-wheelchairs">{w.wheelchairs}</label>
          <input
            id="plain-wheelchairs"
            type="number"
            inputMode="numeric"
            min={0}
            max={seats}
            value={wheelchairs}
            onChange={(event) => change({ wheelchairs: whole(event.currentTarget.value, 0, seats) })}
          />
        </div>
      </div>
      <button class="button primary big" disabled={busy}>
        {busy ? w.searching : w.search}
      </button>
      <Trouble text={trouble} />
    </form>
  );
}
