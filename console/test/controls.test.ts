import { expect, it } from "vitest";
import { Hands } from "../src/controls";

it("pedals and wheel ramp and come back", () => {
  const hands = new Hands();
  hands.press("KeyW");
  hands.press("ArrowLeft");
  const soon = hands.step(0.1);
  expect(soon.throttle).toBeCloseTo(0.22);
  expect(soon.steer).toBeCloseTo(0.16);
  for (let i = 0; i < 20; i++) hands.step(0.1);
  expect(hands.step(0.1)).toMatchObject({ throttle: 1, steer: 1, brake: 0 });
  hands.letGo();
  for (let i = 0; i < 20; i++) hands.step(0.1);
  expect(hands.step(0.1)).toMatchObject({ throttle: 0, steer: 0 });
});

it("braking and steering end the automation, more throttle does not", () => {
  const hands = new Hands();
  hands.press("KeyW");
  expect(hands.step(0.05).automation).toBe(true);
  hands.press("KeyS");
  expect(hands.step(0.05).automation).toBe(false);
  hands.press("Space");
  expect(hands.step(0.05).automation).toBe(true);
});

it("an indicator goes off when asked twice, and changes side", () => {
  const hands = new Hands();
  hands.press("KeyQ");
  expect(hands.step(0.05).indicator).toBe(1);
  hands.press("KeyE");
  expect(hands.step(0.05).indicator).toBe(-1);
  hands.press("KeyE");
  expect(hands.step(0.05).indicator).toBe(0);
});

it("leaves other keys to the browser", () => {
  expect(new Hands().press("F5")).toBe(false);
});
