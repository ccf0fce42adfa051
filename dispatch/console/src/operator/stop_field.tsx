// A field for a stop point: type a part of its name, choose from the list (a combobox as the ARIA practices have it).

import { useId, useState } from "preact/hooks";
import type { StopPointSaid } from "../shared/types";
import { byName } from "./status";
import { stops } from "./store";
import { t } from "./words";

const SHOWN = 8;

/** Stop points whose name or id has the text, those that begin with it first. */
export function stopsMatching(text: string, most: number): StopPointSaid[] {
  const sought = text.trim().toLocaleLowerCase();
  if (!sought) return [];
  const rank = (stop: StopPointSaid) => {
    const [name, id] = [stop.name.toLocaleLowerCase(), stop.id.toLocaleLowerCase()];
    if (id === sought) return 0;
    if (name.startsWith(sought)) return 1;
    return name.includes(sought) || id.startsWith(sought) ? 2 : 9;
  };
  return [...stops.value.values()]
    .map((stop) => ({ stop, rank: rank(stop) }))
    .filter((one) => one.rank < 9)
    .sort((a, b) => a.rank - b.rank || byName(a.stop.name, b.stop.name))
    .slice(0, most)
    .map((one) => one.stop);
}

export function StopField(props: { label: string; value: StopPointSaid | null; onChoose: (stop: StopPointSaid | null) => void; missing: boolean; autofocus?: boolean }) {
  const [text, setText] = useState(props.value?.name ?? "");
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(0);
  const name = useId();
  const found = open ? stopsMatching(text, SHOWN) : [];
  const choose = (stop: StopPointSaid) => {
    setText(`${stop.name} (${stop.id})`);
    setOpen(false);
    props.onChoose(stop);
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      setOpen(true);
      const by = event.key === "ArrowDown" ? 1 : -1;
      setActive((at) => (found.length ? (at + by + found.length) % found.length : 0));
    } else if (event.key === "Enter" && open && found[active] !== undefined) {
      event.preventDefault();
      choose(found[active]);
    } else if (event.key === "Escape" && open) {
      event.preventDefault();
      event.stopPropagation();
      setOpen(false);
    }
  };
  return (
    <div class="field stop-field">
      <label for={name}>{props.label}</label>
      <input
        id={name}
        role="combobox"
        aria-expanded={found.length > 0}
        aria-controls={`${name}-list`}
        aria-autocomplete="list"
        aria-activedescendant={found.length ? `${name}-${active}` : undefined}
        aria-invalid={props.missing && props.value === null}
        autoComplete="off"
        autofocus={props.autofocus ?? false}
        maxLength={80}
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setOpen(true);
          setActive(0);
          props.onChoose(null);
        }}
        onKeyDown={onKey}
        onBlur={() => setOpen(false)}
      />
      <ul id={`${name}-list`} role="listbox" class="options" aria-label={props.label} hidden={found.length === 0}>
        {found.map((stop, at) => (
          <li
            key={stop.id}
            id={`${name}-${at}`}
            role="option"
            aria-selected={at === active}
            onPointerDown={(event) => {
              event.preventDefault();
              choose(stop);
            }}
          >
            {stop.name} <span class="muted">{stop.id}</span>
          </li>
        ))}
      </ul>
      {props.missing && props.value === null && <p class="hint bad">{text.trim() && !stopsMatching(text, 1).length ? t.value.booking.noMatch : t.value.booking.noStop}</p>}
    </div>
  );
}
