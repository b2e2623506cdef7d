/** The base map as the platform hands it out, and the layers that draw it. */

import { PathLayer, ScatterplotLayer } from "@deck.gl/layers";
import type { Layer } from "@deck.gl/core";
import { getJson } from "./dom";
import { LANES } from "./palette";

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

/** Asphalt, crosswalks, stop lines, lane edges and roadside units, in the order they are painted. */
export function roadLayers(map: BaseMap): Layer[] {
  const byKind = (kinds: string[]) => map.lanes.filter((lane) => kinds.includes(lane.kind));
  const surface = (kind: string) =>
    new PathLayer<Lane>({
      id: `lanes-${kind}`,
      data: byKind([kind]),
      getPath: (lane) => lane.points,
      getWidth: (lane) => lane.width,
      getColor: LANES[kind] ?? LANES.driving!,
      widthUnits: "common",
      capRounded: kind === "internal",
      jointRounded: true,
    });
  return [
    ...SURFACE_ORDER.map(surface),
    new PathLayer<Lane>({
      id: "lane-edges",
      data: byKind(["driving", "bus", "bicycle"]),
      getPath: (lane) => shifted(lane.points, lane.width / 2),
      getColor: [120, 130, 142, 110],
      getWidth: 0.12,
      widthUnits: "common",
      widthMinPixels: 0.4,
    }),
    new PathLayer<Lane>({
      id: "crossings",
      data: byKind(["crossing"]),
      getPath: (lane) => lane.points,
      getWidth: (lane) => lane.width,
      getColor: LANES.crossing!,
      widthUnits: "common",
    }),
    new PathLayer<[number, number, number, number]>({
      id: "stop-lines",
      data: map.stop_lines,
      getPath: (line) => [
        [line[0], line[1]],
        [line[2], line[3]],
      ],
      getColor: [200, 206, 214, 200],
      getWidth: 0.4,
      widthUnits: "common",
    }),
    new ScatterplotLayer<{ x: number; y: number }>({
      id: "units",
      data: map.units,
      getPosition: (unit) => [unit.x, unit.y],
      getRadius: 2.2,
      radiusUnits: "common",
      radiusMinPixels: 3,
      getFillColor: [170, 140, 255, 60],
      getLineColor: [170, 140, 255, 255],
      stroked: true,
      lineWidthUnits: "pixels",
      getLineWidth: 1.5,
    }),
  ];
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
