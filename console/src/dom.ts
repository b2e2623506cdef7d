/** Elements without a framework: `h("div.tile", {title}, child, ...)`. */

import { authorization, forget, token, Unauthorised } from "./auth";

type Child = Node | string | null | undefined | false;

export function h<T extends HTMLElement = HTMLElement>(
  spec: string,
  attributes: Record<string, unknown> = {},
  ...children: Child[]
): T {
  const [tag = "div", ...classes] = spec.split(".");
  const element = document.createElement(tag || "div") as T;
  if (classes.length) element.className = classes.join(" ");
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value as EventListener);
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child): child is Node | string => Boolean(child)));
  return element;
}

export function replace(element: HTMLElement, ...children: Child[]): void {
  element.replaceChildren(...children.filter((child): child is Node | string => Boolean(child)));
}

/** A number for people: 3 significant digits, thousands grouped, an en dash for none. */
export function figure(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en");
  return Number(value.toPrecision(3)).toString();
}

export async function getJson<T>(path: string): Promise<T> {
  const response = await fetch(path, { headers: { accept: "application/json", ...authorization() } });
  if (response.status === 401) {
    if (token()) {
      forget(); // it has expired or was given back: ask anew
      location.reload();
    }
    throw new Unauthorised(path);
  }
  if (!response.ok) throw new Error(`${path}: ${response.status} ${response.statusText}`);
  return (await response.json()) as T;
}
