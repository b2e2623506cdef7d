/** The cockpit: drive one car of the district, with warnings from real messages, and hand over to the automation. */

import { Hands } from "./controls";
import { figure, h, replace } from "./dom";
import { currentLanguage, setLanguage, t } from "./i18n";
import { fetchMap } from "./map-data";
import type { BaseMap } from "./map-data";
import { LIGHTS } from "./palette";
import type { Cockpit } from "./protocol";
import { Scene } from "./scene";
import { Stream } from "./stream";
import "./style.css";
import "./drive.css";

const SEND_MS = 50;

async function start(): Promise<void> {
  document.documentElement.lang = currentLanguage() === "zh" ? "zh-CN" : "en";
  document.title = t("drive");
  const root = document.getElementById("app")!;
  let map: BaseMap;
  try {
    map = await fetchMap();
  } catch (error) {
    return replace(root, h("p.fatal", {}, String(error)));
  }
  const canvas = h<HTMLDivElement>("div.canvas");
  const state = h("span.state");
  const cluster = h("div.cluster");
  const warnings = h("div.warnings", { role: "alert" });
  const hands = new Hands();
  let trip = -1;

  const stream = new Stream("drive", {
    state: (now) => {
      state.textContent = t(now);
      state.className = `state ${now}`;
    },
    objects: (frame) => scene.setObjects(frame),
    signals: (frame) => scene.setSignals(frame),
    sayings: (list) => scene.addSayings(list),
    cockpit: (now) => {
      if (now.waiting) return replace(cluster, h("div.automation", {}, t("waiting_car")));
      if (now.trip !== trip) {
        trip = now.trip;
        hands.sitDown();
      }
      scene.chase(now.x, now.y, now.heading);
      replace(cluster, ...instruments(now));
      replace(warnings, ...now.warnings.map((w) => h(`div.warning.p${w.priority}`, {}, h("strong", {}, t(w.kind)), w.text)));
    },
  });
  replace(
    root,
    h("header.bar", {}, h("h1", {}, h("span.leaf", {}, "♣"), t("drive")), state, h("span.note", {}, t("keys")), h("span.space"),
      h("button", { type: "button", onclick: () => setLanguage(currentLanguage() === "en" ? "zh" : "en") }, currentLanguage() === "en" ? "中文" : "English")),
    h("main", {}, canvas, warnings, cluster),
  );
  const scene: Scene = new Scene(canvas, map, () => undefined, () => undefined, "chase");

  addEventListener("keydown", (event) => {
    if (!event.repeat && hands.press(event.code)) event.preventDefault();
  });
  addEventListener("keyup", (event) => hands.release(event.code));
  addEventListener("blur", () => hands.letGo());
  setInterval(() => {
    const pad = navigator.getGamepads?.()[0] ?? null;
    stream.ask({ ...hands.step(SEND_MS / 1000, pad) });
  }, SEND_MS);
}

function instruments(now: Cockpit): HTMLElement[] {
  const light = now.signal ? (LIGHTS[now.signal.light] ?? LIGHTS[0]!) : null;
  const left = now.automation === "take_over" && now.take_over_s !== null ? ` ${now.take_over_s.toFixed(0)} s` : "";
  return [
    h("div.speed", {}, h("b", {}, Math.round(now.speed * 3.6).toString()), "km/h"),
    h("div.limits", {},
      h("div.limit", { title: t("limit") }, now.speed_limit === null ? "–" : Math.round(now.speed_limit * 3.6).toString()),
      h("div.advice", {}, now.advice_speed === null ? "" : `${t("advice")} ${Math.round(now.advice_speed * 3.6)}`)),
    h("div.signal", {}, light && h("i", { style: `background: rgb(${light.slice(0, 3).join(" ")})` }),
      now.signal ? `${figure(now.signal.countdown)} s · ${figure(Math.round(now.signal.distance))} m` : ""),
    h(`div.automation.${now.automation}`, {}, t(`automation_${now.automation}`) + left),
  ];
}

void start();
