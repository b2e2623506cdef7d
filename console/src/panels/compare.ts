/** The arms of a study side by side, each value with its 95 % interval against the human arm's. */

import { figure, getJson, h, replace } from "../dom";
import { t } from "../i18n";

interface Estimate {
  mean: number | null;
  ci95: [number, number] | number | null;
  unit: string;
}

type Arm = Record<string, Record<string, Estimate>>;

interface Summary {
  study: string | { name: string };
  arms: Record<string, Arm>;
}

interface Run {
  id: string;
  name: string;
  arms: string[];
}

const WORDS = ["safe", "efficient", "green", "civilised"];

export class ComparePanel {
  readonly element = h("div.compare");
  private readonly body = h("div");

  async open(): Promise<void> {
    let runs: Run[];
    try {
      runs = await getJson<Run[]>("api/runs");
    } catch (error) {
      return replace(this.element, h("p.empty", {}, String(error)));
    }
    if (!runs.length) return replace(this.element, h("p.empty", {}, t("no_runs")));
    const choice = h<HTMLSelectElement>(
      "select",
      { onchange: () => void this.load(choice.value) },
      ...runs.map((run) => h("option", { value: run.id }, `${run.name} (${run.id})`)),
    );
    replace(this.element, choice, this.body);
    await this.load(runs[0]!.id);
  }

  private async load(id: string): Promise<void> {
    const summary = await getJson<Summary>(`api/runs/${encodeURIComponent(id)}`);
    const arms = Object.keys(summary.arms);
    replace(this.body, ...WORDS.map((word) => table(word, arms, summary.arms)));
  }
}

function table(word: string, arms: string[], all: Summary["arms"]): HTMLElement {
  const names = Object.keys(all[arms[0]!]?.[word] ?? {});
  const head = h("tr", {}, h("th", {}, t(word)), ...arms.map((arm) => h("th", {}, t(arm === "human" ? "arm_human" : arm))));
  const rows = names.map((name) => {
    const first = all[arms[0]!]![word]![name]!;
    return h("tr", {}, h("td", {}, `${name.replaceAll("_", " ")} (${first.unit})`), ...arms.map((arm) => cell(all[arm]?.[word]?.[name])));
  });
  return h("table.arms", {}, h("thead", {}, head), h("tbody", {}, ...rows));
}

function cell(estimate: Estimate | undefined): HTMLElement {
  if (!estimate) return h("td", {}, "–");
  const ci = estimate.ci95;
  const width = Array.isArray(ci) ? `${figure(ci[0])} … ${figure(ci[1])}` : ci === null ? "" : `± ${figure(ci)}`;
  return h("td", {}, figure(estimate.mean), h("small", {}, width));
}
