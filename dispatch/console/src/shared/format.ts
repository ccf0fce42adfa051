// Times, money and lengths as people write them, in the page's language and the zone's time zone.

import { language } from "./i18n";
import { zone } from "./zone";

const formats = new Map<string, Intl.DateTimeFormat>();

function timeFormat(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const timeZone = zone.value?.timezone ?? "UTC";
  const key = `${language.value} ${timeZone} ${JSON.stringify(options)}`;
  let made = formats.get(key);
  if (made === undefined) {
    made = new Intl.DateTimeFormat(language.value === "ko" ? "ko-KR" : "en-GB", { timeZone, ...options });
    formats.set(key, made);
  }
  return made;
}

type Moment = string | number | null | undefined;
const NOTHING = "–";

function date(at: Moment): Date | null {
  if (at === null || at === undefined) return null;
  const made = new Date(at);
  return Number.isNaN(made.getTime()) ? null : made;
}

/** `07:30`; nothing known: `–`. */
export function clock(at: Moment): string {
  const moment = date(at);
  return moment === null ? NOTHING : timeFormat({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(moment);
}

/** `07:30:05`. */
export function clockSeconds(at: Moment): string {
  const moment = date(at);
  const options = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" } as const;
  return moment === null ? NOTHING : timeFormat(options).format(moment);
}

/** As people say it: `오전 7:30`, `7:30 am`. */
export function spokenClock(at: Moment): string {
  const moment = date(at);
  return moment === null ? NOTHING : timeFormat({ hour: "numeric", minute: "2-digit", hour12: true }).format(moment);
}

/** `11월 22일 (일)`, `Sun 22 Nov`. */
export function day(at: Moment): string {
  const moment = date(at);
  return moment === null ? NOTHING : timeFormat({ weekday: "short", day: "numeric", month: "short" }).format(moment);
}

/** Hours and minutes of the zone's wall clock, and its date as `YYYY-MM-DD`. */
export function wallClock(at: number): { date: string; minutes: number } {
  const options = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;
  const parts = Object.fromEntries(timeFormat(options).formatToParts(at).map((part) => [part.type, part.value]));
  return { date: `${parts["year"]}-${parts["month"]}-${parts["day"]}`, minutes: Number(parts["hour"]) * 60 + Number(parts["minute"]) };
}

/** `1,800원`, `₩1,800`; other currencies as their people write them. Amounts are in the smallest unit: won, cents. */
export function money(amount: number | null | undefined, currency = zone.value?.currency ?? "KRW"): string {
  if (amount === null || amount === undefined) return NOTHING;
  if (currency === "KRW" && language.value === "ko") return `${amount.toLocaleString("ko-KR")}원`;
  try {
    const format = new Intl.NumberFormat(language.value === "ko" ? "ko-KR" : "en-GB", { style: "currency", currency });
    return format.format(amount / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 0));
  } catch {
    return `${amount} ${currency}`;
  }
}

/** `650 m`, `2.4 km`. */
export function length(metres: number | null | undefined): string {
  if (metres === null || metres === undefined) return NOTHING;
  if (metres < 995) return `${Math.round(metres / 10) * 10} m`;
  return `${(metres / 1000).toFixed(metres < 99_500 ? 1 : 0)} km`;
}

/** `5분`, `5 min`: seconds in whole minutes, rounded up (nobody minds a minute less). */
export function minutes(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return NOTHING;
  const whole = Math.ceil(seconds / 60);
  return language.value === "ko" ? `${whole}분` : `${whole} min`;
}

/** `+4:05`, `−0:30`: a difference in minutes and seconds with its sign. */
export function difference(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return NOTHING;
  const size = Math.abs(Math.round(seconds));
  return `${seconds < 0 ? "−" : "+"}${Math.floor(size / 60)}:${String(size % 60).padStart(2, "0")}`;
}

/** `1,234`, `12.3`. */
export function number(value: number | null | undefined, digits = 0): string {
  if (value === null || value === undefined) return NOTHING;
  return value.toLocaleString(language.value === "ko" ? "ko-KR" : "en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** `72 %`, `72%`. */
export function percent(share: number | null | undefined, digits = 0): string {
  if (share === null || share === undefined) return NOTHING;
  return `${number(share * 100, digits)}%`;
}
