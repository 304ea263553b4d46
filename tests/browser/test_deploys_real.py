# SPDX-License-Identifier: Apache-2.0
"""Deploys in the dashboard with the real daemon and real hooks, and what charts show of them."""

import pytest

from harness.agent import Agent
from harness.deploy_jobs import Jobs, ended

MARKS = "return (document.querySelector('#chart-cpu')?.chart?.marks ?? []).map((m) => m.title)"


@pytest.fixture(name="shop", scope="module")
def a_shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    jobs = Jobs(folder)
    jobs.agent = Agent(folder / "agent", jobs.settings).start(samples=4)
    yield jobs
    jobs.agent.finish()


def press(browser, text):
    button = browser.until(lambda: next((b for b in browser.all(".app button") if b.is_displayed() and b.text.startswith(text)), None), text)
    button.click()


def current_steps(browser):
    return browser.js("return [...document.querySelectorAll('.current .steps li')].map((li) => [li.querySelector('b').textContent, li.dataset.state])")


def deploy(shop):
    """By the API; its record when it has ended."""
    answer = shop.agent.get("/api/v1/apps/shop/deploy", method="POST", body={})
    return ended(shop.agent, answer.json()["deploy"])


def test_a_deploy_by_the_button(browser, shop):
    commit = shop.commit("Mend the basket", slow="yes", broken=None)
    browser.open(shop.agent, "#/deploys")
    browser.until(lambda: "Nothing serves yet" in browser.text(".app-serves"), "the app")
    press(browser, "Deploy…")
    browser.click("dialog .primary")
    browser.until(lambda: ["Build", "running"] in current_steps(browser), "the build")
    browser.until(lambda: "step 3 of 3" in browser.text(".log-box"), "what it prints")
    shop.gate.write_text("go")
    browser.until(lambda: commit[:8] in browser.text(".app-serves"), "it serves")
    browser.until(lambda: browser.text(".log-state") == "complete", "the end of the log")
    row = browser.until(lambda: browser.text(".deploy-history tbody tr"), "the history")
    assert "Mend the basket" in row and "Ann" in row and "web admin" in row and "serves" in row
    titles = browser.js("return document.querySelector('.steps-bar').ariaLabel")
    assert "Fetch" in titles and "Build" in titles and "Route" in titles


def test_a_failure_and_a_rollback(browser, shop):
    shop.commit("The first", slow=None, broken=None)
    before = deploy(shop)
    shop.commit("The second")
    assert deploy(shop)["state"] == "done"
    shop.commit("Break it", broken="yes")
    failed = deploy(shop)
    browser.open(shop.agent, "#/deploys")
    assert failed["error"] in browser.until(lambda: browser.text(".trouble .deploy-error"), "what is wrong")
    press(browser, f"Log of deploy {failed['id']}")
    browser.until(lambda: "the compiler says: no" in browser.text(".log-box"), "its log")
    press(browser, "Roll back…")
    assert "The first" in browser.text(".will-serve")
    browser.click("dialog .primary")
    browser.until(lambda: before["commit"][:8] in browser.text(".app-serves") and "The first" in browser.text(".app-serves"), "it serves")


def test_charts_have_a_line_where_a_version_got_the_requests(browser, shop):
    shop.commit("A line on charts", slow=None, broken=None)
    d = deploy(shop)
    title = f"shop {d['commit'][:8]} A line on charts"
    browser.open(shop.agent, "#/entity/host/host?range=15m")
    browser.until(lambda: title in browser.js(MARKS), "the mark")
    browser.until(lambda: "deploy" in browser.texts("#chart-cpu .legend-note b"), "in the legend")
    browser.screenshot("deploys-marks")
    shop.commit("While it is looked at")
    later = deploy(shop)
    browser.until(lambda: f"shop {later['commit'][:8]} While it is looked at" in browser.js(MARKS), "the next one by itself")
    browser.open(shop.agent)
    browser.until(lambda: title in browser.js(MARKS), "on the overview too")
