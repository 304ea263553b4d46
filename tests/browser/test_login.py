# SPDX-License-Identifier: Apache-2.0
"""Signing in and out."""

TOKEN = "#token"


def sign_in(browser, token):
    field = browser.see(TOKEN)
    field.clear()
    field.send_keys(token, browser.keys.ENTER)


def test_without_a_session_the_login_page_comes_first(browser, server):
    browser.driver.get(server.url)
    browser.see(TOKEN)
    assert browser.address == f"{server.url}/login"


def test_a_wrong_token_is_refused_and_the_right_one_lets_in(browser, make_agent):
    browser.expected_errors = ("401",)
    agent = make_agent().start()
    browser.driver.get(agent.url)
    sign_in(browser, "0" * 48)
    browser.until(lambda: "not right" in browser.text("#error"), "the refusal")
    browser.screenshot("login-wrong", 700)
    sign_in(browser, agent.token)
    browser.see("#chart-cpu")
    assert browser.address.startswith(f"{agent.url}/#/")


def test_too_many_wrong_tokens_have_to_wait(browser, make_agent):
    browser.expected_errors = ("401", "429")
    agent = make_agent().start()
    browser.driver.get(agent.url)
    for _ in range(6):
        browser.until(lambda: browser.see("#submit").is_enabled(), "the button")
        sign_in(browser, "wrong")
        browser.until(lambda: browser.text("#error") != "", "an answer")
        if "Too many" in browser.text("#error"):
            break
    text = browser.text("#error")
    assert "Too many wrong tokens" in text and "Try again in" in text
    assert not browser.see("#submit").is_enabled()


def test_the_printed_link_signs_in_and_its_token_leaves_the_address_at_once(browser, server):
    browser.driver.get(f"{server.url}/#token={server.token}")
    browser.see("#chart-cpu")
    assert server.token not in browser.address
    assert not any(server.token in url for url in browser.requests() if url.startswith(f"{server.url}/api"))
    browser.driver.back()
    assert server.token not in browser.address


def test_a_viewer_gets_in_too(browser, server):
    browser.open(server, token=server.viewer_token)
    browser.see("#chart-cpu")


def test_signing_out_ends_the_session(browser, server):
    browser.expected_errors = ("401",)
    browser.open(server)
    browser.click("#signout")
    browser.see(TOKEN)
    browser.driver.get(server.url)
    browser.see(TOKEN)


def test_a_session_that_ended_leads_to_the_login_page_and_back(browser, make_agent):
    browser.expected_errors = ("401", "ERR_", "Failed to load")
    agent = make_agent().start()
    browser.open(agent, "#/about")
    browser.see("#chart-cpu_used_percent")
    rotated = agent.cli("token", "rotate")
    assert rotated.returncode == 0, rotated.stderr
    # The stream ends or the next request is refused; a session may be remembered for a minute, so ask again.
    browser.command("Network.clearBrowserCookies")
    browser.go("#/entities")
    browser.see(TOKEN)
    sign_in(browser, agent.token)
    browser.until(lambda: "#/entities" in browser.address, "the page asked for before")
