// The live map. Each layer has one source; whatever changes writes that source anew and nothing else.

import { effect } from "@preact/signals";
import type { SymbolLayerSpecification } from "maplibre-gl";
import { useEffect, useRef } from "preact/hooks";
import { callText } from "../shared/api";
import { language } from "../shared/i18n";
import { createMap, NO_STREETS, repaint, type GeoJSONSource, type MapView, type Streets } from "../shared/map";
import { dark, token } from "../shared/theme";
import { zone } from "../shared/zone";
import { askReopen } from "./act_dialogs";
import { addPoint, drawing } from "./drawing";
import { endMark, shuttleMark, waitingMark } from "./map_icons";
import { status, WAITING } from "./status";
import { choose, isPast, live, moment, positions, session, shown, stops, subject } from "./store";
import { t } from "./words";

type Point = { type: "Feature"; properties: Record<string, unknown>; geometry: { type: "Point"; coordinates: [number, number] } };
type Line = { type: "Feature"; properties: Record<string, unknown>; geometry: { type: "LineString"; coordinates: [number, number][] } };

const point = (lon: number, lat: number, properties: Record<string, unknown>): Point => ({
  type: "Feature",
  properties,
  geometry: { type: "Point", coordinates: [lon, lat] },
});

/** the map, for keyboard acts elsewhere on the page; null until it is there */
export let view: MapView | null = null;

export function fitZone(): void {
  const here = zone.value;
  if (here !== null) view?.fitBounds([here.west, here.south, here.east, here.north], { padding: 24, animate: false });
}

export function showOnMap(lat: number, lon: number): void {
  if (view === null) return;
  view.jumpTo({ center: [lon, lat], zoom: Math.max(view.getZoom(), 14) });
}

export function MapPane() {
  const holder = useRef<HTMLDivElement>(null);
  const here = zone.value;
  useEffect(() => {
    if (here === null || holder.current === null) return;
    const { map, loaded } = createMap(holder.current, {
      zone: here,
      label: t.peek().map.label,
      words: { zoomIn: t.peek().map.zoomIn, zoomOut: t.peek().map.zoomOut },
    });
    view = map;
    let stop: (() => void) | null = null;
    let gone = false;
    void loaded.then(() => {
      if (!gone) stop = dress(map);
    });
    const watching = new ResizeObserver(() => map.resize());
    watching.observe(holder.current);
    return () => {
      gone = true;
      stop?.();
      watching.disconnect();
      view = null;
      map.remove();
    };
  }, [here?.name]);
  return (
    <section class="map-pane" id="map" tabIndex={-1} aria-label={t.value.map.label}>
      <div class={drawing.value ? "map drawing" : "map"} ref={holder} />
      {drawing.value && <div class="cross" aria-hidden="true" />}
      <Legend />
    </section>
  );
}

function Legend() {
  const words = t.value.map.legend;
  return (
    <ul class="legend" aria-label={t.value.map.legendTitle}>
      <li><i class="mark on-time" />{words.onTime}</li>
      <li><i class="mark late">!</i>{words.late}</li>
      <li><i class="mark out">×</i>{words.out}</li>
      <li><i class="mark idle" />{words.idle}</li>
      <li><i class="mark waiting" />{words.waiting}</li>
      <li>
        <i class="mark closed" />
        {words.closed}
        {!isPast.value && (live.value?.closed_edges ?? 0) > 0 && (
          <button type="button" class="button small" onClick={() => void askReopenAll()}>
            {t.value.acts.reopen}
          </button>
        )}
      </li>
    </ul>
  );
}

async function askReopenAll(): Promise<void> {
  const closed = await read("/v1/operator/roads/closed");
  askReopen(closed.features.map((street) => Number(street.properties["edge"])));
}

