"""The console in a real browser: what a person at the platform sees and clicks."""

from console.conftest import text, wait_for


def test_road_users_move_on_a_drawn_map(page):
    first = text(page, ".timeline output")
    wait_for(lambda: text(page, ".timeline output") not in ("", first))
    assert text(page, ".state") == "connected"
    rate = page.find_element("css selector", ".rate")
    wait_for(lambda: int(rate.get_attribute("data-fps") or 0) > 0)
    assert rate.get_attribute("data-broken") == "0"
    wait_for(lambda: int(rate.get_attribute("data-first-picture") or 0) > 0)


def test_the_four_words_have_their_tiles(page):
    wait_for(lambda: "mean speed" in text(page, ".tile.efficient"))
    heads = page.execute_script("return [...document.querySelectorAll('.tile h2')].map(head => head.textContent)")
    assert heads == ["Safe", "Efficient", "Green", "Civilised"]  # read at once: the tiles are made anew every second


def test_warnings_appear_and_a_click_goes_there(page):
    wait_for(lambda: page.find_elements("css selector", ".event"))
    shown = text(page, ".note")
    page.find_element("css selector", ".event").click()
    wait_for(lambda: text(page, ".note") != shown)  # the viewport is smaller now, so fewer are sent
    assert int(text(page, ".note").split()[0].replace(",", "")) < int(shown.split()[0].replace(",", ""))


def test_messages_are_shown_on_demand(page):
    box = page.find_element("css selector", "input[name=messages]")
    legend = page.find_element("xpath", "//fieldset[legend='Messages']")
    assert not box.is_selected() and not legend.is_displayed()
    box.click()
    wait_for(legend.is_displayed)
    rate = page.find_element("css selector", ".rate")
    seen = int(rate.get_attribute("data-messages") or 0)
    wait_for(lambda: int(rate.get_attribute("data-messages") or 0) > seen)
    box.click()
    assert "SPAT" in legend.get_attribute("textContent") and rate.get_attribute("data-broken") == "0"


def test_health_shows_its_status(page):
    page.find_elements("css selector", "nav button")[2].click()
    wait_for(lambda: text(page, ".health .status") in ("ok", "degraded"))


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
    wait_for(lambda: "km/h" in text(page, ".vehicle"))
    assert "What it was told" in text(page, ".vehicle")


def test_time_travel_asks_for_the_past(page):
    page.find_element("css selector", ".play").click()
    wait_for(lambda: text(page, ".play") == "Play")
    page.find_element("css selector", ".live").click()
    wait_for(lambda: "on" in page.find_element("css selector", ".live").get_attribute("class").split())
