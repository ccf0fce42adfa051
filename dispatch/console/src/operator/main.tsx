import "../shared/base.css";
import { render } from "preact";
import { words } from "../shared/i18n";

const t = words({ title: "Naru operator" }, { title: "나루" });

function Console() {
  return <main><h1>{t.value.title}</h1></main>;
}

render(<Console />, document.getElementById("app")!);
