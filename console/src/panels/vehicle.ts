/** One vehicle from inside: what it perceives, what it was told, what it decides. */

import { figure, h, replace } from "../dom";
import { saying, t } from "../i18n";
import type { Inside } from "../protocol";
import { clock } from "./timeline";

export class VehiclePanel {
  readonly element = h("div.vehicle", {}, h("p.empty", {}, t("pick_vehicle")));

  constructor(private readonly release: () => void) {}

  show(id: number, inside: Inside | null): void {
    const state = inside?.state;
    const head = h(
      "header",
      {},
      h("strong", {}, `# ${id}`),
      state && h("span", {}, `${t(state.kind)} · ${figure(state.speed * 3.6)} km/h`),
      h("button", { type: "button", onclick: () => this.release() }, t("release")),
    );
    replace(this.element, head, ...sections(inside));
  }

  clear(): void {
    replace(this.element, h("p.empty", {}, t("pick_vehicle")));
  }
}

function sections(inside: Inside | null): HTMLElement[] {
  const told = inside?.told ?? [];
  const vehicle = inside?.vehicle;
  return [
    h("h3", {}, t("told")),
    h("ul", {}, ...(told.length ? told.slice(-8).map(toldRow) : [h("li.none", {}, t("nothing"))])),
    ...(vehicle ? thoughts(vehicle) : [h("p.empty", {}, t("no_inside"))]),
  ];
}

function toldRow(told: NonNullable<Inside["told"]>[number]): HTMLElement {
  const warning = told.what === "warning";
  const amount = warning ? `${figure(told.value)} s` : `${figure(told.value * 3.6)} km/h`;
  return h("li", {}, `${clock(told.time)}  ${saying(warning ? 0 : 1, told.code)}: ${amount}`);
}

function thoughts(vehicle: NonNullable<Inside["vehicle"]>): HTMLElement[] {
  const bySource = new Map<string, number>();
  for (const seen of vehicle.perceives ?? []) bySource.set(seen.source ?? "own", (bySource.get(seen.source ?? "own") ?? 0) + 1);
  return [
    h("h3", {}, t("perceives")),
    h("ul", {}, ...[...bySource].map(([source, n]) => h(`li.source-${source}`, {}, `${n} × ${t(source)}`))),
    h("h3", {}, t("decides")),
    h("p.decided", {}, vehicle.decides?.text ?? t("nothing")),
  ];
}
