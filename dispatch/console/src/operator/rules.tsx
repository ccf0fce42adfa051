// Rules: those in force, changed now or from a time on.

import { useEffect, useState } from "preact/hooks";
import { clock } from "../shared/format";
import { problemWords } from "../shared/problems";
import { changePolicy, policy } from "./acts";
import { today } from "./booking";
import { ActForm, Dialog, dialog } from "./dialog";
import type { PolicySaid } from "./types";
import { t } from "./words";

const NAMES = ["max_wait_s", "promise_window_s", "walk_m", "later_s", "max_party", "no_show_grace_s", "journey_factor", "journey_extra_s", "wait_aboard_s", "quotes"] as const;

export function askRules(): void {
  dialog.value = () => <RulesDialog />;
}

function RulesDialog() {
  const w = t.value.rules;
  const [said, setSaid] = useState<PolicySaid | null>(null);
  const [problem, setProblem] = useState<unknown>(null);
  const [changes, setChanges] = useState<Record<string, string>>({});
  const [later, setLater] = useState(false);
  const [at, setAt] = useState("");
  const [nothing, setNothing] = useState(false);
  useEffect(() => {
    policy().then(setSaid, setProblem);
  }, []);
  const run = (reason: string): Promise<void> | null => {
    const made = Object.entries(changes).filter(([name, value]) => value.trim() !== "" && Number(value) !== said!.policy[name]);
    setNothing(made.length === 0);
    if (made.length === 0) return null;
    const old = Object.fromEntries(made.map(([name]) => [name, said!.policy[name]]));
    return changePolicy(Object.fromEntries(made.map(([name, value]) => [name, Number(value)])), old, later && at ? today(at) : null, reason).then(() => undefined);
  };
  return (
    <Dialog title={w.title} wide>
      {problem !== null && (
        <p class="note bad" role="alert">
          {problemWords(problem)}
        </p>
      )}
      {said !== null && (
        <ActForm first={false} run={run}>
          <p class="muted">{w.version(said.policy.name, said.policy.version)}</p>
          <table class="rules">
            <thead>
              <tr>
                <th scope="col">{w.rule}</th>
                <th scope="col">{w.value}</th>
                <th scope="col">{w.change}</th>
              </tr>
            </thead>
            <tbody>
              {NAMES.map((name, first) => (
                <tr key={name}>
                  <th scope="row">{w.names[name]}</th>
                  <td>{said.policy[name] === null ? "–" : String(said.policy[name])}</td>
                  <td>
                    <input
                      class="input"
                      type="number"
                      step="any"
                      min={0}
                      autofocus={first === 0}
                      aria-label={`${w.names[name]}: ${w.change}`}
                      value={changes[name] ?? ""}
                      onInput={(event) => setChanges({ ...changes, [name]: event.currentTarget.value })}
                    />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
          <fieldset class="choices inline">
            <legend>{w.from}</legend>
            <label>
              <input type="radio" name="from" checked={!later} onChange={() => setLater(false)} />
              {w.fromNow}
            </label>
            <label>
              <input type="radio" name="from" checked={later} onChange={() => setLater(true)} />
              {w.fromTime}
            </label>
            <input class="input" type="time" aria-label={w.fromTime} value={at} onInput={(event) => (setAt(event.currentTarget.value), setLater(true))} />
          </fieldset>
          {said.coming.length > 0 && (
            <section>
              <h3>{w.coming}</h3>
              <ul>
                {said.coming.map((one) => (
                  <li key={one.from_at}>
                    {clock(one.from_at)} – {one.author}: {one.reason} ({Object.entries(one.changes).map(([name, value]) => `${name} = ${JSON.stringify(value)}`).join(", ")})
                  </li>
                ))}
              </ul>
            </section>
          )}
          {nothing && <p class="note warn">{w.nothing}</p>}
        </ActForm>
      )}
    </Dialog>
  );
}
