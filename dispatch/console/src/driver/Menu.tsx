// Everything that is not needed at every stop: all stops, trouble, reading aloud, the end of the shift.

import { useState } from "preact/hooks";
import { Icon } from "../phone/Icon";
import { LanguageChoice, LookChoice, Sheet, Trouble } from "../phone/Parts";
import { said } from "../phone/problems";
import { Unreachable } from "../shared/api";
import { spokenClock } from "../shared/format";
import { newKey } from "../shared/keys";
import { aloud, canSpeak, say, setAloud } from "./aloud";
import { session } from "./session";
import { drop, end, giveUpBreak, round, takeBreak, trouble } from "./shift";
import { aloudText, whoIs } from "./telling";
import { t } from "./words";

type Page = "menu" | "stops" | "break" | "trouble" | "end";

export function Menu({ start, onClose }: { start: Page; onClose: () => void }) {
  const [page, setPage] = useState<Page>(start);
  const w = t.value;
  if (page === "stops") return <Stops onClose={onClose} />;
  if (page === "break") return <BreakSheet onClose={onClose} />;
  if (page === "trouble") return <TroubleSheet onClose={onClose} />;
  if (page === "end") return <EndSheet onClose={onClose} />;
  const known = round.value;
  return (
    <Sheet title={w.menu.heading} onClose={onClose}>
      <div class="stack">
        <button type="button" class="button big" onClick={() => setPage("stops")}>
          <Icon name="list" /> {w.menu.stops}
        </button>
        <button type="button" class="button big" onClick={() => setPage("break")}>
          <Icon name="coffee" /> {w.menu.break}
        </button>
        <button type="button" class="button big" onClick={() => setPage("trouble")}>
          <Icon name="alert" /> {w.menu.trouble}
        </button>
        {canSpeak ? (
          <label class="switch">
            <span>
              <Icon name="sound" /> {w.menu.aloud}
            </span>
            <input
              type="checkbox"
              checked={aloud.value}
              onChange={(event) => {
                setAloud(event.currentTarget.checked);
                if (known !== null) say(aloudText(known));
              }}
            />
          </label>
        ) : (
          <p class="muted">{w.menu.noAloud}</p>
        )}
        <LanguageChoice />
        <LookChoice />
        <button type="button" class="button danger big" onClick={() => setPage("end")}>
          {w.menu.end}
        </button>
        <button
          type="button"
          class="button quiet"
          onClick={() => {
            drop();
            session.end();
            onClose();
          }}
        >
          {w.shifts.signOut}
        </button>
      </div>
    </Sheet>
  );
}

function Stops({ onClose }: { onClose: () => void }) {
  const w = t.value;
  return (
    <Sheet title={w.menu.stops} onClose={onClose} full>
      <ol class="all-stops">
        {(round.value?.stops ?? []).map((stop, i) => (
          <li key={`${i} ${stop.stop?.id}`}>
            <strong>{spokenClock(stop.begin_at)}</strong> <bdi>{stop.fixed === "break" ? w.next.break : stop.stop?.name}</bdi>
            <ul>
              {stop.alighting.map((who) => (
                <li key={`out ${who.ride}`}>
                  <span class="side">{w.who.alights}</span> <bdi>{whoIs(who)}</bdi>
                </li>
              ))}
              {stop.boarding.map((who) => (
                <li key={`in ${who.ride}`}>
                  <span class="side">{w.who.boards}</span> <bdi>{whoIs(who)}</bdi>
                </li>
              ))}
            </ul>
          </li>
        ))}
      </ol>
    </Sheet>
  );
}

const MINUTES = [10, 15, 30, 45] as const;

