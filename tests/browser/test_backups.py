# SPDX-License-Identifier: Apache-2.0
"""Backups in the dashboard: jobs, what is in the stores, runs, live progress. A stand-in for the daemon tells a story of weeks."""

import re
import shutil

import pytest

from harness.agent import Agent, run_cli
from harness.backup_jobs import settings
from harness.backup_story import ERROR, HOSTILE, MIB, Story
from harness.web_process import WebProcess


@pytest.fixture(scope="module")
def process(tmp_path_factory):
    process = WebProcess(tmp_path_factory.mktemp("backups"), Story().handlers)
    yield process
    process.finish()


@pytest.fixture
def story(process):
    story = Story()
    process.handlers.update(story.handlers)
    return story


ROW = """const rowOf = (name) => [...document.querySelectorAll('.jobs tbody')]
    .find((t) => t.querySelector('.job-name')?.textContent === name);
"""


def page(browser, process, job="", **how):
    browser.open(process, f"#/backups/{job}" if job else "#/backups", **how)
    browser.see(".jobs .job")
    if job:
        browser.until(lambda: browser.texts(".runs .sheet tr, .runs .small"), "the runs")
        browser.until(lambda: browser.texts(".in-stores .sheet tr, .in-stores .small"), "the backups")


def row(browser, name, css=".job"):
    return browser.js(ROW + "return rowOf(arguments[0])?.querySelector(arguments[1])?.innerText ?? ''", name, css).replace("\u00a0", " ")


def button(browser, text, css="main button"):
    return browser.until(lambda: next((b for b in browser.all(css) if b.is_displayed() and b.text.startswith(text)), None), text)


def push(process, run):
    process.push("backup", run=run)


def no_foreign_markup(browser):
    assert browser.js("return document.querySelectorAll('main img, main td b:not(.progress b), main td i:not(.bar i)').length") == 0


def test_how_each_job_stands(browser, process, story):
    page(browser, process)
    files = browser.until(lambda: "failed" in row(browser, "files") and row(browser, "files"), "the jobs")
    assert "overdue" in files and "1 d 18 h ago" in files and "Folder · /srv/files" in files
    shop = row(browser, "shop")
    assert "ok" in shop and "2.92 GiB dumped" in shop and "in 4 h 59 min" in shop and HOSTILE in shop
    assert "never" in row(browser, "queue") and "by hand only" in row(browser, "queue")
    assert browser.text(".page-head .small") == "1 failed, 1 never backed up, 1 ok"
    browser.until(lambda: browser.js(ROW + "return rowOf('files').querySelectorAll('.bar-bad').length") == 2, "bars of failures")
    assert "newest good one has" in browser.see(".sizes").get_attribute("aria-label")
    no_foreign_markup(browser)


def test_a_job_opens_by_keyboard_and_tells_what_to_do(browser, process, story):
    page(browser, process)
    browser.js(ROW + "rowOf('files').querySelector('.job-name').focus()")
    browser.press(browser.keys.ENTER)
    assert browser.js("return document.activeElement.getAttribute('aria-expanded')") == "true"
    text = browser.until(lambda: browser.text(".troubles"), "what is wrong")
    assert "The last backup failed" in text and ERROR in text, "in full"
    assert "A good backup is overdue" in text and "agent backup doctor files" in browser.texts(".advice code")
    browser.until(lambda: any(ERROR in t for t in browser.texts(".runs .run-error")), "the error beside its run")
    browser.press(browser.keys.ENTER)
    browser.until(lambda: not browser.texts(".detail"), "it closes")


def test_what_is_in_the_stores(browser, process, story):
    page(browser, process, "shop")
    rows = browser.texts(".in-stores tbody tr")
    assert len(rows) == 7, "copies in two stores are one row"
    assert "verified" in rows[0] and "drilled" in rows[0] and "41 tables, 1 trigger, about 1.20" in rows[0].replace("\u00a0", " ")
    assert "<i>log</i>" in rows[1] and "damaged" in rows[2] and "1048576 bytes are missing" in rows[2]
    button(browser, "All 24").click()
    browser.until(lambda: len(browser.texts(".in-stores tbody tr")) == 24, "all of them")
    assert f"agent backup restore shop" in browser.js("return document.querySelector('.restore pre').textContent")
    no_foreign_markup(browser)
    browser.screenshot("backups-light")


