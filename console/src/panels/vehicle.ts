/** One vehicle from inside: what it perceives, what it was told, what it decides. */

import { figure, h, replace } from "../dom";
import { t } from "../i18n";
import type { Inside } from "../protocol";

export class VehiclePanel {
  readonly element = h("div.vehicle", {}, h("p.empty", {}, t("pick_vehicle")));

  constructor(private readonly release: () => void) {}

  show(id: number, inside: Inside | null): void {
    const head = h(
      "header",
      {},
      h("strong", {}, `# ${id}`),
      inside && h("span", {}, `${figure(inside.speed * 3.6)} km/h`),
      h("button", { type: "button", onclick: () => this.release() }, t("release")),
    );
    replace(this.element, head, ...(inside ? sections(inside) : [h("p.empty", {}, t("no_inside"))]));
  }

  clear(): void {
    replace(this.element, h("p.empty", {}, t("pick_vehicle")));
  }
}

function sections(inside: Inside): HTMLElement[] {
  const bySource = new Map<string, number>();
  for (const seen of inside.perceived) bySource.set(seen.source, (bySource.get(seen.source) ?? 0) + 1);
  const decided = inside.decided;
  return [
    h("h3", {}, t("perceives")),
    h("ul", {}, ...[...bySource].map(([source, n]) => h(`li.source-${source}`, {}, `${n} × ${t(source)}`))),
    h("h3", {}, t("told")),
    h(
      "ul",
      {},
      ...(inside.told.length
        ? inside.told.slice(-8).map((told) => h("li", {}, `${told.time.toFixed(1)} s  ${t(told.kind)}: ${told.text} (${told.source})`))
        : [h("li.none", {}, t("nothing"))]),
    ),
    h("h3", {}, t("decides")),
    decided
      ? h("p.decided", {}, h("strong", {}, decided.text), h("br"), `${decided.proposal} · ${decided.term}`,
          decided.speed_target === null ? "" : ` · ${t("target")} ${figure(decided.speed_target * 3.6)} km/h`)
      : h("p.none", {}, t("nothing")),
  ];
}
