/** The pictures of the platform's `/ws`: little endian, a 16-byte header, then records of fixed size or JSON. */

export const FrameKind = {
  Objects: 1,
  Signals: 2,
  Sayings: 3,
  Figures: 4,
  Vehicle: 5,
  Messages: 6,
  Cockpit: 7,
} as const;

export const HEADER_BYTES = 16;
export const ORIGIN_BYTES = 24;
export const OBJECT_BYTES = 16;
export const SIGNAL_BYTES = 8;
export const SAYING_BYTES = 24;
export const MESSAGE_BYTES = 16;
const UNKNOWN_CHANGE = 65535;

/** Marks of an object. */
export const Mark = { Connected: 1, Shadow: 2, Warned: 4, Advised: 8, Hazard: 16, Smart: 32 } as const;

export interface Header {
  kind: number;
  truncated: boolean;
  history: boolean;
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
  length: Float32Array; // m, 0 unknown
  age: Float32Array; // s
  kind: Uint8Array; // types/state.py: Kind
  marks: Uint8Array;
}

export interface Signals {
  header: Header;
  group: Uint16Array;
  head: Uint16Array;
  light: Uint8Array; // types/messages.py: LightState
  changesIn: Float32Array; // s, NaN unknown
}

/** One warning (`what` 0, `value` s to the conflict) or speed advice (1, `value` m/s). `target` 0 is everyone. */
export interface Saying {
  time: number;
  target: number;
  code: number;
  what: number;
  x: number;
  y: number;
  radius: number;
  value: number;
}

/** Messages of one kind (types/messages.py: MessageKind) near one place, `out`: from the platform to those there. */
export interface Heard {
  x: number;
  y: number;
  count: number;
  kind: number;
  out: boolean;
}

/** The four words with their figures by name, and counts beside them. */
export type Figures = Record<string, number | Record<string, number>>;

/** One road user as a vehicle perceives it. */
export interface Seen {
  x: number;
  y: number;
  heading: number;
  kind: number | string;
  sigma?: number;
  source?: string; // own, road, car
}

export interface Told {
  time: number;
  what: string;
  code: number;
  value: number;
}

/** What one vehicle perceives, was told, and decided; `vehicle` only where it tells. */
export interface Inside {
  id: number;
  gone?: boolean;
  state?: { x: number; y: number; heading: number; speed: number; kind: string; lane: string | null };
  told?: Told[];
  vehicle?: {
    perceives?: Seen[];
    plan?: [number, number, number][]; // x, y, speed
    decides?: { text: string; [more: string]: unknown } | null;
  } | null;
}

export interface CockpitWarning {
  kind: string;
  priority: number;
  text: string;
  value: number | null;
}

export interface Cockpit {
  time: number;
  waiting?: boolean; // no car to drive yet; nothing else is told then
  trip: number; // counts the cars driven so far
  x: number;
  y: number;
  heading: number;
  speed: number;
  speed_limit: number | null;
  automation: "off" | "available" | "active" | "take_over";
  take_over_s: number | null;
  warnings: CockpitWarning[];
  signal: { light: number; countdown: number | null; distance: number } | null;
  advice_speed: number | null;
}

export class FrameError extends Error {}

