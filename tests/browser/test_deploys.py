# SPDX-License-Identifier: Apache-2.0
"""Deploys in the dashboard: apps, steps, the live log, history, buttons. A stand-in for the daemon tells a story of days."""

import re

import pytest

from harness.deploy_story import HOSTILE, PROBE_ERROR, Story, now_ms
from harness.web_process import WebProcess

APP = """const appOf = (name) => [...document.querySelectorAll('.app')]
    .find((a) => a.querySelector('.job-name').textContent === name);
"""


@pytest.fixture(scope="module")
def process(tmp_path_factory):
    process = WebProcess(tmp_path_factory.mktemp("deploys"), Story().handlers)
    yield process
    process.finish()


@pytest.fixture
def story(process):
    story = Story()
    process.handlers.update(story.handlers)
    return story


def page(browser, process, app="", **how):
    browser.open(process, f"#/deploys/{app}" if app else "#/deploys", **how)
    browser.see(".app")
    if app:
        browser.until(lambda: within(browser, app, ".deploy-history tbody tr, .deploy-history .small"), "the history")


def within(browser, app, css):
    """The text of the first of these in the card of an app."""
    text = browser.js(APP + "const e = appOf(arguments[0])?.querySelector(arguments[1]);"
                      "return e?.checkVisibility() ? e.innerText : ''", app, css)
    return text.replace("\u00a0", " ")


def press(browser, app, text):
    found = browser.until(lambda: browser.js(
        APP + "return [...appOf(arguments[0]).querySelectorAll('button')].find((b) => b.checkVisibility() &&"
        "(b.ariaLabel ?? b.textContent).startsWith(arguments[1]))", app, text), f"{text} of {app}")
    browser.js("arguments[0].scrollIntoView({block: 'center'})", found)
    found.click()


def tell(process, deploy):
    process.push("deploy", deploy=deploy)


def grow(process, story, d, lines):
    story.logs[d["id"]] += lines
    process.push("deploy.log", deploy=d["id"], size=story.log_size(d))


def steps(browser, app):
    """{title: state} of what is under way."""
    return browser.js(APP + "return Object.fromEntries([...appOf(arguments[0]).querySelectorAll('.current .steps li')]"
                      ".map((li) => [li.querySelector('b').textContent, li.dataset.state]))", app)


def log_lines(browser):
    return browser.js("return document.querySelectorAll('.log-block > div').length")


def at_end(browser):
    return browser.js("const b = document.querySelector('.log-box'); return b.scrollHeight - b.scrollTop - b.clientHeight < 30")


def test_how_each_app_stands(browser, process, story):
    page(browser, process)
    browser.until(lambda: "serves" in within(browser, "shop", ".app-head"), "the apps")
    assert browser.texts(".job-name") == ["blog", "shop", "worker"], "what is wrong stands first"
    shop = within(browser, "shop", ".app-serves")
    good = story.apps["shop"]["serves"]
    assert good["commit"][:8] in shop and good["subject"] in shop and "Ada Lovelace" in shop and "octocat" in shop
    assert "22 h" in shop or "21 h" in shop, "since when"
    assert HOSTILE in within(browser, "shop", ".app-about") and "nginx" in within(browser, "shop", ".app-about")
    assert "The last deploy failed" in within(browser, "blog", ".trouble") and PROBE_ERROR in within(browser, "blog", ".trouble")
    assert "never deployed" in within(browser, "worker", ".app-head")
    assert browser.text(".page-head .small") == "1 last failed, 1 serves, 1 never deployed"
    assert browser.js("return document.querySelectorAll('main img').length") == 0


