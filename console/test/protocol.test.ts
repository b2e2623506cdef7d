import { describe, expect, it } from "vitest";
import { FrameError, FrameKind, Mark, readJson, readMessages, readObjects, readSayings, readSignals } from "../src/protocol";

function header(kind: number, count: number, time: number, extra: number): DataView {
  const view = new DataView(new ArrayBuffer(16 + extra));
  view.setUint8(0, kind);
  view.setUint8(1, 1);
  view.setUint16(2, 2, true);
  view.setUint32(4, count, true);
  view.setFloat64(8, time, true);
  return view;
}

describe("objects", () => {
  const view = header(FrameKind.Objects, 1, 12.5, 24 + 16);
  view.setFloat64(16, -100, true);
  view.setFloat64(24, 2000, true);
  view.setFloat32(32, 0.5, true);
  view.setUint32(40, 4_000_000_001, true);
  view.setInt16(44, -32_000, true);
  view.setInt16(46, 3, true);
  view.setUint16(48, 16384, true);
  view.setUint16(50, 1025, true);
  [1, Mark.Connected | Mark.Warned, 46, 9].forEach((v, i) => view.setUint8(52 + i, v));

  it("come back in metres, radians, metres per second and seconds", () => {
    const o = readObjects(view.buffer as ArrayBuffer);
    expect(o.header).toEqual({ kind: 1, history: true, truncated: false, count: 1, time: 12.5 });
    expect(o.id[0]).toBe(4_000_000_001);
    expect([...o.position]).toEqual([-16_100, 2001.5]);
    expect(o.heading[0]).toBeCloseTo(Math.PI / 2, 5);
    expect(o.speed[0]).toBeCloseTo(10.25, 5);
    expect([o.kind[0], o.marks[0]]).toEqual([1, 5]);
    expect(o.length[0]).toBeCloseTo(4.6, 5);
    expect(o.age[0]).toBeCloseTo(0.09, 5);
  });

  it("are refused where a byte is missing or too many", () => {
    expect(() => readObjects(view.buffer.slice(0, 55) as ArrayBuffer)).toThrow(FrameError);
    const long = new Uint8Array(57);
    long.set(new Uint8Array(view.buffer as ArrayBuffer));
    expect(() => readObjects(long.buffer)).toThrow(FrameError);
    expect(() => readObjects(new ArrayBuffer(7))).toThrow(FrameError);
  });
});

it("signals carry light and the seconds left, or none", () => {
  const view = header(FrameKind.Signals, 2, 0, 16);
  view.setUint16(16, 513, true);
  view.setUint8(20, 6);
  view.setUint16(22, 125, true);
  view.setUint16(30, 65535, true);
  const s = readSignals(view.buffer as ArrayBuffer);
  expect([s.group[0], s.light[0], s.changesIn[0]]).toEqual([513, 6, 12.5]);
  expect(s.changesIn[1]).toBeNaN();
});

it("sayings carry their place and value", () => {
  const view = header(FrameKind.Sayings, 1, 7, 24);
  view.setUint32(16, 42, true);
  view.setUint16(20, 2, true);
  [3.5, -4.5, 10, 2.1].forEach((v, i) => view.setFloat32(24 + 4 * i, v, true));
  const [said] = readSayings(view.buffer as ArrayBuffer);
  expect(said).toMatchObject({ time: 7, target: 42, code: 2, what: 0, x: 3.5, y: -4.5, radius: 10 });
});

it("JSON is counted in bytes, and broken JSON is a FrameError", () => {
  const view = header(FrameKind.Figures, 1, 0, 1);
  view.setUint8(16, 123);
  expect(() => readJson(view.buffer as ArrayBuffer)).toThrow(FrameError);
  view.setUint8(16, 55);
  expect(readJson(view.buffer as ArrayBuffer)).toBe(7);
  view.setUint32(4, 2, true);
  expect(() => readJson(view.buffer as ArrayBuffer)).toThrow(FrameError);
});

describe("messages", () => {
  it("come back with place, kind and direction", () => {
    const view = header(FrameKind.Messages, 1, 1.5, 16);
    view.setFloat32(16, 12.5, true);
    view.setFloat32(20, -3.25, true);
    view.setUint16(24, 7, true);
    view.setUint8(26, 5);
    view.setUint8(27, 1);
    expect(readMessages(view.buffer as ArrayBuffer)).toEqual([{ x: 12.5, y: -3.25, count: 7, kind: 5, out: true }]);
  });
});
