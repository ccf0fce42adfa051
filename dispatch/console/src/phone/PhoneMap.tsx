// A map with a few marks on it. The map library is loaded when the first map is shown, not before the page.

import { effect } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Marker } from "maplibre-gl";
import type { MapView, GeoJSONSource } from "../shared/map";
import { dark, token } from "../shared/theme";
import { zone } from "../shared/zone";
import { phone } from "./words";

export interface Mark {
  id: string;
  kind: "from" | "to" | "shuttle" | "stop" | "me";
  lat: number;
  lon: number;
  /** shown beside it */
  label?: string;
}

export interface PhoneMapProps {
  label: string;
  marks: readonly Mark[];
  /** [lon, lat]: drawn as the way ahead */
  line?: readonly (readonly [number, number])[] | null;
  /** dots of all stop points */
  stops?: readonly { lat: number; lon: number; name: string }[];
  /** what to have on the screen: "marks", or once the whole zone */
  fit?: "marks" | "zone";
  /** changes when it should be fitted again */
  fitKey?: string;
  /** px covered at the bottom */
  below?: number;
  onTap?: (at: { lat: number; lon: number }) => void;
}

const GLIDE_MS = 1_500;
const quiet = matchMedia("(prefers-reduced-motion: reduce)");

interface Live {
  map: MapView;
  marker: typeof Marker;
  marks: Map<string, { marker: Marker; glide: number }>;
}

function markElement(mark: Mark): HTMLElement {
  const element = document.createElement("div");
  element.className = `mark ${mark.kind}`;
  const sign = document.createElement("span");
  sign.className = "sign";
  element.append(sign);
  const label = document.createElement("span");
  label.className = "label";
  element.append(label);
  return element;
}

function place(live: Live, mark: Mark): void {
  let known = live.marks.get(mark.id);
  if (known === undefined) {
    const anchor = mark.kind === "to" || mark.kind === "from" ? "bottom" : "center";
    const marker = new live.marker({ element: markElement(mark), anchor }).setLngLat([mark.lon, mark.lat]).addTo(live.map);
    known = { marker, glide: 0 };
    live.marks.set(mark.id, known);
  }
  const { marker } = known;
  const label = marker.getElement().querySelector(".label");
  if (label) label.textContent = mark.label ?? "";
  // a map that says nothing to screen readers: what matters stands in the text beside it
  marker.getElement().setAttribute("aria-hidden", "true");
  marker.getElement().removeAttribute("role");
  marker.getElement().removeAttribute("aria-label");
  marker.getElement().removeAttribute("tabindex");
  cancelAnimationFrame(known.glide);
  const from = marker.getLngLat();
  const [dx, dy] = [mark.lon - from.lng, mark.lat - from.lat];
  if (mark.kind !== "shuttle" || quiet.matches || Math.abs(dx) + Math.abs(dy) > 0.02) {
    marker.setLngLat([mark.lon, mark.lat]);
    return;
  }
  const began = performance.now();
  const entry = known;
  const step = (now: number): void => {
    const part = Math.min(1, (now - began) / GLIDE_MS);
    marker.setLngLat([from.lng + dx * part, from.lat + dy * part]);
    if (part < 1) entry.glide = requestAnimationFrame(step);
  };
  entry.glide = requestAnimationFrame(step);
}

const points = (props: PhoneMapProps) => ({
  type: "FeatureCollection" as const,
  features: (props.stops ?? []).map((stop) => ({
    type: "Feature" as const,
    properties: {},
    geometry: { type: "Point" as const, coordinates: [stop.lon, stop.lat] },
  })),
});

const way = (props: PhoneMapProps) => ({
  type: "Feature" as const,
  properties: {},
  geometry: { type: "LineString" as const, coordinates: (props.line ?? []).map(([lon, lat]) => [lon, lat]) },
});

