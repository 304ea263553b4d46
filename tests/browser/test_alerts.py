# SPDX-License-Identifier: Apache-2.0
"""Alerts in the dashboard: what fires, acknowledging, silencing, history, rules, channels; with rules that fire at once."""

import re
import signal

import pytest

from browser.conftest import HOSTILE
from harness.agent import Agent, run_cli
from harness.alerting import BUILTIN_OFF, channel, rule
from harness.providers import Webhook

ROW = """const rowOf = (rule) => [...document.querySelectorAll('li.alert')]
    .find((li) => li.querySelector('.alert-facts code').textContent === rule);
"""
BUTTON = ROW + """return [...rowOf(arguments[0]).querySelectorAll('button')]
    .find((b) => b.textContent.startsWith(arguments[1]) && !b.hidden) ?? null"""


def settings(tree, hook, folder):
    return {
        **tree.settings(),
        "rules": {
            **BUILTIN_OFF,
            "full": rule("> 0.1", critical="> 0.2", doc="Look at `top`, then *there*."),
            "image": rule("> 0", "container.processes", entities=["*img*"]),
            "later": rule("> 0.1", **{"for": "1h"}),
        },
        "channels": {"hook": channel(hook, folder, min_severity="warning")},
    }


@pytest.fixture(scope="module")
def hook():
    provider = Webhook()
    yield provider
    provider.close()


@pytest.fixture(scope="module")
def alerting(tmp_path_factory, tree, hook):
    """An agent on whose page two alerts fire, one of them of a container with a hostile name."""
    folder = tmp_path_factory.mktemp("alerting")
    agent = Agent(folder, settings=settings(tree, hook, folder)).start(samples=4)
    yield agent
    agent.finish()


def rows(browser):
    return browser.texts("li.alert .alert-title")


def page(browser, agent, part="", **how):
    browser.open(agent, "#/alerts" + part, **how)


def now(browser, agent, **how):
    page(browser, agent, **how)
    return browser.until(lambda: len(rows(browser)) == 3 and rows(browser), "the alerts")


def row_text(browser, name):
    return browser.js(ROW + "return rowOf(arguments[0])?.innerText ?? ''", name)


def button(browser, name, text):
    return browser.until(lambda: browser.js(BUTTON, name, text), f"the button {text} of {name}")


def clear_silences(agent):
    for s in agent.api("silences")["silences"]:
        assert agent.get(f"/api/v1/silences/{s['id']}", method="DELETE").status == 200


def no_foreign_markup(browser):
    assert browser.js("return document.querySelectorAll('main img, header img:not([alt=\"\"]), b b').length") == 0


def test_what_fires_is_counted_in_the_navigation_and_the_title(browser, alerting):
    browser.open(alerting)
    assert browser.until(lambda: browser.text(".alert-count"), "the badge") == "2"
    assert "bad" in browser.see(".alert-count").get_attribute("class"), "the colour of the worst"
    assert "the worst is critical" in browser.see(".alert-count").get_attribute("aria-label")
    assert browser.driver.title.startswith("(2) ")


def test_the_overview_lists_what_fires(browser, alerting):
    browser.open(alerting)
    strip = browser.until(lambda: browser.text(".firing"), "the strip")
    assert HOSTILE in strip, "names are text"
    assert strip.startswith("critical"), "the worst first"
    no_foreign_markup(browser)
    next(a for a in browser.all(".firing a") if HOSTILE in a.text).click()
    browser.until(lambda: "#/container/" in browser.address, "the page of the container")


def test_the_list_of_what_fires(browser, alerting):
    titles = now(browser, alerting)
    full = row_text(browser, "full")
    assert full.startswith("critical") and "%" in full and "0.2" in full
    assert HOSTILE in titles[1] and "pending" in row_text(browser, "later")
    assert browser.texts("li.alert .doc code") == ["top"]
    no_foreign_markup(browser)
    browser.js(ROW + "window.kept = rowOf('full')")
    shown = browser.js("return document.querySelector('#live').title")
    browser.until(lambda: browser.js("return document.querySelector('#live').title") != shown, "another sample")
    assert browser.js(ROW + "return window.kept === rowOf('full')"), "rows stay the same nodes"
    browser.screenshot("alerts-light", 900)


def test_the_charts_of_the_entity_mark_when_it_fired(browser, alerting):
    now(browser, alerting)
    next(a for a in browser.all("li.alert .alert-title") if HOSTILE not in a.text).click()
    browser.until(lambda: browser.text("main h2") == "host", "the page of the host")
    note = browser.until(lambda: "critical" in browser.text("#chart-memory .legend-note") and True, "the mark in the legend")
    assert note and browser.js("return document.querySelector('#chart-memory').chart.marks.map((m) => m.title)")
    assert not browser.js("return document.querySelector('#chart-load').chart.marks.length"), "only where it belongs"
    assert "critical" in browser.text(".firing")
    browser.click(".page-head .tools a")
    browser.until(lambda: "#/alerts/history/host/host" in browser.address, "its history")
    browser.until(lambda: browser.texts(".sheet tbody tr"), "its events")
    assert HOSTILE not in browser.text(".sheet")


