// The top of the console: time, connection, figures against yesterday and the aim.

import { chooseLanguage, language } from "../shared/i18n";
import { clock, clockSeconds, day, minutes, number, percent } from "../shared/format";
import { problemWords } from "../shared/problems";
import { chooseTheme, theme, type Theme } from "../shared/theme";
import { zone } from "../shared/zone";
import { askMessage, askPause } from "./act_dialogs";
import { askBooking } from "./booking";
import { drawing, startDrawing, stopDrawing } from "./drawing";
import { askHelp } from "./keyboard";
import { askOffice } from "./office";
import { askRules } from "./rules";
import { askSearch } from "./search";
import { WAITING } from "./status";
import { before, connected, connection, failure, figures, isPast, live, moment, now, session, shown, travel } from "./store";
import type { Figures } from "./types";
import { t } from "./words";

export function Header() {
  const w = t.value;
  const past = moment.value;
  const connecting = connection.value === "connecting" && !connected.value && failure.value === null;
  const lost = !connecting && (connection.value !== "open" || failure.value !== null);
  return (
    <header class="bar">
      <h1>
        <span class="brand">Naru</span> {zone.value?.name} <span class="visually-hidden">{w.console}</span>
      </h1>
      <div class={past === null ? "time" : "time past"}>
        <time>{clockSeconds(past ?? now.value)}</time>
        <span class="date">{day(past ?? now.value)}</span>
      </div>
      <div class={lost ? "state lost" : "state"} role="status">
        <span class="dot" aria-hidden="true" />
        <span>{connecting ? w.connection.connecting : lost ? `${w.connection.lost} ${clock(live.value?.at)}` : w.connection.open}</span>
      </div>
      {live.value?.paused && (
        <button type="button" class="paused" onClick={askPause}>
          {w.pausedBanner}
        </button>
      )}
      <nav class="tools" aria-label={w.console}>
        <Tool words={w.acts.search} letter="/" act={askSearch} />
        <Tool words={w.acts.book} letter="b" act={askBooking} off={isPast.value} />
        <Tool words={drawing.value ? w.draw.stop : w.acts.close} letter="c" act={drawing.value ? stopDrawing : startDrawing} off={isPast.value} pressed={drawing.value !== null} />
        <Tool words={live.value?.paused ? w.acts.resume : w.acts.pause} letter="p" act={askPause} off={isPast.value} />
        <Tool words={w.acts.rules} letter="o" act={askRules} off={isPast.value} />
        <Tool words={w.acts.office} letter="e" act={askOffice} off={isPast.value} />
        <Tool words={w.acts.message} letter="w" act={() => askMessage(null)} off={isPast.value} />
      </nav>
      <div class="person">
        <button type="button" class="icon-button" aria-label={w.help} title={w.help} onClick={askHelp}>
          ?
        </button>
        <button type="button" class="icon-button" aria-label={w.themes[theme.value]} title={w.themes[theme.value]} onClick={nextTheme}>
          {{ auto: "◐", light: "☀", dark: "☾" }[theme.value]}
        </button>
        <button type="button" class="text-button" lang={language.value === "ko" ? "en" : "ko"} onClick={() => chooseLanguage(language.value === "ko" ? "en" : "ko")}>
          {w.language}
        </button>
        <button type="button" class="text-button" title={session.current.value?.subject} onClick={() => session.end()}>
          {w.signOut}
        </button>
      </div>
    </header>
  );
}

export function nextTheme(): void {
  const after: Record<Theme, Theme> = { auto: "dark", dark: "light", light: "auto" };
  chooseTheme(after[theme.value]);
}

function Tool(props: { words: string; letter: string; act: () => void; off?: boolean; pressed?: boolean }) {
  return (
    <button type="button" class="button tool" disabled={props.off ?? false} aria-pressed={props.pressed} aria-keyshortcuts={props.letter} onClick={props.act}>
      {props.words} <kbd aria-hidden="true">{props.letter}</kbd>
    </button>
  );
}

interface Figure {
  name: string;
  value: string;
  more?: string;
  /** the same at this time yesterday, and the aim */
  was: string | null;
  aim: string | null;
  /** good when higher, or lower; how today stands against the aim */
  met: boolean | null;
}

export function Strip() {
  const [f, b, w] = [figures.value, before.value, t.value.kpi];
  const y = b?.so_far ?? null;
  const aims = b?.targets ?? {};
  const one = (name: string, key: string, tell: (value: number | null) => string, better: "higher" | "lower", more?: string): Figure => {
    const value = (f as unknown as Record<string, number | null> | null)?.[key] ?? null;
    const aim = aims[key];
    const was = (y as Figures | null)?.[key] as number | null | undefined;
    return {
      name,
      value: tell(value),
      ...(more === undefined ? {} : { more }),
      was: was === null || was === undefined ? null : tell(was),
      aim: aim === undefined ? null : tell(aim),
      met: aim === undefined || value === null ? null : better === "higher" ? value >= aim : value <= aim,
    };
  };
  const state = shown.value;
  const count = (states: ReadonlySet<string>) => (state?.rides ?? []).filter((ride) => states.has(ride.state)).length;
  const rows: Figure[] = [
    one(w.carried, "delivered", (value) => number(value), "higher", f === null ? "" : w.of(number(f.attempts))),
    one(w.service, "service_rate", (value) => percent(value), "higher"),
    one(w.wait, "wait_mean_s", (value) => minutes(value), "lower"),
    one(w.p95, "wait_p95_s", (value) => minutes(value), "lower"),
    one(w.window, "pickup_in_window_rate", (value) => percent(value), "higher"),
    one(w.refused, "refused", (value) => number(value), "lower"),
    one(w.broken, "promises_broken", (value) => number(value), "lower"),
    one(w.km, "km_per_rider", (value) => number(value, 1), "lower"),
    { name: w.now, value: `${count(WAITING) - (state?.queue.length ?? 0)} · ${count(new Set(["aboard"]))} · ${state?.queue.length ?? 0}`, was: null, aim: null, met: null },
  ];
  return (
    <dl class="strip" aria-label={w.label}>
      {rows.map((row) => (
        <div key={row.name} class={row.met === false ? "missed" : ""}>
          <dt>{row.name}</dt>
          <dd>
            <strong>{row.value}</strong> {row.more && <span class="more">{row.more}</span>}
            <span class="against">
              {row.was !== null && <span>{w.yesterday(row.was)}</span>}
              {row.aim !== null && (
                <span class="aim">
                  {row.met === true ? "✓ " : row.met === false ? "✗ " : ""}
                  {w.target(row.aim)}
                </span>
              )}
            </span>
          </dd>
        </div>
      ))}
    </dl>
  );
}

export function Banners() {
  const past = moment.value;
  return (
    <>
      {past !== null && (
        <div class="banner past" role="status">
          {t.value.pastBanner(clock(past))}
          <button type="button" class="button" onClick={() => travel(null)}>
            {t.value.backToNow}
          </button>
        </div>
      )}
      {failure.value !== null && (
        <div class="banner bad" role="alert">
          {problemWords(failure.value)}
        </div>
      )}
    </>
  );
}
