/** Warnings and advice as they are said, newest first, what is said again in the row that is there; a click goes there. */

import { figure, h } from "../dom";
import { saying, t } from "../i18n";
import type { Saying } from "../protocol";
import { clock } from "./timeline";

const MOST = 200;
const AGAIN_S = 5; // after so long a silence the same word to the same road user is news

export class EventList {
  readonly element = h("div.events");
  private readonly empty = h("p.empty", {}, t("no_events"));
  private rows = new Map<string, { element: HTMLElement; time: number }>();

  constructor(private readonly go: (said: Saying) => void) {
    this.element.append(this.empty);
  }

  add(sayings: Saying[]): void {
    if (!sayings.length) return;
    this.empty.remove();
    for (const said of sayings) this.show(said);
    while (this.element.childElementCount > MOST) this.element.lastElementChild!.remove();
    const latest = Math.max(...sayings.map((said) => said.time));
    for (const [key, { time }] of this.rows) if (latest - time > AGAIN_S) this.rows.delete(key);
  }

  clear(): void {
    this.element.replaceChildren(this.empty);
    this.rows.clear();
  }

  private show(said: Saying): void {
    const key = `${said.target} ${said.what} ${said.code}`;
    const before = this.rows.get(key);
    const element = this.row(said);
    if (before && said.time - before.time <= AGAIN_S && before.element.isConnected) before.element.replaceWith(element);
    else this.element.prepend(element);
    this.rows.set(key, { element, time: said.time });
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