def test_acknowledging_by_keyboard(browser, alerting):
    now(browser, alerting)
    browser.js("arguments[0].focus()", button(browser, "image", "Acknowledge"))
    browser.press(browser.keys.ENTER)
    assert HOSTILE in browser.text("dialog .about")
    browser.press(browser.keys.ESCAPE)
    browser.until(lambda: not browser.all("dialog"), "the end of the dialog")
    assert browser.js("return document.activeElement.textContent") == "Acknowledge", "the focus is back"
    browser.press(browser.keys.ENTER)
    browser.see("dialog input")
    browser.press(*"known <b>leak</b>", browser.keys.ENTER)
    browser.until(lambda: "acknowledged" in row_text(browser, "image"), "the acknowledgement")
    assert "known <b>leak</b>" in row_text(browser, "image")
    assert not browser.all("dialog") and not browser.js(BUTTON, "image", "Acknowledge")
    no_foreign_markup(browser)


def test_silencing_and_ending_it(browser, alerting):
    clear_silences(alerting)
    now(browser, alerting)
    button(browser, "full", "Silence").click()
    assert browser.see("dialog [name=rule]").get_attribute("value") == "full"
    assert browser.see("dialog [name=entity]").get_attribute("value") == "host/host"
    next(c for c in browser.all("dialog .choice") if c.text == "4 hours").click()
    browser.see("dialog [name=reason]").send_keys("moving files")
    browser.click("dialog .primary")
    browser.until(lambda: "moving files" in row_text(browser, "full"), "the muted alert")
    (silence,) = alerting.api("silences")["silences"]
    assert silence["until_ms"] - silence["from_ms"] == 4 * 3600 * 1000
    browser.click(".parts a[href='#/alerts/silences']")
    assert "moving files" in browser.until(lambda: browser.text(".sheet tbody"), "the silence")
    assert re.search(r"in [34].h", browser.text(".sheet tbody"))
    next(b for b in browser.all(".sheet button") if b.text.startswith("End")).click()
    browser.click("dialog .primary")
    browser.until(lambda: "Nothing is silenced" in browser.text(".message"), "no silence")
    assert alerting.api("silences")["silences"] == []


def test_a_silence_of_ones_own_length_and_pattern(browser, alerting):
    clear_silences(alerting)
    browser.expected_errors = ("400",)
    page(browser, alerting, "/silences")
    browser.click("#add-silence")
    field = browser.see("dialog [name=rule]")
    field.clear()
    field.send_keys("disk*")
    number = browser.see("dialog [name=number]")
    number.clear()
    number.send_keys("9999")
    browser.see("dialog [name=unit] option[value='86400']").click()
    browser.click("dialog .primary")
    browser.until(lambda: "seconds" in browser.text("dialog .error"), "the refusal")
    number.clear()
    number.send_keys("90")
    browser.see("dialog [name=unit] option[value='60']").click()
    browser.click("dialog .primary")
    browser.until(lambda: "disk*" in browser.text(".sheet tbody"), "the silence")
    (silence,) = alerting.api("silences")["silences"]
    assert silence["until_ms"] - silence["from_ms"] == 90 * 60 * 1000 and silence["entity"] == "*"
    clear_silences(alerting)
    browser.until(lambda: "Nothing is silenced" in browser.text(".message"), "the end of it, without a reload")


def test_a_name_with_wildcards_silences_itself_alone(browser, alerting):
    now(browser, alerting)
    button(browser, "image", "Silence").click()
    entity = browser.see("dialog [name=entity]").get_attribute("value")
    assert entity.startswith("container/<img src=x onerror=alert(1)>")
    browser.press(browser.keys.ESCAPE)


def test_history(browser, alerting):
    for i in range(60):
        alerting.get("/api/v1/events", method="POST", body={"title": f"import {i} <i>done</i>", "text": "one\ntwo"})
    page(browser, alerting, "/history")
    browser.until(lambda: len(browser.texts(".sheet tbody tr")) == 50, "the first page")
    assert browser.texts(".sheet summary")[0] == "import 59 <i>done</i>"
    no_foreign_markup(browser)
    browser.click(".sheet summary")
    assert browser.text(".event-text") == "one\ntwo"
    browser.click(".more button")
    browser.until(lambda: len(browser.texts(".sheet tbody tr")) > 60, "older ones")
    assert browser.text(".event-text") == "one\ntwo", "what was open stays open"
    alerting.get("/api/v1/events", method="POST", body={"title": "one more"})
    browser.until(lambda: browser.text(".sheet tbody th") == "one more", "a new one by itself")
    assert len(browser.texts(".sheet tbody tr")) > 60, "and the older ones stay"
    browser.see("select option[value='alert.*']").click()
    browser.until(lambda: len(browser.texts(".sheet tbody tr")) == 2, "alerts only")
    told = browser.texts(".sheet .col-told")
    assert any("hook" in t for t in told)
    where = next(a for a in browser.all(".sheet .col-where a") if HOSTILE in a.text)
    where.click()
    browser.until(lambda: "#/container/" in browser.address and "from=" in browser.address, "the chart of then")


