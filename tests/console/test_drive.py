"""The cockpit page in a real browser, on the real loop: keys move the car, brakes take over."""

from console.conftest import text, wait_for


def speed(page) -> int:
    return int(text(page, ".speed b"))


def test_keys_drive_the_car(chromium, cockpit_url):
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.keys import Keys

    page = chromium
    page.get(cockpit_url)
    wait_for(lambda: "Automation drives" in text(page, ".automation"), 60.0)
    wait_for(lambda: speed(page) > 5, 60.0)
    hold = ActionChains(page)
    hold.key_down(Keys.ARROW_DOWN).perform()
    wait_for(lambda: speed(page) == 0, 60.0)
    hold.key_up(Keys.ARROW_DOWN).perform()
    assert "available" in text(page, ".automation")
    hold.key_down("w").perform()
    wait_for(lambda: speed(page) > 8, 60.0)
    hold.key_up("w").perform()
    page.find_element("css selector", "body").send_keys(Keys.SPACE)
    wait_for(lambda: "Automation drives" in text(page, ".automation"), 60.0)
    errors = [entry for entry in page.get_log("browser") if entry["level"] == "SEVERE"]
    assert not errors, errors
