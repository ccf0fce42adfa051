// Events of the log as sentences.

import { clock } from "../shared/format";
import { language } from "../shared/i18n";
import { whyWords } from "../shared/problems";
import { lines, places, stopName } from "./store";
import type { LogEvent, LogLine } from "./types";

/** Events that tell an operator nothing: the machine's own steps. */
const SILENT = new Set(["TimerTicked", "PlansProposed", "ProgressMade", "PositionReported", "DriveStarted", "CallMade", "IdleSent"]);
const ACTS = new Set(["ActTaken", "RoadClosed", "RoadReopened", "PolicyChanged"]);
const TROUBLE = new Set(["ShuttleBrokeDown", "RiderStranded", "PromiseAtRisk", "NoShow", "RideRefused", "ShuttleOverdue"]);

export const tells = (line: LogLine): boolean => !SILENT.has(line.event.type);
export const isAct = (line: LogLine): boolean => ACTS.has(line.event.type) && line.event["author"] !== "";
export const isTrouble = (line: LogLine): boolean => TROUBLE.has(line.event.type);

/** The ride that an event is about. */
export function rideIn(event: LogEvent): string | null {
  const request = event.request;
  return typeof request === "string" ? request : (request?.id ?? null);
}

const ACT_KO: Readonly<Record<string, string>> = {
  assign: "배차 변경", lock: "고정", unlock: "고정 해제", withdraw: "운행 제외", cancel: "취소", pause: "접수 중지", resume: "접수 재개",
  message: "메시지", open_shift: "근무 추가", close_shift: "근무 종료", book: "전화 예약", change: "예약 변경", change_shift: "근무 변경", clear: "탑승 옮김",
  restore: "다시 운행", lend: "셔틀 대여", close_stop: "정류장 폐쇄", open_stop: "정류장 개방", edit_stop: "정류장 변경", complaint: "불편 신고 답변",
  payment: "결제 처리", forgive: "미탑승 용서", driver: "기사 등록", drop_driver: "기사 삭제", rider: "승객 등록", trial: "시험 운영",
  policy: "규칙 변경 예약", recurring: "정기 탑승 변경", queue: "대기 등록", decline: "제안 거절", rate: "별점 등록",
};
const ACT_EN: Readonly<Record<string, string>> = {
  assign: "moved", lock: "locked", unlock: "unlocked", withdraw: "taken out of service", cancel: "cancelled", pause: "paused new rides",
  resume: "resumed new rides", message: "sent a message", open_shift: "opened a shift", close_shift: "closed a shift", book: "booked by phone", change: "changed the booking",
  change_shift: "changed the shift", clear: "rides moved off", restore: "put back into service", lend: "lent", close_stop: "closed a stop point",
  open_stop: "opened a stop point", edit_stop: "changed a stop point", complaint: "answered a complaint", payment: "payment noted",
  forgive: "a missed ride forgiven", driver: "driver registered", drop_driver: "driver removed", rider: "rider registered", trial: "trial",
  policy: "rules set for later", recurring: "recurring ride", queue: "put into the queue", decline: "declined the offers", rate: "rated the ride",
};

const CAUSE_EN: Readonly<Record<string, string>> = {
  improved: ": a better plan was found",
  "moved by an operator": " by an operator",
  "promise at risk": ": its promise was at risk",
  "shuttle lost": ": its shuttle went out of service",
};
const CAUSE_KO: Readonly<Record<string, string>> = {
  improved: " (더 나은 계획)",
  "moved by an operator": " (관제사 조치)",
  "promise at risk": " (약속이 위태로워서)",
  "shuttle lost": " (셔틀 운행 제외)",
};

/** One event in the page's language. */
export function sentence(line: LogLine): string {
  const { event } = line;
  return language.value === "ko" ? korean(event, line) : english(event, line);
}

function stopAt(place: unknown): string {
  const number = typeof place === "number" ? place : ((place as { place?: number } | undefined)?.place ?? -1);
  return stopName(places.value[number] ?? null);
}

/** A time of the event's own day, told as a clock. */
function time(ms: unknown, line: LogLine): string {
  return typeof ms === "number" ? clock(Date.parse(line.at) - line.event.at + ms) : "–";
}

/** Constants of the receipts are words only in the service's answers: here they are told shortly. */
function bound(event: LogEvent): string {
  const receipt = event["receipt"] as { binding?: string; shuttles?: number; in_reach?: number; relax?: string } | undefined;
  const code = receipt?.binding ?? null;
  return whyWords({
    code,
    words: WHY_EN[code ?? ""] ?? "",
    shuttles_on_shift: receipt?.shuttles ?? 0,
    shuttles_in_reach: receipt?.in_reach ?? 0,
    passed_by: 0,
    nearest_pickup_at: null,
  });
}

