/** The page that asks who the user is. */

import { finish, goToProvider, isBack, logIn } from "../auth";
import type { HowToLogIn } from "../auth";
import { getJson, h } from "../dom";
import { currentLanguage, setLanguage, t } from "../i18n";

/** A form for name and password, and a button for the outside provider; `done` once there is a token. */
export async function loginPage(done: () => void): Promise<HTMLElement> {
  const { provider } = await getJson<HowToLogIn>("api/login");
  const why = h("p.why", { role: "alert" });
  if (provider && isBack()) {
    try {
      await finish(provider);
      done();
    } catch (error) {
      why.textContent = `${t("login_failed")}: ${(error as Error).message}`;
    }
  }
  const name = h<HTMLInputElement>("input", { name: "name", autocomplete: "username", required: true });
  const password = h<HTMLInputElement>("input", { name: "password", type: "password", autocomplete: "current-password", required: true });
  const submit = (event: Event): void => {
    event.preventDefault();
    logIn(name.value, password.value).then(done, (error: Error) => {
      why.textContent = `${t("login_failed")}: ${error.message}`;
    });
  };
  const outside = provider && h("button.outside", { type: "button", onclick: () => void goToProvider(provider) },
    `${t("login_with")} ${new URL(provider.issuer).host}`);
  return h("form.login", { onsubmit: submit },
    h("h1", {}, h("span.leaf", {}, "♣"), t("title")),
    h("label", {}, t("name"), name),
    h("label", {}, t("password"), password),
    why,
    h("button.go", { type: "submit" }, t("log_in")),
    outside,
    h("button.language", { type: "button", onclick: () => setLanguage(currentLanguage() === "en" ? "zh" : "en") }, currentLanguage() === "en" ? "中文" : "English"));
}
