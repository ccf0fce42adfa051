// What a rider shows to board: four figures, and the same as a QR code that a driver's phone reads.

import { useMemo } from "preact/hooks";
import { encode } from "uqr";
import type { RideSaid } from "./types";
import { t } from "./words";

/** What the QR code says: whose ride it is, and its code. */
export const passText = (ride: string, code: string): string => `NARU:${ride}:${code}`;

export function QrCode({ text, label }: { text: string; label: string }) {
  const { path, size } = useMemo(() => {
    const { data, size } = encode(text, { ecc: "M", border: 2 });
    const dark = data.flatMap((row, y) => row.map((on, x) => (on ? `M${x} ${y}h1v1h-1z` : "")));
    return { path: dark.join(""), size };
  }, [text]);
  return (
    <svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label} shape-rendering="crispEdges">
      <rect width={size} height={size} fill="#ffffff" />
      <path d={path} fill="#000000" />
    </svg>
  );
}

export function BoardingPass({ ride }: { ride: RideSaid }) {
  if (ride.code === null) return null;
  const w = t.value.ride;
  return (
    <section class="card pass" aria-label={w.code}>
      <div class="pass-text">
        <h2>{w.code}</h2>
        <p>
          <span class="visually-hidden">{w.codeNumber}: </span>
          <span class="pass-code">{ride.code}</span>
        </p>
        {ride.vehicle !== null && (
          <p class="muted">
            <bdi>{w.vehicle(ride.vehicle)}</bdi>
          </p>
        )}
      </div>
      <QrCode text={passText(ride.id, ride.code)} label={w.qr(ride.code)} />
    </section>
  );
}
