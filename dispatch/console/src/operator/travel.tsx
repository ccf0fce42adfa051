// Any moment of the day: a slider over the log, with marks where something happened.

import { clock } from "../shared/format";
import { lines, live, moment, now, travel } from "./store";
import { isAct } from "./telling";
import { t } from "./words";

const STEP = 10_000;

export function Travel() {
  const w = t.value.travel;
  const state = live.value;
  if (state === null) return null;
  const from = Math.ceil(Date.parse(state.log_from) / STEP) * STEP;
  const to = Math.max(from + STEP, Math.floor(now.value / STEP) * STEP);
  const at = moment.value ?? to;
  const share = (time: number) => ((time - from) / (to - from)) * 1000;
  const marks = lines.value.filter((line) => isAct(line) || line.event.type === "ShuttleBrokeDown" || line.event.type === "RideRefused");
  const move = (by: number) => travel(at + by >= to ? null : at + by);
  return (
    <div class={moment.value === null ? "travel" : "travel past"}>
      <button type="button" class="icon-button" aria-label={w.far} title={`${w.far} {`} onClick={() => move(-600_000)}>«</button>
      <button type="button" class="icon-button" aria-label={w.back} title={`${w.back} [`} onClick={() => move(-60_000)}>‹</button>
      <span class="ends">{clock(from)}</span>
      <div class="slider">
        <svg viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">
          {marks.map((line) => (
            <rect key={line.id} class={line.event.type === "ShuttleBrokeDown" ? "out" : line.event.type === "RideRefused" ? "refused" : "act"} x={share(Date.parse(line.at))} y="0" width="2" height="10" />
          ))}
        </svg>
        <input
          type="range"
          aria-label={w.label}
          aria-valuetext={clock(at)}
          min={from}
          max={to}
          step={STEP}
          value={at}
          title={w.marks}
          onInput={(event) => {
            const wanted = Number(event.currentTarget.value);
            travel(wanted >= to ? null : wanted);
          }}
        />
      </div>
      <span class="ends">{clock(at)}</span>
      <button type="button" class="icon-button" aria-label={w.forward} title={`${w.forward} ]`} disabled={moment.value === null} onClick={() => move(60_000)}>›</button>
      <button type="button" class="icon-button" aria-label={w.farOn} title={`${w.farOn} }`} disabled={moment.value === null} onClick={() => move(600_000)}>»</button>
      <button type="button" class={moment.value === null ? "button small" : "button small primary"} aria-pressed={moment.value === null} onClick={() => travel(null)}>
        {w.now} <kbd aria-hidden="true">0</kbd>
      </button>
    </div>
  );
}
