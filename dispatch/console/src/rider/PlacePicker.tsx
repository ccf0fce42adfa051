// One end of a journey: by name, "where I am", or on the map.

import { useEffect, useId, useMemo, useState } from "preact/hooks";
import { Icon } from "../phone/Icon";
import { Sheet, Trouble } from "../phone/Parts";
import { type Mark, PhoneMap } from "../phone/PhoneMap";
import { length } from "../shared/format";
import { apart, find, locate, nearest, type Place, stops } from "./places";
import { placeName, placeNote } from "./naming";
import { t } from "./words";

/** Farther from every stop than anybody would walk. */
const OUTSIDE_M = 2_000;

export interface PickerProps {
  title: string;
  start: Place | null;
  onChoose: (place: Place) => void;
  onClose: () => void;
}

/** Where the phone is, as a place; or why not, in words. */
export async function placeHere(): Promise<Place | string> {
  const w = t.value.places;
  const found = await locate();
  if (found === "refused") return w.refused;
  if (found === "unknown") return w.unknown;
  const stop = nearest(found);
  if (stop !== null && apart(found, stop) > OUTSIDE_M) return w.outside;
  return { kind: "point", ...found, here: true };
}

export function PlacePicker({ title, start, onChoose, onClose }: PickerProps) {
  const [text, setText] = useState("");
  const [onMap, setOnMap] = useState(false);
  const [trouble, setTrouble] = useState<string | null>(null);
  const [locating, setLocating] = useState(false);
  const [near, setNear] = useState<{ lat: number; lon: number } | null>(start);
  const id = useId();
  const w = t.value.places;
  const found = useMemo(() => find(text, near), [text, near, stops.value]);

  // nearest stops first, if the phone has been allowed to tell where it is already
  useEffect(() => {
    navigator.permissions
      ?.query({ name: "geolocation" })
      .then(async ({ state }) => {
        if (state !== "granted") return;
        const place = await locate();
        if (typeof place !== "string") setNear(place);
      })
      .catch(() => undefined);
  }, []);

  const here = async (): Promise<void> => {
    setLocating(true);
    setTrouble(null);
    const place = await placeHere();
    setLocating(false);
    if (typeof place === "string") setTrouble(place);
    else onChoose(place);
  };

  if (onMap) return <MapPicker title={title} start={start} onChoose={onChoose} onClose={() => setOnMap(false)} />;
  return (
    <Sheet title={title} onClose={onClose} full>
      <div class="stack">
        <div class="field">
          <label for={id}>{w.search}</label>
          <input
            id={id}
            type="search"
            autocomplete="off"
            enterKeyHint="search"
            maxLength={100}
            placeholder={w.hint}
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
            aria-describedby={`${id}-count`}
          />
        </div>
        <div class="pair">
          <button type="button" class="button big" disabled={locating} aria-busy={locating} onClick={() => void here()}>
            <Icon name="here" /> {w.here}
          </button>
          <button type="button" class="button big" onClick={() => setOnMap(true)}>
            <Icon name="map" /> {w.onMap}
          </button>
        </div>
        <Trouble text={trouble} />
        <p id={`${id}-count`} class="visually-hidden" role="status">
          {stops.value === null ? w.loading : found.length === 0 ? w.nothing : `${found.length}`}
        </p>
        {stops.value === null && <p class="muted">{w.loading}</p>}
        {stops.value !== null && found.length === 0 && <p class="muted">{w.nothing}</p>}
        <ul class="found">
          {found.map((stop) => (
            <li key={stop.id}>
              <button type="button" onClick={() => onChoose({ kind: "stop", ...stop })}>
                <Icon name="to" />
                <span>
                  <bdi class="found-name">{stop.name}</bdi>
                  <small class="muted">
                    {stop.name === stop.id ? w.stop : stop.id}
                    {near !== null && ` · ${w.away(length(apart(near, stop)))}`}
                  </small>
                </span>
              </button>
            </li>
          ))}
        </ul>
      </div>
    </Sheet>
  );
}

function MapPicker({ title, start, onChoose, onClose }: PickerProps) {
  const [place, setPlace] = useState<Place | null>(start);
  const w = t.value.places;
  const marks = useMemo<Mark[]>(() => (place === null ? [] : [{ id: "place", kind: "to", lat: place.lat, lon: place.lon }]), [place]);
  const tapped = (at: { lat: number; lon: number }) => {
    // a tap on a stop means the stop
    const stop = nearest(at);
    setPlace(stop !== null && apart(stop, at) < 40 ? { kind: "stop", ...stop } : { kind: "point", ...at, here: false });
  };
  return (
    <Sheet title={title} onClose={onClose} full>
      <div class="map-picker">
        <PhoneMap label={title} marks={marks} stops={stops.value ?? []} fit={start === null ? "zone" : "marks"} fitKey="once" onTap={tapped} />
        <div class="map-picker-foot stack" aria-live="polite">
          {place === null ? (
            <p>{w.pickHint}</p>
          ) : (
            <p>
              <strong>
                <bdi>{placeName(place)}</bdi>
              </strong>{" "}
              <span class="muted">{placeNote(place)}</span>
            </p>
          )}
          <button type="button" class="button primary big" disabled={place === null} onClick={() => place !== null && onChoose(place)}>
            {w.use}
          </button>
        </div>
      </div>
    </Sheet>
  );
}
