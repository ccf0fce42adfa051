// The rider's rides of today.

import { useEffect, useState } from "preact/hooks";
import { Icon } from "../phone/Icon";
import { Trouble } from "../phone/Parts";
import { spokenClock } from "../shared/format";
import { said } from "../phone/problems";
import { loadRides, rides } from "./following";
import { party, tripName } from "./naming";
import { NotSignedIn } from "./session";
import { t } from "./words";

export function Rides() {
  const [trouble, setTrouble] = useState<string | null>(null);
  const w = t.value.rides;
  const load = () => {
    setTrouble(null);
    loadRides().catch((error: unknown) => setTrouble(error instanceof NotSignedIn ? w.signIn : said(error)));
  };
  useEffect(load, []);
  const all = rides.value;
  return (
    <section class="page stack">
      <h1>{w.heading}</h1>
      <Trouble text={trouble} />
      {all !== null && all.length === 0 && <p class="muted">{w.none}</p>}
      <ul class="rides">
        {(all ?? []).map((ride) => (
          <li key={ride.id}>
            <a href={`#/ride/${ride.id}`}>
              <span>
                <strong>
                  <bdi>{tripName(ride)}</bdi>
                </strong>
                <br />
                <span class="muted">
                  {spokenClock(ride.boarded_at ?? ride.expected_pickup ?? ride.pickup_from ?? ride.asked_at)} · {party(ride)}
                </span>
              </span>
              <span class={`badge ${ride.state}`}>{w.states[ride.state]}</span>
            </a>
          </li>
        ))}
      </ul>
      <a class="button primary big" href="#/">
        <Icon name="search" /> {w.find}
      </a>
    </section>
  );
}