def test_the_steps_of_a_deploy_as_it_goes_on(browser, process, story):
    d = story.begin("shop", "build", 20000)
    page(browser, process)
    browser.until(lambda: steps(browser, "shop").get("Build") == "running", "the present step")
    shown = steps(browser, "shop")
    assert shown["Fetch"] == "done" and shown["Probe"] == "next"
    titles = browser.js("return [...document.querySelectorAll('.steps b')].map((b) => b.textContent)")
    assert titles == ["Fetch", "Build", "Start", "Probe", "Route", "Watch", "Drain", "Clean up"]
    assert re.search(r"Build\s*running\s*2\d s", browser.js(APP + "return appOf('shop').querySelector('.steps').textContent").replace("\u00a0", " "))
    assert browser.js("return document.querySelector('.steps [aria-current=step] b').textContent") == "Build"
    browser.until(lambda: "21 s" in within(browser, "shop", "[data-state=running]"), "the clock goes on")
    story.go_on(d, "start")
    tell(process, d)
    browser.until(lambda: steps(browser, "shop")["Start"] == "running" and steps(browser, "shop")["Build"] == "done", "the next step")
    story.go_on(d, "watch")
    d["deadline_ms"] = now_ms() + 28000
    tell(process, d)
    browser.until(lambda: "stays healthy for another 2" in within(browser, "shop", ".current-say"), "what is waited for")
    story.end(d)
    tell(process, d)
    browser.until(lambda: d["commit"][:8] in within(browser, "shop", ".app-serves"), "it serves")
    assert not within(browser, "shop", ".current")


def test_one_that_waits_says_for_what(browser, process, story):
    story.wait("worker", 2, f"a build of {HOSTILE} is under way")
    page(browser, process)
    text = browser.until(lambda: within(browser, "worker", ".current-say"), "the reason")
    assert text == f"Waits, place 2 in the queue: a build of {HOSTILE} is under way"
    assert not within(browser, "worker", ".steps")


def test_the_way_back_is_seen(browser, process, story):
    d = story.begin("shop", "watch", 4000)
    d["stages"][-1].update(state="failed", ended_ms=now_ms())
    story.stage(d, "route", now_ms(), 0, verb="revert", state="running")
    d.update(state="returning", stage="route", after="rolled_back")
    page(browser, process)
    browser.until(lambda: steps(browser, "shop").get("Back to the old") == "running", "the way back")
    assert steps(browser, "shop")["Watch"] == "failed" and "Drain" not in steps(browser, "shop")
    assert "Cancel" not in within(browser, "shop", ".current-tools"), "what cannot be cancelled is not offered"


def test_history_says_who_what_and_why(browser, process, story):
    story.deploys[12].update(verdict_grade="worse", verdict="CPU 12.1 % -> 25.3 % (+109 %)")
    page(browser, process, "shop")
    rows = browser.until(lambda: browser.texts(".deploy-history tbody tr"), "the history")
    assert len(rows) == 10 and "serves" in rows[0] and "Ada Lovelace" in rows[0] and "1 min 29 s" in rows[0].replace("\u00a0", " ")
    assert "CPU 12.1 % → 25.3 % (+109 %)" in rows[1] and "worse than before" in rows[1]
    assert any("failed" in r and PROBE_ERROR in r for r in rows)
    assert any("superseded by deploy 10" in r for r in rows)
    labels = browser.js("return [...document.querySelectorAll('.steps-bar')].map((b) => b.ariaLabel)")
    assert "Build 41 s" in labels[0].replace("\u00a0", " ") and "Probe 3.1 s failed" in " ".join(labels).replace("\u00a0", " ")
    press(browser, "shop", "Older")
    browser.until(lambda: len(browser.texts(".deploy-history tbody tr")) == 14, "older ones")
    assert browser.js(APP + "return appOf('shop').querySelector('.app-facts a').hash") == "#/container/shop"
    browser.click(".deploy-history summary")
    assert "shop-14" in browser.text(".deploy-history details[open]"), "its container"


def test_the_log_follows_and_pauses_when_somebody_reads(browser, process, story):
    d = story.begin("shop")
    grow(process, story, d, [f"2026-11-21T03:00:{i % 60:02}Z fetch | {HOSTILE} {i}" for i in range(300)])
    page(browser, process)
    press(browser, "shop", "Log")
    browser.until(lambda: log_lines(browser) == 300 and at_end(browser), "all of it, at its end")
    assert HOSTILE in browser.text(".log-box") and browser.js("return document.querySelectorAll('.log-box img').length") == 0
    grow(process, story, d, [f"2026-11-21T03:01:00Z build | compiling {i}" for i in range(50)])
    browser.until(lambda: log_lines(browser) == 350 and at_end(browser), "what came is in sight")
    assert browser.js("return [...document.querySelectorAll('.log-stage')].map((e) => e.textContent)") == ["fetch", "build"]
    browser.js("document.querySelector('.log-box').scrollTop -= 800")
    browser.until(lambda: browser.see(".log-tools button").get_attribute("aria-pressed") == "false", "it pauses")
    before = browser.js("return document.querySelector('.log-box').scrollTop")
    grow(process, story, d, ["2026-11-21T03:01:02Z build | more"] * 100)
    browser.until(lambda: log_lines(browser) == 450, "the new lines")
    assert browser.js("return document.querySelector('.log-box').scrollTop") == before, "nothing moves away while it is read"
    browser.click(".log-tools button")
    browser.until(lambda: at_end(browser), "it follows again")
    story.end(d)
    tell(process, d)
    browser.until(lambda: browser.text(".log-state") == "complete", "its end")
    browser.click(".log-tools button[aria-label='Close the log']")
    assert not browser.all(".log")


