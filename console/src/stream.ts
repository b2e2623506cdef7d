/** One WebSocket to the platform: connects again by itself, repeats its wishes after that, hands out whole frames. */

import { token } from "./auth";
import { FrameError, FrameKind, readHeader, readJson, readMessages, readObjects, readSayings, readSignals } from "./protocol";
import type { Cockpit, Figures, Heard, Inside, Objects, Saying, Signals } from "./protocol";

export interface Handlers {
  objects?: (frame: Objects) => void;
  signals?: (frame: Signals) => void;
  sayings?: (sayings: Saying[]) => void;
  messages?: (heard: Heard[]) => void;
  figures?: (figures: Figures) => void;
  inside?: (inside: Inside) => void;
  cockpit?: (state: Cockpit) => void;
  state?: (state: "connecting" | "open" | "lost") => void;
}

export interface Traffic {
  frames: number;
  bytes: number;
  broken: number;
}

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 5000;

export class Stream {
  readonly traffic: Traffic = { frames: 0, bytes: 0, broken: 0 };
  private socket: WebSocket | null = null;
  private wait = FIRST_WAIT_MS;
  private wishes: Record<string, unknown> = {};

  constructor(
    private readonly path: string,
    private readonly handlers: Handlers,
  ) {
    this.connect();
  }

  /** Sends wishes such as {box: ...}; the newest of each name is repeated after a reconnection. */
  ask(wishes: Record<string, unknown>): void {
    const { at: _at, speed: _speed, live: _live, ...lasting } = { ...this.wishes, ...wishes };
    this.wishes = lasting; // after a reconnection, time is now again
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(wishes));
  }

  private connect(): void {
    this.handlers.state?.("connecting");
    const url = new URL(this.path, location.href);
    if (token()) url.searchParams.set("token", token()); // a browser's WebSocket has no headers of its own
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.wait = FIRST_WAIT_MS;
      this.handlers.state?.("open");
      if (Object.keys(this.wishes).length) socket.send(JSON.stringify(this.wishes));
    };
    socket.onmessage = (event) => this.receive(event.data as ArrayBuffer | string);
    socket.onclose = () => {
      this.handlers.state?.("lost");
      setTimeout(() => this.connect(), this.wait);
      this.wait = Math.min(2 * this.wait, LONGEST_WAIT_MS);
    };
    this.socket = socket;
  }

  private receive(data: ArrayBuffer | string): void {
    if (typeof data === "string") return console.warn(data); // the platform did not understand a wish
    this.traffic.frames += 1;
    this.traffic.bytes += data.byteLength;
    try {
      this.dispatch(data);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.traffic.broken += 1;
    }
  }

  private dispatch(data: ArrayBuffer): void {
    const h = this.handlers;
    switch (readHeader(data).kind) {
      case FrameKind.Objects:
        return h.objects?.(readObjects(data));
      case FrameKind.Signals:
        return h.signals?.(readSignals(data));
      case FrameKind.Sayings:
        return h.sayings?.(readSayings(data));
      case FrameKind.Figures:
        return h.figures?.(readJson<Figures>(data));
      case FrameKind.Messages:
        return h.messages?.(readMessages(data));
      case FrameKind.Vehicle:
        return h.inside?.(readJson<Inside>(data));
      case FrameKind.Cockpit:
        return h.cockpit?.(readJson<Cockpit>(data));
      default:
        throw new FrameError("a kind of frame that this console does not know");
    }
  }
}
