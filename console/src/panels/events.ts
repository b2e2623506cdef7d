/** Warnings as they fire, newest first; a click goes there. */

import { h } from "../dom";
import { t } from "../i18n";
import type { Warning } from "../protocol";

const MOST = 200;

export class EventList {
  readonly element = h("div.events");
  private readonly empty = h("p.empty", {}, t("no_events"));

  constructor(private readonly go: (warning: Warning) => void) {
    this.element.append(this.empty);
  }

  add(warnings: Warning[]): void {
    if (!warnings.length) return;
    this.empty.remove();
    for (const warning of warnings) this.element.prepend(this.row(warning));
    while (this.element.childElementCount > MOST) this.element.lastElementChild!.remove();
  }

  clear(): void {
    this.element.replaceChildren(this.empty);
  }

  private row(w: Warning): HTMLElement {
    return h(
      `button.event.p${w.priority}`,
      { type: "button", onclick: () => this.go(w) },
      h("span.time", {}, `${w.time.toFixed(1)} s`),
      h("strong", {}, t(w.kind)),
      h("span.text", {}, w.text),
      h("span.source", {}, w.source),
    );
  }
}