function fit(live: Live, props: PhoneMapProps): void {
  const known = zone.value;
  if (known === null) return;
  const all: [number, number][] = props.fit === "zone" ? [] : props.marks.map((mark) => [mark.lon, mark.lat]);
  if (all.length > 0) for (const [lon, lat] of props.line ?? []) all.push([lon, lat]);
  if (all.length === 0) all.push([known.west, known.south], [known.east, known.north]);
  const [lons, lats] = [all.map(([lon]) => lon), all.map(([, lat]) => lat)];
  live.map.fitBounds(
    [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)],
    { padding: { top: 56, left: 40, right: 84, bottom: 36 + (props.below ?? 0) }, maxZoom: 16, duration: quiet.matches ? 0 : 500 },
  );
}

/** The way ahead and the stop points, over the roads. */
function drawOver(map: MapView, props: PhoneMapProps): void {
  map.addSource("way", { type: "geojson", data: way(props) });
  map.addSource("stops", { type: "geojson", data: points(props) });
  map.addLayer({
    id: "way",
    type: "line",
    source: "way",
    layout: { "line-cap": "round", "line-join": "round" },
    paint: { "line-color": token("--blue"), "line-width": 7, "line-opacity": 0.85 },
  });
  map.addLayer({
    id: "stops",
    type: "circle",
    source: "stops",
    minzoom: 10.5,
    paint: {
      "circle-radius": ["interpolate", ["linear"], ["zoom"], 11, 2, 15, 6],
      "circle-color": token("--surface"),
      "circle-stroke-color": token("--accent"),
      "circle-stroke-width": 2,
    },
  });
}

export function PhoneMap(props: PhoneMapProps) {
  const holder = useRef<HTMLDivElement>(null);
  const live = useRef<Live | null>(null);
  const last = useRef(props);
  last.current = props;
  const [ready, setReady] = useState(false);
  const [failed, setFailed] = useState(false);

  useEffect(() => {
    let gone = false;
    let undo: (() => void) | null = null;
    const start = async (): Promise<void> => {
      const [shared, { Marker }] = await Promise.all([import("../shared/map"), import("maplibre-gl")]);
      const known = zone.value;
      if (gone || holder.current === null || known === null) return;
      const { map, loaded } = shared.createMap(holder.current, {
        zone: known,
        label: last.current.label,
        words: { zoomIn: phone.value.zoomIn, zoomOut: phone.value.zoomOut },
      });
      map.on("click", ({ lngLat }) => last.current.onTap?.({ lat: lngLat.lat, lon: lngLat.lng }));
      const made: Live = { map, marker: Marker, marks: new Map() };
      const resized = new ResizeObserver(() => map.resize());
      resized.observe(holder.current);
      const repaint = effect(() => {
        void dark.value;
        if (live.current === null) return;
        shared.repaint(map);
        map.setPaintProperty("way", "line-color", token("--blue"));
        map.setPaintProperty("stops", "circle-color", token("--surface"));
        map.setPaintProperty("stops", "circle-stroke-color", token("--accent"));
      });
      undo = () => {
        repaint();
        resized.disconnect();
        map.remove();
      };
      await loaded;
      if (gone) return;
      drawOver(map, last.current);
      live.current = made;
      setReady(true);
    };
    start().catch(() => setFailed(true));
    return () => {
      gone = true;
      live.current = null;
      undo?.();
    };
  }, []);

  useEffect(() => {
    const now = live.current;
    if (now === null) return;
    for (const [id, { marker, glide }] of now.marks) {
      if (props.marks.some((mark) => mark.id === id)) continue;
      cancelAnimationFrame(glide);
      marker.remove();
      now.marks.delete(id);
    }
    for (const mark of props.marks) place(now, mark);
  }, [ready, props.marks]);

  useEffect(() => {
    live.current?.map.getSource<GeoJSONSource>("way")?.setData(way(props));
  }, [ready, props.line]);

  useEffect(() => {
    live.current?.map.getSource<GeoJSONSource>("stops")?.setData(points(props));
  }, [ready, props.stops]);

  useEffect(() => {
    if (live.current !== null) fit(live.current, props);
  }, [ready, props.fitKey, props.below]);

  return (
    <div class="map" data-ready={ready}>
      <div class="map-holder" ref={holder} />
      {failed && <p class="note warn map-failed">{phone.value.noMap}</p>}
    </div>
  );
}
