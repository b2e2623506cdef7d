/** Time travel: live, or any moment that the store still holds, at a chosen speed. */

import { getJson, h } from "../dom";
import { t } from "../i18n";

interface Range {
  from: number | null;
  to: number | null;
}

/** Now, or history from `at` s on, at a speed; speed 0 stands still. */
export type TimeWish = { live: true } | { at: number; speed: number };

export class Timeline {
  readonly element: HTMLElement;
  private readonly slider = h<HTMLInputElement>("input", { type: "range", min: 0, max: 1, step: 0.1, value: 1, "aria-label": t("history") });
  private readonly clock = h("output");
  private readonly live = h<HTMLButtonElement>("button.live.on", { type: "button" }, t("live"));
  private readonly play = h<HTMLButtonElement>("button.play", { type: "button" }, t("pause"));
  private readonly speed = h<HTMLSelectElement>("select", { "aria-label": t("speed") }, ...[1, 2, 4, 10, 60].map((x) => h("option", { value: x }, `${x}×`)));
  private mode: "live" | "history" | "pause" = "live";
  private dragging = false;

  constructor(private readonly ask: (wish: TimeWish) => void) {
    this.element = h("div.timeline", {}, this.live, this.play, this.speed, this.slider, this.clock);
    this.live.onclick = () => this.set("live");
    this.play.onclick = () => this.set(this.mode === "pause" ? "history" : "pause");
    this.speed.onchange = () => this.set("history");
    this.slider.oninput = () => {
      this.dragging = true;
      this.clock.textContent = clock(Number(this.slider.value));
    };
    this.slider.onchange = () => {
      this.dragging = false;
      this.set("history");
    };
    void this.range();
    setInterval(() => void this.range(), 5000);
  }

  /** Shows the time of the newest frame. */
  at(time: number): void {
    if (this.dragging) return;
    this.clock.textContent = clock(time);
    if (this.mode === "live") this.slider.max = String(Math.max(Number(this.slider.max), time));
    this.slider.value = String(time);
  }

  private set(mode: "live" | "history" | "pause"): void {
    this.mode = mode;
    this.live.classList.toggle("on", mode === "live");
    this.play.textContent = t(mode === "pause" ? "play" : "pause");
    if (mode === "live") this.ask({ live: true });
    else this.ask({ at: Number(this.slider.value), speed: mode === "pause" ? 0 : Number(this.speed.value) });
  }

  private async range(): Promise<void> {
    try {
      const range = await getJson<Range>("api/history/range");
      if (range.from === null || range.to === null) return;
      this.slider.min = String(range.from);
      if (this.mode !== "live") this.slider.max = String(Math.max(range.to, Number(this.slider.value)));
    } catch {
      // a platform without a store has no past; live goes on
    }
  }
}

/** Wall-clock time for a platform's epoch seconds, plain seconds for a simulation's. */
export function clock(time: number): string {
  if (time > 1e8) return new Date(time * 1000).toLocaleTimeString();
  const minutes = Math.floor(time / 60);
  return `${String(minutes).padStart(2, "0")}:${(time - 60 * minutes).toFixed(1).padStart(4, "0")}`;
}