const WHY_EN: Readonly<Record<string, string>> = {
  off_shift: "no shuttle on shift then",
  out_of_the_way: "too far out of the way at this busy hour (a rule)",
  out_of_reach: "no shuttle could be there in time",
  full: "no free place in time",
  pickup_late: "near shuttles come too late",
  dropoff_late: "would arrive too late",
  others_promises: "would break others' promises",
  party_too_large: "party too large",
  stop_closed: "the stop point is closed",
  no_way: "no road between the stop points",
  shift_ends: "shifts end before",
  past: "the time has passed",
  paused: "new rides are paused",
  horizon: "too far ahead",
};

function english(event: LogEvent, line: LogLine): string {
  const [ride, shuttle] = [rideIn(event) ?? "", event.shuttle ?? ""];
  switch (event.type) {
    case "DayOpened": return "The day began.";
    case "DayClosed": return "The day ended.";
    case "ShiftOpened": return `Shift of ${String((event["shift"] as { id?: string }).id)} is planned.`;
    case "ShiftClosed": return `Shift of ${shuttle} closed.`;
    case "ShiftChanged": return `Shift of ${shuttle} now ends at ${time(event["end"], line)}.`;
    case "RequestMade": {
      const request = event.request as unknown as { origins: unknown[]; destinations: unknown[]; seats?: number };
      return `${ride} asked: ${stopAt(request.origins[0])} → ${stopAt(request.destinations[0])}${(request.seats ?? 1) > 1 ? `, ${request.seats} people` : ""}`;
    }
    case "QuoteDeclined": return `${ride} did not take the offer.`;
    case "RideCancelled": return `${ride} cancelled${event["reason"] ? `: ${String(event["reason"])}` : "."}`;
    case "RideBooked": return `${ride} booked on ${shuttle}: pickup ${time((event["promise"] as { pickup_from: number }).pickup_from, line)}–${time((event["promise"] as { pickup_to: number }).pickup_to, line)}, there by ${time((event["promise"] as { dropoff_by: number }).dropoff_by, line)}`;
    case "RideRefused": return `${ride} refused: ${bound(event)}`;
    case "RideQueued": return `${ride} waits in the queue until ${time(event["until"], line)}: ${bound(event)}`;
    case "PlansChanged": if (line.moved_to !== null) return `Moved to ${line.moved_to}${CAUSE_EN[String(event["cause"])] ?? ""}`; return `Plans of ${Object.keys(event["plans"] as object).join(", ")} changed${event["cause"] ? ` (${String(event["cause"])})` : ""}.`;
    case "PromiseAtRisk": return `${ride}'s promise cannot be kept; the rider was told${typeof event["pickup_at"] === "number" ? `: pickup by ${time(event["pickup_at"], line)}` : ""}.`;
    case "ShuttleOverdue": return `${shuttle} should have gone on and was not heard of: promises are looked after as if it had not.`;
    case "StopArrived": return `${shuttle} arrived at ${stopAt(event["place"])}.`;
    case "RiderAwaited": return `${shuttle} waits for ${ride} until ${time(event["until"], line)}.`;
    case "RiderBoarded": return `${ride} boarded ${shuttle}.`;
    case "RiderAlighted": return `${ride} alighted from ${shuttle}.`;
    case "NoShow": return `${ride} was not there.`;
    case "BreakPlanned": return `${shuttle}: a break of ${Math.round(breakMs(event) / 60_000)} min${by(event)}`;
    case "BreakDropped": return `${shuttle}: no break after all${by(event)}`;
    case "BreakEnded": return `${shuttle}: the break is over early${by(event)}`;
    case "ShuttleBrokeDown": return `${shuttle} is out of service.`;
    case "RiderStranded": return `${ride} left ${shuttle} at ${stopAt(event["place"])} and waits for another shuttle.`;
    case "RoadClosed": return `${(event["edges"] as unknown[]).length} street sections closed${by(event)}`;
    case "RoadReopened": return `${(event["edges"] as unknown[]).length} street sections open again${by(event)}`;
    case "SpeedsChanged": return `Drives now take ${String(event["factor"])} times as long.`;
    case "PolicyChanged": return `Rules changed${by(event)}`;
    case "ActTaken": return `${ride || shuttle ? `${ride || shuttle} ` : ""}${ACT_EN[String(event["act"])] ?? String(event["act"])}${what(event)}${by(event)}`;
    default: return event.type;
  }
}

const breakMs = (event: LogEvent): number => (event["call"] as { duration?: number } | undefined)?.duration ?? 0;

