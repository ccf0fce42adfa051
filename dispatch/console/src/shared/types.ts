// What the API answers to everybody, named as in dispatch/service (a test compares the fields).
// Times are ISO 8601 with offset.

export interface ZoneSaid {
  name: string;
  timezone: string;
  currency: string;
  now: string;
  clock_speed: number;
  day: string;
  service_from: string;
  service_to: string;
  south: number;
  west: number;
  north: number;
  east: number;
  stop_points: number;
  max_party: number;
  fare_base: number;
  fare_base_km: number;
  fare_per_km: number;
  paused: boolean;
  credit: string;
  development: boolean;
}

export interface StopPointSaid {
  id: string;
  name: string;
  lat: number;
  lon: number;
}

export interface EndSaid extends StopPointSaid {
  walk_s: number;
}

export interface TokenSaid {
  access_token: string;
  token_type: "bearer";
  expires_in: number;
  subject: string;
  role: Role;
}

export type Role = "rider" | "driver" | "operator" | "planner";

export interface Why {
  code: string | null;
  words: string;
  shuttles_on_shift: number;
  shuttles_in_reach: number;
  passed_by: number;
  nearest_pickup_at: string | null;
}

/** problem+json as every error of the API is answered. */
export interface ProblemDetail {
  type: string;
  code: string;
  title: string;
  status: number;
  fields?: string[];
  why?: Why;
  instance?: string;
}

export interface Offer {
  quote: string;
  kind: "soonest" | "least_walk" | "later";
  pickup: EndSaid;
  dropoff: EndSaid;
  pickup_from: string;
  pickup_to: string;
  /** at the goal itself, the walk from the stop included */
  arrive_by: string;
  expected_pickup: string;
  expected_arrival: string;
  fare: number;
  currency: string;
  expires_at: string;
}

export interface QuotesSaid {
  request: string;
  state: "offered" | "later_only" | "queued" | "refused";
  offers: Offer[];
  why: Why | null;
  queued_until: string | null;
  hint: { kind: "walk"; takes_s: number; words: string } | null;
  /** the way back, where it was asked for as well */
  back: QuotesSaid | null;
}

export interface ComplaintSaid {
  id: string;
  ride: string;
  at: string;
  state: "open" | "answered";
  words: string | null;
  answer: string | null;
}

export interface ShiftSaid {
  id: string;
  vehicle: string;
  start: string;
  end: string;
  state: "on" | "broken" | "closed";
  driver: string | null;
}
