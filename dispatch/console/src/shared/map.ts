// A MapLibre map of our own roads: GeoJSON of /v1/roads, no tiles, no glyphs, nothing from elsewhere.

import {
  AttributionControl,
  Map as MapView,
  NavigationControl,
  setWorkerUrl,
  type GeoJSONSource,
  type LayerSpecification,
  type StyleSpecification,
} from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import "maplibre-gl/dist/maplibre-gl.css";
import { dark, token } from "./theme";
import type { ZoneSaid } from "./types";

setWorkerUrl(workerUrl);

export type { GeoJSONSource, MapView };

const MAJOR = ["motorway", "motorway_link", "trunk", "trunk_link", "primary", "primary_link"];
const MIDDLE = ["secondary", "secondary_link", "tertiary", "tertiary_link"];

/** GeoJSON of streets, as the API tells it. */
export interface Streets {
  type: "FeatureCollection";
  features: {
    type: "Feature";
    properties: Record<string, unknown>;
    geometry: { type: "LineString"; coordinates: [number, number][] } | { type: "MultiLineString"; coordinates: [number, number][][] };
  }[];
}

const ROADS = "/v1/roads";
const ROADS_AGAIN_MS = 3_000;

export const NO_STREETS: Streets = { type: "FeatureCollection", features: [] };

export interface MapOptions {
  zone: ZoneSaid;
  /** read by screen readers */
  label: string;
  /** zoom buttons' words */
  words: { zoomIn: string; zoomOut: string };
  /** a big screen with a mouse, or a phone */
  interactive?: boolean;
}

/** A map in `container`, fitted to the zone, roads drawn, credit shown; ready when `loaded` resolves. */
export function createMap(container: HTMLElement, options: MapOptions): { map: MapView; loaded: Promise<void> } {
  const { zone } = options;
  const map = new MapView({
    container,
    style: style(),
    bounds: [zone.west, zone.south, zone.east, zone.north],
    fitBoundsOptions: { padding: 24 },
    maxBounds: around(zone),
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    maxPitch: 0,
    fadeDuration: 0,
    interactive: options.interactive ?? true,
    locale: {
      "NavigationControl.ZoomIn": options.words.zoomIn,
      "NavigationControl.ZoomOut": options.words.zoomOut,
      "Map.Title": options.label,
    },
    // Frames cost much without a GPU; a map of lines needs no more.
    pixelRatio: Math.min(window.devicePixelRatio, 2),
    canvasContextAttributes: { antialias: false, powerPreference: "low-power" },
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.addControl(new AttributionControl({ compact: false, customAttribution: credit(zone.credit) }), "bottom-right");
  map.addControl(new NavigationControl({ showCompass: false }), "top-right");
  keepTrying(map);
  const loaded = new Promise<void>((resolve) => map.once("load", () => resolve()));
  return { map, loaded };
}

/** Ask for the roads again when the connection was cut while they came; what else goes wrong is told as ever. */
function keepTrying(map: MapView): void {
  let there = true;
  map.once("remove", () => (there = false));
  map.on("error", (event) => {
    if ((event as { sourceId?: string }).sourceId !== "roads") return console.error(event.error);
    window.setTimeout(() => {
      if (there) map.getSource<GeoJSONSource>("roads")?.setData(ROADS);
    }, ROADS_AGAIN_MS);
  });
}

/** The credit that the map's licence asks for; never empty for a map of OpenStreetMap's. */
function credit(said: string): string {
  const text = document.createElement("span");
  text.textContent = said;
  return text.outerHTML.replace(/^<span>|<\/span>$/g, "");
}

function around(zone: ZoneSaid): [number, number, number, number] {
  const [wide, high] = [zone.east - zone.west, zone.north - zone.south];
  return [zone.west - wide, zone.south - high, zone.east + wide, zone.north + high];
}

/** Background and roads in the theme's colours. */
function style(): StyleSpecification {
  const width = (thin: number, wide: number): LayerSpecification["paint"] => ({
    "line-width": ["interpolate", ["exponential", 1.6], ["zoom"], 10, thin, 17, wide],
  });
  // Ends and bends drawn round cost several times the triangles: for minor roads only where they can be seen.
  const shape = (from: number): LayerSpecification["layout"] => ({
    "line-cap": ["step", ["zoom"], "butt", from, "round"],
    "line-join": ["step", ["zoom"], "bevel", from, "round"],
  });
  const road = (id: string, filter: unknown, color: string, thin: number, wide: number, round: number): LayerSpecification =>
    ({
      id,
      type: "line",
      source: "roads",
      filter,
      layout: shape(round),
      paint: { "line-color": token(color), ...width(thin, wide) },
    }) as LayerSpecification;
  const one = ["get", "class"];
  return {
    version: 8,
    sources: {
      roads: { type: "geojson", data: ROADS, tolerance: 0.4, maxzoom: 14, buffer: 16 },
    },
    layers: [
      { id: "ground", type: "background", paint: { "background-color": token("--map-ground") } },
      road("roads-minor", ["!", ["in", one, ["literal", [...MAJOR, ...MIDDLE]]]], "--map-minor", 0.4, 9, 14),
      road("roads-middle", ["in", one, ["literal", MIDDLE]], "--map-middle", 0.9, 14, 12),
      road("roads-major", ["in", one, ["literal", MAJOR]], "--map-major", 1.4, 18, 10),
    ],
  };
}

/** Paint the roads in the theme that now holds (the page paints its own layers). */
export function repaint(map: MapView): void {
  void dark.value;
  map.setPaintProperty("ground", "background-color", token("--map-ground"));
  for (const which of ["minor", "middle", "major"]) map.setPaintProperty(`roads-${which}`, "line-color", token(`--map-${which}`));
}