/** What an act is about beside a ride or a shuttle: a driver, a complaint, a payment's reference. */
function what(event: LogEvent): string {
  const parts = [event["about"], event["made"]].filter((part) => typeof part === "string");
  return parts.length > 0 ? ` (${parts.join(", ")})` : "";
}

function by(event: LogEvent): string {
  const [author, reason] = [String(event["author"] ?? ""), String(event["reason"] ?? "")];
  if (language.value === "ko") return `${author ? ` – ${author}` : ""}${reason ? `: ${reason}` : ""}`;
  return `${author ? ` by ${author}` : ""}${reason ? `: ${reason}` : ""}`;
}

function korean(event: LogEvent, line: LogLine): string {
  const [ride, shuttle] = [rideIn(event) ?? "", event.shuttle ?? ""];
  switch (event.type) {
    case "DayOpened": return "운행일 시작";
    case "DayClosed": return "운행일 종료";
    case "ShiftOpened": return `${String((event["shift"] as { id?: string }).id)} 근무 등록`;
    case "ShiftClosed": return `${shuttle} 근무 종료`;
    case "ShiftChanged": return `${shuttle} 근무 ${time(event["end"], line)}까지`;
    case "RequestMade": {
      const request = event.request as unknown as { origins: unknown[]; destinations: unknown[]; seats?: number };
      return `${ride} 요청: ${stopAt(request.origins[0])} → ${stopAt(request.destinations[0])}${(request.seats ?? 1) > 1 ? `, ${request.seats}명` : ""}`;
    }
    case "QuoteDeclined": return `${ride} 제안을 받지 않음`;
    case "RideCancelled": return `${ride} 취소${event["reason"] ? `: ${String(event["reason"])}` : ""}`;
    case "RideBooked": return `${ride} ${shuttle}에 배차: 탑승 ${time((event["promise"] as { pickup_from: number }).pickup_from, line)}–${time((event["promise"] as { pickup_to: number }).pickup_to, line)}, 도착 ${time((event["promise"] as { dropoff_by: number }).dropoff_by, line)}까지`;
    case "RideRefused": return `${ride} 거절: ${bound(event)}`;
    case "RideQueued": return `${ride} ${time(event["until"], line)}까지 대기: ${bound(event)}`;
    case "PlansChanged": return line.moved_to !== null ? `${line.moved_to} 셔틀로 옮김${CAUSE_KO[String(event["cause"])] ?? ""}` : `${Object.keys(event["plans"] as object).join(", ")} 운행 계획 변경`;
    case "PromiseAtRisk": return `${ride} 약속을 지킬 수 없어 승객에게 알림${typeof event["pickup_at"] === "number" ? `: 탑승 ${time(event["pickup_at"], line)}까지` : ""}`;
    case "ShuttleOverdue": return `${shuttle} 출발·도착 보고가 없음: 아직 움직이지 않은 것으로 보고 약속을 살핌`;
    case "StopArrived": return `${shuttle} ${stopAt(event["place"])} 도착`;
    case "RiderAwaited": return `${shuttle} ${ride} 승객을 ${time(event["until"], line)}까지 기다림`;
    case "RiderBoarded": return `${ride} ${shuttle} 탑승`;
    case "RiderAlighted": return `${ride} ${shuttle} 하차`;
    case "NoShow": return `${ride} 미탑승`;
    case "BreakPlanned": return `${shuttle} 휴식 ${Math.round(breakMs(event) / 60_000)}분${by(event)}`;
    case "BreakDropped": return `${shuttle} 휴식 취소${by(event)}`;
    case "BreakEnded": return `${shuttle} 휴식을 일찍 마침${by(event)}`;
    case "ShuttleBrokeDown": return `${shuttle} 운행 제외`;
    case "RiderStranded": return `${ride} ${stopAt(event["place"])}에 내려 다른 셔틀을 기다림 (${shuttle})`;
    case "RoadClosed": return `도로 ${(event["edges"] as unknown[]).length}구간 통제${by(event)}`;
    case "RoadReopened": return `도로 ${(event["edges"] as unknown[]).length}구간 통제 해제${by(event)}`;
    case "SpeedsChanged": return `주행 시간 ${String(event["factor"])}배`;
    case "PolicyChanged": return `운영 규칙 변경${by(event)}`;
    case "ActTaken": return `${ride || shuttle ? `${ride || shuttle} ` : ""}${ACT_KO[String(event["act"])] ?? String(event["act"])}${what(event)}${by(event)}`;
    default: return event.type;
  }
}

/** The latest act of another operator on a ride or shuttle after an entry of the log. */
export function latestActOfOther(id: string, me: string, after: number): LogLine | undefined {
  return lines.value.findLast((line) => line.seq > after && isAct(line) && line.event["author"] !== me && (rideIn(line.event) === id || line.event.shuttle === id));
}
