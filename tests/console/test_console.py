"""The console in a real browser: what a person at the platform sees and clicks."""

import struct
import zlib

from console.conftest import wait_for


def text(page, selector: str) -> str:
    return page.find_element("css selector", selector).text


def colours(png: bytes) -> set[bytes]:
    """Distinct pixels of every eighth line of an 8-bit RGB or RGBA PNG without interlace, filters undone by line."""
    at, data, width, size = 8, b"", 0, 0
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        body = png[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            width, _, _, colour = struct.unpack(">IIBB", body[:10])
            size = 4 if colour == 6 else 3
        elif kind == b"IDAT":
            data += body
        at += 12 + length
    raw, stride = zlib.decompress(data), width * size + 1
    return {raw[i : i + size] for line in range(0, len(raw), 8 * stride) for i in range(line + 1, line + stride, size)}


def test_road_users_move_on_a_drawn_map(page):
    first = float(text(page, ".timeline output").split(":")[1])
    wait_for(lambda: float(text(page, ".timeline output").split(":")[1]) > first + 1.0)
    assert text(page, ".state") == "connected"
    rate = page.find_element("css selector", ".rate")
    wait_for(lambda: int(rate.get_attribute("data-fps") or 0) > 0)
    assert rate.get_attribute("data-broken") == "0"
    assert len(colours(page.find_element("css selector", ".canvas").screenshot_as_png)) > 20


def test_the_four_words_have_their_tiles(page):
    wait_for(lambda: "171" in text(page, ".tile.green"))
    assert [tile.text.split("\n")[0] for tile in page.find_elements("css selector", ".tile")] == [
        "Safe",
        "Efficient",
        "Green",
        "Civilised",
    ]


def test_warnings_appear_and_a_click_goes_there(page):
    wait_for(lambda: page.find_elements("css selector", ".event"))
    shown = text(page, ".note")
    page.find_element("css selector", ".event").click()
    wait_for(lambda: text(page, ".note") != shown)  # the viewport is smaller now, so fewer are sent
    assert int(text(page, ".note").split()[0].replace(",", "")) < int(shown.split()[0].replace(",", ""))


def test_health_names_services_and_reasons(page):
    page.find_elements("css selector", "nav button")[2].click()
    wait_for(lambda: "glosa" in text(page, ".health"))
    assert "stale" in text(page, ".health") and "ok" in text(page, ".status.good")


def test_chinese_is_kept(page):
    page.find_element("css selector", ".bar button").click()
    wait_for(lambda: text(page, ".state") == "已连接")
    page.refresh()
    wait_for(lambda: text(page, ".tile.civilised").startswith("文明"))
    page.find_element("css selector", ".bar button").click()
    wait_for(lambda: text(page, ".state") == "connected")


def test_one_vehicle_from_inside(page):
    from selenium.webdriver import ActionChains

    wait_for(lambda: page.find_elements("css selector", ".event"))
    page.find_element("css selector", ".event").click()  # brings a vehicle to the middle
    canvas = page.find_element("css selector", ".canvas canvas")
    panel = wait_for(lambda: page.find_elements("css selector", "nav button"))[1]

    def picked() -> bool:
        ActionChains(page).move_to_element(canvas).click().perform()
        return panel.get_attribute("aria-selected") == "true"

    wait_for(picked, 60.0)
    wait_for(lambda: "follow the leader" in text(page, ".vehicle"))
    assert "own sensors" in text(page, ".vehicle")


def test_time_travel_asks_for_the_past(page):
    page.find_element("css selector", ".play").click()
    wait_for(lambda: text(page, ".play") == "Play")
    page.find_element("css selector", ".live").click()
    wait_for(lambda: "on" in page.find_element("css selector", ".live").get_attribute("class").split())