/** Add the console's layers and keep them up; returns what ends that. */
function dress(map: MapView): () => void {
  const empty = { type: "FeatureCollection" as const, features: [] };
  for (const name of ["closed", "way", "draft", "draft-found", "stops", "waiting", "ride", "ride-ends", "shuttles"])
    map.addSource(name, { type: "geojson", data: empty });
  const round = { "line-cap": "round", "line-join": "round" } as const;
  map.addLayer({ id: "closed", type: "line", source: "closed", layout: round, paint: { "line-width": 5, "line-dasharray": [0.6, 1.6] } });
  map.addLayer({ id: "way", type: "line", source: "way", layout: round, paint: { "line-width": 4, "line-opacity": 0.75 } });
  map.addLayer({ id: "draft-found", type: "line", source: "draft-found", layout: round, paint: { "line-width": 6, "line-opacity": 0.6 } });
  map.addLayer({ id: "draft", type: "line", source: "draft", paint: { "line-width": 2, "line-dasharray": [2, 2] } });
  map.addLayer({
    id: "stops",
    type: "circle",
    source: "stops",
    paint: {
      "circle-radius": ["interpolate", ["linear"], ["zoom"], 11, 1.2, 13, 2.2, 16, 5],
      "circle-stroke-width": ["interpolate", ["linear"], ["zoom"], 12, 0, 14, 1],
    },
  });
  map.addLayer({ id: "ride", type: "line", source: "ride", paint: { "line-width": 2, "line-dasharray": [1, 2] } });
  const mark: NonNullable<SymbolLayerSpecification["layout"]> = { "icon-image": ["get", "mark"], "icon-allow-overlap": true, "icon-ignore-placement": true };
  map.addLayer({ id: "waiting", type: "symbol", source: "waiting", layout: { ...mark, "icon-size": ["interpolate", ["linear"], ["zoom"], 11, 0.75, 14, 1] } });
  map.addLayer({ id: "ride-ends", type: "symbol", source: "ride-ends", layout: { ...mark } });
  map.addLayer({
    id: "shuttles",
    type: "symbol",
    source: "shuttles",
    layout: { ...mark, "symbol-sort-key": ["get", "order"], "icon-size": ["interpolate", ["linear"], ["zoom"], 10, 0.7, 13, 1] },
  });
  const written = new Map<string, string>();
  const put = (name: string, data: Streets | { type: "FeatureCollection"; features: (Point | Line)[] }) => {
    // without a GPU a frame costs most of what the page costs: what has not changed is not drawn again
    const text = JSON.stringify(data);
    if (written.get(name) === text) return;
    written.set(name, text);
    void (map.getSource(name) as GeoJSONSource | undefined)?.setData(data);
  };
  const gather = (features: (Point | Line)[]) => ({ type: "FeatureCollection" as const, features });

  const ends = [
    effect(() => {
      void dark.value;
      repaint(map);
      const paint = (layer: string, property: "line-color" | "circle-color" | "circle-stroke-color", color: string) => map.setPaintProperty(layer, property, token(color));
      paint("closed", "line-color", "--mark-out");
      paint("way", "line-color", "--mark-on-time");
      paint("draft", "line-color", "--mark-out");
      paint("draft-found", "line-color", "--mark-out");
      paint("stops", "circle-color", "--map-stop");
      paint("stops", "circle-stroke-color", "--surface");
      paint("ride", "line-color", "--text");
    }),
    effect(() => put("stops", gather([...stops.value.values()].map((stop) => point(stop.lon, stop.lat, { id: stop.id }))))),
    effect(() => {
      const state = shown.value;
      if (state === null) return;
      const past = moment.value !== null;
      const chosen = subject.value?.kind === "shuttle" ? subject.value.id : rideOnMap()?.shuttle;
      const features = state.shuttles
        .filter((shuttle) => shuttle.state !== "closed" && status(shuttle) !== "notYet")
        .map((shuttle) => {
          const [lat, lon] = (past ? undefined : positions.value[shuttle.id]) ?? [shuttle.lat, shuttle.lon];
          const how = status(shuttle);
          const image = shuttleMark(map, shuttle.vehicle, shuttle.aboard, how, shuttle.id === chosen, dark.value);
          const order = (shuttle.id === chosen ? 20 : 0) + { out: 9, late: 8, silent: 7, onTime: 5, idle: 2, notYet: 1, closed: 0 }[how];
          return point(lon, lat, { id: shuttle.id, mark: image, order });
        });
      put("shuttles", gather(features));
    }),
    effect(() => {
      const at = new Map<string, { lat: number; lon: number; count: number; stranded: boolean; ride: string }>();
      for (const ride of shown.value?.rides ?? []) {
        if (!WAITING.has(ride.state)) continue;
        const stop = ride.pickup ?? ride.origin;
        const there = at.get(stop.id) ?? { lat: stop.lat, lon: stop.lon, count: 0, stranded: false, ride: ride.id };
        there.count += Math.max(ride.seats, ride.wheelchairs);
        there.stranded ||= ride.state === "stranded";
        at.set(stop.id, there);
      }
      put("waiting", gather([...at.values()].map((one) => point(one.lon, one.lat, { ride: one.ride, mark: waitingMark(map, one.count, one.stranded, dark.value) }))));
    }),
    effect(() => {
      const ride = rideOnMap();
      if (ride === undefined) {
        put("ride", gather([]));
        put("ride-ends", gather([]));
        return;
      }
      const [a, b] = [ride.pickup ?? ride.origin, ride.dropoff ?? ride.destination];
      put("ride", gather([{ type: "Feature", properties: {}, geometry: { type: "LineString", coordinates: [[a.lon, a.lat], [b.lon, b.lat]] } }]));
      put("ride-ends", gather([point(a.lon, a.lat, { mark: endMark(map, "A", dark.value) }), point(b.lon, b.lat, { mark: endMark(map, "B", dark.value) })]));
    }),
    effect(() => {
      const drawn = drawing.value;
      const line = (drawn?.points ?? []).map(([lat, lon]) => [lon, lat] as [number, number]);
      put("draft", gather(line.length > 1 ? [{ type: "Feature", properties: {}, geometry: { type: "LineString", coordinates: line } }] : line.map(([lon, lat]) => point(lon, lat, {}))));
      put("draft-found", drawn?.found ?? NO_STREETS);
    }),
    follows(() => `${live.value?.closed_edges} ${shown.value?.closed_edges} ${moment.value}`, async () => {
      const at = moment.peek();
      const path = at === null ? "/v1/operator/roads/closed" : `/v1/operator/roads/closed?at=${encodeURIComponent(new Date(at).toISOString())}`;
      put("closed", await read(path));
    }),
    follows(() => {
      const looked = subject.value?.kind === "shuttle" ? subject.value.id : rideOnMap()?.shuttle;
      const found = moment.value === null ? shown.value?.shuttles.find((one) => one.id === looked) : undefined;
      return found === undefined ? "" : `${found.id} ${found.plan_version} ${found.plan.length}`;
    }, async (key) => {
      const shuttle = key.split(" ")[0] ?? "";
      put("way", shuttle ? await read(`/v1/operator/shuttles/${encodeURIComponent(shuttle)}/way`) : NO_STREETS);
    }),
    effect(() => {
      map.getCanvas().setAttribute("aria-label", t.value.map.label);
      void language.value;
    }),
  ];

  map.on("click", (event) => {
    if (drawing.value !== null) {
      addPoint([event.lngLat.lat, event.lngLat.lng]);
      return;
    }
    const near: [[number, number], [number, number]] = [[event.point.x - 6, event.point.y - 6], [event.point.x + 6, event.point.y + 6]];
    const [shuttle] = map.queryRenderedFeatures(near, { layers: ["shuttles"] });
    if (shuttle !== undefined) return choose("shuttle", String(shuttle.properties["id"]));
    const [waiting] = map.queryRenderedFeatures(near, { layers: ["waiting"] });
    if (waiting !== undefined) choose("ride", String(waiting.properties["ride"]));
  });
  for (const layer of ["shuttles", "waiting"]) {
    map.on("mouseenter", layer, () => map.getCanvas().classList.add("over"));
    map.on("mouseleave", layer, () => map.getCanvas().classList.remove("over"));
  }
  return () => ends.forEach((end) => end());
}

function rideOnMap() {
  const looked = subject.value;
  return looked?.kind === "ride" ? shown.value?.rides.find((one) => one.id === looked.id) : undefined;
}

async function read(path: string): Promise<Streets> {
  try {
    return JSON.parse(await callText("GET", path, { token: session.current.value?.token ?? null })) as Streets;
  } catch {
    return NO_STREETS;
  }
}

/** Run `work` whenever the key is another one; of overlapping works only the order matters, the last one writes last. */
function follows(key: () => string, work: (key: string) => Promise<void>): () => void {
  let last: string | null = null;
  let queue = Promise.resolve();
  return effect(() => {
    const found = key();
    if (found === last) return;
    last = found;
    queue = queue.then(() => (found === last ? work(found) : undefined));
  });
}
