# SPDX-License-Identifier: Apache-2.0
"""The charts of the overview: range, zoom, reading line, legend, keyboard, live points."""

import re
import time

CPU = "#chart-cpu"
LOAD = "#chart-load"
OVERLAY = CPU + " .overlay"


def points(browser, chart):
    """Times of the points of a chart, Unix seconds."""
    return browser.js("return document.querySelector(arguments[0])?.chart.times() ?? []", chart)


def view(browser, chart):
    """What its x axis shows, in seconds, as dygraphs tells."""
    return browser.js(
        """const g = document.querySelector(arguments[0])?.chart.g;
        return g ? g.xAxisRange().map((x) => x / 1000) : null""",
        chart,
    )


def drawn(browser, chart=CPU):
    return browser.until(lambda: len(points(browser, chart)) >= 2 and view(browser, chart), f"{chart} drawn")


def span(browser, chart=CPU):
    start, end = view(browser, chart)
    return end - start


def test_overview_shows_the_numbers_of_the_api(browser, server):
    browser.open(server)
    host = server.entities("host")["host"]["values"]
    browser.until(lambda: re.search(r"\d", browser.text("section[aria-label='Memory'] strong")), "the memory tile")
    shown = float(browser.text("section[aria-label='Memory'] strong").rstrip("% \u00a0"))
    assert abs(shown - host["memory_used_percent"]) < 5
    assert f"of {host['memory_total_bytes'] / 2**30:.1f}" in browser.text("section[aria-label='Memory'] .tile-sub")
    drawn(browser)
    for chart in ("cpu", "memory", "load", "network", "disk", "pressure"):
        assert browser.see(f"#chart-{chart} canvas").size["width"] > 300, chart
    browser.screenshot("overview-light")


def test_range_picker_changes_all_charts_and_the_address(browser, server):
    browser.open(server)
    drawn(browser)
    assert abs(span(browser) - 3600) < 5
    browser.requests()
    browser.click("[data-range='6h']")
    browser.until(
        lambda: abs(span(browser) - 21600) < 5 and abs(span(browser, LOAD) - 21600) < 5, "six hours in each chart"
    )
    assert "range=6h" in browser.address
    assert browser.see("[data-range='6h']").get_attribute("aria-pressed") == "true"
    asked = browser.until(lambda: [u for u in browser.requests() if "/api/v1/series" in u], "a request for six hours")
    bounds = re.search(r"from=(\d+)&to=(\d+)&points=(\d+)", asked[0])
    assert abs(int(bounds[2]) - int(bounds[1]) - 21600) <= 2
    assert int(bounds[3]) <= 2 * 1440, "no more points than two for each pixel"


def test_the_range_of_a_link_is_shown(browser, server):
    browser.open(server)
    browser.driver.get("about:blank")
    browser.driver.get(f"{server.url}/#/?range=15m")
    drawn(browser)
    assert abs(span(browser) - 900) < 5


def test_zoom_is_shared_and_reset(browser, server):
    browser.open(server)
    drawn(browser)
    before = span(browser)
    browser.drag(OVERLAY, 0.5, 0.75)
    browser.until(lambda: span(browser) < before * 0.3, "the zoom")
    assert span(browser) > before * 0.2
    browser.until(lambda: view(browser, LOAD) == view(browser, CPU), "the same zoom in the other charts")
    assert "from=" in browser.address and browser.text("#range-shown") != ""
    assert browser.see("#follow").get_attribute("aria-pressed") == "false"
    browser.click("#zoom-reset")
    browser.until(lambda: abs(span(browser, LOAD) - before) < 5, "the range of before")
    assert "from=" not in browser.address


def test_reading_line_is_shared(browser, server):
    browser.open(server, "#/?range=15m")
    drawn(browser)
    browser.point(OVERLAY, 0.999)
    browser.until(
        lambda: re.search(r"\d\d:\d\d:\d\d", browser.text(CPU + " .chart-time")), "the time of the reading line"
    )
    browser.until(
        lambda: browser.text("#chart-memory .chart-time") == browser.text(CPU + " .chart-time"),
        "the same in another chart",
    )
    assert browser.see("#chart-memory .cursor")
    browser.point("#chart-memory h3", 0.1)
    browser.until(lambda: browser.texts(CPU + " .cursor") == [], "no reading line without the pointer")


def test_legend_switches_a_series_off_and_on(browser, server):
    browser.open(server)
    drawn(browser)
    button = browser.see(CPU + " .key")
    values = "return document.querySelector('#chart-cpu').chart.g.file_.some((row) => row[1] !== null)"
    assert browser.js(values)
    button.click()
    assert button.get_attribute("aria-pressed") == "false"
    browser.until(lambda: not browser.js(values), "the series gone from the chart")
    button.click()
    browser.until(lambda: browser.js(values), "the series back in the chart")


