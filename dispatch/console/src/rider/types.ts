// What the API answers to riders, named as in dispatch/service/models.py. Times are ISO 8601 with offset.

import type { EndSaid, Why } from "../shared/types";

export interface PlaceAsk {
  stop?: string;
  lat?: number;
  lon?: number;
}

export interface JourneyAsk {
  from: PlaceAsk;
  to: PlaceAsk;
  depart_after?: string;
  arrive_by?: string;
  seats: number;
  wheelchairs: number;
}

export type RideState =
  | "asked"
  | "queued"
  | "booked"
  | "aboard"
  | "stranded"
  | "delivered"
  | "cancelled"
  | "no_show"
  | "refused"
  | "declined";

export interface RideSaid {
  id: string;
  state: RideState;
  asked_at: string;
  pickup: EndSaid | null;
  dropoff: EndSaid | null;
  seats: number;
  wheelchairs: number;
  pickup_from: string | null;
  pickup_to: string | null;
  arrive_by: string | null;
  expected_pickup: string | null;
  expected_arrival: string | null;
  late: boolean;
  boarded_at: string | null;
  queued_until: string | null;
  vehicle: string | null;
  code: string | null;
  fare: number | null;
  currency: string;
  payment: "none" | "due" | "paid" | "refunded";
  stars: number | null;
  cancelling: "free" | "missed" | null;
  why: Why | null;
}

export interface TrackSaid {
  ride: RideSaid;
  shuttle: { lat: number; lon: number; at: string; heading_to: string | null } | null;
  stops_before: number | null;
}

export interface CodeSaid {
  valid_s: number;
  development_code: string | null;
}

export interface PersonSaid {
  rider: string;
  phone: string;
  name: string | null;
  address: string | null;
  note: string | null;
  email: string | null;
  language: "ko" | "en" | null;
  age_group: AgeGroup | null;
}

export const AGE_GROUPS = ["child", "youth", "adult", "65+"] as const;
export type AgeGroup = (typeof AGE_GROUPS)[number];

