// What the API answers to drivers, named as in dispatch/service/driver_models.py. Times are ISO 8601 with offset.

import type { ShiftSaid, StopPointSaid } from "../shared/types";

export type Line = [number, number][];

export type EventKind = "departed" | "arrived" | "boarded" | "not_there" | "alighted" | "call";

export interface DriverEvent {
  id: string;
  at: string;
  kind: EventKind;
  stop?: string;
  ride?: string;
  code?: string;
}

export interface Outcome {
  id: string;
  outcome: "counted" | "repeated" | "refused";
  code: string | null;
  words: string | null;
  at: string | null;
}

export interface Boarding {
  ride: string;
  name: string | null;
  note: string | null;
  seats: number;
  wheelchairs: number;
  not_before: string | null;
  not_after: string | null;
  arrive_by: string | null;
  awaited_until: string | null;
}

export interface ManifestStop {
  /** null: a break wherever the shuttle is */
  stop: StopPointSaid | null;
  here: boolean;
  leave_at: string | null;
  arrive_at: string;
  begin_at: string;
  done_at: string;
  boarding: Boarding[];
  alighting: Boarding[];
  order: { ride: string; does: "board" | "alight" }[];
  aboard_after: number;
  fixed: "break" | "timetable" | "depot" | null;
  asked: boolean;
}

export interface Drive {
  to: StopPointSaid;
  since: string;
  arrive_at: string;
  line: Line;
  reach_s: number[];
}

export interface ManifestSaid {
  shift: ShiftSaid;
  now: string;
  version: number;
  position: { lat: number; lon: number; at: string; heading_to: string | null };
  aboard: number;
  drive: Drive | null;
  ready_at: string;
  may_end_break: boolean;
  wait_at: StopPointSaid | null;
  no_show_grace_s: number;
  stops: ManifestStop[];
}

export interface EventsSaid {
  outcomes: Outcome[];
  manifest: ManifestSaid;
}

export interface Leg {
  to: StopPointSaid;
  line: Line;
  streets: { name: string; length_m: number }[];
}

export interface WaySaid {
  version: number;
  legs: Leg[];
}