def test_older_runs(browser, process, story):
    page(browser, process, "shop")
    assert len(browser.texts(".runs tbody tr")) == 10
    button(browser, "Older").click()
    browser.until(lambda: len(browser.texts(".runs tbody tr")) == 20, "the next page")
    button(browser, "Older").click()
    browser.until(lambda: len(browser.texts(".runs tbody tr")) == 26 and not browser.texts(".runs .more button"), "the last page")


def test_backing_up_with_live_progress(browser, process, story):
    page(browser, process, "files")
    button(browser, "Back up now").click()
    browser.until(lambda: story.started == [{"job": "files", "what": "backup"}], "the question")
    run = story.jobs["files"]["running"]
    push(process, run)
    browser.until(lambda: "running" in row(browser, "files"), "the state")
    run.update(plain_bytes=1500 * MIB, stored_bytes=400 * MIB, rate_bytes=35 * MIB, left_ms=43000)
    push(process, run)
    text = browser.until(lambda: "left" in row(browser, "files", ".progress") and row(browser, "files", ".progress"), "the progress")
    assert "Backing up · dumping files" in text and "1.46 GiB of about 2.93 GiB" in text
    assert "35.0 MiB/s" in text and "about 43 s left" in text and "400 MiB stored" in text
    bar = browser.see(".job-progress [role=progressbar]")
    assert bar.get_attribute("aria-valuenow") == "50"
    width = "return arguments[0].firstChild.getBoundingClientRect().width / arguments[0].getBoundingClientRect().width"
    browser.until(lambda: abs(browser.js(width, bar) - 0.5) < 0.01, "half a bar")
    browser.screenshot("backups-running", 900)
    story.end(run, plain_bytes=3100 * MIB, stored_bytes=900 * MIB)
    push(process, run)
    browser.until(lambda: not browser.texts(".job-progress .progress"), "no progress")
    browser.until(lambda: row(browser, "files", ".col-state") == "ok", "the state of the job")
    assert "just now" in row(browser, "files") and "900 MiB" in row(browser, "files")
    browser.until(lambda: f"Run {run['run']}, Backup: ok" in browser.text(".action-status"), "the end in words")
    assert not browser.texts(".trouble")
    browser.until(lambda: f" {run['run']} " in browser.texts(".runs tbody tr")[0], "the run among the others")


def test_a_failure_is_told_in_full(browser, process, story):
    page(browser, process, "shop")
    assert not browser.texts(".trouble")
    button(browser, "Back up now").click()
    run = browser.until(lambda: story.jobs["shop"].get("running"), "the run")
    story.end(run, "failed", error=ERROR + "\n" + HOSTILE, warnings=["the server is 9.1, the tools are 15.2"])
    push(process, run)
    text = browser.until(lambda: browser.text(".trouble"), "what is wrong")
    assert ERROR in text and HOSTILE in text and "tools are 15.2" in text
    assert ERROR in browser.text(".action-status")
    no_foreign_markup(browser)


def test_a_run_is_cancelled(browser, process, story):
    run = story.begin("shop", plain_bytes=5 * MIB)
    page(browser, process)
    button(browser, "Cancel").click()
    assert "nothing of it stays" in browser.text("dialog") and "Backing up shop" in browser.text("dialog")
    assert browser.texts("dialog button") == ["Let it go on", "Cancel the run"], "which of them ends the run is plain"
    browser.press(browser.keys.ESCAPE)
    browser.until(lambda: not browser.all("dialog"), "the end of the dialog")
    button(browser, "Cancel").click()
    browser.click("dialog .primary")
    browser.until(lambda: "cancelled" in row(browser, "shop"), "the state")
    assert run["state"] == "cancelled" and not browser.texts(".job-progress .progress")


