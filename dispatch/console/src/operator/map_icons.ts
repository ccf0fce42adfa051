// Marks on the map, painted here: a style without glyphs has no text of its own.

import type { MapView } from "../shared/map";
import { token } from "../shared/theme";
import type { Status } from "./status";

const RATIO = 2;

const FILL: Record<Status, string> = {
  onTime: "--mark-on-time",
  late: "--mark-late",
  out: "--mark-out",
  silent: "--mark-late",
  idle: "--surface",
  notYet: "--surface",
  closed: "--surface",
};

/** Name of a shuttle's mark, painted if it is not yet: its name, who is aboard, and how it stands by shape and sign. */
export function shuttleMark(map: MapView, name: string, aboard: number, state: Status, chosen: boolean, dark: boolean): string {
  const key = `shuttle ${name} ${aboard} ${state} ${chosen ? 1 : 0} ${dark ? 1 : 0}`;
  if (!map.hasImage(key)) map.addImage(key, paintShuttle(name, aboard, state, chosen), { pixelRatio: RATIO });
  return key;
}

function paintShuttle(name: string, aboard: number, state: Status, chosen: boolean): ImageData {
  const shown = name.length > 9 ? `${name.slice(0, 8)}…` : name;
  const sign = { onTime: "", late: "!", silent: "?", out: "×", idle: "", notYet: "", closed: "" }[state];
  const hollow = state === "idle" || state === "notYet" || state === "closed";
  const label = state === "out" || hollow ? shown : `${shown} · ${aboard}`;
  const font = "600 12px system-ui, sans-serif";
  const pen = document.createElement("canvas").getContext("2d")!;
  pen.font = font;
  const text = pen.measureText(label).width;
  const [high, side, edge] = [20, sign ? 15 : 0, chosen ? 5 : 3];
  const wide = text + 14 + side;
  return painted(wide + edge * 2, high + edge * 2, (c) => {
    const radius = state === "out" ? 2 : high / 2;
    if (chosen) {
      c.fillStyle = token("--focus");
      c.beginPath();
      c.roundRect(0, 0, wide + edge * 2, high + edge * 2, radius + edge);
      c.fill();
    }
    c.fillStyle = token(FILL[state]);
    c.strokeStyle = hollow ? token("--line-strong") : token("--mark-edge");
    c.lineWidth = 1.5;
    c.beginPath();
    c.roundRect(edge, edge, wide, high, radius);
    c.fill();
    c.stroke();
    c.fillStyle = hollow ? token("--text") : token("--mark-text");
    c.font = font;
    c.textBaseline = "middle";
    if (sign) {
      c.font = "800 14px system-ui, sans-serif";
      c.fillText(sign, edge + 7, edge + high / 2 + 0.5);
      c.font = font;
    }
    c.fillText(label, edge + 7 + side, edge + high / 2 + 0.5);
  });
}

/** Name of the mark of so many riders who wait at a stop point. */
export function waitingMark(map: MapView, count: number, stranded: boolean, dark: boolean): string {
  const key = `waiting ${count} ${stranded ? 1 : 0} ${dark ? 1 : 0}`;
  if (!map.hasImage(key))
    map.addImage(
      key,
      painted(22, 22, (c) => {
        c.translate(11, 11);
        c.rotate(Math.PI / 4);
        c.fillStyle = token(stranded ? "--mark-out" : "--mark-waiting");
        c.strokeStyle = token("--mark-edge");
        c.lineWidth = 1.5;
        c.beginPath();
        c.roundRect(-7, -7, 14, 14, 3);
        c.fill();
        c.stroke();
        c.rotate(-Math.PI / 4);
        c.fillStyle = token("--mark-text");
        c.font = "700 11px system-ui, sans-serif";
        c.textAlign = "center";
        c.textBaseline = "middle";
        c.fillText(String(count), 0, 0.5);
      }),
      { pixelRatio: RATIO },
    );
  return key;
}

/** Marks of a ride's ends: A and B. */
export function endMark(map: MapView, letter: "A" | "B", dark: boolean): string {
  const key = `end ${letter} ${dark ? 1 : 0}`;
  if (!map.hasImage(key))
    map.addImage(
      key,
      painted(24, 24, (c) => {
        c.fillStyle = token("--text");
        c.strokeStyle = token("--surface");
        c.lineWidth = 2;
        c.beginPath();
        c.arc(12, 12, 10, 0, Math.PI * 2);
        c.fill();
        c.stroke();
        c.fillStyle = token("--surface");
        c.font = "700 12px system-ui, sans-serif";
        c.textAlign = "center";
        c.textBaseline = "middle";
        c.fillText(letter, 12, 12.5);
      }),
      { pixelRatio: RATIO },
    );
  return key;
}

function painted(wide: number, high: number, paint: (context: CanvasRenderingContext2D) => void): ImageData {
  const canvas = document.createElement("canvas");
  canvas.width = Math.ceil(wide * RATIO);
  canvas.height = Math.ceil(high * RATIO);
  const context = canvas.getContext("2d")!;
  context.scale(RATIO, RATIO);
  paint(context);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}
