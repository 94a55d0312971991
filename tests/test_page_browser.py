"""The page in a browser: headless Chromium, where it and selenium (the extra ``browser``) are there."""

import json
import os
import shutil
from itertools import pairwise

import pytest
from study_worlds import TEXT, scenario

import simbgp
from simbgp.report.page import page
from simbgp.report.page.replay import replay
from simbgp.report.text import worst_run
from simbgp.scenario import loads

_WHY = "selenium is not installed: pip install simbgp[browser]"
webdriver = pytest.importorskip("selenium.webdriver", reason=_WHY)
By = pytest.importorskip("selenium.webdriver.common.by", reason=_WHY).By
Keys = pytest.importorskip("selenium.webdriver.common.keys", reason=_WHY).Keys
PrintOptions = pytest.importorskip("selenium.webdriver.common.print_page_options", reason=_WHY).PrintOptions

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="no chromium and chromedriver: apt-get install chromium chromium-driver"
)
FLAGS = (
    "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update "
    "--disable-sync"
)
EVIL = "</script><script>window.broken = 1</script><img src=x onerror='window.broken = 1'>"
HOLD_9 = {"cluster.timers.holdTimeSeconds": 9, "cluster.gracefulRestart.restartTimeSeconds": 20}


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    os.environ["SE_AVOID_STATS"] = "true"
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in [*FLAGS.split(), f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def result():
    slo = [{"metric": "blackhole_s", "stat": "p50", "max": "27s"}]
    traffic = [{"service": "web", "connections": 300, "lifetime": "30s"}]
    return simbgp.run(scenario(slo=slo, traffic=traffic).with_(**HOLD_9), runs=12)


@pytest.fixture(scope="module")
def address(result, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "r.html"
    path.write_text(page(result), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def opened(browser, address):
    look(browser, "light", 1200)
    browser.get_log("performance")
    browser.get_log("browser")
    browser.get(address)
    return browser


def look(browser, scheme, width, motion="no-preference"):
    features = [{"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-reduced-motion", "value": motion}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def slider(browser):
    return browser.find_element(By.ID, "replay-time")


def state(browser):
    """What the table beside the picture says, by line."""
    rows = browser.find_elements(By.CSS_SELECTOR, "table.state tbody tr")
    return {row.find_element(By.TAG_NAME, "th").text: row.find_element(By.TAG_NAME, "td").text for row in rows}


def expected(data, time_us):
    """What the data of the replay say at a time, looked up here."""
    found = {}
    for label, place in data["lines"]:
        times, words = data["tracks"][place]
        found[label] = data["words"][words[sum(at <= time_us for at in times) - 1]]
    return found


def put(browser, time_us):
    script = (
        "const s = document.getElementById('replay-time'); s.value = arguments[0]; s.dispatchEvent(new Event('input'))"
    )
    browser.execute_script(script, time_us / 1e6)


def test_the_console_is_silent_and_nothing_is_requested(opened, address):
    assert opened.get_log("browser") == []
    messages = [json.loads(entry["message"])["message"] for entry in opened.get_log("performance")]
    asked = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    assert [url for url in asked if not url.startswith("data:")] == [address]


def test_the_slider_shows_the_state_that_the_timeline_has(opened, result):
    data = replay(result, worst_run(result)).data
    for stop_us in data["stops_us"]:
        for time_us in (stop_us - 500_000, stop_us + 500_000):
            put(opened, time_us)
            assert state(opened) == expected(data, time_us)


def test_the_link_of_the_dead_node_is_drawn_as_its_routes_are(opened, result):
    # lost from 60 s, stale from the detection to 20 s later, then no next hop; see test_page_replay
    run = worst_run(result)
    detected_us = 60_000_000 + round(result.detection_s().values[run].value * 1e6)
    (link,) = opened.find_elements(By.XPATH, "//*[name()='line'][*[name()='title' and text()='tor-1 to worker-1']]")
    for time_us, drawn in (
        (59_000_000, "way link fresh"),
        (61_000_000, "way link fresh lost"),
        (detected_us + 1_000_000, "way link stale lost"),
        (detected_us + 21_000_000, "way link none lost"),
    ):
        put(opened, time_us)
        assert link.get_attribute("class") == drawn


def test_the_slider_is_operated_by_keys(opened, result):
    data, time = replay(result, worst_run(result)).data, slider(opened)
    stops, horizon_us = data["stops_us"], data["horizon_us"]

    def after(*keys):
        time.send_keys(*keys)
        return round(float(opened.execute_script("return arguments[0].value", time)) * 1e6)

    assert after(Keys.HOME) == 0
    assert after(Keys.ARROW_RIGHT) == 1_000_000
    assert after(Keys.ARROW_UP) == 2_000_000
    assert after(Keys.ARROW_LEFT) == 1_000_000
    assert after(Keys.PAGE_UP) == 1_000_000 + horizon_us // 20
    assert after(Keys.END) == horizon_us
    assert after(Keys.HOME) == 0
    for stop_us in stops:
        assert after(Keys.SHIFT + Keys.ARROW_RIGHT + Keys.NULL) == stop_us
        assert state(opened) == expected(data, stop_us)
    for stop_us in stops[-2::-1]:
        assert after(Keys.SHIFT + Keys.ARROW_LEFT + Keys.NULL) == stop_us


def test_the_slider_says_in_words_what_is_shown(opened):
    put(opened, 61_000_000)
    said = opened.find_element(By.ID, "replay-said").text
    assert slider(opened).get_attribute("aria-valuetext") == said
    assert said.startswith("61.000 s, 1.000 s after the first fault. traffic at tor-1: ")
    assert "nodes: silent: worker-1; agent down: worker-1" in said
    put(opened, 1_000_000)
    assert opened.find_element(By.ID, "replay-said").text == (
        "1.000 s, 59.000 s before the first fault. All is as it was at the start."
    )


def test_it_plays_and_pauses(opened):
    button, time = opened.find_element(By.ID, "replay-play"), slider(opened)
    time.send_keys(Keys.HOME)
    button.click()
    assert button.text == "Pause"
    opened.execute_async_script(
        "requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(arguments[0])))"
    )
    button.click()
    assert button.text == "Play"
    here = opened.execute_script("return Number(arguments[0].value)", time)
    assert here > 0
    opened.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
    assert opened.execute_script("return Number(arguments[0].value)", time) == here


def test_a_moment_is_gone_to_by_its_button(opened, result):
    (last,) = opened.find_elements(By.CSS_SELECTOR, ".moments li:last-child button")
    last.click()
    moments = replay(result, worst_run(result)).moments
    assert float(slider(opened).get_attribute("value")) == moments[-1].time_us / 1e6
    assert last.get_attribute("aria-current") == "step"


@pytest.mark.parametrize("width", [1200, 400])
def test_nothing_is_wider_than_the_screen(opened, address, width):
    look(opened, "light", width)
    opened.get(address)
    wide, screen = opened.execute_script(
        "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert wide <= screen
    put(opened, 61_000_000)
    assert slider(opened).rect["width"] > 0.75 * screen
    # what is wider scrolls by itself, and by keyboard
    for box in opened.find_elements(By.CSS_SELECTOR, ".scroll"):
        assert box.get_attribute("tabindex") == "0"
        assert box.rect["x"] + box.rect["width"] <= screen


def test_landmarks_and_headings(opened):
    for tag in ("header", "main", "footer"):
        assert len(opened.find_elements(By.CSS_SELECTOR, f"body > {tag}")) == 1
    for section in opened.find_elements(By.TAG_NAME, "section"):
        assert section.accessible_name
    levels = [int(each.tag_name[1]) for each in opened.find_elements(By.CSS_SELECTOR, "h1, h2, h3, h4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert slider(opened).accessible_name == "Time"
    assert slider(opened).aria_role == "slider"


CONTRAST = """
const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
const rgba = (colour) => {
  canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data];
};
const luminance = ([r, g, b]) => {
  const part = (c) => { c /= 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
  return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
};
const ratio = (one, other) => {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
};
const behind = (element) => {
  for (let each = element; each; each = each.parentElement) {
    const colour = rgba(getComputedStyle(each).backgroundColor);
    if (colour[3] === 255) return colour;
  }
  return [255, 255, 255, 255];
};
const poor = [];
let seen = 0;
document.querySelectorAll('details').forEach((part) => { part.open = true; });
const check = (element, fore, back) => {
  seen += 1;
  const found = ratio(fore, back);
  if (found < 4.5) poor.push([element.textContent.trim().slice(0, 40), found]);
};
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  if (!walker.currentNode.textContent.trim() || !element.getClientRects().length) continue;
  if (element.closest('svg')) continue;
  check(element, rgba(getComputedStyle(element).color), behind(element));
}
for (const text of document.querySelectorAll('svg text')) {
  const at = text.getBoundingClientRect();
  let back = behind(text.closest('svg').parentElement);
  for (const shape of text.closest('svg').querySelectorAll('rect, path')) {
    const box = shape.getBoundingClientRect(), style = getComputedStyle(shape);
    const over = box.left <= at.left && box.right >= at.right && box.top <= at.top && box.bottom >= at.bottom;
    if (over && style.fill !== 'none' && Number(style.opacity) > 0.5 && shape.closest('defs') === null) {
      back = rgba(style.fill);
    }
  }
  check(text, rgba(getComputedStyle(text).fill), back);
}
return [seen, poor];
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast(opened, address, scheme):
    look(opened, scheme, 1200)
    opened.get(address)
    put(opened, 61_000_000)
    seen, poor = opened.execute_script(CONTRAST)
    assert seen > 200
    assert len(opened.find_elements(By.TAG_NAME, "figure")) == 3  # strip, curve, bars: too few runs to see one narrow
    assert poor == []


def test_the_two_schemes_differ(opened):
    grounds = []
    for scheme in ("light", "dark"):
        look(opened, scheme, 1200)
        grounds.append(opened.execute_script("return getComputedStyle(document.body).backgroundColor"))
    assert grounds == ["rgb(255, 255, 255)", "rgb(21, 24, 27)"]


def test_what_has_the_focus_shows_it(opened):
    slider(opened).send_keys(Keys.HOME)
    style, width = opened.execute_script(
        "const s = getComputedStyle(document.activeElement); return [s.outlineStyle, s.outlineWidth]"
    )
    assert (style, width) == ("solid", "3px")


def test_markup_in_names_stays_text(browser, tmp_path):
    evil = TEXT.replace("name: world", f'name: "{EVIL}"').replace("Four nodes", f"{EVIL} nodes")
    target = tmp_path / "evil.html"
    target.write_text(page(simbgp.run(loads(evil), runs=1)), encoding="utf-8")
    browser.get_log("browser")
    browser.get(target.as_uri())
    assert browser.execute_script("return window.broken") is None
    assert browser.find_element(By.TAG_NAME, "h1").text == EVIL
    assert browser.find_elements(By.TAG_NAME, "img") == []
    assert browser.get_log("browser") == []


def test_it_prints_on_a4(opened):
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    shown = opened.execute_script(
        "return ['.buttons', '#verdict', '#reproduce'].map((s) => document.querySelector(s).getClientRects().length)"
    )
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert shown == [0, 1, 1]
    assert opened.print_page(PrintOptions()).startswith("JVBERi")  # %PDF in base64
