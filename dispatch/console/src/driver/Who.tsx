// Who gets in and out at a stop, each with their buttons once the shuttle stands there.

import { useState } from "preact/hooks";
import { Icon } from "../phone/Icon";
import { Sheet } from "../phone/Parts";
import { minutesSeconds } from "../phone/ticking";
import { spokenClock } from "../shared/format";
import { CodeSheet } from "./CodeSheet";
import { waitLeft } from "./round";
import { did } from "./shift";
import type { Boarding, ManifestSaid, ManifestStop } from "./types";
import { t } from "./words";

export function Who({ next, now }: { known: ManifestSaid; next: ManifestStop; now: number }) {
  const [code, setCode] = useState<Boarding | null>(null);
  const [leaving, setLeaving] = useState<Boarding | null>(null);
  const w = t.value;
  return (
    <ul class="who">
      {next.alighting.map((who) => (
        <li key={`out ${who.ride}`} class="person out">
          <Person who={who} out />
          {next.here && (
            <div class="acts">
              <button type="button" class="act main" onClick={() => did("alighted", { ride: who.ride })} aria-label={`${w.act.alighted}: ${who.name ?? w.who.unnamed}`}>
                <Icon name="check" size={28} /> {w.act.alighted}
              </button>
            </div>
          )}
        </li>
      ))}
      {next.boarding.map((who) => (
        <li key={`in ${who.ride}`} class="person in">
          <Person who={who} />
          {next.here && <BoardingActs who={who} now={now} onCode={() => setCode(who)} onLeave={() => setLeaving(who)} />}
        </li>
      ))}
      {code !== null && <CodeSheet who={code} all={next.boarding} onClose={() => setCode(null)} />}
      {leaving !== null && (
        <Sheet title={w.act.noShowTitle(leaving.name ?? w.who.unnamed)} onClose={() => setLeaving(null)}>
          <div class="stack">
            <button
              type="button"
              class="button danger big"
              onClick={() => {
                did("not_there", { ride: leaving.ride });
                setLeaving(null);
              }}
            >
              {w.act.noShowYes}
            </button>
            <button type="button" class="button big" onClick={() => setLeaving(null)}>
              {w.trouble.keep}
            </button>
          </div>
        </Sheet>
      )}
    </ul>
  );
}

function Person({ who, out = false }: { who: Boarding; out?: boolean }) {
  const w = t.value.who;
  const promised = out ? (who.arrive_by === null ? "" : w.promisedBy(spokenClock(who.arrive_by))) : who.not_before === null ? "" : w.promised(spokenClock(who.not_before), spokenClock(who.not_after));
  return (
    <div class="person-text">
      <span class="side">{out ? w.alights : w.boards}</span>
      <strong class="person-name">
        <bdi>{who.name ?? w.unnamed}</bdi>
      </strong>
      <span class="person-party">
        <span>
          <Icon name="person" size={22} /> {w.people(who.seats)}
        </span>
        {who.wheelchairs > 0 && (
          <span class="ramp">
            <Icon name="wheelchair" size={22} /> {w.wheelchairs(who.wheelchairs)}
          </span>
        )}
        {promised !== "" && <span class="muted">{promised}</span>}
      </span>
      {who.note !== null && (
        <p class="person-note">
          <bdi>{who.note}</bdi>
        </p>
      )}
    </div>
  );
}

function BoardingActs({ who, now, onCode, onLeave }: { who: Boarding; now: number; onCode: () => void; onLeave: () => void }) {
  const w = t.value.act;
  const name = who.name ?? t.value.who.unnamed;
  const left = waitLeft(who, now);
  return (
    <>
      <div class="acts">
        <button type="button" class="act main" onClick={() => did("boarded", { ride: who.ride })} aria-label={`${w.boarded}: ${name}`}>
          <Icon name="check" size={28} /> {w.boarded}
        </button>
        <button type="button" class="act" onClick={onCode} aria-label={`${w.code}: ${name}`}>
          <Icon name="code" size={24} /> {w.code}
        </button>
        {left === null ? (
          <button type="button" class="act" onClick={() => did("not_there", { ride: who.ride })} aria-label={`${w.absent}: ${name}`}>
            {w.absent}
          </button>
        ) : (
          <button type="button" class={left === 0 ? "act go" : "act"} disabled={left > 0} onClick={onLeave} aria-label={`${w.noShow}: ${name}`}>
            {left > 0 ? w.waitFor(minutesSeconds(left)) : w.noShow}
          </button>
        )}
      </div>
      {left !== null && left > 0 && <p class="next-hint">{w.noShowHint(minutesSeconds(left))}</p>}
    </>
  );
}
