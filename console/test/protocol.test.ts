import { describe, expect, it } from "vitest";
import { Flag, FrameError, FrameKind, readJson, readObjects, readSignals } from "../src/protocol";

function header(kind: number, count: number, time: number, extra: number): DataView {
  const view = new DataView(new ArrayBuffer(16 + extra));
  view.setUint8(0, kind);
  view.setUint8(1, 1);
  view.setUint32(4, count, true);
  view.setFloat64(8, time, true);
  return view;
}

describe("objects", () => {
  const view = header(FrameKind.Objects, 1, 12.5, 16 + 12);
  [-100, 0, 900, 500].forEach((v, i) => view.setFloat32(16 + 4 * i, v, true));
  view.setUint32(32, 4_000_000_001, true);
  view.setUint16(36, 65535, true);
  view.setUint16(38, 0, true);
  view.setUint16(40, 16384, true);
  view.setUint8(42, 40);
  view.setUint8(43, 1 | Flag.Smart | Flag.Perceived);

  it("come back in metres, radians and metres per second", () => {
    const o = readObjects(view.buffer as ArrayBuffer);
    expect(o.header).toEqual({ kind: 1, history: true, truncated: false, count: 1, time: 12.5 });
    expect(o.id[0]).toBe(4_000_000_001);
    expect([...o.position]).toEqual([900, 0]);
    expect(o.heading[0]).toBeCloseTo(Math.PI / 2, 5);
    expect(o.speed[0]).toBe(10);
    expect(o.kind[0]).toBe(1);
    expect(o.flags[0]).toBe(Flag.Smart | Flag.Perceived);
  });

  it("are refused where a byte is missing or too many", () => {
    expect(() => readObjects(view.buffer.slice(0, 43) as ArrayBuffer)).toThrow(FrameError);
    const long = new Uint8Array(45);
    long.set(new Uint8Array(view.buffer as ArrayBuffer));
    expect(() => readObjects(long.buffer)).toThrow(FrameError);
    expect(() => readObjects(new ArrayBuffer(7))).toThrow(FrameError);
  });
});

it("signals carry light and countdown", () => {
  const view = header(FrameKind.Signals, 1, 0, 4);
  view.setUint16(16, 513, true);
  view.setUint8(18, "G".charCodeAt(0));
  view.setUint8(19, 255);
  const s = readSignals(view.buffer as ArrayBuffer);
  expect([s.id[0], String.fromCharCode(s.light[0]!), s.countdown[0]]).toEqual([513, "G", 255]);
});

it("broken JSON is a FrameError", () => {
  const view = header(FrameKind.Kpi, 0, 0, 1);
  view.setUint8(16, 123);
  expect(() => readJson(view.buffer as ArrayBuffer)).toThrow(FrameError);
});
