import { expect, it } from "vitest";
import { missingWords, t } from "../src/i18n";
import { shifted } from "../src/map-data";
import { figure } from "../src/dom";
import { split } from "../src/panels/figures";

it("every word has both languages, and an unknown one shows itself", () => {
  expect(missingWords()).toEqual([]);
  expect(t("time_loss_s")).toBe("time loss s");
});

it("a polyline shifted to the left of east lies north", () => {
  expect(shifted([[0, 0], [10, 0]], 2)).toEqual([[0, 2], [10, 2]]);
});

it("figures are short", () => {
  expect([figure(12345.6), figure(0.0123456), figure(null), figure(NaN)]).toEqual(["12,346", "0.0123", "–", "–"]);
});

it("a metric's unit is split off its name", () => {
  expect(split("mean_wait_s")).toEqual(["mean_wait", "s "]);
  expect(split("stopped_share")).toEqual(["stopped_share", ""]);
  expect(split("mean_speed")).toEqual(["mean_speed", "m/s "]);
});