def test_charts_by_keyboard(browser, server):
    browser.open(server)
    drawn(browser)
    known = "return document.querySelector('#chart-cpu').chart.data.columns[0].slice(-3).every((v) => v !== null)"
    browser.until(lambda: browser.js(known), "three points at the end", seconds=40)
    browser.js("document.querySelector(arguments[0]).focus()", OVERLAY)
    browser.press(browser.keys.ARROW_LEFT)
    browser.press(browser.keys.ARROW_LEFT)
    text = browser.until(lambda: browser.see(OVERLAY).get_attribute("aria-valuetext"), "the values said")
    assert re.match(r"\d\d:\d\d:\d\d: user [\d.]+", text), text
    before = span(browser)
    browser.press("+")
    browser.until(lambda: abs(span(browser) - before / 2) < 5, "half the range")
    browser.press(browser.keys.ESCAPE)
    browser.until(lambda: abs(span(browser) - before) < 5, "the range of before")


def test_live_points_are_added_without_fetching_the_history_again(browser, server):
    browser.open(server, "#/?range=15m")
    drawn(browser)
    browser.until(lambda: browser.text("#live") == "live", "the live dot")
    browser.requests()
    newest = points(browser, CPU)[-1]
    shown = browser.see("#live").get_attribute("title")
    browser.until(lambda: points(browser, CPU)[-1] >= newest + 3, "three more seconds in the chart")
    browser.until(lambda: browser.see("#live").get_attribute("title") != shown, "the time of the newest sample")
    assert not [u for u in browser.requests() if "/api/v1/series" in u]
    start, _ = view(browser, CPU)
    assert points(browser, CPU)[0] >= start - 60, "what left the window is not kept"


def test_a_paused_chart_stands_still(browser, server):
    browser.open(server)
    drawn(browser)
    browser.click("#follow")
    browser.until(lambda: "from=" in browser.address, "the fixed range")
    standing = view(browser, CPU)
    shown = browser.see("#live").get_attribute("title")
    browser.until(lambda: browser.see("#live").get_attribute("title") != shown, "another sample")
    assert view(browser, CPU) == standing
    browser.click("#follow")
    browser.until(lambda: view(browser, CPU)[1] > standing[1], "the present again")


def test_an_agent_that_was_away_leaves_a_gap_and_the_page_recovers(browser, make_agent):
    browser.expected_errors = ("ERR_", "Failed to load")
    agent = make_agent(settings={"containers": {"include": ["none"]}, "retention": ["1s for 1h"]}).start(samples=3)
    browser.open(agent, "#/?range=15m")
    drawn(browser)
    agent.stop()
    browser.until(lambda: browser.text("#live") == "reconnecting", "the dot that says so")
    newest = points(browser, CPU)[-1]
    browser.until(lambda: time.time() > newest + 6, "samples that nobody took")
    agent.start()
    browser.until(lambda: browser.text("#live") == "live", "the dot live again")
    gap = """const { times, columns } = document.querySelector('#chart-cpu').chart.data;
        const known = times.map((t, i) => columns[0][i] !== null);
        return known.some((k, i) => !k && known.slice(0, i).includes(true) && known.slice(i).includes(true))"""
    browser.until(lambda: browser.js(gap), "unknown points between known ones")


def test_a_hidden_tab_rests_and_catches_up(browser, server):
    browser.open(server)
    drawn(browser)
    newest = points(browser, CPU)[-1]
    hide = """Object.defineProperty(document, 'hidden', { value: arguments[0], configurable: true });
        document.dispatchEvent(new Event('visibilitychange'))"""
    browser.js(hide, True)
    browser.until(lambda: browser.text("#live") == "paused", "the pause")
    after = server.sample_time() + 3
    browser.until(lambda: server.sample_time() >= after, "samples that the page does not see")
    assert points(browser, CPU)[-1] <= newest + 2
    browser.js(hide, False)
    browser.until(lambda: browser.text("#live") == "live", "the page live again")
    browser.until(lambda: points(browser, CPU)[-1] >= after - 1, "the samples of meanwhile")


def test_a_browser_with_a_wrong_clock_shows_the_present(browser, server):
    script = "const real = Date.now; Date.now = () => real() + 3600 * 1000;"
    added = browser.command("Page.addScriptToEvaluateOnNewDocument", source=script)["identifier"]
    try:
        browser.open(server, "#/?range=15m")
        drawn(browser)
        start, end = view(browser, CPU)
        assert abs(end - server.sample_time()) < 5, "the window ends where the server's clock is"
        newest = points(browser, CPU)[-1]
        assert start < newest <= end + 5
        browser.until(lambda: points(browser, CPU)[-1] > newest, "live points")
    finally:
        browser.command("Page.removeScriptToEvaluateOnNewDocument", identifier=added)
