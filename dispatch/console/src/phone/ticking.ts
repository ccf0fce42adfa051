// The service's time, told again every second while something counts it.

import { useEffect, useState } from "preact/hooks";
import { language } from "../shared/i18n";
import { serviceNow } from "../shared/zone";

/** Milliseconds since 1970 by the service's clock. */
export function useNow(everyMs = 1_000): number {
  const [now, setNow] = useState(serviceNow);
  useEffect(() => {
    setNow(serviceNow());
    const timer = window.setInterval(() => setNow(serviceNow()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

/** `1분 5초`, `1 min 5 s`: not to be taken for a time of day. */
export function minutesSeconds(seconds: number): string {
  const [whole, rest] = [Math.floor(seconds / 60), Math.floor(seconds % 60)];
  const [min, sec] = language.value === "ko" ? [`${whole}분`, `${rest}초`] : [`${whole} min`, `${rest} s`];
  return whole === 0 ? sec : rest === 0 ? min : `${min} ${sec}`;
}

/** Let the phone be felt; one that nobody has touched yet keeps still. */
export function shake(pattern: number | number[]): void {
  if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.(pattern);
}