def test_verifying_drills_and_previews(browser, process, story):
    page(browser, process, "shop")

    def begun(text, css, wanted):
        button(browser, text, css).click()
        browser.until(lambda: story.started and {k: v for k, v in story.started[-1].items() if k != "job"} == wanted, text)
        return story.jobs["shop"]["running"]

    newest = story.backups["shop"][0]
    run = begun("Verify", ".copy button", {"what": "verify", "backup": newest["id"], "store": newest["store"]})
    browser.until(lambda: "Run" in browser.text(".action-status"), "it has begun")
    story.end(run, "failed", error="segment 1: wrong hash")
    story.jobs["shop"]["last_verify"] = run
    push(process, run)
    browser.until(lambda: "Do not rely on that backup" in browser.text(".trouble"), "what to do")
    assert "wrong hash" in browser.text(".trouble") and "verification failed" in row(browser, "shop")
    run = begun("Restore drill", ".actions button", {"what": "drill"})
    story.end(run)
    push(process, run)
    browser.until(lambda: "Drill: ok" in browser.text(".action-status"), "the drill")
    run = begun("Preview removal", ".actions button", {"what": "prune", "dry_run": True})
    story.end(run, decided=[{"id": "20261101T030000Z-000001", "store": "local", "keep": False, "why": "older than all that is kept"},
                            {"id": "20261120T030000Z-000002", "store": "local", "keep": True, "why": "daily 1 of 7"}])
    push(process, run)
    browser.until(lambda: "1 kept, 1 would be removed" in browser.text(".runs tbody"), "the preview")
    browser.click(".runs summary")
    assert "20261101T030000Z-000001 in local: would be removed, older than" in browser.text(".decided")


def test_asking_the_stores(browser, process, story):
    story.store_errors = [{"store": "offsite", "error": "HTTP 403: the key is not allowed to list"}]
    page(browser, process, "shop")
    assert "1 h ago" in browser.text(".in-stores .read").replace("\u00a0", " ")
    button(browser, "Read the stores again").click()
    browser.until(lambda: "just now" in browser.text(".in-stores .read"), "a new answer")
    assert "Store offsite could not be read: HTTP 403" in browser.text(".in-stores .error-text")


def test_what_is_refused_is_told(browser, process, story):
    browser.expected_errors = ("500",)
    story.refuse = "the state folder is full"
    page(browser, process, "shop")
    button(browser, "Back up now").click()
    browser.until(lambda: "It did not begin: the state folder is full" in browser.text(".action-status"), "the refusal")
    assert button(browser, "Back up now").is_enabled()


def test_viewers_look_and_cannot_act(browser, process, story):
    story.begin("shop")
    page(browser, process, "shop", token=process.viewer_token)
    texts = {b.text for b in browser.all("main button") if b.is_displayed()}
    assert texts == {"files", "queue", "shop", "Read the stores again", "All 24", "Older"}


def test_an_address_opens_its_job(browser, process, story):
    page(browser, process, "queue")
    assert "The stores were not read" in browser.text(".in-stores") or "There is none yet" in browser.text(".in-stores")
    browser.go("#/backups/nothing")
    browser.until(lambda: "There is no backup job “nothing”" in browser.text(".message"), "the message")


def test_without_jobs_it_says_what_a_backup_needs(browser, process, story, tmp_path):
    story.jobs.clear()
    browser.open(process, "#/backups")
    assert "Nothing is backed up yet" in browser.text(".none")
    example = browser.js("return document.querySelector('.none pre').textContent")
    assert len(example.splitlines()) == 6
    for name in re.findall(r'"/etc/agent/([\w.]+)"', example):
        (tmp_path / name).write_text("access_key_id = a\nsecret_access_key = b\n")
        (tmp_path / name).chmod(0o600)
    config = tmp_path / "agent.conf"
    config.write_text(example.replace("/etc/agent", str(tmp_path)))
    checked = run_cli("config", "check", "--config", str(config))
    assert checked.returncode == 0, checked.stderr
    shutil.rmtree(tmp_path)


