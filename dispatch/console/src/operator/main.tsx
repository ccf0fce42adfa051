import "../shared/base.css";
import "./operator.css";
import "./lists.css";
import "./details.css";
import "./map.css";
import "./dialogs.css";
import "./small.css";
import { render } from "preact";
import { useEffect } from "preact/hooks";
import { zone } from "../shared/zone";
import { Alerts } from "./alerts";
import { Details } from "./details";
import { DialogHost } from "./dialog";
import { Dones, DrawBar } from "./done";
import { Banners, Header, Strip } from "./header";
import { listen } from "./keyboard";
import { MapPane } from "./map";
import { Rides } from "./rides";
import { Shuttles } from "./shuttles";
import { SignIn, takeKey } from "./sign_in";
import { session, start, subject } from "./store";
import { Travel } from "./travel";
import { t } from "./words";

takeKey(session);

function App() {
  return session.current.value === null ? <SignIn session={session} role="operator" title={t.value.signIn.title} /> : <Console key={session.current.value.token} />;
}

function Console() {
  useEffect(start, []);
  useEffect(listen, []);
  return (
    <div class="console">
      <Header />
      <Strip />
      <Banners />
      <main>
        <div class="left">
          <Alerts />
          <Shuttles />
        </div>
        <div class="centre">
          {zone.value !== null && <MapPane />}
          <DrawBar />
          <Dones />
        </div>
        <div class="right">{subject.value === null ? <Rides /> : <Details />}</div>
      </main>
      <Travel />
      <DialogHost />
    </div>
  );
}

render(<App />, document.getElementById("app")!);
