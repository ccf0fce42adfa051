// The service's time, told again every second while something counts it.

import { useEffect, useState } from "preact/hooks";
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

/** `1:05` of so many seconds. */
export const minutesSeconds = (seconds: number): string => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
