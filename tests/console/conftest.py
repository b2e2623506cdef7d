"""A platform of straw and a headless Chromium, once for all browser tests; skipped with a reason where either is absent."""

import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

OBJECTS = 500


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def platform_url():
    yield from serving([str(Path(__file__).with_name("feed.py")), "PORT", str(OBJECTS)])


@pytest.fixture(scope="session")
def cockpit_url():
    yield from serving(["-m", "cloverleaf", "drive", "--port", "PORT", "--no-browser"], 300.0)


def serving(arguments: list[str], seconds: float = 300.0):
    """Start a Python program with a free port for PORT, yield its address once it answers, end it."""
    pytest.importorskip("fastapi", reason="the platform's web server is not installed")
    port = str(free_port())
    process = subprocess.Popen([sys.executable, *(port if a == "PORT" else a for a in arguments)])
    url = f"http://127.0.0.1:{port}/"
    deadline = time.monotonic() + seconds
    try:
        while True:
            try:
                urllib.request.urlopen(url + "health", timeout=2.0).close()
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < deadline, "the server did not start"
                time.sleep(0.2)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


@pytest.fixture(scope="session")
def chromium():
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (browser and driver):
        pytest.skip("chromium and chromedriver are not installed (Debian: chromium, chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    software_gl = ("--use-angle=swiftshader", "--enable-unsafe-swiftshader")
    for flag in ("--headless=new", "--no-sandbox", "--window-size=1100,700", "--lang=en", *software_gl):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    page = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        page.set_page_load_timeout(120.0)
        page.set_script_timeout(60.0)
        yield page
    finally:
        page.quit()


@pytest.fixture
def page(chromium, platform_url):
    """The console, freshly loaded, with the first frame drawn."""
    chromium.get(platform_url)
    wait_for(lambda: "Road users" in text(chromium, ".note"))
    yield chromium
    errors = [entry for entry in chromium.get_log("browser") if entry["level"] == "SEVERE"]
    assert not errors, errors


def text(page, selector: str) -> str:
    """The text of an element, found and read at once: the page makes many of its elements anew all the time."""
    return page.execute_script("return document.querySelector(arguments[0])?.innerText ?? ''", selector)


def wait_for(condition, seconds: float = 90.0):
    """The first true value of `condition`, tried again until `seconds` are over."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            value = condition()
        except Exception:
            value = None
        if value:
            return value
        assert time.monotonic() < deadline, "nothing came in time"
        time.sleep(0.1)
