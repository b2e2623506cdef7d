/** The console page: one scene, one stream, and panels around them. */

import { logOut, token, Unauthorised, userName } from "./auth";
import { h, replace } from "./dom";
import { currentLanguage, setLanguage, t } from "./i18n";
import { fetchMap } from "./map-data";
import type { BaseMap } from "./map-data";
import { ComparePanel } from "./panels/compare";
import { EventList } from "./panels/events";
import { FigureTiles } from "./panels/figures";
import { HealthPanel } from "./panels/health";
import { loginPage } from "./panels/login";
import { Timeline } from "./panels/timeline";
import { VehiclePanel } from "./panels/vehicle";
import { MESSAGES } from "./palette";
import type { Rgba } from "./palette";
import { Scene } from "./scene";
import { Stream } from "./stream";
import "./style.css";

const LAYERS = ["objects", "signals", "said", "sensors", "messages"];
/** Those of the layers that the platform sends for all; what one vehicle perceives comes with following it. */
const SENT = ["objects", "signals", "said", "messages"];
const VIEW_PAUSE_MS = 120;

async function start(): Promise<void> {
  document.documentElement.lang = currentLanguage() === "zh" ? "zh-CN" : "en";
  document.title = t("title");
  const root = document.getElementById("app")!;
  let map: BaseMap;
  try {
    map = await fetchMap();
  } catch (error) {
    if (error instanceof Unauthorised) return replace(root, await loginPage(() => location.reload()));
    return replace(root, h("p.fatal", {}, String(error)));
  }
  const canvas = h<HTMLDivElement>("div.canvas");
  const state = h("span.state");
  const note = h("span.note");
  const rate = h("span.rate");
  const tiles = new FigureTiles();
  const compare = new ComparePanel();
  let followed: number | null = null;
  let messages = 0;

  const events = new EventList((said) => scene.go(said.x, said.y));
  const vehicle = new VehiclePanel(() => follow(null));
  const timeline = new Timeline((wish) => {
    tiles.show({}); // they are of now, or not there yet
    scene.clear();
    events.clear();
    stream.ask(wish);
  });
  const tabs = tabbed([
    [t("events"), events.element, undefined],
    [t("vehicle"), vehicle.element, undefined],
    [t("health"), new HealthPanel().element, undefined],
    [t("compare"), compare.element, () => void compare.open()],
  ]);

  const stream: Stream = new Stream("ws", {
    state: (now) => {
      state.textContent = t(now);
      state.className = `state ${now}`;
    },
    objects: (frame) => {
      scene.setObjects(frame);
      timeline.at(frame.header.time);
      note.textContent = frame.header.truncated ? t("truncated") : `${frame.header.count.toLocaleString("en")} ${t("objects")}`;
    },
    signals: (frame) => scene.setSignals(frame),
    sayings: (sayings) => {
      events.add(sayings);
      scene.addSayings(sayings);
    },
    messages: (heard) => {
      scene.addMessages(heard);
      messages += heard.reduce((sum, one) => sum + one.count, 0);
    },
    figures: (figures) => tiles.show(figures),
    inside: (inside) => {
      if (followed !== inside.id) return;
      vehicle.show(inside.id, inside);
      scene.setInside(inside);
    },
  });

  replace(
    root,
    h("header.bar", {}, h("h1", {}, h("span.leaf", {}, "♣"), map.name || "Cloverleaf"), state, note, rate, h("span.space"),
      token() && h("span.user", {}, userName()),
      token() && h("button.out", { type: "button", onclick: () => void logOut().then(() => location.reload()) }, t("log_out")),
      h("button", { type: "button", onclick: () => setLanguage(currentLanguage() === "en" ? "zh" : "en") }, currentLanguage() === "en" ? "中文" : "English")),
    h("main", {}, canvas, h("aside.left", {}), tabs.element),
    tiles.element,
    timeline.element,
  );

  let pending = 0;
  const scene: Scene = new Scene(
    canvas,
    map,
    (box) => {
      clearTimeout(pending);
      pending = window.setTimeout(() => stream.ask({ box, hz: 10 }), VIEW_PAUSE_MS);
    },
    (id) => follow(id),
  );
  const messageLegend = h("fieldset.legend", { hidden: true }, h("legend", {}, t("messages")), ...MESSAGES.map(({ name, color }) =>
    h("div", {}, ringOf(color), t(name))));
  replace(root.querySelector<HTMLElement>("aside.left")!, layerChoice(), legend(map), messageLegend);
  askLayers();
  measure();

  function follow(id: number | null): void {
    followed = id;
    scene.follow(id);
    scene.setInside(null);
    stream.ask({ follow: id ?? 0 });
    if (id === null) return vehicle.clear();
    tabs.open(1);
    vehicle.show(id, null);
  }

  function askLayers(): void {
    stream.ask({ layers: [...SENT.filter((name) => scene.shown.has(name)), "figures"] });
  }

  function layerChoice(): HTMLElement {
    return h("fieldset", {}, h("legend", {}, t("layers")), ...LAYERS.map((name) => {
      const box = h<HTMLInputElement>("input", { type: "checkbox", checked: scene.shown.has(name), name });
      box.onchange = () => {
        if (box.checked) scene.shown.add(name);
        else scene.shown.delete(name);
        messageLegend.hidden = !scene.shown.has("messages");
        askLayers();
      };
      return h("label", {}, box, t(name));
    }));
  }

  /** Once a second: pictures and bytes of the last second, for whoever tunes the platform (and for the browser test). */
  function measure(): void {
    let frames = 0;
    let bytes = 0;
    setInterval(() => {
      const pictures = scene.frames - frames;
      const kilobytes = (stream.traffic.bytes - bytes) / 1000;
      [frames, bytes] = [scene.frames, stream.traffic.bytes];
      rate.textContent = `${pictures} fps · ${kilobytes.toFixed(0)} kB/s`;
      rate.dataset.firstPicture = scene.firstPicture.toFixed(0);
      rate.dataset.fps = String(pictures);
      rate.dataset.kilobytes = kilobytes.toFixed(1);
      rate.dataset.messages = String(messages);
      rate.dataset.broken = String(stream.traffic.broken);
    }, 1000);
  }
}

function tabbed(pages: [string, HTMLElement, (() => void) | undefined][]): { element: HTMLElement; open: (i: number) => void } {
  const body = h("div.page");
  const buttons = pages.map(([name], i) => h("button", { type: "button", role: "tab", onclick: () => open(i) }, name));
  function open(i: number): void {
    buttons.forEach((button, j) => button.setAttribute("aria-selected", String(i === j)));
    replace(body, pages[i]![1]);
    pages[i]![2]?.();
  }
  open(0);
  return { element: h("aside.right", {}, h("nav", { role: "tablist" }, ...buttons), body), open };
}

function ringOf([r, g, b]: Rgba): HTMLElement {
  const ring = h("i.ring");
  ring.style.borderColor = `rgb(${r} ${g} ${b})`;
  return ring;
}

function legend(map: BaseMap): HTMLElement {
  const rows = ["human", "smart", "connected", "warned", "perceived", ...(map.units.length ? ["unit"] : [])];
  return h("fieldset.legend", {}, h("legend", {}, t("legend")), ...rows.map((name) => h("div", {}, h(`i.${name}`), t(name))));
}

void start();
