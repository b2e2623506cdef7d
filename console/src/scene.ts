/** The map on the screen: roads, road users, lights, warnings, messages, and what one vehicle sees. */

import { Deck, OrbitView, OrthographicView } from "@deck.gl/core";
import type { Layer, PickingInfo } from "@deck.gl/core";
import { TextLayer } from "@deck.gl/layers";
import { BoxLayer } from "./box-layer";
import type { Boxes } from "./box-layer";
import { DotLayer } from "./dot-layer";
import type { Dot } from "./dot-layer";
import { roads } from "./map-data";
import type { BaseMap, Point, SignalHead } from "./map-data";
import { colorOf, KINDS, LIGHTS, MESSAGES, SAID, SEEN } from "./palette";
import { ribbons } from "./ribbon";
import type { Ribbons } from "./ribbon";
import { RibbonLayer } from "./ribbon-layer";
import type { Heard, Inside, Objects, Saying, Signals } from "./protocol";

export type Box = [number, number, number, number];

interface View {
  target: [number, number, number];
  zoom: number;
  rotationX?: number; // degrees of tilt, chase camera only
  rotationOrbit?: number; // degrees
}

/** From above for the console, or behind one car for the cockpit. */
export type Camera = "map" | "chase";

const LONGEST_AGE_S = 0.35; // older than this, nobody is carried on: a frozen picture is more honest than a guess
const SAID_SECONDS = 6;
const RING_MS = 700; // how long a message's ring grows
const MOST_RINGS = 3000;
const FINGERTIP_PX = 12;
const THINNEST_PX = 1;
const PANELS_PX: [number, number] = [200, 360]; // what the panels cover, left and right

export class Scene {
  readonly shown = new Set(["objects", "signals", "said", "sensors"]);
  frames = 0;
  firstPicture = 0; // ms after the page began to load, 0 before it
  private readonly deck: Deck<OrthographicView | OrbitView>;
  private readonly roads: Ribbons;
  private readonly units: Dot[];
  private lit: Dot[];
  private objects: { frame: Objects; boxes: Boxes; received: number } | null = null;
  private lights = new Map<number, { light: number; changesIn: number }>();
  private said: Saying[] = [];
  private inside: Inside | null = null;
  private rings: (Heard & { born: number })[] = [];
  private view: View;
  private followed: number | null = null;
  private painting = false;

  constructor(
    private readonly parent: HTMLDivElement,
    private readonly map: BaseMap,
    private readonly onView: (box: Box) => void,
    onPick: (id: number) => void,
    private readonly camera: Camera = "map",
  ) {
    this.roads = roads(map);
    this.units = map.units.map(({ x, y }): Dot => ({ x, y, radius: 2.2, least: 3, stroke: 1.5, color: [170, 140, 255, 255] }));
    this.lit = this.lightDots();
    this.view = fit(map.box, parent.clientWidth, parent.clientHeight, camera === "map" ? PANELS_PX : [0, 0]);
    this.deck = new Deck<OrthographicView | OrbitView>({
      parent,
      deviceProps: { type: "webgl", webgl: { antialias: !drawnBySoftware() } } as never,
      views: camera === "map" ? new OrthographicView({ flipY: false }) : new OrbitView({ orbitAxis: "Z", fovy: 50 }),
      initialViewState: this.view as never,
      controller: (camera === "map" ? { inertia: 200, doubleClickZoom: true } : false) as never,
      layers: [],
      onViewStateChange: ({ viewState, interactionState }) => {
        this.view = viewState as unknown as View;
        if (interactionState?.isPanning) this.followed = null;
        this.announceView();
      },
      onClick: ({ coordinate }: PickingInfo) => {
        const id = coordinate ? this.nearest(coordinate[0]!, coordinate[1]!) : null;
        if (id !== null) onPick(id);
      },
      onAfterRender: () => {
        this.frames += 1;
        if (this.objects && !this.firstPicture) this.firstPicture = performance.now();
      },
    });
    this.announceView();
    addEventListener("resize", () => this.announceView());
    const loop = (): void => {
      if (this.objects || this.painting) this.paint();
      requestAnimationFrame(loop);
    };
    requestAnimationFrame(loop);
    this.paint();
  }

  /** Visible area in m, a margin of a tenth around it. */
  box(): Box {
    const scale = 2 ** -this.view.zoom;
    const halfX = 0.55 * this.parent.clientWidth * scale;
    const halfY = 0.55 * this.parent.clientHeight * scale;
    const [x, y] = this.view.target;
    return [x - halfX, y - halfY, x + halfX, y + halfY];
  }

  follow(id: number | null): void {
    this.followed = id;
  }