@pytest.mark.parametrize("width", [360, 768])
def test_on_a_phone(browser, process, story, width):
    run = story.begin("files", plain_bytes=1500 * MIB, stored_bytes=400 * MIB, rate_bytes=35 * MIB, left_ms=43000)
    browser.size(width, 780, phone=width < 600)
    page(browser, process, "files")
    push(process, run)
    browser.until(lambda: "left" in row(browser, "files", ".progress"), "the progress")
    assert browser.js("return document.documentElement.scrollWidth") <= width
    if width == 360:
        browser.screenshot("backups-phone")


def test_in_the_dark(browser, process, story):
    browser.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    page(browser, process, "files")
    browser.screenshot("backups-dark")


def test_the_overview_tells_of_what_is_wrong(browser, process, story):
    browser.expected_errors = ("404",)  # the stand-in measures nothing
    browser.open(process)
    strip = browser.until(lambda: browser.text(".backup-strip"), "the strip")
    assert strip.startswith("failed") and "overdue" in strip and "last good one 1 d 18 h ago" in strip.replace("\u00a0", " ")
    assert "shop" not in strip
    run = story.begin("files")
    story.end(run)
    push(process, run)
    browser.until(lambda: not browser.texts(".backup-strip"), "nothing when all is well")
    run = story.begin("shop")
    story.end(run, "timed_out", error="it took longer than 12 h")
    push(process, run)
    browser.until(lambda: browser.texts(".backup-strip a") == ["Backup shop"], "what is wrong now")
    browser.click(".backup-strip a")
    browser.until(lambda: "option `deadline`".replace("`", "") in browser.text(".troubles"), "what to do")


def test_what_is_wrong_stands_above_and_stays_there(browser, process, story):
    names = [f"customer-{i:02}-with-a-long-name-of-its-own" for i in range(30)]
    for i, name in enumerate(names):
        story.jobs[name] = {**story.jobs["queue"], "name": name, "last": {**story.last("shop"), "state": "failed" if i == 29 else "done"}}
    page(browser, process)
    shown = browser.until(lambda: len(browser.texts(".job-name")) == 33 and browser.texts(".job-name"), "all jobs")
    assert shown[:3] == ["files", names[29], "queue"]
    story.jobs[names[5]]["last"]["state"] = "failed"
    push(process, story.runs[0])
    browser.until(lambda: "failed" in row(browser, names[5], ".col-state"), "its state")
    assert browser.texts(".job-name") == shown, "nothing moves away under a click"


def test_many_jobs_are_asked_for_as_they_come_into_sight(browser, process, story):
    names = [f"customer-{i:02}" for i in range(60)]
    for name in names:
        story.jobs[name] = {**story.jobs["queue"], "name": name}
    browser.requests()
    page(browser, process)
    browser.until(lambda: len(browser.texts(".job-name")) == 63, "all jobs")
    seen = []
    browser.until(lambda: seen.extend(u for u in browser.requests() if "/runs?job=" in u) or len(seen) >= 5, "the runs of those in sight")
    assert len(seen) <= 30
    browser.js("scrollTo(0, document.body.scrollHeight)")
    browser.until(lambda: any("customer-59" in u for u in browser.requests()), "the last one when it is seen")
    browser.go("#/alerts")
    browser.see(".fine")
    page(browser, process, names[40])
    top = browser.until(lambda: browser.js(ROW + "return rowOf(arguments[0])?.getBoundingClientRect().top", names[40]), "the job of the address")
    assert 40 < top < 450, "it is in sight, below the head of the page"


def test_times_are_the_readers_and_schedules_the_servers(browser, process, story):
    story.jobs["shop"]["next_ms"] = 1795312800000  # 02:00 UTC
    browser.command("Emulation.setTimezoneOverride", timezoneId="America/New_York")
    try:
        page(browser, process, "shop")
        assert "21:00" in row(browser, "shop", ".col-next")
        assert "daily at 03:00 (Europe/Berlin time)" in browser.text(".job-facts")
        browser.command("Emulation.setTimezoneOverride", timezoneId="Europe/Berlin")
        browser.driver.refresh()
        page(browser, process, "shop")
        assert "03:00" in row(browser, "shop", ".col-next")
        assert "daily at 03:00" in browser.text(".job-facts") and "Europe" not in browser.text(".job-facts")
    finally:
        browser.command("Emulation.setTimezoneOverride", timezoneId="")


