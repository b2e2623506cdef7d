import { expect, it } from "vitest";
import { fit } from "../src/scene";

it("shows the whole box in what the panels leave free", () => {
  const view = fit([0, 0, 1000, 100], 1560, 700, [200, 360]);
  const scale = 2 ** view.zoom;
  const left = 1560 / 2 + (0 - view.target[0]) * scale;
  const right = 1560 / 2 + (1000 - view.target[0]) * scale;
  expect(left).toBeCloseTo(200 + 30, 0);
  expect(right).toBeCloseTo(1560 - 360 - 30, 0);
});