  /** The road user at a place, within 4 m or what a fingertip covers; null none. */
  private nearest(x: number, y: number): number | null {
    if (!this.objects) return null;
    const { position, heading, speed, id } = this.objects.frame;
    const age = this.age();
    let least = Math.max(4, FINGERTIP_PX * 2 ** -this.view.zoom) ** 2;
    let found: number | null = null;
    for (let i = 0; i < id.length; i++) {
      const dx = position[2 * i]! + age * speed[i]! * Math.cos(heading[i]!) - x;
      const dy = position[2 * i + 1]! + age * speed[i]! * Math.sin(heading[i]!) - y;
      const square = dx * dx + dy * dy;
      if (square < least) [least, found] = [square, id[i]!];
    }
    return found;
  }

  /** s since the newest frame, as far as its speeds may carry it on. */
  private age(): number {
    return this.objects ? Math.min((performance.now() - this.objects.received) / 1000, LONGEST_AGE_S) : 0;
  }

  /** Moves the view to a place, at a zoom that shows about 200 m. */
  go(x: number, y: number): void {
    this.view = { target: [x, y, 0], zoom: Math.max(this.view.zoom, 2) };
    this.deck.setProps({ initialViewState: { ...this.view } as never });
    this.announceView();
  }

  /** Puts the chase camera behind a car; heading in rad, anticlockwise from east. */
  chase(x: number, y: number, heading: number): void {
    const ahead = 6;
    const target: View["target"] = [x + ahead * Math.cos(heading), y + ahead * Math.sin(heading), 0];
    this.view = { target, zoom: 4.1, rotationX: 32, rotationOrbit: 90 - (heading * 180) / Math.PI };
    this.deck.setProps({ initialViewState: { ...this.view } as never });
  }

  setObjects(frame: Objects): void {
    this.objects = { frame, boxes: boxesOf(frame), received: performance.now() };
    if (this.followed !== null && this.camera === "map") {
      const at = frame.id.indexOf(this.followed);
      if (at >= 0) this.go(frame.position[2 * at]!, frame.position[2 * at + 1]!);
    }
  }

  setSignals(frame: Signals): void {
    for (let i = 0; i < frame.header.count; i++) {
      this.lights.set(lightKey(frame.group[i]!, frame.head[i]!), { light: frame.light[i]!, changesIn: frame.changesIn[i]! });
    }
    this.lit = this.lightDots();
    this.painting = true;
  }

  addSayings(sayings: Saying[]): void {
    const latest = Math.max(...sayings.map((s) => s.time), this.objects?.frame.header.time ?? -Infinity);
    this.said = [...this.said, ...sayings].filter((s) => latest - s.time < SAID_SECONDS);
  }

  addMessages(heard: Heard[]): void {
    const born = performance.now();
    this.rings = [...this.rings.filter((ring) => born - ring.born < RING_MS), ...heard.map((one) => ({ ...one, born }))].slice(-MOST_RINGS);
  }

  setInside(inside: Inside | null): void {
    this.inside = inside;
  }

  /** Forgets everything that moves: before time travel, and after it. */
  clear(): void {
    this.objects = null;
    this.said = [];
    this.rings = [];
    this.inside = null;
    this.lights.clear();
    this.lit = this.lightDots();
    this.paint();
  }

  private announceView(): void {
    this.onView(this.box());
  }

  private paint(): void {
    this.deck.setProps({ layers: [this.roadLayer(), this.dots("units", this.units), ...this.moving()] });
  }

  private roadLayer(): Layer {
    return new RibbonLayer({ id: "roads", ribbons: this.roads, thinnest: 0.5 * THINNEST_PX * this.pixel() });
  }

  /** m that a pixel covers. */
  private pixel(): number {
    return 2 ** -this.view.zoom;
  }

  private dots(id: string, dots: Dot[]): Layer {
    return new DotLayer({ id, dots, pixel: this.pixel() });
  }

  private moving(): Layer[] {
    const layers: (Layer | null)[] = [
      this.shown.has("signals") ? this.dots("lights", this.lit) : null,
      this.shown.has("signals") && this.view.zoom > 1.5 ? this.countdownLayer() : null,
      this.shown.has("sensors") && this.inside ? this.pathLayer() : null,
      this.shown.has("objects") ? this.objectLayer() : null,
      this.shown.has("sensors") && this.inside ? this.dots("seen", this.seenDots()) : null,
      this.shown.has("messages") ? this.dots("messages", this.messageDots()) : null,
      this.shown.has("said") ? this.dots("said", this.saidDots()) : null,
    ];
    return layers.filter((layer): layer is Layer => layer !== null);
  }

  private objectLayer(): Layer | null {
    if (!this.objects) return null;
    return new BoxLayer({ id: "objects", boxes: this.objects.boxes, age: this.age(), smallest: 4 * this.pixel() });
  }

  /** The heads of all signals in the colours that they show. */
  private lightDots(): Dot[] {
    return this.map.heads.map(({ number, head, x, y }) => {
      const light = this.lights.get(lightKey(number, head))?.light ?? 0;
      return { x, y, radius: 1.1, least: 2.5, color: LIGHTS[light] ?? LIGHTS[0]! };
    });
  }