def test_rules(browser, alerting):
    page(browser, alerting, "/rules")
    browser.until(lambda: "full" in browser.texts(".sheet th b"), "the rules")
    assert len(browser.texts(".sheet tbody tr")) == len(BUILTIN_OFF) + 3
    browser.see("input[type=search]").send_keys("memory_used top")
    browser.until(lambda: browser.texts(".sheet th b") == ["full"], "the filter")
    text = browser.text(".sheet tbody")
    assert "1 firing" in text and "host.memory_used_percent" in text and str(alerting.config) in text
    browser.click(".sheet button")
    assert browser.see("dialog [name=rule]").get_attribute("value") == "full"
    browser.press(browser.keys.ESCAPE)


def test_channels_and_a_test_message(browser, alerting, hook):
    page(browser, alerting, "/channels")
    card = browser.until(lambda: "works" in browser.text(".channel") and browser.text(".channel"), "a channel that works", 30)
    assert "webhook" in card and "only warning and worse" in card
    browser.click(".channel button")
    browser.until(lambda: "The provider took it" in browser.text(".test-result"), "the answer")
    assert '"ok": true' in browser.text(".test-result pre")
    hook.next("refuse", status=410)
    browser.click(".channel button")
    browser.until(lambda: "not sent" in browser.text(".test-result") and "410" in browser.text(".test-result"), "the refusal")
    assert Webhook.secret not in browser.text("main")
    browser.see(".deliveries select option[value='sent']").click()
    browser.until(lambda: set(browser.texts(".deliveries .col-state")[1:]) == {"sent"}, "what was sent")
    no_foreign_markup(browser)


def test_viewers_look_and_cannot_act(browser, alerting):
    now(browser, alerting, token=alerting.viewer_token)
    for part in ("", "/history", "/rules", "/channels", "/silences"):
        browser.go("#/alerts" + part)
        browser.until(lambda: browser.texts("li.alert, .sheet tr, .channel, .message"), part or "the list")
        texts = [t for t in browser.texts("main button") if t != "Older"]
        assert texts == [], part


def test_without_channels_it_says_how_to_add_one(browser, server):
    page(browser, server, "/channels")
    browser.until(lambda: "No channel is configured" in browser.text(".none"), "the hint")
    assert "channels = {" in browser.text(".none pre")
    browser.go("#/alerts")
    browser.until(lambda: "nobody is told" in browser.text(".untold"), "the hint beside the alerts")


@pytest.mark.parametrize("part", ["channels", "rules", "silences"])
def test_the_examples_are_right(browser, server, tmp_path, part):
    page(browser, server, "/" + part)
    browser.until(lambda: browser.texts(".how"), "the page")
    example = browser.js("return document.querySelector('.how pre').textContent")
    for name in re.findall(r'"/etc/agent/([\w.]+)"', example):
        (tmp_path / name).write_text("https://hooks.slack.com/services/T0/B0/x\n")
        (tmp_path / name).chmod(0o600)
    config = tmp_path / "agent.conf"
    config.write_text(example.replace("/etc/agent", str(tmp_path)))
    checked = run_cli("config", "check", "--config", str(config))
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("part", ["", "/history", "/rules", "/channels", "/silences"])
def test_on_a_phone(browser, alerting, part):
    browser.size(360, 780, phone=True)
    page(browser, alerting, part)
    browser.until(lambda: browser.texts("li.alert, .sheet tr, .channel, .message"), "the page")
    assert browser.js("return document.documentElement.scrollWidth") <= 360
    if part == "":
        button(browser, "full", "Silence").click()
        box = browser.see("dialog").rect
        assert box["x"] >= 0 and box["x"] + box["width"] <= 360
        browser.press(browser.keys.ESCAPE)


def test_what_is_over_leaves_by_itself(browser, make_agent, tree, hook, tmp_path):
    wrong = settings(tree, hook, tmp_path)
    agent = make_agent(settings=wrong).start(samples=3)
    now(browser, agent)
    fine = {**BUILTIN_OFF, "full": rule("> 99", critical="> 99.9"), "image": {**wrong["rules"]["image"], "enabled": False}}
    agent.write_config({**wrong, "rules": fine})
    agent.process.send_signal(signal.SIGHUP)
    browser.until(lambda: "Nothing is wrong." in browser.text(".fine"), "nothing wrong")
    browser.until(lambda: not browser.texts(".alert-count"), "no badge")
    assert not browser.driver.title.startswith("(")
    browser.go("#/alerts/history")
    browser.until(lambda: "recovered" in browser.text(".sheet tbody"), "the recovery")
