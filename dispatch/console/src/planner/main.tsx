import "../shared/base.css";
import "./planner.css";
import { effect, signal } from "@preact/signals";
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { SignIn, takeKey } from "../operator/sign_in";
import type { ReportLink, ResultSaid } from "../operator/types";
import { day, minutes, number, percent, spokenClock } from "../shared/format";
import { chooseLanguage, language } from "../shared/i18n";
import { problemWords } from "../shared/problems";
import { SessionKeeper } from "../shared/session";
import { loadZone, zone } from "../shared/zone";
import { t } from "./words";

const MOST = 4;
const session = new SessionKeeper("planner", ["planner", "operator"], "window");
takeKey(session);

const results = signal<readonly ResultSaid[] | null>(null);
const problem = signal<unknown>(null);
/** names of the results that are held side by side, in the order in which they were chosen */
const chosen = signal<readonly string[]>([]);
/** names of the results whose reports are open */
const reading = signal<readonly string[]>([]);

effect(() => {
  document.title = `${t.value.title} – Naru`;
});

async function look(): Promise<void> {
  try {
    if (zone.value === null) await loadZone();
    results.value = await session.call<ResultSaid[]>("GET", "/v1/operator/results");
    problem.value = null;
  } catch (error) {
    problem.value = error;
  }
}

type Name = keyof (typeof t.value)["figures"];
const FIGURES: readonly { name: Name; tell: (value: number) => string; better: 1 | -1 | 0 }[] = [
  { name: "attempts", tell: (value) => number(value), better: 0 },
  { name: "delivered", tell: (value) => number(value), better: 1 },
  { name: "service_rate", tell: (value) => percent(value, 1), better: 1 },
  { name: "wait_mean_s", tell: (value) => number(value / 60, 1) + " min", better: -1 },
  { name: "wait_p95_s", tell: (value) => number(value / 60, 1) + " min", better: -1 },
  { name: "ride_to_direct_mean", tell: (value) => number(value, 2), better: -1 },
  { name: "pickup_in_window_rate", tell: (value) => percent(value, 1), better: 1 },
  { name: "promises_broken", tell: (value) => number(value), better: -1 },
  { name: "km_per_rider", tell: (value) => number(value, 2), better: -1 },
  { name: "empty_share", tell: (value) => percent(value, 1), better: -1 },
  { name: "pooling_rate", tell: (value) => percent(value, 1), better: 1 },
  { name: "shuttle_hours", tell: (value) => number(value, 1), better: 0 },
  { name: "violations", tell: (value) => number(value), better: -1 },
];
const SHORT: readonly Name[] = ["attempts", "service_rate", "wait_mean_s", "km_per_rider", "promises_broken"];

const figureOf = (result: ResultSaid, name: Name): number | null => {
  const value = result.kpis[name];
  return typeof value === "number" ? value : null;
};
const tell = (result: ResultSaid, name: Name): string => {
  const value = figureOf(result, name);
  if (value === null) return "–";
  return name === "wait_mean_s" ? minutes(value) : (FIGURES.find((one) => one.name === name)?.tell(value) ?? String(value));
};

function App() {
  if (session.current.value === null) return <SignIn session={session} role="planner" title={t.value.signIn} />;
  return <Shelf key={session.current.value.token} />;
}

function Shelf() {
  useEffect(() => void look(), []);
  const w = t.value;
  const all = results.value;
  const compared = chosen.value.flatMap((name) => all?.find((one) => one.name === name) ?? []);
  return (
    <div class="shelf">
      <header class="bar">
        <h1>
          <span class="brand">Naru</span> {zone.value?.name} · {w.title}
        </h1>
        <div class="person">
          <button type="button" class="text-button" lang={language.value === "ko" ? "en" : "ko"} onClick={() => chooseLanguage(language.value === "ko" ? "en" : "ko")}>
            {w.language}
          </button>
          <button type="button" class="text-button" onClick={() => session.end()}>
            {w.signOut}
          </button>
        </div>
      </header>
      <main>
        {problem.value !== null && (
          <p class="note bad" role="alert">
            {problemWords(problem.value)}
          </p>
        )}
        {reading.value.length > 0 ? (
          <Reports names={reading.value} />
        ) : (
          <>
            <p class="muted intro">
              {w.intro}{" "}
              <button type="button" class="text-button" onClick={() => void look()}>
                {w.again}
              </button>
            </p>
            {all !== null && all.length === 0 && (
              <div class="note">
                <p>
                  <strong>{w.empty}</strong>
                </p>
                <p>{w.emptyHow}</p>
              </div>
            )}
            {all !== null && all.length > 0 && <Table all={all} />}
            {compared.length > 1 ? <SideBySide results={compared} /> : all !== null && all.length > 1 && <p class="muted">{w.compareHint}</p>}
          </>
        )}
      </main>
    </div>
  );
}

