import { expect, it } from "vitest";
import { ribbons, simplified } from "../src/ribbon";
import type { Point } from "../src/map-data";

const white: [number, number, number, number] = [255, 255, 255, 255];

/** Area of all triangles of a mesh. */
function area(lines: Point[][], width: number): number {
  const { places, across, indices } = ribbons(lines.map((points) => ({ points, width, color: white })));
  const corner = (i: number): Point => [places[2 * i]! + across[2 * i]!, places[2 * i + 1]! + across[2 * i + 1]!];
  let sum = 0;
  for (let k = 0; k < indices.length; k += 3) {
    const [a, b, c] = [corner(indices[k]!), corner(indices[k + 1]!), corner(indices[k + 2]!)];
    sum += Math.abs((b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])) / 2;
  }
  return sum;
}

it("covers a straight line with a rectangle, and lines do not touch each other", () => {
  expect(area([[[0, 0], [4, 0], [10, 0]]], 3)).toBeCloseTo(30, 4);
  expect(area([[[0, 0], [10, 0]], [[50, 50], [50, 60]], [[1, 1]]], 3)).toBeCloseTo(60, 4);
});

it("joins a corner without a gap: outside gains what inside loses", () => {
  expect(area([[[0, 0], [10, 0], [10, 10]]], 2)).toBeCloseTo(40, 4);
});

it("keeps a polyline's shape with fewer points", () => {
  const arc = Array.from({ length: 91 }, (_, i): Point => [100 * Math.cos((i * Math.PI) / 180), 100 * Math.sin((i * Math.PI) / 180)]);
  const few = simplified(arc, 0.05);
  expect(few.length).toBeLessThan(40);
  expect([few[0], few[few.length - 1]]).toEqual([arc[0], arc[90]]);
  for (const [i, b] of few.slice(1).entries()) {
    const a = few[i]!;
    expect(Math.hypot((a[0] + b[0]) / 2, (a[1] + b[1]) / 2)).toBeGreaterThan(100 - 0.06);
  }
  const ring: Point[] = [[0, 0], [5, 0], [5, 5], [0, 0]];
  expect(simplified(ring, 0.05)).toEqual(ring);
  expect(simplified([[0, 0], [5, 0.01], [10, 0]], 0.05)).toEqual([[0, 0], [10, 0]]);
});
