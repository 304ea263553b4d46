# SPDX-License-Identifier: Apache-2.0
"""A headless Chromium that a test drives as a person would, and that tells what went wrong inside."""

import base64
import json
from pathlib import Path

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from harness import http
from harness.wait import until

ARTEFACTS = Path(__file__).resolve().parents[1] / "artefacts"
SECONDS = 15
# Nothing that Chromium does by itself may reach out.
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--disable-dev-shm-usage",
    "--lang=en-US",
)
CLICK_TEXT = """
const found = [...document.querySelectorAll(arguments[0])].find((e) => e.innerText.trim() === arguments[1]);
if (found) found.click();
return found !== undefined;
"""
HIT = """
const [e] = arguments;
e.scrollIntoView({ block: "center", behavior: "instant" });
const box = e.getClientRects()[0];
if (!box || !e.contains(document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2))) return false;
e.focus({ preventScroll: true });
e.click();
return true;
"""
TEXTS = """return [...document.querySelectorAll(arguments[0])]
    .filter((e) => e.checkVisibility({ visibilityProperty: true }))
    .map((e) => (e.innerText ?? e.textContent).trim())"""


class Element(WebElement):
    """A live page moves while a pointer is on its way: links and buttons are found, seen to be on top and clicked in one step."""

    def click(self):
        if self.tag_name not in ("a", "button"):
            super().click()
            return
        until(lambda: self.parent.execute_script(HIT, self), SECONDS, f"{self.text!r} in reach of the pointer")


class Browser:
    def __init__(self, profile):
        options = Options()
        options.binary_location = "/usr/bin/chromium"
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        self.driver._web_element_cls = Element
        self.keys = Keys
        self.sessions = {}
        self.expected_errors = ()

    def quit(self):
        self.driver.quit()

    def fresh(self):
        """Forgets all of the last test: cookies, storage, logs, size."""
        self.driver.get("about:blank")
        self.command("Network.clearBrowserCookies")
        self.command("Storage.clearDataForOrigin", origin="*", storageTypes="all")
        self.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "light"}])
        self.size(1440, 900)
        self.expected_errors = ()
        self.console()
        self.requests()

    def command(self, name, /, **arguments):
        return self.driver.execute_cdp_cmd(name, arguments)

    def size(self, width, height, phone=False):
        self.command(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone
        )

    # --- pages

    def open(self, agent, route="#/", token=None):
        """The page of a route; the overview signed in by the link the agent prints, others by a session made before."""
        token = token or agent.token
        if route == "#/":
            self.driver.get(f"{agent.url}/#token={token}")
        else:
            self.command("Network.setCookie", url=agent.url, name="agent_session", value=self._session(agent, token))
            self.driver.get(f"{agent.url}/{route}")
        self.see("header.top")

    def _session(self, agent, token):
        key = (agent.url, token)
        if key not in self.sessions:
            answer = http.request(agent.url + "/api/v1/session", "POST", None, {"token": token})
            self.sessions[key] = answer.headers["Set-Cookie"].split(";")[0].partition("=")[2]
        return self.sessions[key]

    def go(self, route):
        self.js("location.hash = arguments[0]", route)

    @property
    def address(self):
        return self.driver.current_url

    def js(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def module(self, script):
        """Runs the body of an async function in the page and returns its result."""
        result = self.driver.execute_async_script(
            "const done = arguments[arguments.length - 1];"
            f"(async () => {{ {script} }})()"
            ".then((value) => done({ value }), (e) => done({ error: String(e.stack ?? e) }));"
        )
        assert "error" not in result, result["error"]
        return result["value"]

    # --- what is seen

    def all(self, css):
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def see(self, css):
        """The first element that is shown. A chart is drawn when it comes into sight: where that is depends on what stands above it,
        such as alerts of a busy machine."""

        def shown():
            found = next((e for e in self.all(css) if e.is_displayed()), None)
            if not found and css.endswith(" canvas"):
                self.js("document.querySelector(arguments[0])?.scrollIntoView({ block: 'center' })", css.removesuffix(" canvas"))
            return found

        return until(shown, SECONDS, f"{css} on the page")

    def text(self, css):
        return self.see(css).text

    def texts(self, css):
        """Of all elements that are shown, in one question: a table has hundreds."""
        return self.js(TEXTS, css)

    def until(self, condition, what, seconds=SECONDS):
        def tolerant():
            try:
                return condition()
            except StaleElementReferenceException:
                return False

        return until(tolerant, seconds, what)

    def click(self, css):
        self.see(css).click()

    def click_text(self, css, text):
        """The one with this text, found and clicked in one step: the rows of a table move when it is sorted anew."""
        assert self.js(CLICK_TEXT, css, text), f"no {css} with the text {text!r}"

    def press(self, *keys):
        ActionChains(self.driver).send_keys(*keys).perform()

    def drag(self, css, start, end):
        """Moves the pressed pointer over an element, from and to a share of its width."""
        element = self.see(css)
        self.js("arguments[0].scrollIntoView({block: 'center'})", element)
        width = element.size["width"]
        chain = ActionChains(self.driver)
        chain.move_to_element_with_offset(element, int(width * (start - 0.5)), 0).click_and_hold()
        chain.move_to_element_with_offset(element, int(width * (end - 0.5)), 0).release().perform()

    def point(self, css, share):
        """Moves the pointer over an element, to a share of its width."""
        element = self.see(css)
        self.js("arguments[0].scrollIntoView({block: 'center'})", element)
        ActionChains(self.driver).move_to_element_with_offset(
            element, int(element.size["width"] * (share - 0.5)), 0
        ).perform()

    # --- what happened inside

    def console(self):
        """Errors and warnings of the console since the last call."""
        return [e["message"] for e in self.driver.get_log("browser") if e["level"] in ("SEVERE", "WARNING")]

    def network(self):
        """(name, parameters) of what the network did since the last call."""
        events = [json.loads(e["message"])["message"] for e in self.driver.get_log("performance")]
        return [(e["method"][8:], e["params"]) for e in events if e["method"].startswith("Network.")]

    def requests(self):
        """Addresses asked for since the last call."""
        return [e["request"]["url"] for name, e in self.network() if name == "requestWillBeSent"]

    def screenshot(self, name, height=None):
        """Keeps tests/artefacts/NAME.png, of the whole page when no height is given."""
        ARTEFACTS.mkdir(exist_ok=True)
        size = self.js("return [innerWidth, document.documentElement.scrollHeight]")
        self.size(size[0], min(height or size[1], 4000), phone=size[0] < 600)
        # Charts that came into sight are drawn in the next frames.
        self.module("for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame); return 1;")
        data = self.command("Page.captureScreenshot", format="png")["data"]
        (ARTEFACTS / f"{name}.png").write_bytes(base64.b64decode(data))