def test_the_log_goes_on_where_it_was_when_the_connection_was_lost(browser, process, story):
    browser.expected_errors = ("/log?offset", "/api/v1/live")
    d = story.begin("shop")
    grow(process, story, d, [f"2026-11-21T03:00:00Z build | {i}" for i in range(20)])
    page(browser, process)
    press(browser, "shop", "Log")
    browser.until(lambda: log_lines(browser) == 20, "the beginning")
    asked = len(process.questions("deploy.log"))
    process.push("auth.changed")  # ends all streams
    grow(process, story, d, [f"2026-11-21T03:00:00Z build | {i}" for i in range(20, 30)])
    browser.until(lambda: log_lines(browser) >= 30, "the rest")
    assert browser.js("return [...document.querySelectorAll('.log-block > div')].map((e) => e.textContent)") == [str(i) for i in range(30)]
    assert all(q["offset"] > 0 for q in process.questions("deploy.log")[asked:]), "not from the beginning"


def test_a_long_log_does_not_slow_the_page(browser, process, story):
    d = story.begin("shop")
    story.logs[d["id"]] = [f"2026-11-21T03:00:00Z build | line {i} of a very talkative build " + "x" * 60 for i in range(60000)]
    page(browser, process)
    browser.js("""window.slowest = 0; let last = performance.now();
        const look = (now) => { window.slowest = Math.max(window.slowest, now - last); last = now; requestAnimationFrame(look); };
        requestAnimationFrame(look);""")
    press(browser, "shop", "Log")
    browser.until(lambda: "line 59999" in browser.js("return document.querySelector('.log-box')?.lastElementChild?.textContent ?? ''"),
                  "the last line", 45)
    assert log_lines(browser) <= 20200, "the beginning is dropped"
    assert "left out here" in browser.text(".log-cut")
    assert at_end(browser)
    assert browser.js("return window.slowest") < 1500, "it can be used meanwhile"
    assert browser.js("return document.querySelector('.log-tools a').getAttribute('href')") == f"/api/v1/deploys/{d['id']}/log"


def test_a_deploy_by_the_button(browser, process, story):
    page(browser, process)
    press(browser, "shop", "Deploy…")
    assert "serves on" in browser.text("dialog") and "no request is lost" in browser.text("dialog")
    browser.see("dialog input").send_keys("v7.2")
    browser.click("dialog .primary")
    browser.until(lambda: steps(browser, "shop").get("Fetch") == "running", "it runs")
    assert story.asked == [("deploy.start", {"app": "shop", "ref": "v7.2"})]
    browser.see(".log")
    press(browser, "worker", "Deploy…")
    assert "away for a moment" in browser.text("dialog")
    story.refuse = f"the configuration of {HOSTILE} has mistakes"
    browser.expected_errors = ("/api/v1/apps/worker/deploy",)
    browser.click("dialog .primary")
    browser.until(lambda: HOSTILE in browser.text("dialog .error"), "why not")
    browser.press(browser.keys.ESCAPE)
    browser.until(lambda: not browser.all("dialog"), "closed")