/** A break that the shift does not have: at once, or when nobody is aboard. */
function BreakSheet({ onClose }: { onClose: () => void }) {
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<string | null>(null);
  const [id] = useState(newKey);
  const w = t.value.pause;
  const planned = round.value?.stops.find((stop) => stop.asked);
  const go = (act: Promise<void>): void => {
    setBusy(true);
    setWrong(null);
    act
      .then(onClose)
      .catch((error: unknown) => setWrong(error instanceof Unreachable ? w.needsConnection : said(error)))
      .finally(() => setBusy(false));
  };
  return (
    <Sheet title={t.value.menu.break} onClose={onClose}>
      <div class="stack">
        {planned === undefined ? (
          <>
            <p>{w.note}</p>
            {MINUTES.map((minutes) => (
              <button key={minutes} type="button" class="button big" disabled={busy} onClick={() => go(takeBreak(`${id}-${minutes}`, minutes))}>
                {w.minutes(minutes)}
              </button>
            ))}
          </>
        ) : (
          <>
            <p>{w.planned(spokenClock(planned.begin_at), spokenClock(planned.done_at))}</p>
            <button type="button" class="button big" disabled={busy} onClick={() => go(giveUpBreak())}>
              {w.giveUp}
            </button>
          </>
        )}
        <Trouble text={wrong} />
      </div>
    </Sheet>
  );
}

function TroubleSheet({ onClose }: { onClose: () => void }) {
  const [asking, setAsking] = useState(false);
  const [words, setWords] = useState("");
  const [told, setTold] = useState(false);
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<string | null>(null);
  const w = t.value.trouble;
  const stop = round.value?.stops[0]?.stop ?? null;
  const report = (kind: "breakdown" | "cannot_reach_stop" | "other"): void => {
    if (busy) return;
    setBusy(true);
    setWrong(null);
    trouble(kind, kind === "cannot_reach_stop" ? (stop?.id ?? null) : null, words)
      .then(() => {
        setTold(true);
        setAsking(false);
      })
      .catch((error: unknown) => setWrong(error instanceof Unreachable ? w.needsConnection : said(error)))
      .finally(() => setBusy(false));
  };
  return (
    <Sheet title={asking ? w.breakdownTitle : w.heading} onClose={onClose}>
      <div class="stack">
        {told ? (
          <>
            <p class="note" role="status">
              {w.told}
            </p>
            <button type="button" class="button primary big" onClick={onClose}>
              {w.keep}
            </button>
          </>
        ) : asking ? (
          <>
            <p class="note warn">{w.breakdownNote}</p>
            <button type="button" class="button danger big" disabled={busy} onClick={() => report("breakdown")}>
              {w.breakdownYes}
            </button>
            <button type="button" class="button big" onClick={() => setAsking(false)}>
              {w.keep}
            </button>
          </>
        ) : (
          <>
            {stop !== null && (
              <button type="button" class="button big" disabled={busy} onClick={() => report("cannot_reach_stop")}>
                <bdi>{w.cannotReach(stop.name)}</bdi>
              </button>
            )}
            <button type="button" class="button danger big" onClick={() => setAsking(true)}>
              {w.breakdown}
            </button>
            <div class="field">
              <label for="trouble-words">
                {w.other}: {w.words}
              </label>
              <textarea id="trouble-words" rows={3} maxLength={2000} dir="auto" value={words} onInput={(event) => setWords(event.currentTarget.value)} />
            </div>
            <button type="button" class="button big" disabled={busy || words.trim() === ""} onClick={() => report("other")}>
              {w.send}
            </button>
          </>
        )}
        <Trouble text={wrong} />
      </div>
    </Sheet>
  );
}

function EndSheet({ onClose }: { onClose: () => void }) {
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<string | null>(null);
  const w = t.value.menu;
  const go = (): void => {
    if (busy) return;
    setBusy(true);
    setWrong(null);
    end()
      .then(onClose)
      .catch((error: unknown) => setWrong(said(error)))
      .finally(() => setBusy(false));
  };
  return (
    <Sheet title={w.endTitle} onClose={onClose}>
      <div class="stack">
        <p>{w.endNote}</p>
        <button type="button" class="button danger big" disabled={busy} onClick={go}>
          {w.endYes}
        </button>
        <button type="button" class="button big" onClick={onClose}>
          {w.stay}
        </button>
        <Trouble text={wrong} />
      </div>
    </Sheet>
  );
}
