import "../shared/base.css";
import { render } from "preact";
import { words } from "../shared/i18n";

const t = words({ title: "Naru driver" }, { title: "나루" });

function Driver() {
  return <main><h1>{t.value.title}</h1></main>;
}

render(<Driver />, document.getElementById("app")!);
