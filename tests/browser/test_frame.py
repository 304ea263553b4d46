# SPDX-License-Identifier: Apache-2.0
"""What holds on every page: navigation, theme, narrow screens, nothing from elsewhere, nothing on the console."""

import re

import pytest

PAGES = {
    "overview": ("#/", "#chart-cpu canvas"),
    "containers": ("#/containers", ".containers .message"),
    "entities": ("#/entities", "table.plain td"),
    "host": ("#/entity/host/host", "#chart-memory canvas"),
    "alerts": ("#/alerts", ".fine, li.alert"),
    "alert-history": ("#/alerts/history", ".sheet, .card.message"),
    "alert-rules": ("#/alerts/rules", ".sheet"),
    "alert-channels": ("#/alerts/channels", ".none"),
    "alert-silences": ("#/alerts/silences", ".card.message"),
    "deploys": ("#/deploys", ".none"),
    "backups": ("#/backups", ".none"),
    "about": ("#/about", ".reference"),
}
BACKGROUND = "return getComputedStyle(document.body).backgroundColor"


def test_navigation(browser, server):
    browser.open(server)
    for text, address in (
        ("Alerts", "#/alerts"),
        ("Deploys", "#/deploys"),
        ("Backups", "#/backups"),
        ("Containers", "#/containers"),
        ("All", "#/entities"),
        ("About", "#/about"),
        ("Overview", "#/"),
    ):
        next(a for a in browser.all("nav a") if a.text.startswith(text)).click()
        browser.until(lambda address=address: address in browser.address, text)
        current = browser.see("nav a[aria-current='page']")
        assert current.text.startswith(text)
    assert server.api("host")["hostname"] == browser.text("#hostname")
    assert server.api("host")["hostname"] in browser.driver.title


def test_all_that_is_measured_leads_to_its_page(browser, server):
    browser.open(server, "#/entities")
    browser.until(lambda: "host" in browser.texts("table.plain th a"), "the host in the list")
    browser.click_text("table.plain th a", "host")
    browser.until(lambda: browser.text("main h2") == "host", "its page")
    browser.see("#chart-memory canvas")


def test_about_has_the_metric_reference(browser, server):
    browser.open(server, "#/about")
    assert server.api("host")["version"] in browser.until(lambda: browser.text(".facts"), "the facts")
    browser.click(".reference summary")
    assert re.search(r"\w+\.\w+_\w+", browser.text(".reference[open] code"))
    browser.until(lambda: "MiB" in browser.texts(".facts")[1], "what the agent costs")


def test_theme_is_switched_and_remembered(browser, server):
    browser.open(server)
    browser.see("#chart-cpu canvas")
    auto = browser.js(BACKGROUND)
    browser.click("#theme")
    assert browser.js(BACKGROUND) == auto, "light, as the system's"
    browser.click("#theme")
    browser.until(lambda: browser.js(BACKGROUND) != auto, "dark")
    dark = browser.js(BACKGROUND)
    browser.driver.refresh()
    browser.see("#chart-cpu canvas")
    assert browser.js(BACKGROUND) == dark
    browser.screenshot("overview-dark")
    browser.click("#theme")
    browser.until(lambda: browser.js(BACKGROUND) == auto, "automatic again")


def test_the_theme_of_the_system_is_followed(browser, server):
    browser.open(server)
    light = browser.js(BACKGROUND)
    browser.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    browser.until(lambda: browser.js(BACKGROUND) != light, "dark")


@pytest.mark.parametrize("width", [360, 390, 768, 1024])
@pytest.mark.parametrize("page", PAGES)
def test_no_page_scrolls_sideways(browser, server, page, width):
    browser.size(width, 780, phone=width < 600)
    route, ready = PAGES[page]
    browser.open(server, route)
    browser.see(ready)
    too_wide = """return [...document.querySelectorAll('body *')]
        .filter((e) => e.getBoundingClientRect().right > innerWidth + 1
        && !e.closest('.scroll, nav')).slice(0, 3).map((e) => e.outerHTML.slice(0, 80))"""
    assert browser.js("return document.documentElement.scrollWidth") <= width, browser.js(too_wide)
    if width == 390:
        browser.screenshot(f"{page}-phone")


def test_nothing_comes_from_elsewhere(browser, server):
    browser.requests()
    browser.open(server)
    for route, ready in PAGES.values():
        browser.go(route)
        browser.see(ready)
    foreign = [u for u in browser.requests() if not u.startswith((server.url + "/", "about:", "chrome:"))]
    assert not foreign


def test_the_dashboard_is_small(browser, server):
    """All its files as they are sent, with headers: a phone far away takes them in two seconds."""
    browser.command("Network.setCacheDisabled", cacheDisabled=True)
    try:
        browser.network()
        browser.open(server)
        browser.see("#chart-cpu canvas")
        events = browser.network()
    finally:
        browser.command("Network.setCacheDisabled", cacheDisabled=False)
    assets = {e["requestId"] for name, e in events if name == "requestWillBeSent" and "/assets/" in e["request"]["url"]}
    sizes = [e["encodedDataLength"] for name, e in events if name == "loadingFinished" and e["requestId"] in assets]
    assert len(sizes) > 40 and sum(sizes) < 200_000


def test_a_page_needs_no_more_than_one_stream(browser, server):
    browser.open(server)
    for route, ready in PAGES.values():
        browser.go(route)
        browser.see(ready)
    events = browser.network()
    opened = {e["requestId"] for name, e in events if name == "requestWillBeSent" and "/live" in e["request"]["url"]}
    ended = {e["requestId"] for name, e in events if name in ("loadingFinished", "loadingFailed")}
    assert len(opened) >= 4, "each page has its own"
    assert len(opened - ended) == 1, "that of the page before is closed"


def test_a_page_that_does_not_exist(browser, server):
    browser.open(server, "#/nonsense")
    browser.until(lambda: "no page" in browser.text(".message"), "the message")