function Table({ all }: { all: readonly ResultSaid[] }) {
  const w = t.value;
  const toggle = (name: string) =>
    (chosen.value = chosen.value.includes(name) ? chosen.value.filter((one) => one !== name) : [...chosen.value, name].slice(-MOST));
  return (
    <div class="scroll" role="region" aria-label={w.title} tabIndex={0}>
      <table>
        <thead>
          <tr>
            <td />
            <th scope="col">{w.name}</th>
            <th scope="col">{w.kind}</th>
            <th scope="col">{w.written}</th>
            {SHORT.map((name) => (
              <th scope="col" class="figure" key={name}>
                {w.figures[name]}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {all.map((one) => (
            <tr key={one.name} class={chosen.value.includes(one.name) ? "chosen" : ""}>
              <td>
                <input type="checkbox" aria-label={w.choose(one.name)} checked={chosen.value.includes(one.name)} onChange={() => toggle(one.name)} />
              </td>
              <th scope="row">
                {one.report ? (
                  <button type="button" class="text-button" aria-label={w.open(one.name)} onClick={() => (reading.value = [one.name])}>
                    <bdi>{one.name}</bdi>
                  </button>
                ) : (
                  <>
                    <bdi>{one.name}</bdi> <span class="muted">{w.noReport}</span>
                  </>
                )}
              </th>
              <td>{w.kinds[one.kind]}</td>
              <td>
                {day(one.at)}, {spokenClock(one.at)}
              </td>
              {SHORT.map((name) => (
                <td class="figure" key={name}>
                  {tell(one, name)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function SideBySide({ results: shown }: { results: readonly ResultSaid[] }) {
  const w = t.value;
  const days = shown.filter((one) => one.kind === "day");
  const withReports = shown.filter((one) => one.report).map((one) => one.name);
  return (
    <section aria-labelledby="side">
      <h2 id="side">
        {w.compare(shown.length)}
        {withReports.length > 0 && (
          <button type="button" class="button" onClick={() => (reading.value = withReports)}>
            {w.reports}
          </button>
        )}
      </h2>
      {days.length > 1 && (
        <div class="scroll" role="region" aria-label={w.compare(days.length)} tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th scope="col">{w.figure}</th>
                {days.map((one) => (
                  <th scope="col" class="figure" key={one.name}>
                    <bdi>{one.name}</bdi>
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {FIGURES.map(({ name, better }) => {
                const values = days.map((one) => figureOf(one, name));
                const known = values.filter((value) => value !== null);
                const best = better === 0 || new Set(known).size < 2 ? null : better > 0 ? Math.max(...known) : Math.min(...known);
                const first = values[0] ?? null;
                return (
                  <tr key={name}>
                    <th scope="row">{w.figures[name]}</th>
                    {days.map((one, at) => {
                      const value = values[at] ?? null;
                      const against = at > 0 && first !== null && first !== 0 && value !== null ? value / first - 1 : null;
                      return (
                        <td class={value !== null && value === best ? "figure best" : "figure"} key={one.name}>
                          {tell(one, name)} {value !== null && value === best && <span class="visually-hidden">{w.best}</span>}
                          {against !== null && against !== 0 && (
                            <span class="muted" title={w.difference}>
                              {" "}
                              {against > 0 ? "+" : "−"}
                              {percent(Math.abs(against), 1)}
                            </span>
                          )}
                        </td>
                      );
                    })}
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function Reports({ names }: { names: readonly string[] }) {
  return (
    <>
      <button type="button" class="button" autofocus onClick={() => (reading.value = [])}>
        ← {t.value.close}
      </button>
      <div class={names.length > 1 ? "frames several" : "frames"}>
        {names.map((name) => (
          <Report key={name} name={name} />
        ))}
      </div>
    </>
  );
}

function Report({ name }: { name: string }) {
  const [url, setUrl] = useState<string | null>(null);
  const [wrong, setWrong] = useState<unknown>(null);
  useEffect(() => {
    session.call<ReportLink>("POST", `/v1/operator/results/${encodeURIComponent(name)}/link`).then((said) => setUrl(said.url), setWrong);
  }, [name]);
  return (
    <section>
      <h2>
        <bdi>{name}</bdi>
      </h2>
      {wrong !== null && (
        <p class="note bad" role="alert">
          {problemWords(wrong)}
        </p>
      )}
      {/* a report has scripts of its own: they run without an origin, and may reach nothing */}
      {url !== null && <iframe title={t.value.frame(name)} src={url} sandbox="allow-scripts" />}
    </section>
  );
}

render(<App />, document.getElementById("app")!);