def test_a_rollback_says_what_will_serve(browser, process, story):
    page(browser, process, "shop")
    press(browser, "shop", "Roll back…")
    text = browser.text("dialog")
    versions = [d for d in story.of("shop") if d["state"] == "done"]
    assert versions[-2]["commit"][:8] in text and versions[-2]["subject"] in text, "the version before, by itself"
    assert versions[-1]["commit"][:8] in text, "and what serves now"
    assert f"deploy {versions[-1]['id']} ·" not in browser.text("dialog select"), "not to what serves"
    browser.see("dialog select").send_keys(f"deploy {versions[-4]['id']}")
    browser.until(lambda: versions[-4]["commit"][:8] in browser.text(".will-serve"), "the one that was chosen")
    browser.click("dialog .primary")
    browser.until(lambda: story.asked, "it is asked for")
    assert story.asked == [("deploy.rollback", {"app": "shop", "to": versions[-4]["id"]})]
    browser.until(lambda: steps(browser, "shop").get("Start") == "running", "it runs")
    assert "Build" not in steps(browser, "shop"), "without a build"
    assert f"back to deploy {versions[-4]['id']}" in within(browser, "shop", ".current-what")


def test_a_rollback_to_a_row_of_the_history(browser, process, story):
    page(browser, process, "shop")
    press(browser, "shop", "Roll back to 0c9f8e7d")
    assert "0c9f8e7d" in browser.text(".will-serve")
    browser.click("dialog .primary")
    browser.until(lambda: story.asked == [("deploy.rollback", {"app": "shop", "to": 12})], "it is asked for")
    assert browser.all("[aria-label^='Roll back'][aria-label$='of deploy 12']"), "until it serves"
    story.end(story.of("shop")[-1])
    tell(process, story.of("shop")[-1])
    browser.until(lambda: not browser.all("[aria-label^='Roll back'][aria-label$='of deploy 12']"), "not to what serves")


def test_a_cancel_asks_first(browser, process, story):
    d = story.begin("shop")
    page(browser, process)
    press(browser, "shop", "Cancel…")
    assert story.apps["shop"]["serves"]["commit"][:8] in browser.text("dialog"), "what serves on"
    browser.click("dialog button:not(.primary)")
    assert not process.questions("deploy.cancel")
    press(browser, "shop", "Cancel…")
    browser.click("dialog .primary")
    browser.until(lambda: not within(browser, "shop", ".current"), "its end")
    assert process.questions("deploy.cancel")[-1]["deploy"] == d["id"]


def test_viewers_only_look(browser, process, story):
    story.begin("shop")
    story.refused = [{"time_ms": now_ms(), "app": "shop", "peer": "203.0.113.9", "provider": "github", "event": "push", "status": 401, "why": "x"}]
    page(browser, process, "shop", token=process.viewer_token)
    browser.until(lambda: steps(browser, "shop"), "the steps")
    assert not [t for t in browser.texts("main button") if t.startswith(("Deploy", "Roll", "Cancel"))]
    assert not browser.texts(".refused")
    press(browser, "shop", "Log")
    browser.see(".log")


def test_refused_deliveries_are_listed(browser, process, story):
    story.refused = [{"time_ms": now_ms(), "app": "shop", "peer": "203.0.113.9", "provider": "github", "event": "push", "status": 401,
                      "why": f"no signature {HOSTILE}"}]
    page(browser, process)
    browser.click(".refused summary")
    row = browser.text(".refused tbody tr")
    assert HOSTILE in row and "203.0.113.9" in row and "401" in row and "shop" in row


def test_without_apps_it_says_how_to_begin(browser, process, story):
    story.apps.clear()
    browser.open(process, "#/deploys")
    text = browser.text(".none")
    assert "agent deploy now shop --follow" in text and "secret_file" in text and f"{process.url}/deploy/shop" in text


def test_the_overview_tells_of_what_goes_on_and_what_went_wrong(browser, process, story):
    d = story.begin("shop")
    browser.expected_errors = ("/api/v1/series", "/api/v1/backups")  # of which this stand-in knows nothing
    browser.open(process)
    browser.until(lambda: browser.texts(".deploy-strip li"), "the strip")
    rows = browser.texts(".deploy-strip li")
    assert "building" in rows[1] and d["commit"][:8] in rows[1] and "failed" in rows[0]
    story.end(d)
    tell(process, d)
    browser.until(lambda: len(browser.texts(".deploy-strip li")) == 1, "it is done")
    browser.click(".deploy-strip a")
    browser.until(lambda: browser.address.endswith("#/deploys/blog"), "the app")


