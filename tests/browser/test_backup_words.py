# SPDX-License-Identifier: Apache-2.0
"""Backups in words: how a job stands, what to do, how far a run is; the parts that only calculate, in the browser."""

import json

import pytest

NOW = 1795240000
HOUR = 3600 * 1000
JOB = {"name": "shop", "schedule": "0 3 * * *", "overdue": False, "overdue_ms": 0, "last_success_ms": (NOW - 7200) * 1000}


@pytest.fixture(scope="module")
def js(chromium, server):
    chromium.fresh()
    chromium.open(server)

    def call(function, *arguments):
        text = ", ".join(json.dumps(a) for a in arguments)
        value = chromium.module(f"const words = await import('/assets/backupwords.js'); return JSON.stringify(words.{function}({text}))")
        return json.loads(value.replace("\u00a0", " "))

    return call


def states(js, **job):
    return [text for _, text in js("jobStates", JOB | job, NOW)]


def run(state, **more):
    return {"run": 7, "what": "backup", "state": state, "ended_ms": NOW * 1000, **more}


def test_how_a_job_stands(js):
    assert states(js) == ["ok"]
    assert states(js, last_success_ms=0) == ["never"]
    assert states(js, last=run("failed")) == ["failed"]
    assert states(js, last=run("timed_out")) == ["timed out"]
    assert states(js, last=run("failed", partial=True)) == ["partial"]
    assert states(js, last=run("cancelled", partial=True)) == ["cancelled"]
    assert states(js, last=run("failed"), waiting=1) == ["waiting", "failed"]
    assert states(js, last=run("failed"), running=run("running")) == ["running", "failed"]
    assert states(js, running=run("waiting")) == ["waiting"]
    assert states(js, last_drill=run("failed"), last_verify=run("failed")) == ["verification failed", "drill failed"]


def test_a_stores_error_names_it_once(js):
    assert js("storeErrorText", "nas", "store nas: it is away") == "it is away"
    assert js("storeErrorText", "nas", "store nas2: it is away") == "store nas2: it is away"


def test_row_29_a_job_that_never_ran_is_overdue_not_green(js):
    assert states(js, last_success_ms=0, overdue=True) == ["overdue"]
    assert states(js, overdue_ms=(NOW - 1) * 1000) == ["overdue"], "the clock alone is enough"
    assert states(js, overdue_ms=(NOW + 60) * 1000) == ["ok"]
    (trouble,) = js("troubles", JOB | {"last_success_ms": 0, "overdue": True, "overdue_ms": (NOW - 3600) * 1000}, NOW)
    assert "There is no good backup yet. There should have been one by" in trouble["text"]


@pytest.mark.parametrize("state, words", [
    ("failed", "agent backup doctor shop"), ("timed_out", "deadline"), ("interrupted", "Nothing half-made counts"),
    ("cancelled", "by hand"),
])
def test_each_bad_end_says_what_to_do(js, state, words):
    (trouble,) = js("troubles", JOB | {"last": run(state)}, NOW)
    assert words in trouble["advice"] and trouble["title"].startswith("The last backup")


def test_row_09_a_backup_that_not_all_stores_have_is_told_as_that(js):
    (trouble,) = js("troubles", JOB | {"last": run("failed", partial=True)}, NOW)
    assert trouble["kind"] == "bad" and "not in all stores" in trouble["title"] and "backup is good, but" in trouble["advice"]


def test_nothing_to_do_when_all_is_well(js):
    assert js("troubles", JOB | {"last": run("done")}, NOW) == []
    assert js("troubles", JOB | {"last": run("running")}, NOW) == []


def test_how_far_a_run_is(js):
    def of(**more):
        return js("progressText", run("running", **more)), js("share", run("running", **more))

    assert of(plain_bytes=1 << 30, expected_bytes=4 << 30, rate_bytes=32 << 20, left_ms=96000, stored_bytes=300 << 20) == (
        "1.00 GiB of about 4.00 GiB · 32.0 MiB/s · about 1 min left · 300 MiB stored", 0.25)
    assert of(plain_bytes=1 << 30, expected_bytes=0, rate_bytes=0, left_ms=-1) == ("1.00 GiB", None)
    assert of(plain_bytes=5 << 30, expected_bytes=4 << 30, left_ms=-1)[1] == 0.99, "longer than the last one is not done"
    assert of(plain_bytes=0, expected_bytes=4 << 30, left_ms=-1) == ("", 0)


def test_counts_in_words(js):
    assert js("countsText", {"tables": 41, "triggers": 1, "entries": 1, "rows": {"about": 90}}) == "41 tables, 1 trigger, 1 entry, about 90 rows"
    assert js("countsText", {"tables": 0, "rows": 0, "links": 0, "bytes": 6000000}) == "0 tables, 0 rows, 5.72 MiB", "no tables is news, no links is not"
    assert js("countsText", None) == ""


@pytest.mark.parametrize("schedule, words", [
    ("0 3 * * *", "daily at 03:00"), (" 30  14 * * * ", "daily at 14:30"), ("0 4 * * sun", "Sundays at 04:00"), ("0 4 * * 7", "Sundays at 04:00"),
    ("5 4 * * Mon", "Mondays at 04:05"), ("0 4 1 * *", "on day 1 of the month at 04:00"), ("0 * * * *", "every hour"),
    ("15 */6 * * *", "every 6 hours, 15 min past"), ("0 */12 * * *", "every 12 hours"),
    *((odd, None) for odd in ("@daily", "", "*/5 * * * *", "0 */7 * * *", "0 3 * 2 *", "0 3 1 * mon", "0 3 * * 1-5", "0 3 * * foo", "0 3,4 * * *",
                              "60 3 * * *", "0 24 * * *", "0 3 32 * *", "0 3 * * * x", "0 */6 1 * *")),
])
def test_usual_schedules_in_words(js, schedule, words):
    assert js("scheduleText", schedule) == words
