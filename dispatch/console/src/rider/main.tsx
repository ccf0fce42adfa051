import "../shared/base.css";
import { render } from "preact";
import { words } from "../shared/i18n";

const t = words({ title: "Naru rider" }, { title: "나루" });

function Rider() {
  return <main><h1>{t.value.title}</h1></main>;
}

render(<Rider />, document.getElementById("app")!);
