/** Who the user is: the token of this tab, and the way to one (a password, or an outside identity provider). */

export interface Provider {
  issuer: string;
  authorize: string;
  token: string;
  client: string;
}

/** `/api/login`: whether users are asked for, and the provider that they may come from. */
export interface HowToLogIn {
  asked: boolean;
  provider: Provider | null;
}

/** The platform asks who the user is. */
export class Unauthorised extends Error {}

const TOKEN = "cloverleaf-token";
const NAME = "cloverleaf-name";
const UNDER_WAY = "cloverleaf-login"; // state and proof key, while the user is at the provider

export function token(): string {
  return sessionStorage.getItem(TOKEN) ?? "";
}

export function userName(): string {
  return sessionStorage.getItem(NAME) ?? "";
}

export function keep(newToken: string, name: string): void {
  sessionStorage.setItem(TOKEN, newToken);
  sessionStorage.setItem(NAME, name);
}

export function forget(): void {
  sessionStorage.removeItem(TOKEN);
  sessionStorage.removeItem(NAME);
}

/** The header of a request by this user. */
export function authorization(): Record<string, string> {
  return token() ? { authorization: `Bearer ${token()}` } : {};
}

/** Gets a token for name and password; throws with the platform's words where they do not fit. */
export async function logIn(name: string, password: string): Promise<void> {
  const answer = await fetch("api/token", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name, password }),
  });
  const page = (await answer.json()) as { token?: string; detail?: unknown };
  if (!answer.ok || !page.token) throw new Error(typeof page.detail === "string" ? page.detail : answer.statusText);
  keep(page.token, name);
}

/** Gives the token back. */
export async function logOut(): Promise<void> {
  await fetch("api/session", { method: "DELETE", headers: authorization() }).catch(() => undefined);
  forget();
}

function base64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function random(): string {
  return base64Url(crypto.getRandomValues(new Uint8Array(32)));
}

/** The challenge of a proof key (RFC 7636, section 4.2, S256). */
export async function challenge(verifier: string): Promise<string> {
  return base64Url(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier))));
}

function here(): string {
  return location.origin + location.pathname;
}

/** Leaves for the provider (authorization code with proof key: RFC 6749, section 4.1; RFC 7636). */
export async function goToProvider(provider: Provider): Promise<void> {
  const [state, verifier] = [random(), random()];
  sessionStorage.setItem(UNDER_WAY, JSON.stringify({ state, verifier }));
  const url = new URL(provider.authorize);
  const wishes = {
    response_type: "code", client_id: provider.client, redirect_uri: here(), scope: "openid profile", state,
    code_challenge: await challenge(verifier), code_challenge_method: "S256",
  };
  for (const [name, value] of Object.entries(wishes)) url.searchParams.set(name, value);
  location.assign(url);
}

/** Whether the address is one that the provider sent the user back to. */
export function isBack(): boolean {
  const back = new URLSearchParams(location.search);
  return back.has("state") && (back.has("code") || back.has("error"));
}

/** Changes the provider's code for a token; throws where the answer is none of ours or a refusal. */
export async function finish(provider: Provider): Promise<void> {
  const back = new URLSearchParams(location.search);
  const begun = JSON.parse(sessionStorage.getItem(UNDER_WAY) ?? "{}") as { state?: string; verifier?: string };
  sessionStorage.removeItem(UNDER_WAY);
  history.replaceState(null, "", location.pathname);
  if (!begun.state || back.get("state") !== begun.state) throw new Error("not the answer to this login");
  const code = back.get("code");
  if (!code) throw new Error(back.get("error_description") ?? back.get("error") ?? "");
  const answer = await fetch(provider.token, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "authorization_code", code, redirect_uri: here(), client_id: provider.client, code_verifier: begun.verifier ?? "",
    }),
  });
  const page = (await answer.json()) as { access_token?: string; error?: string };
  if (!answer.ok || !page.access_token) throw new Error(page.error ?? answer.statusText);
  keep(page.access_token, new URL(provider.issuer).host);
}
