"""Who opens the console of a platform that asks for users: by a password, or by way of an outside identity provider."""

import base64
import hashlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from console.conftest import serving, text, wait_for

CODES: dict[str, str] = {}
KEY = ec.generate_private_key(ec.SECP256R1())


class Handler(BaseHTTPRequestHandler):
    """An identity provider that asks nothing: whoever comes is wei, an operator; a code is good once and for its proof key."""

    timeout = 30.0

    def answer(self, status: int, page: object = None, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(json.dumps(page).encode())

    def do_GET(self) -> None:
        url, ask = urlsplit(self.path), parse_qs(urlsplit(self.path).query)
        issuer = f"http://{self.headers['Host']}"
        if url.path == "/.well-known/openid-configuration":
            places = {"jwks_uri": "keys", "authorization_endpoint": "authorize", "token_endpoint": "token"}
            self.answer(200, {"issuer": issuer} | {k: f"{issuer}/{v}" for k, v in places.items()})
        elif url.path == "/keys":
            key = jwt.get_algorithm_by_name("ES256").to_jwk(KEY.public_key(), as_dict=True)
            self.answer(200, {"keys": [key | {"kid": "a", "alg": "ES256"}]})
        elif ask.get("client_id") == ["console"] and ask.get("code_challenge_method") == ["S256"]:
            code = f"code{len(CODES)}"
            CODES[code] = ask["code_challenge"][0]
            back = ask["redirect_uri"][0] + "?" + urlencode({"code": code, "state": ask["state"][0]})
            self.answer(302, Location=back)
        else:
            self.answer(400)

    def do_POST(self) -> None:
        ask = {k: v[0] for k, v in parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()).items()}
        proof = base64.urlsafe_b64encode(hashlib.sha256(ask["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        if CODES.pop(ask["code"], None) != proof:
            return self.answer(400, {"error": "invalid_grant"}, Access_Control_Allow_Origin="*")
        now = int(time.time())
        claims = {
            "iss": f"http://{self.headers['Host']}", "aud": "cloverleaf-api", "sub": "wei", "iat": now, "exp": now + 300,
            "roles": "operator", "tenant": "*",
        }  # fmt: skip
        made = jwt.encode(claims, KEY, algorithm="ES256", headers={"kid": "a"})
        self.answer(200, {"access_token": made, "token_type": "Bearer"}, Access_Control_Allow_Origin="*")

    def log_message(self, *_: object) -> None:
        return None


@pytest.fixture(scope="module")
def guarded_url(tmp_path_factory):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    issuer = f"http://127.0.0.1:{server.server_address[1]}"
    folder = str(tmp_path_factory.mktemp("users"))
    try:
        yield from serving([str(Path(__file__).with_name("feed.py")), "PORT", "50", folder, issuer])
    finally:
        server.shutdown()
        server.server_close()
        thread.join(30.0)


def seen(page) -> bool:
    return "Road users" in text(page, ".note") and text(page, ".state") == "connected"


def test_a_password_opens_the_console_and_logging_out_closes_it(chromium, guarded_url):
    page = chromium
    page.get(guarded_url)
    wait_for(lambda: text(page, ".login"))
    page.find_element("name", "name").send_keys("vera")
    page.find_element("name", "password").send_keys("wrong-password")
    page.find_element("css selector", ".go").click()
    wait_for(lambda: "do not fit" in text(page, ".why"))
    page.find_element("name", "password").clear()
    page.find_element("name", "password").send_keys("vera-password")
    page.find_element("css selector", ".go").click()
    wait_for(lambda: seen(page))
    assert text(page, ".user") == "vera"
    page.refresh()
    wait_for(lambda: seen(page))
    page.find_element("css selector", ".out").click()
    wait_for(lambda: text(page, ".login"))
    page.refresh()
    wait_for(lambda: text(page, ".login"))
    page.get_log("browser")  # refusals are errors to a browser: leave none to the next test


def test_an_identity_provider_opens_the_console(chromium, guarded_url):
    page = chromium
    page.get(guarded_url)
    wait_for(lambda: page.find_elements("css selector", ".outside"))
    page.find_element("css selector", ".outside").click()
    wait_for(lambda: seen(page))
    assert "code=" not in page.current_url and text(page, ".user").startswith("127.0.0.1")
    page.execute_script("sessionStorage.setItem('cloverleaf-token', 'no token')")
    page.refresh()
    wait_for(lambda: text(page, ".login"))  # one that does not hold any more is asked for anew
    page.get(guarded_url + "?code=stolen&state=guessed")
    wait_for(lambda: "not the answer to this login" in text(page, ".why"))
    assert "code=" not in page.current_url
    page.get_log("browser")
