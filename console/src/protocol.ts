/** The binary frames of `/api/v1/stream`: little endian, a 16-byte header, then rows of fixed size or JSON. */

export const FrameKind = {
  Objects: 1,
  Signals: 2,
  Events: 3,
  Kpi: 4,
  Inside: 5,
  Messages: 6,
  Cockpit: 7,
} as const;

export const HEADER_BYTES = 16;
export const OBJECT_BYTES = 12;
export const SIGNAL_BYTES = 4;
export const MESSAGE_BYTES = 12;
export const UNKNOWN_COUNTDOWN = 255;

/** Bits of an object's last byte, above the four of its kind. */
export const Flag = { Smart: 16, Connected: 32, Warned: 64, Perceived: 128 } as const;

export interface Header {
  kind: number;
  history: boolean;
  truncated: boolean;
  count: number;
  time: number; // s
}

/** All road users in the viewport at one moment; every array has `count` rows, positions are x, y pairs in m. */
export interface Objects {
  header: Header;
  id: Uint32Array;
  position: Float32Array; // (count * 2)
  heading: Float32Array; // rad, anticlockwise from east
  speed: Float32Array; // m/s
  kind: Uint8Array; // types/state.py: Kind
  flags: Uint8Array;
}

export interface Signals {
  header: Header;
  id: Uint16Array;
  light: Uint8Array; // code of r y g G u s o O
  countdown: Uint8Array; // s, 255 unknown
}

export interface Messages {
  header: Header;
  position: Float32Array;
  type: Uint8Array;
  outcome: Uint8Array;
}

export interface Warning {
  time: number;
  kind: string;
  priority: number;
  x: number;
  y: number;
  id: number | null;
  text: string;
  source: string;
}

export interface Metric {
  value: number;
  unit: string;
}

export type Kpi = Record<string, Record<string, Metric>>;

export interface Seen {
  x: number;
  y: number;
  heading: number;
  kind: string;
  sigma: number;
  source: string;
}

export interface Told {
  time: number;
  kind: string;
  text: string;
  source: string;
}

/** What one vehicle perceives, was told, and decided. */
export interface Inside {
  x: number;
  y: number;
  heading: number;
  speed: number;
  perceived: Seen[];
  told: Told[];
  decided: { text: string; proposal: string; term: string; path: [number, number][]; speed_target: number | null } | null;
}

export interface CockpitWarning {
  kind: string;
  priority: number;
  text: string;
  value: number | null;
}

export interface Cockpit {
  time: number;
  x: number;
  y: number;
  heading: number;
  speed: number;
  speed_limit: number | null;
  automation: "off" | "available" | "active" | "take_over";
  take_over_s: number | null;
  warnings: CockpitWarning[];
  signal: { light: string; countdown: number | null; distance: number } | null;
  advice_speed: number | null;
}

export class FrameError extends Error {}

/** Reads the header; throws FrameError where the buffer is shorter than it says. */
export function readHeader(buffer: ArrayBuffer): Header {
  if (buffer.byteLength < HEADER_BYTES) throw new FrameError(`frame of ${buffer.byteLength} bytes has no header`);
  const view = new DataView(buffer);
  const flags = view.getUint8(1);
  return {
    kind: view.getUint8(0),
    history: (flags & 1) !== 0,
    truncated: (flags & 2) !== 0,
    count: view.getUint32(4, true),
    time: view.getFloat64(8, true),
  };
}

function rows(buffer: ArrayBuffer, header: Header, offset: number, size: number): DataView {
  const need = offset + header.count * size;
  if (buffer.byteLength !== need) {
    throw new FrameError(`frame of kind ${header.kind}: ${buffer.byteLength} bytes, its count needs ${need}`);
  }
  return new DataView(buffer, offset);
}

/** Decodes an objects frame; positions are quantised in the box that the frame names. */
export function readObjects(buffer: ArrayBuffer): Objects {
  const header = readHeader(buffer);
  const view = rows(buffer, header, HEADER_BYTES + 16, OBJECT_BYTES);
  const box = new DataView(buffer, HEADER_BYTES, 16);
  const [x0, y0, x1, y1] = [0, 4, 8, 12].map((at) => box.getFloat32(at, true)) as [number, number, number, number];
  const n = header.count;
  const out: Objects = {
    header,
    id: new Uint32Array(n),
    position: new Float32Array(2 * n),
    heading: new Float32Array(n),
    speed: new Float32Array(n),
    kind: new Uint8Array(n),
    flags: new Uint8Array(n),
  };
  const stepX = (x1 - x0) / 65535;
  const stepY = (y1 - y0) / 65535;
  for (let i = 0, at = 0; i < n; i++, at += OBJECT_BYTES) {
    out.id[i] = view.getUint32(at, true);
    out.position[2 * i] = x0 + view.getUint16(at + 4, true) * stepX;
    out.position[2 * i + 1] = y0 + view.getUint16(at + 6, true) * stepY;
    out.heading[i] = (view.getUint16(at + 8, true) * 2 * Math.PI) / 65536;
    out.speed[i] = view.getUint8(at + 10) * 0.25;
    const last = view.getUint8(at + 11);
    out.kind[i] = last & 15;
    out.flags[i] = last & 240;
  }
  return out;
}

export function readSignals(buffer: ArrayBuffer): Signals {
  const header = readHeader(buffer);
  const view = rows(buffer, header, HEADER_BYTES, SIGNAL_BYTES);
  const n = header.count;
  const out: Signals = { header, id: new Uint16Array(n), light: new Uint8Array(n), countdown: new Uint8Array(n) };
  for (let i = 0, at = 0; i < n; i++, at += SIGNAL_BYTES) {
    out.id[i] = view.getUint16(at, true);
    out.light[i] = view.getUint8(at + 2);
    out.countdown[i] = view.getUint8(at + 3);
  }
  return out;
}

export function readMessages(buffer: ArrayBuffer): Messages {
  const header = readHeader(buffer);
  const view = rows(buffer, header, HEADER_BYTES, MESSAGE_BYTES);
  const n = header.count;
  const out: Messages = { header, position: new Float32Array(2 * n), type: new Uint8Array(n), outcome: new Uint8Array(n) };
  for (let i = 0, at = 0; i < n; i++, at += MESSAGE_BYTES) {
    out.position[2 * i] = view.getFloat32(at, true);
    out.position[2 * i + 1] = view.getFloat32(at + 4, true);
    out.type[i] = view.getUint8(at + 8);
    out.outcome[i] = view.getUint8(at + 9);
  }
  return out;
}

/** Decodes the JSON that follows the header of events, KPI, inside and cockpit frames. */
export function readJson<T>(buffer: ArrayBuffer): T {
  readHeader(buffer);
  try {
    return JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, HEADER_BYTES))) as T;
  } catch (error) {
    throw new FrameError(`frame with broken JSON: ${(error as Error).message}`);
  }
}
