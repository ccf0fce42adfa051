import "../shared/base.css";
import { render } from "preact";
import { words } from "../shared/i18n";

const t = words({ title: "Naru planner" }, { title: "나루" });

function Planner() {
  return <main><h1>{t.value.title}</h1></main>;
}

render(<Planner />, document.getElementById("app")!);
