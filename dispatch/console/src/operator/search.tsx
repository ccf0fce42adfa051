// Find a shuttle, a ride or a stop point by a part of its name.

import { useState } from "preact/hooks";
import { Dialog, dialog, useClose } from "./dialog";
import { showOnMap } from "./map";
import { byName } from "./status";
import { stopsMatching } from "./stop_field";
import { choose, shown } from "./store";
import { t } from "./words";

const MOST = 12;

export function askSearch(): void {
  dialog.value = () => <Search />;
}

function Search() {
  const w = t.value.search;
  const close = useClose();
  const [text, setText] = useState("");
  const [active, setActive] = useState(0);
  const sought = text.trim().toLocaleLowerCase();
  const found: { key: string; kind: string; name: string; more: string; go: () => void }[] = [];
  if (sought) {
    for (const one of [...(shown.value?.shuttles ?? [])].sort((a, b) => byName(a.id, b.id)))
      if (one.id.toLocaleLowerCase().includes(sought) || (one.driver ?? "").toLocaleLowerCase().includes(sought))
        found.push({ key: `s ${one.id}`, kind: w.shuttle, name: one.id, more: one.driver ?? "", go: () => choose("shuttle", one.id) });
    for (const one of shown.value?.rides ?? [])
      if (one.id.toLocaleLowerCase().includes(sought) || `${one.origin.name} ${one.destination.name}`.toLocaleLowerCase().includes(sought))
        found.push({ key: `r ${one.id}`, kind: w.ride, name: one.id, more: `${one.origin.name} → ${one.destination.name}`, go: () => choose("ride", one.id) });
    for (const one of stopsMatching(sought, MOST)) found.push({ key: `p ${one.id}`, kind: w.stop, name: one.name, more: one.id, go: () => showOnMap(one.lat, one.lon) });
  }
  const rows = found.slice(0, MOST);
  const go = (at: number) => {
    const row = rows[at];
    if (row === undefined) return;
    close();
    row.go();
  };
  return (
    <Dialog title={w.title}>
      <input
        class="input"
        role="combobox"
        aria-label={w.label}
        aria-expanded={rows.length > 0}
        aria-controls="found"
        aria-activedescendant={rows.length ? `found-${active}` : undefined}
        placeholder={w.label}
        autofocus
        autoComplete="off"
        maxLength={80}
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setActive(0);
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter") go(active);
          else if (event.key === "ArrowDown") setActive(Math.min(rows.length - 1, active + 1));
          else if (event.key === "ArrowUp") setActive(Math.max(0, active - 1));
          else return;
          event.preventDefault();
        }}
      />
      <ul id="found" role="listbox" class="options open" aria-label={w.title} hidden={rows.length === 0}>
        {rows.map((row, at) => (
          <li key={row.key} id={`found-${at}`} role="option" aria-selected={at === active} onClick={() => go(at)}>
            <span class="muted">{row.kind}</span> <strong>{row.name}</strong> <span class="muted">{row.more}</span>
          </li>
        ))}
      </ul>
      {sought && rows.length === 0 && <p class="none">{w.none}</p>}
    </Dialog>
  );
}
