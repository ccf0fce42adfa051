// A rider's page: ask for a ride, follow it, board, rate.

import "../shared/base.css";
import "../phone/phone.css";
import "./rider.css";
import { render } from "preact";
import { useEffect } from "preact/hooks";
import { boot, connected, serveOffline } from "../phone/boot";
import { Icon, type IconName } from "../phone/Icon";
import { OtherLanguage } from "../phone/Parts";
import { route } from "../phone/route";
import { phone } from "../phone/words";
import { zone } from "../shared/zone";
import { Answer } from "./Answer";
import { loadRides } from "./following";
import { Me } from "./Me";
import { Plan } from "./Plan";
import { loadStops } from "./places";
import { RidePage } from "./RidePage";
import { Rides } from "./Rides";
import { session, signingIn } from "./session";
import { SignInSheet } from "./SignIn";
import { t } from "./words";

function Screen() {
  const [name, id] = route.value;
  switch (name) {
    case "offers":
      return <Answer />;
    case "ride":
      return <RidePage key={id} id={id ?? ""} />;
    case "rides":
      return <Rides />;
    case "me":
      return <Me />;
    default:
      return <Plan />;
  }
}

function Tab({ path, name, icon, on }: { path: string; name: string; icon: IconName; on: boolean }) {
  return (
    <a href={`#/${path}`} aria-current={on ? "page" : undefined}>
      <Icon name={icon} />
      <span>{name}</span>
    </a>
  );
}

function Rider() {
  const [screen = ""] = route.value;
  const w = t.value;
  useEffect(() => {
    document.title = w.title;
    document.getElementById("content")?.scrollTo(0, 0);
  }, [screen, w]);
  useEffect(() => {
    loadRides(false).catch(() => undefined);
  }, [session.current.value]);
  return (
    <div class="phone">
      <a class="skip" href="/rider/plain">
        {w.plainPage}
      </a>
      <header class="bar">
        <a class="brand" href="#/">
          {w.title}
        </a>
        <a class="quiet" href="/rider/plain">
          {w.plainPage}
        </a>
        <OtherLanguage />
      </header>
      {!connected.value && screen !== "ride" && (
        <p class="lost" role="status">
          <Icon name="offline" size={20} /> {phone.value.lost}
        </p>
      )}
      {zone.value?.development && screen === "me" && <p class="lost">{phone.value.development}</p>}
      <main id="content" tabIndex={-1}>
        {zone.value === null ? <p class="page muted">{phone.value.connecting}</p> : <Screen />}
      </main>
      <nav class="tabs" aria-label={w.title}>
        <Tab path="" name={w.tabs.go} icon="search" on={!["rides", "ride", "me"].includes(screen)} />
        <Tab path="rides" name={w.tabs.rides} icon="list" on={screen === "rides" || screen === "ride"} />
        <Tab path="me" name={w.tabs.me} icon="person" on={screen === "me"} />
      </nav>
      {signingIn.value !== null && <SignInSheet />}
    </div>
  );
}

boot();
void loadStops();
serveOffline("/rider");
render(<Rider />, document.getElementById("app")!);