/** Reads the header; throws FrameError where the buffer is too short for one. */
export function readHeader(buffer: ArrayBuffer): Header {
  if (buffer.byteLength < HEADER_BYTES) throw new FrameError(`frame of ${buffer.byteLength} bytes has no header`);
  const view = new DataView(buffer);
  const flags = view.getUint16(2, true);
  return {
    kind: view.getUint8(0),
    truncated: (flags & 1) !== 0,
    history: (flags & 2) !== 0,
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

/** Decodes an objects frame; positions are whole units from the origin that the frame names. */
export function readObjects(buffer: ArrayBuffer): Objects {
  const header = readHeader(buffer);
  const n = header.count;
  const view = rows(buffer, header, HEADER_BYTES + ORIGIN_BYTES, OBJECT_BYTES);
  const origin = new DataView(buffer, HEADER_BYTES, ORIGIN_BYTES);
  const [x0, y0, unit] = [origin.getFloat64(0, true), origin.getFloat64(8, true), origin.getFloat32(16, true)];
  const out: Objects = {
    header,
    id: new Uint32Array(n),
    position: new Float32Array(2 * n),
    heading: new Float32Array(n),
    speed: new Float32Array(n),
    length: new Float32Array(n),
    age: new Float32Array(n),
    kind: new Uint8Array(n),
    marks: new Uint8Array(n),
  };
  for (let i = 0, at = 0; i < n; i++, at += OBJECT_BYTES) {
    out.id[i] = view.getUint32(at, true);
    out.position[2 * i] = x0 + view.getInt16(at + 4, true) * unit;
    out.position[2 * i + 1] = y0 + view.getInt16(at + 6, true) * unit;
    out.heading[i] = (view.getUint16(at + 8, true) * 2 * Math.PI) / 65536;
    out.speed[i] = view.getUint16(at + 10, true) / 100;
    out.kind[i] = view.getUint8(at + 12);
    out.marks[i] = view.getUint8(at + 13);
    out.length[i] = view.getUint8(at + 14) / 10;
    out.age[i] = view.getUint8(at + 15) / 100;
  }
  return out;
}

export function readSignals(buffer: ArrayBuffer): Signals {
  const header = readHeader(buffer);
  const view = rows(buffer, header, HEADER_BYTES, SIGNAL_BYTES);
  const n = header.count;
  const out: Signals = {
    header,
    group: new Uint16Array(n),
    head: new Uint16Array(n),
    light: new Uint8Array(n),
    changesIn: new Float32Array(n),
  };
  for (let i = 0, at = 0; i < n; i++, at += SIGNAL_BYTES) {
    out.group[i] = view.getUint16(at, true);
    out.head[i] = view.getUint16(at + 2, true);
    out.light[i] = view.getUint8(at + 4);
    const left = view.getUint16(at + 6, true);
    out.changesIn[i] = left === UNKNOWN_CHANGE ? NaN : left / 10;
  }
  return out;
}

export function readSayings(buffer: ArrayBuffer): Saying[] {
  const header = readHeader(buffer);
  const view = rows(buffer, header, HEADER_BYTES, SAYING_BYTES);
  return Array.from({ length: header.count }, (_, i) => {
    const at = i * SAYING_BYTES;
    return {
      time: header.time,
      target: view.getUint32(at, true),
      code: view.getUint16(at + 4, true),
      what: view.getUint8(at + 6),
      x: view.getFloat32(at + 8, true),
      y: view.getFloat32(at + 12, true),
      radius: view.getFloat32(at + 16, true),
      value: view.getFloat32(at + 20, true),
    };
  });
}

export function readMessages(buffer: ArrayBuffer): Heard[] {
  const header = readHeader(buffer);
  const view = rows(buffer, header, HEADER_BYTES, MESSAGE_BYTES);
  return Array.from({ length: header.count }, (_, i) => {
    const at = i * MESSAGE_BYTES;
    return {
      x: view.getFloat32(at, true),
      y: view.getFloat32(at + 4, true),
      count: view.getUint16(at + 8, true),
      kind: view.getUint8(at + 10),
      out: view.getUint8(at + 11) !== 0,
    };
  });
}

/** Decodes the JSON of figures, vehicle and cockpit frames; the header counts its bytes. */
export function readJson<T>(buffer: ArrayBuffer): T {
  rows(buffer, readHeader(buffer), HEADER_BYTES, 1);
  try {
    return JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, HEADER_BYTES))) as T;
  } catch (error) {
    throw new FrameError(`frame with broken JSON: ${(error as Error).message}`);
  }
}
