/** The base map as the platform hands it out, and the layers that draw it. */

import { getJson } from "./dom";
import { LANES } from "./palette";
import type { Rgba } from "./palette";
import { ribbons, simplified } from "./ribbon";
import type { Ribbon, Ribbons } from "./ribbon";

export type Point = [number, number];

export interface Lane {
  kind: string;
  width: number;
  points: Point[];
}

/** `/api/heads`: where the heads of a signal group stand. */
export interface SignalHead {
  number: number; // of the group
  head: number; // position in the group
  x: number;
  y: number;
  heading: number;
}

/** `/api/map` as the platform sends it: lanes as GeoJSON in the map's own metres, and what stands beside them. */
export interface MapDocument {
  features: { properties: { kind: string; width_m: number }; geometry: { coordinates: Point[] } }[];
  name?: string;
  units?: { id: string; x: number; y: number }[];
  stop_lines?: [number, number, number, number][];
}

export interface BaseMap {
  name: string;
  box: [number, number, number, number];
  lanes: Lane[];
  stop_lines: [number, number, number, number][];
  heads: SignalHead[];
  units: { id: string; x: number; y: number }[];
}

export function baseMap(document: MapDocument, heads: SignalHead[]): BaseMap {
  const lanes = document.features.map(({ properties, geometry }) => ({
    kind: properties.kind,
    width: properties.width_m,
    points: geometry.coordinates,
  }));
  const box: BaseMap["box"] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const lane of lanes) {
    for (const [x, y] of lane.points) {
      box[0] = Math.min(box[0], x);
      box[1] = Math.min(box[1], y);
      box[2] = Math.max(box[2], x);
      box[3] = Math.max(box[3], y);
    }
  }
  const { name = "", stop_lines = [], units = [] } = document;
  return { name, box: lanes.length ? box : [-500, -500, 500, 500], lanes, stop_lines, heads, units };
}

const SURFACE_ORDER = ["sidewalk", "walking_area", "shoulder", "parking", "bicycle", "driving", "bus", "internal"];

const DRAWN_WITHIN_M = 0.05;
const EDGE: Rgba = [120, 130, 142, 110];
const STOP_LINE: Rgba = [200, 206, 214, 200];

/** Asphalt, lane edges, crosswalks and stop lines, in the order they are painted. */
export function roads(map: BaseMap): Ribbons {
  const byKind = (kinds: string[]) => map.lanes.filter((lane) => kinds.includes(lane.kind));
  const filled = (kind: string) => byKind([kind]).map(({ points, width }) => ({ points, width, color: LANES[kind] ?? LANES.driving! }));
  const edges = byKind(["driving", "bus", "bicycle"]).map(({ points, width }) => ({ points: shifted(points, width / 2), width: 0.12, color: EDGE }));
  const lines = map.stop_lines.map(([x0, y0, x1, y1]): Ribbon => ({ points: [[x0, y0], [x1, y1]], width: 0.4, color: STOP_LINE }));
  const all = [...SURFACE_ORDER.flatMap(filled), ...edges, ...filled("crossing"), ...lines];
  return ribbons(all.map((line) => ({ ...line, points: simplified(line.points, DRAWN_WITHIN_M) })));
}

/** The polyline `by` metres to the left. */
export function shifted(points: Point[], by: number): Point[] {
  return points.map((point, i) => {
    const a = points[Math.max(i - 1, 0)]!;
    const b = points[Math.min(i + 1, points.length - 1)]!;
    const length = Math.hypot(b[0] - a[0], b[1] - a[1]) || 1;
    return [point[0] - ((b[1] - a[1]) / length) * by, point[1] + ((b[0] - a[0]) / length) * by];
  });
}

/** Fetches the base map; a platform that does not say where its signal heads stand still has roads. */
export async function fetchMap(): Promise<BaseMap> {
  const heads = getJson<SignalHead[]>("api/heads").catch(() => []);
  return baseMap(await getJson<MapDocument>("api/map"), await heads);
}