MARKS = "return (document.querySelector('.chart')?.chart?.marks ?? []).map((m) => [m.text, m.label])"


def test_the_charts_of_a_container_have_the_deploys_of_its_app(browser, process, story):
    browser.expected_errors = ("/api/v1/series",)  # of which this stand-in knows nothing
    container = {"class": "container", "live": True, "values": {}, "missing": {}}
    shown = [{**container, "key": "shop", "labels": {"app": "shop"}}, {**container, "key": "db", "labels": {}}]
    process.handlers["latest"] = lambda r: {"time": now_ms() / 1000, "entities": shown}
    try:
        browser.open(process, "#/container/shop")
        marks = browser.until(lambda: browser.js(MARKS), "the marks")
        reached = [d for d in story.of("shop") if d["state"] in ("done", "rolled_back")]
        assert sorted(marks) == sorted([d["commit"][:8], "deploy" if d["state"] == "done" else "deploy, rolled back"] for d in reached)
        d = story.begin("shop", "watch", 100)
        tell(process, story.begin("blog", "watch", 100))
        tell(process, d)
        browser.until(lambda: d["commit"][:8] in [text for text, _ in browser.js(MARKS)], "the one that got the requests now")
        assert process.questions("deploy.list")[-1]["app"] == "shop"
        asked = len(process.questions("deploy.list"))
        browser.open(process, "#/container/db")
        browser.until(lambda: browser.text("main h2") == "db" and browser.texts(".chart"), "another container")
        assert browser.js(MARKS) == [] and len(process.questions("deploy.list")) == asked, "it is of no app"
    finally:
        process.handlers["latest"] = lambda r: {"time": now_ms() / 1000, "entities": []}


CONTROLS = {"button", "link", "textbox", "img", "table", "group", "DisclosureTriangle", "log", "list"}


def test_all_that_can_be_used_has_a_name(browser, process, story):
    """As a screen reader tells it."""
    story.begin("shop")
    page(browser, process, "shop")
    press(browser, "shop", "Log")
    browser.see(".log-box")
    tree = browser.command("Accessibility.getFullAXTree")["nodes"]
    seen = [(n["role"]["value"], n.get("name", {}).get("value", "")) for n in tree if not n.get("ignored") and n["role"]["value"] in CONTROLS]
    assert not [n for n in seen if not n[1].strip() and n[0] not in ("group", "list")], seen
    names = {name for _, name in seen}
    assert {"Deploys of shop", "Log of deploy 17", "Steps of the deploy", "Deploy…", "Roll back…", "Cancel…"} <= names, names
    back = [name for role, name in seen if role == "button" and name.startswith("Roll back to")]
    assert back and len(set(back)) == len(back), "each says which"


def test_all_is_reached_by_keyboard(browser, process, story):
    story.begin("shop")
    page(browser, process)
    browser.until(lambda: steps(browser, "shop"), "the steps")
    browser.js("document.querySelector('main').focus()")
    reached = set()
    for _ in range(13):
        browser.press(browser.keys.TAB)
        reached.add(browser.js("const e = document.activeElement; return e.getAttribute('aria-label') ?? e.textContent"))
        assert browser.js("return document.activeElement.matches(':focus-visible')")
    assert {"shop", "Deploy…", "Roll back…", "Log", "Cancel…", "blog", "Log of deploy 16"} <= reached
    browser.js(APP + "appOf('shop').querySelector('.job-name').focus()")
    browser.press(browser.keys.ENTER)
    browser.until(lambda: within(browser, "shop", ".deploy-history tbody tr"), "the history")


@pytest.mark.parametrize("width", [360, 768])
def test_it_fits_a_phone(browser, process, story, width):
    d = story.begin("shop", "probe")
    grow(process, story, d, ["2026-11-21T03:00:00Z build | " + "x" * 900, "y" * 500])
    story.deploys[13]["subject"] = "W" * 190
    story.deploys[15]["error"] = "E" * 900
    browser.size(width, 780, phone=width < 600)
    page(browser, process, "shop")
    press(browser, "shop", "Log")
    browser.until(lambda: log_lines(browser) == 2, "the log")
    assert browser.js("return document.documentElement.scrollWidth") <= width
    browser.screenshot(f"deploys-{width}")
