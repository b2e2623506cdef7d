/** Link and service health, asked every two seconds. */

import { figure, getJson, h, replace } from "../dom";
import { t } from "../i18n";

/** Counts of a service's runs, late runs and stops, and of its failures by the name of the error. */
type Service = { tier?: string; runs?: number; late?: number; stopped?: number; last_ms?: number } & Record<string, unknown>;

interface Process {
  cpu_s?: number;
  memory_mb?: number;
  cycle_ms_max?: number;
  services?: Record<string, Service>;
}

export interface Health {
  status: string;
  problems: string[];
  objects: number;
  totals: Record<string, number>;
  refused_by_source: Record<string, Record<string, number>>;
  supervision: Record<string, { alive: boolean; restarts: number }>;
  processes: Record<string, Process>;
}

export class HealthPanel {
  readonly element = h("div.health");

  constructor() {
    void this.ask();
    setInterval(() => void this.ask(), 2000);
  }

  private async ask(): Promise<void> {
    if (document.hidden) return;
    try {
      this.show(await getJson<Health>("health"));
    } catch (error) {
      replace(this.element, h("p.status.bad", {}, String(error)));
    }
  }

  private show(health: Health): void {
    replace(
      this.element,
      h(`p.status.${health.status === "ok" ? "good" : "bad"}`, {}, t(`status_${health.status}`)),
      health.problems?.length ? h("ul", {}, ...health.problems.map((problem) => h("li", {}, problem))) : null,
      section("ingest", counts(health.totals)),
      section("dropped", refusals(health.refused_by_source)),
      section("processes", processes(health)),
      section("services", services(health.processes)),
    );
  }
}

function section(title: string, content: HTMLElement | null): HTMLElement | null {
  return content && h("section", {}, h("h3", {}, t(title)), content);
}

function counts(totals: Record<string, number> | undefined): HTMLElement | null {
  const rows = Object.entries(totals ?? {});
  return rows.length ? h("dl", {}, ...rows.flatMap(([name, n]) => [h("dt", {}, t(name)), h("dd", {}, figure(n))])) : null;
}

function refusals(sources: Health["refused_by_source"] | undefined): HTMLElement | null {
  const rows = Object.entries(sources ?? {}).flatMap(([source, reasons]) =>
    Object.entries(reasons).map(([reason, n]) => h("tr", {}, h("td", {}, source), h("td", {}, t(reason)), h("td", {}, figure(n)))),
  );
  return rows.length ? h("table", {}, h("tbody", {}, ...rows.slice(0, 30))) : null;
}

function processes(health: Health): HTMLElement | null {
  const names = [...new Set([...Object.keys(health.supervision ?? {}), ...Object.keys(health.processes ?? {})])].sort();
  if (!names.length) return null;
  const rows = names.map((name) => {
    const watched = health.supervision?.[name];
    const page = health.processes?.[name] ?? {};
    const cells = [name, watched ? (watched.alive ? "✓" : "✗") : "", figure(watched?.restarts), figure(page.memory_mb), figure(page.cycle_ms_max)];
    return h(`tr${watched && !watched.alive ? ".bad" : ""}`, {}, ...cells.map((cell) => h("td", {}, cell)));
  });
  const head = ["process", "alive", "restarts", "MB", "ms max"].map((key) => h("th", {}, t(key)));
  return h("table", {}, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...rows));
}

/** Failures of a service: everything that it counts by the name of an error. */
function failures(service: Service): number {
  const { tier: _tier, last_ms: _last, runs: _runs, late: _late, stopped: _stopped, ...errors } = service;
  return Object.values(errors).reduce<number>((sum, n) => sum + Number(n), 0);
}

function services(pages: Health["processes"] | undefined): HTMLElement | null {
  const rows = Object.values(pages ?? {}).flatMap((page) =>
    Object.entries(page.services ?? {}).map(([name, s]) =>
      h(`tr${failures(s) || s.late ? ".bad" : ""}`, {}, ...[t(name), t(s.tier ?? ""), figure(s.runs), figure(s.late), figure(failures(s))].map((cell) => h("td", {}, cell))),
    ),
  );
  const head = ["service", "tier", "runs", "late", "errors"].map((key) => h("th", {}, t(key)));
  return rows.length ? h("table", {}, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...rows)) : null;
}
