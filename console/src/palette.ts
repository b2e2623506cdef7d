/** Colours and sizes, one place: what is human, smart, warned, and what a light shows. */

import { Mark } from "./protocol";

export type Rgba = [number, number, number, number];

/** Rows of types/state.py: Kind -> name, length m, width m. */
export const KINDS: { name: string; length: number; width: number }[] = [
  { name: "none", length: 1, width: 1 },
  { name: "car", length: 4.6, width: 1.8 },
  { name: "truck", length: 9, width: 2.5 },
  { name: "bus", length: 12, width: 2.5 },
  { name: "motorcycle", length: 2.2, width: 0.9 },
  { name: "ebike", length: 1.9, width: 0.7 },
  { name: "bicycle", length: 1.8, width: 0.65 },
  { name: "pedestrian", length: 0.6, width: 0.6 },
  { name: "emergency", length: 6, width: 2.1 },
];

const HUMAN: Rgba[] = [
  [120, 130, 140, 255],
  [168, 178, 190, 255],
  [140, 150, 164, 255],
  [205, 170, 110, 255],
  [190, 150, 200, 255],
  [190, 150, 200, 255],
  [176, 142, 196, 255],
  [240, 200, 120, 255],
  [255, 90, 90, 255],
];
const SMART: Rgba = [64, 200, 140, 255];
const CONNECTED: Rgba = [92, 160, 255, 255];
const WARNED: Rgba = [255, 120, 60, 255];

/** Colour of a road user by kind and marks; warned wins, then smart, then connected; merely perceived ones are faint. */
export function colorOf(kind: number, marks: number): Rgba {
  const base =
    marks & Mark.Warned ? WARNED : marks & Mark.Smart ? SMART : marks & Mark.Connected ? CONNECTED : (HUMAN[kind] ?? HUMAN[0]!);
  return marks & (Mark.Connected | Mark.Smart) ? base : [base[0], base[1], base[2], 190];
}

/** By LightState: unavailable, dark, flashing red, red, flashing green, permissive green, protected green, yellow, flashing yellow. */
export const LIGHTS: Rgba[] = [
  [90, 96, 104, 255],
  [60, 66, 74, 255],
  [235, 64, 52, 255],
  [235, 64, 52, 255],
  [120, 200, 110, 255],
  [120, 200, 110, 255],
  [50, 220, 110, 255],
  [250, 200, 50, 255],
  [250, 200, 50, 255],
];

/** What a vehicle perceives, by where it knows it from. */
export const SEEN: Record<string, Rgba> = { own: [64, 200, 140, 255], road: [170, 140, 255, 255], car: [92, 160, 255, 255] };

/** Fill of a lane by LaneKind. */
export const LANES: Record<string, Rgba> = {
  driving: [52, 60, 70, 255],
  internal: [47, 54, 63, 255],
  bus: [84, 62, 44, 255],
  bicycle: [40, 74, 70, 255],
  sidewalk: [40, 45, 52, 255],
  walking_area: [40, 45, 52, 255],
  crossing: [150, 156, 164, 90],
  parking: [44, 50, 66, 255],
  shoulder: [38, 43, 50, 255],
};

/** By MessageKind: awareness, signals, topology, perception, advice, events. */
export const MESSAGES: { name: string; color: Rgba }[] = [
  { name: "msg_awareness", color: [92, 160, 255, 255] },
  { name: "msg_signal", color: [50, 220, 110, 255] },
  { name: "msg_topology", color: [150, 160, 172, 255] },
  { name: "msg_perception", color: [170, 140, 255, 255] },
  { name: "msg_advice", color: [250, 200, 50, 255] },
  { name: "msg_event", color: [255, 110, 60, 255] },
];

/** By what is said: a warning, an advice. */
export const SAID: Rgba[] = [
  [255, 90, 60, 240],
  [92, 160, 255, 200],
];
