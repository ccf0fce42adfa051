// Drawing a line over the streets that are to be closed.

import { signal } from "@preact/signals";
import { NO_STREETS, type Streets } from "../shared/map";
import { streetsMeeting, type LatLon } from "./acts";

export interface Drawing {
  points: readonly LatLon[];
  /** streets that the line crosses, as the service finds them */
  found: Streets;
}

/** null: nothing is being drawn */
export const drawing = signal<Drawing | null>(null);
const MOST = 200;
let asked = 0;

export function startDrawing(): void {
  drawing.value = { points: [], found: NO_STREETS };
}

export function stopDrawing(): void {
  asked++;
  drawing.value = null;
}

export function addPoint(point: LatLon): void {
  if (drawing.value === null || drawing.value.points.length >= MOST) return;
  set([...drawing.value.points, point]);
}

export function takeBack(): void {
  if (drawing.value !== null) set(drawing.value.points.slice(0, -1));
}

function set(points: readonly LatLon[]): void {
  drawing.value = { points, found: points.length < 2 ? NO_STREETS : drawing.value!.found };
  const mine = ++asked;
  if (points.length < 2) return;
  streetsMeeting([...points]).then(
    (found) => {
      if (mine === asked && drawing.value !== null) drawing.value = { ...drawing.value, found };
    },
    () => {
      if (mine === asked && drawing.value !== null) drawing.value = { ...drawing.value, found: NO_STREETS };
    },
  );
}

/** Numbers of the streets found. */
export const foundEdges = (): number[] => (drawing.value?.found.features ?? []).map((street) => Number(street.properties["edge"]));
