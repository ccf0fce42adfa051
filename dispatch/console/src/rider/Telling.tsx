// Whether this phone is told of rides while the page is closed.

import { useEffect } from "preact/hooks";
import { Trouble } from "../phone/Parts";
import { useStep } from "./Answer";
import { lookWhoIsTold, tellMe, tellMeNoMore, telling } from "./telling";
import { t } from "./words";

export function TellingSwitch() {
  const { busy, trouble, step } = useStep();
  const w = t.value.me;
  useEffect(() => void lookWhoIsTold(), []);
  if (telling.value === "unable") return null;
  return (
    <div class="field">
      <label class="switch">
        <span>{w.tell}</span>
        <input type="checkbox" checked={telling.value === "on"} disabled={busy || telling.value === "forbidden"} onChange={() => step(telling.value === "on" ? tellMeNoMore : tellMe)} aria-describedby="tell-hint" />
      </label>
      <small id="tell-hint" class="muted" role="status">
        {telling.value === "forbidden" ? w.tellForbidden : telling.value === "unreached" ? w.tellUnreached : w.tellHint}
      </small>
      <Trouble text={trouble} />
    </div>
  );
}
