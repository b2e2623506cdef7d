/** Tiles of the four words: safe, efficient, green, civilised. */

import { figure, h, replace } from "../dom";
import { t } from "../i18n";
import type { Kpi } from "../protocol";

const WORDS = ["safe", "efficient", "green", "civilised"];

export class KpiTiles {
  readonly element = h("div.tiles");

  constructor() {
    this.show({});
  }

  show(kpi: Kpi): void {
    replace(this.element, ...WORDS.map((word) => tile(word, kpi[word] ?? {})));
  }
}

function tile(word: string, metrics: Kpi[string]): HTMLElement {
  const rows = Object.entries(metrics).map(([name, metric]) =>
    h("div.metric", {}, h("span.value", {}, figure(metric.value)), h("span.unit", {}, `${metric.unit} `), h("span.name", {}, t(name))),
  );
  return h(`section.tile.${word}`, {}, h("h2", {}, t(word)), ...(rows.length ? rows : [h("div.metric.none", {}, "–")]));
}
