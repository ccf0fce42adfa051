// What the API answers to operators and planners, named as in dispatch/service/operator_models.py.

import type { EndSaid, StopPointSaid, Why } from "../shared/types";

export interface VisitSaid {
  kind: "pickup" | "dropoff" | "break" | "timetable" | "depot";
  ride: string | null;
  stop: string | null;
  begin_at: string;
  latest: string | null;
  slack_s: number | null;
  load_after: number;
}

export interface ShuttleSaid {
  id: string;
  vehicle: string;
  state: "on" | "broken" | "closed";
  driver: string | null;
  lat: number;
  lon: number;
  heading_to: string | null;
  aboard: number;
  seats: number;
  wheelchairs: number;
  late: boolean;
  heard_s_ago: number | null;
  break_until: string | null;
  shift_start: string;
  shift_end: string;
  plan_version: number;
  plan: VisitSaid[];
}

export type RideState = "asked" | "queued" | "booked" | "aboard" | "stranded" | "delivered" | "cancelled" | "no_show" | "refused" | "declined";

export interface RideLine {
  id: string;
  rider: string | null;
  state: RideState;
  asked_at: string;
  depart_after: string;
  pickup: StopPointSaid | null;
  dropoff: StopPointSaid | null;
  origin: StopPointSaid;
  destination: StopPointSaid;
  seats: number;
  wheelchairs: number;
  shuttle: string | null;
  pickup_from: string | null;
  pickup_to: string | null;
  arrive_by: string | null;
  late: boolean;
  locked: boolean;
  why: Why | null;
}

export interface StateSaid {
  id: string;
  day: string;
  seq: number;
  at: string;
  log_from: string;
  paused: boolean;
  policy: string;
  policy_version: number;
  closed_edges: number;
  speed_factor: number;
  shuttles: ShuttleSaid[];
  rides: RideLine[];
  queue: string[];
}

export interface AlertSaid {
  kind: "broken" | "unplaced" | "at_risk" | "late" | "silent" | "trouble";
  at: string;
  shuttle: string | null;
  ride: string | null;
  words: string;
  said: string | null;
  trouble: string | null;
  act: "withdraw" | "assign" | "call" | "none";
}

/** An event of the log: its fields depend on its type (dispatch/core/events.py). */
export interface LogEvent {
  type: string;
  at: number;
  request?: string | { id: string };
  shuttle?: string;
  [field: string]: unknown;
}

export interface LogLine {
  id: string;
  seq: number;
  at: string;
  event: LogEvent;
  moved_to: string | null;
}

export interface StorySaid {
  ride: RideLine;
  name: string | null;
  phone: string | null;
  pickup: EndSaid | null;
  dropoff: EndSaid | null;
  story: LogLine[];
}

export interface RoadsSaid {
  edges: number[];
  id: string;
}

export interface Rules {
  name: string;
  version: number;
  [rule: string]: unknown;
}

export interface PolicySaid {
  policy: Rules;
  coming: { from_at: string; author: string; reason: string; changes: Record<string, unknown> }[];
}

/** Figures of a day (dispatch/core/kpi.py); those that the pages show. */
export interface Figures {
  attempts: number;
  delivered: number;
  booked: number;
  refused: number;
  service_rate: number | null;
  wait_mean_s: number | null;
  wait_p95_s: number | null;
  promises_broken: number;
  km_per_rider: number | null;
  pickup_in_window_rate: number | null;
  extra: Record<string, unknown>;
  [figure: string]: unknown;
}

export interface BeforeSaid {
  day: string | null;
  so_far: Figures | null;
  targets: Record<string, number>;
}

export type ResultKind = "day" | "trial" | "sweep" | "calibration";

export interface ResultSaid {
  name: string;
  kind: ResultKind;
  at: string;
  kpis: Figures;
  report: boolean;
}

export interface ReportLink {
  url: string;
}

export interface RiderFound {
  rider: string;
}

/** a stop point as operators see it */
export interface StopSaid {
  id: string;
  name: string;
  lat: number;
  lon: number;
  closed: boolean;
}
