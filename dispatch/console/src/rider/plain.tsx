// The rider's page without a map: the same functions as forms and text.

import "../shared/base.css";
import "../phone/phone.css";
import "./rider.css";
import "./plain.css";
import { render } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { boot, connected, serveOffline } from "../phone/boot";
import { OtherLanguage } from "../phone/Parts";
import { route } from "../phone/route";
import { phone } from "../phone/words";
import { zone } from "../shared/zone";
import { Answer } from "./Answer";
import { loadRides } from "./following";
import { Me } from "./Me";
import { loadStops } from "./places";
import { PlainPlan } from "./PlainPlan";
import { RidePage } from "./RidePage";
import { Rides } from "./Rides";
import { giveUp, session, signingIn } from "./session";
import { SignInForm } from "./SignIn";
import { t } from "./words";

function Screen() {
  const [name, id] = route.value;
  switch (name) {
    case "offers":
      return <Answer />;
    case "ride":
      return <RidePage key={id} id={id ?? ""} map={false} />;
    case "rides":
      return <Rides />;
    case "me":
      return <Me />;
    default:
      return <PlainPlan />;
  }
}

function Plain() {
  const w = t.value;
  const [screen = ""] = route.value;
  const asking = signingIn.value !== null;
  const first = useRef(true);
  useEffect(() => {
    document.title = w.title;
  }, [w]);
  useEffect(() => {
    loadRides(false).catch(() => undefined);
  }, [session.current.value]);
  // a new screen is read from its heading on
  useEffect(() => {
    if (first.current) {
      first.current = false;
      return;
    }
    const heading = document.querySelector<HTMLElement>(asking ? "#sign-in h1" : "#content h1");
    heading?.setAttribute("tabindex", "-1");
    heading?.focus();
  }, [route.value, asking]);
  const link = (path: string, name: string, on: boolean) => (
    <a href={`#/${path}`} aria-current={on ? "page" : undefined}>
      {name}
    </a>
  );
  return (
    <div class="plain-page">
      <a
        class="skip"
        href="#content"
        onClick={(event) => {
          event.preventDefault();
          document.getElementById("content")?.focus();
        }}
      >
        {w.skip}
      </a>
      <header class="bar">
        <span class="brand">{w.title}</span>
        <a class="quiet" href="/rider">
          {w.mapPage}
        </a>
        <OtherLanguage />
      </header>
      <nav aria-label={w.title}>
        {link("", w.tabs.go, !["rides", "ride", "me"].includes(screen))}
        {link("rides", w.tabs.rides, screen === "rides" || screen === "ride")}
        {link("me", w.tabs.me, screen === "me")}
      </nav>
      <p role="status" class={connected.value ? "visually-hidden" : "lost"}>
        {connected.value ? "" : phone.value.lost}
      </p>
      <main id="content" tabIndex={-1}>
        {asking && (
          <section id="sign-in" class="page stack">
            <h1>{w.signIn.heading}</h1>
            <SignInForm />
            <button type="button" class="button" onClick={giveUp}>
              {phone.value.back}
            </button>
          </section>
        )}
        <div hidden={asking}>{zone.value === null ? <p class="page muted">{phone.value.connecting}</p> : <Screen />}</div>
      </main>
    </div>
  );
}

boot();
void loadStops();
serveOffline("/rider");
render(<Plain />, document.getElementById("app")!);
