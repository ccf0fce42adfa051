// A driver's page: the shift, the next stop, and what happened there; for minutes without connection too.

import "../shared/base.css";
import "../phone/phone.css";
import "./driver.css";
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { boot, connected, serveOffline } from "../phone/boot";
import { Icon } from "../phone/Icon";
import { phone } from "../phone/words";
import { zone } from "../shared/zone";
import { stayAwake } from "./aloud";
import { SignIn, Shifts } from "./Entering";
import { Menu } from "./Menu";
import { forbidden, startTelling, stopTelling } from "./positions";
import { Round } from "./Round";
import { send, waiting } from "./sending";
import { session } from "./session";
import { manifest, round, watch } from "./shift";
import { t } from "./words";

function Bar({ onMenu, onTrouble }: { onMenu: () => void; onTrouble: () => void }) {
  const w = t.value;
  const known = round.value;
  return (
    <header class="bar">
      <span class="brand">{known === null ? w.title : <bdi>{known.shift.vehicle}</bdi>}</span>
      {known !== null && (
        <span class="chips" role="status">
          <span class="chip">
            <Icon name="person" size={20} /> <span aria-hidden="true">{known.aboard}</span>
            <span class="visually-hidden">{w.states.aboard(known.aboard)}</span>
          </span>
        </span>
      )}
      {known !== null && (
        <>
          <button type="button" class="round-button" aria-label={w.menu.trouble} onClick={onTrouble}>
            <Icon name="alert" />
          </button>
          <button type="button" class="round-button" aria-label={w.menu.heading} onClick={onMenu}>
            <Icon name="more" />
          </button>
        </>
      )}
    </header>
  );
}

function Driver() {
  const [sheet, setSheet] = useState<"menu" | "trouble" | null>(null);
  const signedIn = session.current.value !== null;
  const working = manifest.value !== null;
  const n = waiting.value.events.length;
  const w = t.value;
  useEffect(() => {
    document.title = w.title;
  }, [w]);
  useEffect(() => {
    if (signedIn && working) {
      watch();
      void send();
    }
    stayAwake(working);
    if (working) startTelling();
    else stopTelling();
  }, [signedIn, working]);
  return (
    <div class="phone driver">
      <Bar onMenu={() => setSheet("menu")} onTrouble={() => setSheet("trouble")} />
      <div class="notices">
        {(n > 0 || !connected.value) && (
          <p class="lost" role="status">
            <Icon name="offline" size={20} /> {n > 0 && w.states.waiting(n)} {!connected.value && (working ? w.states.offline : phone.value.lost)}
          </p>
        )}
        {working && signedIn && forbidden.value && <p class="lost">{w.states.forbidden}</p>}
      </div>
      <main id="content" tabIndex={-1}>
        {!signedIn ? <SignIn /> : zone.value === null ? <p class="page muted">{phone.value.connecting}</p> : working ? <Round /> : <Shifts />}
      </main>
      {sheet !== null && <Menu start={sheet} onClose={() => setSheet(null)} />}
    </div>
  );
}

boot();
serveOffline("/driver");
render(<Driver />, document.getElementById("app")!);
