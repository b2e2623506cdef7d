/** Warnings and advice as they are said, newest first; a click goes there. */

import { figure, h } from "../dom";
import { saying, t } from "../i18n";
import type { Saying } from "../protocol";
import { clock } from "./timeline";

const MOST = 200;

export class EventList {
  readonly element = h("div.events");
  private readonly empty = h("p.empty", {}, t("no_events"));

  constructor(private readonly go: (said: Saying) => void) {
    this.element.append(this.empty);
  }

  add(sayings: Saying[]): void {
    if (!sayings.length) return;
    this.empty.remove();
    for (const said of sayings) this.element.prepend(this.row(said));
    while (this.element.childElementCount > MOST) this.element.lastElementChild!.remove();
  }

  clear(): void {
    this.element.replaceChildren(this.empty);
  }

  private row(said: Saying): HTMLElement {
    return h(
      `button.event.p${said.what === 0 ? 2 : 0}`,
      { type: "button", onclick: () => this.go(said) },
      h("span.time", {}, clock(said.time)),
      h("strong", {}, saying(said.what, said.code)),
      h("span.text", {}, `${said.target === 0 ? t("everyone") : `# ${said.target}`}  ·  ${amount(said)}`),
    );
  }
}

/** Seconds to the conflict of a warning, km/h of an advice. */
function amount(said: Saying): string {
  return said.what === 0 ? `${figure(said.value)} s` : `${figure(said.value * 3.6)} km/h`;
}
