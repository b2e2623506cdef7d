/** Polylines of some width as triangles, all in one mesh. */

import type { Point } from "./map-data";
import type { Rgba } from "./palette";

export interface Ribbon {
  points: Point[];
  width: number; // m
  color: Rgba;
}

/** `places` x, y of every corner's point on the polyline; `across` from there to the corner, m; `colors` RGBA; `indices` of triangles. */
export interface Ribbons {
  places: Float32Array;
  across: Float32Array;
  colors: Uint8Array;
  indices: Uint32Array;
}

const LONGEST_MITRE = 2;

/** The polyline without points that lie within `error` m of the line between those that are kept (Douglas and Peucker, 1973). */
export function simplified(points: Point[], error: number): Point[] {
  if (points.length < 3) return points;
  const [a, b] = [points[0]!, points[points.length - 1]!];
  const [nx, ny] = normal(a, b);
  let [farthest, distance] = [0, error];
  for (let i = 1; i < points.length - 1; i++) {
    const [x, y] = [points[i]![0] - a[0], points[i]![1] - a[1]];
    const off = a[0] === b[0] && a[1] === b[1] ? Math.hypot(x, y) : Math.abs(x * nx + y * ny);
    if (off > distance) [farthest, distance] = [i, off];
  }
  if (!farthest) return [a, b];
  return [...simplified(points.slice(0, farthest + 1), error).slice(0, -1), ...simplified(points.slice(farthest), error)];
}

/** Two corners per point, on the line that halves the angle there; ends are cut square. */
export function ribbons(lines: Ribbon[]): Ribbons {
  const usable = lines.filter((line) => line.points.length > 1);
  const points = usable.reduce((sum, line) => sum + line.points.length, 0);
  const out: Ribbons = {
    places: new Float32Array(4 * points),
    across: new Float32Array(4 * points),
    colors: new Uint8Array(8 * points),
    indices: new Uint32Array(6 * (points - usable.length)),
  };
  let at = 0;
  let index = 0;
  for (const { points: line, width, color } of usable) {
    for (let i = 0; i < line.length; i++, at += 2) {
      const [x, y] = line[i]!;
      const [nx, ny] = mitre(line, i, width / 2);
      out.places.set([x, y, x, y], 2 * at);
      out.across.set([nx, ny, -nx, -ny], 2 * at);
      out.colors.set([...color, ...color], 4 * at);
      if (i) out.indices.set([at - 2, at - 1, at, at, at - 1, at + 1], index);
      if (i) index += 6;
    }
  }
  return out;
}

/** From point i to the left corner there. */
function mitre(line: Point[], i: number, half: number): Point {
  const before = i ? normal(line[i - 1]!, line[i]!) : null;
  const after = i < line.length - 1 ? normal(line[i]!, line[i + 1]!) : null;
  const [a, b] = [before ?? after!, after ?? before!];
  const [x, y] = [a[0] + b[0], a[1] + b[1]];
  const square = x * x + y * y;
  if (square < 1e-9) return [a[0] * half, a[1] * half]; // a full turn
  const scale = Math.min((2 * half) / square, (LONGEST_MITRE * half) / Math.sqrt(square));
  return [x * scale, y * scale];
}

function normal(a: Point, b: Point): Point {
  const length = Math.hypot(b[0] - a[0], b[1] - a[1]) || 1;
  return [-(b[1] - a[1]) / length, (b[0] - a[0]) / length];
}