CONTROLS = {"button", "link", "progressbar", "textbox", "img", "table", "group", "DisclosureTriangle"}


def test_all_that_can_be_used_has_a_name(browser, process, story):
    """As a screen reader tells it."""
    story.begin("files", plain_bytes=1500 * MIB)
    page(browser, process, "shop")
    browser.see("[role=progressbar]")
    tree = browser.command("Accessibility.getFullAXTree")["nodes"]
    seen = [(n["role"]["value"], n.get("name", {}).get("value", "")) for n in tree if not n.get("ignored") and n["role"]["value"] in CONTROLS]
    assert not [n for n in seen if not n[1].strip() and n[0] != "group"], seen
    names = {name for _, name in seen}
    assert {"Backing up", "Backup jobs", "Backups in the stores", "Runs", "Backup shop", "Back up now", "Cancel…"} <= names, names
    verify = [name for role, name in seen if role == "button" and name.startswith("Verify the backup of")]
    assert len(set(verify)) == len(verify) == 14, "each says which"


def test_all_is_reached_by_keyboard(browser, process, story):
    page(browser, process, "shop")
    browser.js("document.querySelector('main').focus()")
    reached = set()
    for _ in range(24):
        browser.press(browser.keys.TAB)
        reached.add(browser.js("const e = document.activeElement; return e.getAttribute('aria-label') ?? e.textContent"))
        assert browser.js("return document.activeElement.matches(':focus-visible')")
    assert {"files", "queue", "shop", "Back up now", "Verify the newest", "Restore drill", "Preview removal", "Read the stores again"} <= reached


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    folder = tmp_path_factory.mktemp("real")
    agent = Agent(folder, settings=settings(folder)).start(samples=1)
    yield agent
    agent.finish()


def test_a_real_backup_by_the_button(browser, real):
    page(browser, real, "letter")
    assert "never" in row(browser, "letter")
    browser.until(lambda: not button(browser, "Verify the newest").is_enabled(), "nothing to verify, once that is known")
    assert "Restore drill" not in browser.texts(".actions button") and "none for Command" in browser.text(".job-facts")
    button(browser, "Back up now").click()
    browser.until(lambda: row(browser, "letter", ".col-state") == "ok", "the end")
    browser.until(lambda: "local" in browser.text(".in-stores tbody"), "the backup in the store")
    button(browser, "Verify the newest").click()
    browser.until(lambda: "Verification: ok" in browser.text(".action-status"), "the verification")
    browser.until(lambda: "verified" in browser.text(".in-stores tbody"), "its mark")


def test_a_real_backup_that_is_cancelled(browser, real):
    page(browser, real, "endless")
    button(browser, "Back up now").click()
    browser.until(lambda: "/s" in row(browser, "endless", ".progress"), "bytes and their rate")
    button(browser, "Cancel").click()
    browser.click("dialog .primary")
    browser.until(lambda: "cancelled" in row(browser, "endless", ".col-state"), "the end")
    browser.until(lambda: "ended by hand" in browser.text(".troubles"), "what it means")
    assert "stopped" not in browser.text(".troubles")


def test_a_real_backup_that_one_store_could_not_take(browser, real):
    page(browser, real, "half")
    button(browser, "Back up now").click()
    browser.until(lambda: row(browser, "half", ".col-state") == "partial", "the state")
    text = browser.until(lambda: browser.text(".troubles"), "what is wrong")
    assert "not in all stores" in text and "store nas:" in text and text.count("Not a directory") == 1, "said once"
    browser.until(lambda: "local" in browser.text(".in-stores tbody"), "the copy that is there")
    assert "none yet" in row(browser, "half", ".col-last")
