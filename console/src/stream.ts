/** One WebSocket to the platform: connects again by itself, repeats its wishes after that, hands out whole frames. */

import { FrameError, FrameKind, readHeader, readJson, readMessages, readObjects, readSignals } from "./protocol";
import type { Cockpit, Inside, Kpi, Messages, Objects, Signals, Warning } from "./protocol";

export interface Handlers {
  objects?: (frame: Objects) => void;
  signals?: (frame: Signals) => void;
  events?: (warnings: Warning[]) => void;
  kpi?: (kpi: Kpi) => void;
  inside?: (inside: Inside) => void;
  messages?: (frame: Messages) => void;
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
  private readonly wishes = new Map<string, string>();

  constructor(
    private readonly path: string,
    private readonly handlers: Handlers,
  ) {
    this.connect();
  }

  /** Sends a wish such as {type: "view", ...}; the newest of each type is repeated after a reconnection. */
  ask(wish: { type: string } & Record<string, unknown>): void {
    const text = JSON.stringify(wish);
    this.wishes.set(wish.type, text);
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(text);
  }

  private connect(): void {
    this.handlers.state?.("connecting");
    const url = new URL(this.path, location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.wait = FIRST_WAIT_MS;
      this.handlers.state?.("open");
      for (const text of this.wishes.values()) socket.send(text);
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
    if (typeof data === "string") return; // the protocol has no text frames from the server
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
      case FrameKind.Events:
        return h.events?.(readJson<Warning[]>(data));
      case FrameKind.Kpi:
        return h.kpi?.(readJson<Kpi>(data));
      case FrameKind.Inside:
        return h.inside?.(readJson<Inside>(data));
      case FrameKind.Messages:
        return h.messages?.(readMessages(data));
      case FrameKind.Cockpit:
        return h.cockpit?.(readJson<Cockpit>(data));
      default:
        throw new FrameError("a kind of frame that this console does not know");
    }
  }
}