  private countdownLayer(): Layer {
    return new TextLayer<SignalHead>({
      id: "countdowns",
      data: this.map.heads,
      getPosition: (head) => [head.x, head.y],
      getText: (head) => {
        const left = this.lights.get(lightKey(head.number, head.head))?.changesIn ?? NaN;
        return Number.isNaN(left) ? "" : left.toFixed(0);
      },
      getSize: 12,
      getPixelOffset: [12, -8],
      getColor: [225, 230, 236, 255],
      updateTriggers: { getText: [...this.lights.values()].map((l) => l.changesIn.toFixed(0)).join(",") },
    });
  }

  private saidDots(): Dot[] {
    return this.said.map(({ x, y, what, radius }) => ({
      x, y, radius: what === 0 ? Math.min(Math.max(radius, 5), 30) : 3, least: 6, stroke: 2, color: SAID[what] ?? SAID[0]!,
    }));
  }

  /** A ring per place and kind that grows and fades; what goes out to vehicles shrinks towards them instead. */
  private messageDots(): Dot[] {
    const now = performance.now();
    return this.rings.filter((ring) => now - ring.born < RING_MS).map(({ x, y, count, kind, out, born }) => {
      const grown = (now - born) / RING_MS;
      const [r, g, b] = MESSAGES[kind]?.color ?? [200, 200, 200, 255];
      const least = (4 + 22 * (out ? 1 - grown : grown)) * (1 + 0.25 * Math.log2(count));
      return { x, y, radius: 0, least, stroke: 1.5, color: [r, g, b, 230 * (1 - grown)] };
    });
  }

  private seenDots(): Dot[] {
    return (this.inside?.vehicle?.perceives ?? []).map(({ x, y, sigma, source }) => ({
      x, y, radius: 1.5 + 2 * (sigma ?? 0), stroke: 1.5, color: SEEN[source ?? "own"] ?? [200, 200, 200, 255],
    }));
  }

  private pathLayer(): Layer {
    const plan = this.inside?.vehicle?.plan ?? [];
    const points = plan.map(([x, y]): Point => [x, y]);
    return new RibbonLayer({ id: "plan", ribbons: ribbons([{ points, width: 1.4, color: [64, 200, 140, 120] }]), thinnest: this.pixel() });
  }
}

/** Whether there is no graphics card: smooth edges would then cost more than all the rest. */
function drawnBySoftware(): boolean {
  const gl = document.createElement("canvas").getContext("webgl2");
  const names = gl?.getExtension("WEBGL_debug_renderer_info");
  const name = names ? String(gl!.getParameter(names.UNMASKED_RENDERER_WEBGL)) : "";
  gl?.getExtension("WEBGL_lose_context")?.loseContext();
  return /swiftshader|llvmpipe|software/i.test(name);
}

function boxesOf(frame: Objects): Boxes {
  const count = frame.header.count;
  const places = new Float32Array(16 * count);
  const shapes = new Float32Array(12 * count);
  const colors = new Uint32Array(4 * count);
  const bytes = new Uint8Array(colors.buffer);
  for (let i = 0; i < count; i++) {
    const kind = KINDS[frame.kind[i]!] ?? KINDS[0]!;
    const heading = frame.heading[i]!;
    const [x, y, cos, sin] = [frame.position[2 * i]!, frame.position[2 * i + 1]!, Math.cos(heading), Math.sin(heading)];
    const [speed, length] = [frame.speed[i]!, frame.length[i]! || kind.length];
    bytes.set(colorOf(frame.kind[i]!, frame.marks[i]!), 16 * i);
    for (let corner = 4 * i; corner < 4 * i + 4; corner++) {
      places[4 * corner] = x;
      places[4 * corner + 1] = y;
      places[4 * corner + 2] = cos;
      places[4 * corner + 3] = sin;
      shapes[3 * corner] = speed;
      shapes[3 * corner + 1] = length;
      shapes[3 * corner + 2] = kind.width;
      colors[corner] = colors[4 * i]!;
    }
  }
  return { count, places, shapes, colors: bytes };
}

function lightKey(group: number, index: number): number {
  return group * 65536 + index;
}

/** A view that shows the whole box between what is covered on the left and on the right (pixels). */
export function fit(box: Box, width: number, height: number, covered: [number, number] = [0, 0]): View {
  const [x0, y0, x1, y1] = box;
  const [left, right] = width > 900 ? covered : [0, 0];
  const scale = 0.94 * Math.min((width - left - right) / Math.max(x1 - x0, 1), height / Math.max(y1 - y0, 1));
  return { target: [(x0 + x1) / 2 + (right - left) / 2 / scale, (y0 + y1) / 2, 0], zoom: Math.log2(scale) };
}
