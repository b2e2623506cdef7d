/** Tiles of the four words: safe, efficient, green, civilised. */

import { figure, h, replace } from "../dom";
import { t } from "../i18n";
import type { Figures } from "../protocol";

const WORDS = ["safe", "efficient", "green", "civilised"];

export class FigureTiles {
  readonly element = h("div.tiles");

  constructor() {
    this.show({});
  }

  show(figures: Figures): void {
    replace(this.element, ...WORDS.map((word) => tile(word, figures[word])));
  }
}

function tile(word: string, figures: Figures[string] | undefined): HTMLElement {
  const entries = typeof figures === "object" ? Object.entries(figures) : [];
  const rows = entries.map(([name, value]) => {
    const [label, unit] = split(name);
    return h("div.metric", {}, h("span.value", {}, figure(value)), h("span.unit", {}, unit), h("span.name", {}, t(label)));
  });
  return h(`section.tile.${word}`, {}, h("h2", {}, t(word)), ...(rows.length ? rows : [h("div.metric.none", {}, "–")]));
}

/** A metric's name ends in its unit: `mean_wait_s` -> mean_wait, s. */
export function split(name: string): [string, string] {
  const units: Record<string, string> = { _s: "s ", _per_min: "/min ", _g_per_km: "g/km ", _kg: "kg ", _mj: "MJ ", _share: "", mean_speed: "m/s " };
  for (const [ending, unit] of Object.entries(units)) {
    if (name.endsWith(ending)) return [ending.startsWith("_") && ending !== "_share" ? name.slice(0, -ending.length) : name, unit];
  }
  return [name, ""];
}
