/** Link and service health, asked every two seconds. */

import { figure, getJson, h, replace } from "../dom";
import { t } from "../i18n";

interface Service {
  name: string;
  tier: string;
  deadline_ms: number;
  ran: number;
  late: number;
  errors: number;
  ms_p99: number;
}

export interface Health {
  status: string;
  broker?: { ok: boolean; url: string };
  twin?: { objects: number; age_ms_p95: number; shards?: number };
  ingest?: { frames: number; messages: number; verified_share: number | null; dropped: Record<string, number> };
  services?: Service[];
  link?: { sent: number; delivered: number; pdr: number; latency_ms_p99: number };
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
    const { broker, twin, ingest, link } = health;
    replace(
      this.element,
      h(`p.status.${health.status === "ok" ? "good" : "bad"}`, {}, health.status),
      facts([
        [t("broker"), broker && `${broker.ok ? "✓" : "✗"} ${broker.url}`],
        [t("twin"), twin && `${figure(twin.objects)}  ·  p95 ${figure(twin.age_ms_p95)} ms`],
        [t("ingest"), ingest && `${figure(ingest.messages)}  ·  ${t("verified")} ${percent(ingest.verified_share)}`],
        [t("link"), link && `PDR ${percent(link.pdr)}  ·  p99 ${figure(link.latency_ms_p99)} ms`],
      ]),
      health.services?.length ? services(health.services) : null,
      ingest && Object.keys(ingest.dropped).length ? h("h3", {}, t("dropped")) : null,
      ingest ? facts(Object.entries(ingest.dropped).map(([reason, n]) => [reason.replaceAll("_", " "), figure(n)])) : null,
    );
  }
}

function facts(rows: [string, string | undefined | false][]): HTMLElement {
  return h("dl", {}, ...rows.flatMap(([name, value]) => (value ? [h("dt", {}, name), h("dd", {}, value)] : [])));
}

function services(rows: Service[]): HTMLElement {
  const head = ["service", "tier", "p99", "late", "errors"].map((key) => h("th", {}, key === "p99" ? "p99 ms" : t(key)));
  return h(
    "table",
    {},
    h("thead", {}, h("tr", {}, ...head)),
    h(
      "tbody",
      {},
      ...rows.map((s) =>
        h(
          `tr${s.late || s.errors ? ".bad" : ""}`,
          {},
          ...[s.name, s.tier, `${figure(s.ms_p99)} / ${figure(s.deadline_ms)}`, figure(s.late), figure(s.errors)].map((cell) => h("td", {}, cell)),
        ),
      ),
    ),
  );
}

function percent(share: number | null | undefined): string {
  return share === null || share === undefined ? "–" : `${(100 * share).toFixed(1)} %`;
}
