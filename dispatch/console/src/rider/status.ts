// Where a ride stands, in a headline and a sentence: honest about what is promised and what is only expected.

import { spokenClock } from "../shared/format";
import { serviceNow } from "../shared/zone";
import { span } from "./naming";
import type { RideSaid } from "./types";
import { t } from "./words";

export interface Status {
  /** a word before the headline */
  label?: string;
  headline: string;
  note: string;
  tone: "plain" | "good" | "warn";
}

const SOON_MS = 45_000;

/** How it stands now. */
export function statusOf(ride: RideSaid): Status {
  const w = t.value.ride;
  const why = t.value.why;
  switch (ride.state) {
    case "booked": {
      const soon = ride.expected_pickup !== null && Date.parse(ride.expected_pickup) - serviceNow() < SOON_MS;
      const [from, to] = span(ride.pickup_from, ride.pickup_to);
      const expected = spokenClock(ride.expected_pickup);
      const missed = ride.late && ride.expected_pickup !== null && ride.pickup_to !== null && ride.expected_pickup > ride.pickup_to;
      if (missed) return { label: w.comesLate, headline: soon ? w.now : w.about(expected), note: w.late(spokenClock(ride.pickup_to)), tone: "warn" };
      const note = soon ? w.now : ride.expected_pickup === null ? "" : w.expected(expected);
      return { label: w.comes, headline: `${from} – ${to}`, note, tone: "plain" };
    }
    case "aboard": {
      const at = spokenClock(ride.expected_arrival);
      return {
        headline: w.aboard,
        note: ride.late ? w.lateArrival(at) : `${w.arrive(at)}, ${w.by(spokenClock(ride.arrive_by))}`,
        tone: ride.late ? "warn" : "good",
      };
    }
    case "queued":
      return { headline: why.inLineHeading, note: ride.queued_until === null ? why.queueNote : why.inLine(spokenClock(ride.queued_until)), tone: "plain" };
    case "refused":
      return { headline: why.refusedHeading, note: why.refused, tone: "plain" };
    case "stranded":
      return { headline: w.stranded, note: w.strandedNote, tone: "warn" };
    case "delivered":
      return { headline: w.delivered, note: "", tone: "good" };
    case "no_show":
      return { headline: w.no_show, note: w.noShowNote, tone: "warn" };
    case "cancelled":
      return { headline: w.cancelled, note: "", tone: "plain" };
    case "declined":
      return { headline: w.declined, note: "", tone: "plain" };
    case "asked":
      return { headline: w.asked, note: "", tone: "plain" };
  }
}
