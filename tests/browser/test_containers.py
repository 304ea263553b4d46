# SPDX-License-Identifier: Apache-2.0
"""The table of containers and their pages, on real cgroups with real processes."""

from browser.conftest import HOSTILE
from harness.docker_tree import IDLE

NAMES = "tbody .col-name a"
ROW = """const rowOf = (name) => [...document.querySelectorAll('tbody tr')]
    .find((tr) => tr.querySelector('a').textContent === name);
"""


def names(browser):
    return browser.texts(NAMES)


def table(browser, agent):
    browser.open(agent, "#/containers")
    return browser.until(lambda: len(names(browser)) >= 5 and names(browser), "all containers in the table")


def cell(browser, name, column):
    """Text of a cell, by the name in its row."""
    return browser.js(
        ROW
        + """const row = rowOf(arguments[0]);
        return row ? row.querySelector('.col-' + arguments[1]).innerText : null""",
        name,
        column,
    )


def percent(text):
    return float(text.split("%")[0].strip("\u00a0 "))


def test_table_shows_what_runs(browser, watched):
    table(browser, watched)
    browser.until(lambda: 10 < percent(cell(browser, "shop-busy", "cpu")) <= 25, "the CPU of the busy one")
    assert cell(browser, "shop-busy", "state") == "healthy"
    assert cell(browser, "shop-db", "state") == "unhealthy"
    assert "64.0\u00a0MiB" in cell(browser, "shop-busy", "memory")
    assert cell(browser, "shop-db", "image") == "postgres:16"
    browser.until(
        lambda: browser.js("return document.querySelector('.spark-line').getAttribute('d')").startswith("M"),
        "a sparkline",
    )
    browser.screenshot("containers-light", 700)


def test_values_change_in_place(browser, watched):
    table(browser, watched)
    browser.js(ROW + "window.kept = rowOf('shop-busy')")
    seen = {cell(browser, "shop-busy", "cpu")}
    browser.until(lambda: seen.add(cell(browser, "shop-busy", "cpu")) or len(seen) >= 3, "three values of the CPU")
    assert browser.js("return window.kept.isConnected"), "the row is the same one"


def test_sorting_by_click(browser, watched):
    table(browser, watched)
    browser.until(lambda: names(browser)[0] == "shop-busy", "the busiest first")
    assert browser.see("th.col-cpu").get_attribute("aria-sort") == "descending"
    browser.click("th.col-name button")
    browser.until(
        lambda: browser.see("thead th.col-name").get_attribute("aria-sort") == "ascending", "the order announced"
    )
    upwards = names(browser)
    assert upwards.index("idle") < upwards.index("shop-busy") < upwards.index("shop-db")
    assert browser.see("th.col-cpu").get_attribute("aria-sort") is None
    browser.click("th.col-name button")
    browser.until(lambda: names(browser) == upwards[::-1], "the other direction")


def test_sorting_by_keyboard(browser, watched):
    table(browser, watched)
    browser.js("document.querySelector('thead th.col-name button').focus()")
    browser.press(browser.keys.ENTER)
    browser.until(lambda: browser.see("thead th.col-name").get_attribute("aria-sort") == "ascending", "Enter sorts")
    browser.press(browser.keys.SPACE)
    browser.until(lambda: browser.see("thead th.col-name").get_attribute("aria-sort") == "descending", "Space sorts")
    assert browser.js("return document.activeElement.textContent").startswith("Name"), "the focus stays"


def test_each_column_sorts(browser, watched):
    table(browser, watched)
    for column in ("state", "memory", "net", "disk", "processes", "restarts", "age", "image"):
        before = set(names(browser))
        browser.click(f"thead th.col-{column} button")
        browser.until(lambda column=column: browser.see(f"thead th.col-{column}").get_attribute("aria-sort"), column)
        assert set(names(browser)) == before, column


def test_filter(browser, watched):
    table(browser, watched)
    browser.see("#filter").send_keys("postgres")
    browser.until(lambda: names(browser) == ["shop-db"], "the one with this image")
    browser.see("#filter").send_keys(" nothing-has-this")
    browser.until(lambda: "matches" in browser.text(".containers > .message"), "a word that nothing matches")


def test_a_gone_container_is_hidden_until_asked_for(browser, watched, tree):
    tree.add("short-lived", IDLE)
    browser.open(watched, "#/containers")
    browser.until(lambda: "short-lived" in names(browser), "the new container, live")
    tree.remove("short-lived")
    browser.until(lambda: "short-lived" not in names(browser), "it is gone from the table")
    browser.click("#show-gone")
    browser.until(lambda: cell(browser, "short-lived", "state") == "gone", "it is shown as gone")
    browser.click("#show-gone")
    browser.until(lambda: "short-lived" not in names(browser), "it is hidden again")


def test_container_page(browser, watched):
    table(browser, watched)
    browser.click_text(NAMES, "shop-busy")
    browser.until(lambda: browser.text("main h2") == "shop-busy", "the page of the container")
    assert "#/container/shop-busy" in browser.address
    facts = browser.until(lambda: browser.text(".facts"), "the facts")
    assert "registry.example.com/shop/web:2026-11" in facts and "0.2 cores" in facts and "64.0 MiB" in facts
    assert "healthy" in browser.text(".badges")
    browser.until(lambda: percent(browser.text("#chart-cpu .value")) > 10, "the CPU in the legend")
    assert "limit 20.0" in browser.text("#chart-cpu .legend-note")
    browser.see("#chart-memory canvas")
    browser.screenshot("container-light")


def test_what_is_not_measured_says_why(browser, watched):
    browser.open(watched, "#/container/idle")
    browser.click(".why summary")
    browser.until(lambda: "no limit is set" in browser.text(".why ul"), "the reason")
    browser.until(
        lambda: "no limit is set" in browser.text("#chart-throttled .chart-why"), "the reason in place of the chart"
    )


def test_a_hostile_name_is_only_text(browser, watched):
    hostile = next(n for n in table(browser, watched) if "onerror" in n)
    assert HOSTILE in hostile
    assert browser.all("img[src='x']") == []
    browser.click_text(NAMES, hostile)
    browser.until(lambda: browser.text("main h2") == hostile, "its page")
    browser.see("#chart-cpu canvas")
    browser.go("#/")
    browser.until(lambda: hostile in browser.texts(".top-list .name"), "its row in the list of the busiest")
    assert browser.all("img[src='x']") == []


def test_a_name_beyond_ascii(browser, watched):
    name = next(n for n in table(browser, watched) if "ünicöde" in n)
    browser.click_text(NAMES, name)
    browser.until(lambda: browser.text("main h2") == name, "its page")
    browser.see("#chart-cpu canvas")


def test_an_unknown_container(browser, watched):
    browser.open(watched, "#/container/never-was")
    browser.until(lambda: "ever measured" in browser.text(".message"), "the message")
    browser.click(".message a")
    browser.until(lambda: names(browser), "the table")


def test_table_on_a_phone(browser, watched):
    browser.size(360, 780, phone=True)
    table(browser, watched)
    assert browser.js("return document.documentElement.scrollWidth") <= 360
    browser.see(".sort-tools select").send_keys("Name")
    browser.until(lambda: names(browser)[0] > names(browser)[-1] or names(browser)[0] < names(browser)[-1], "an order")
    browser.screenshot("containers-phone", 1200)
