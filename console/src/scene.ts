/** The map on the screen: roads, road users, lights, warnings, messages, and what one vehicle sees. */

import { Deck, OrbitView, OrthographicView } from "@deck.gl/core";
import type { Layer, PickingInfo } from "@deck.gl/core";
import { PathLayer, ScatterplotLayer, TextLayer } from "@deck.gl/layers";
import { BoxLayer } from "./box-layer";
import { roadLayers } from "./map-data";
import type { BaseMap, SignalHead } from "./map-data";
import { colorOf, KINDS, LIGHTS, MESSAGES, SAID } from "./palette";
import type { Heard, Inside, Objects, Saying, Seen, Signals } from "./protocol";

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
const PANELS_PX: [number, number] = [200, 360]; // what the panels cover, left and right

export class Scene {
  readonly shown = new Set(["objects", "signals", "said", "sensors"]);
  frames = 0;
  firstPicture = 0; // ms after the page began to load, 0 before it
  private readonly deck: Deck<OrthographicView | OrbitView>;
  private readonly roads: Layer[];
  private objects: { frame: Objects; shape: Float32Array; colors: Uint8Array; received: number } | null = null;
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
    this.roads = roadLayers(map);
    this.view = fit(map.box, parent.clientWidth, parent.clientHeight, camera === "map" ? PANELS_PX : [0, 0]);
    this.deck = new Deck<OrthographicView | OrbitView>({
      parent,
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
    const n = frame.header.count;
    const shape = new Float32Array(4 * n);
    const colors = new Uint8Array(4 * n);
    for (let i = 0; i < n; i++) {
      const kind = KINDS[frame.kind[i]!] ?? KINDS[0]!;
      shape.set([frame.heading[i]!, frame.speed[i]!, frame.length[i]! || kind.length, kind.width], 4 * i);
      colors.set(colorOf(frame.kind[i]!, frame.marks[i]!), 4 * i);
    }
    this.objects = { frame, shape, colors, received: performance.now() };
    if (this.followed !== null && this.camera === "map") {
      const at = frame.id.indexOf(this.followed);
      if (at >= 0) this.go(frame.position[2 * at]!, frame.position[2 * at + 1]!);
    }
  }

  setSignals(frame: Signals): void {
    for (let i = 0; i < frame.header.count; i++) {
      this.lights.set(lightKey(frame.group[i]!, frame.head[i]!), { light: frame.light[i]!, changesIn: frame.changesIn[i]! });
    }
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
    this.paint();
  }

  private announceView(): void {
    this.onView(this.box());
  }

  private paint(): void {
    this.deck.setProps({ layers: [...this.roads, ...this.moving()] });
  }

  private moving(): Layer[] {
    const layers: (Layer | null)[] = [
      this.shown.has("signals") ? this.lightLayer() : null,
      this.shown.has("signals") && this.view.zoom > 1.5 ? this.countdownLayer() : null,
      this.shown.has("sensors") && this.inside ? this.pathLayer() : null,
      this.shown.has("objects") ? this.objectLayer() : null,
      this.shown.has("sensors") && this.inside ? this.seenLayer() : null,
      this.shown.has("messages") ? this.messageLayer() : null,
      this.shown.has("said") ? this.saidLayer() : null,
    ];
    return layers.filter((layer): layer is Layer => layer !== null);
  }

  private objectLayer(): Layer | null {
    if (!this.objects) return null;
    const { frame, shape, colors } = this.objects;
    return new BoxLayer({
      id: "objects",
      data: {
        length: frame.header.count,
        attributes: {
          instancePositions: { value: frame.position, size: 2 },
          instanceShape: { value: shape, size: 4 },
          instanceColors: { value: colors, size: 4, normalized: true },
        },
      } as never,
      age: this.age(),
      smallest: 4 * 2 ** -this.view.zoom,
    });
  }

  private lightLayer(): Layer {
    return new ScatterplotLayer<SignalHead>({
      id: "lights",
      data: this.map.heads,
      getPosition: (head) => [head.x, head.y],
      getRadius: 1.1,
      radiusUnits: "common",
      radiusMinPixels: 2.5,
      getFillColor: (head) => LIGHTS[this.lights.get(lightKey(head.number, head.head))?.light ?? 0] ?? LIGHTS[0]!,
      updateTriggers: { getFillColor: [...this.lights.values()].map((l) => l.light).join("") },
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

  private saidLayer(): Layer {
    return new ScatterplotLayer<Saying>({
      id: "said",
      data: this.said,
      getPosition: (saying) => [saying.x, saying.y],
      getRadius: (saying) => (saying.what === 0 ? Math.min(Math.max(saying.radius, 5), 30) : 3),
      radiusUnits: "common",
      radiusMinPixels: 6,
      filled: false,
      stroked: true,
      lineWidthUnits: "pixels",
      getLineWidth: 2,
      getLineColor: (saying) => SAID[saying.what] ?? SAID[0]!,
    });
  }

  /** A ring per place and kind that grows and fades; what goes out to vehicles shrinks towards them instead. */
  private messageLayer(): Layer | null {
    const now = performance.now();
    const alive = this.rings.filter((ring) => now - ring.born < RING_MS);
    if (!alive.length) return null;
    const share = (ring: { born: number; out: boolean }): number => {
      const grown = (now - ring.born) / RING_MS;
      return ring.out ? 1 - grown : grown;
    };
    return new ScatterplotLayer<(typeof alive)[number]>({
      id: "messages",
      data: alive,
      getPosition: (ring) => [ring.x, ring.y],
      getRadius: (ring) => (4 + 22 * share(ring)) * (1 + 0.25 * Math.log2(ring.count)),
      radiusUnits: "pixels",
      filled: false,
      stroked: true,
      lineWidthUnits: "pixels",
      getLineWidth: 1.5,
      getLineColor: (ring) => {
        const [r, g, b] = MESSAGES[ring.kind]?.color ?? [200, 200, 200, 255];
        return [r, g, b, 230 * (1 - (now - ring.born) / RING_MS)];
      },
      updateTriggers: { getRadius: now, getLineColor: now },
    });
  }

  private seenLayer(): Layer {
    const color: Record<string, [number, number, number, number]> = {
      own: [64, 200, 140, 255],
      road: [170, 140, 255, 255],
      car: [92, 160, 255, 255],
    };
    return new ScatterplotLayer<Seen>({
      id: "seen",
      data: this.inside?.vehicle?.perceives ?? [],
      getPosition: (seen) => [seen.x, seen.y],
      getRadius: (seen) => 1.5 + 2 * (seen.sigma ?? 0),
      radiusUnits: "common",
      filled: false,
      stroked: true,
      lineWidthUnits: "pixels",
      getLineWidth: 1.5,
      getLineColor: (seen) => color[seen.source ?? "own"] ?? [200, 200, 200, 255],
    });
  }

  private pathLayer(): Layer {
    const plan = this.inside?.vehicle?.plan ?? [];
    return new PathLayer<[number, number][]>({
      id: "plan",
      data: plan.length > 1 ? [plan.map(([x, y]) => [x, y] as [number, number])] : [],
      getPath: (path) => path,
      getColor: [64, 200, 140, 120],
      getWidth: 1.4,
      widthUnits: "common",
      capRounded: true,
      jointRounded: true,
    });
  }
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
