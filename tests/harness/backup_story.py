# SPDX-License-Identifier: Apache-2.0
"""Backups as a daemon would tell of them: jobs that work, fail, run, and never ran."""

import time

from harness.web_process import Refused

HOUR = 3600 * 1000
GIB = 1 << 30
MIB = 1 << 20
HOSTILE = "<img src=x onerror=alert(1)> & <b>co</b>"
ERROR = """pg_dump: error: query failed: ERROR:  permission denied for table "invoices"
pg_dump: detail: Query was: LOCK TABLE public.invoices IN ACCESS SHARE MODE"""


def now_ms():
    return int(time.time() * 1000)


class Story:
    """`jobs` and `runs` (oldest first) can be changed by a test; `handlers` is what a WebProcess needs."""

    def __init__(self):
        self.now = now_ms()
        self.runs = []
        self.started = []  # bodies of what was begun
        self.refuse = None
        self.backups = {}
        self.lists_read = {}
        self.store_errors = []
        self.jobs = {j["name"]: j for j in self._jobs()}
        for i in range(24, 0, -1):
            self._day("shop", i, plain=(3000 - 9 * i) * MIB)
            self._day("files", i, plain=(800 + 37 * ((i * 7) % 5)) * MIB, state="failed" if i in (1, 9) else "done")
        self.jobs["shop"]["last"] = self.last("shop")
        self.jobs["files"]["last"] = self.last("files")
        self._settle("shop")
        self._settle("files")
        self.jobs["shop"]["last_verify"] = self.add("shop", "verify", 20, plain=2990 * MIB)
        self.jobs["shop"]["last_drill"] = self.add("shop", "drill", 19, plain=2990 * MIB, counts={"tables": 41, "rows": {"about": 1200345}})

    # --- the past

    def _jobs(self):
        def job(name, engine, source, **more):
            return {"name": name, "engine": engine, "source": source, "stores": ["offsite", "local"], "schedule": "0 3 * * *",
                    "next_ms": self.now + 5 * HOUR, "encrypted": True, "keep": "7 daily, 4 weekly, at least 2d",
                    "origin": "/etc/agent/agent.conf:20", "last_success_ms": 0, "last_size_bytes": 0, "last_plain_bytes": 0,
                    "last_duration_ms": 0, "overdue": False, "overdue_ms": self.now + 11 * HOUR, "waiting": 0, **more}

        return [
            job("files", "directory", "/srv/files", encrypted=False, overdue=True, overdue_ms=self.now - 2 * HOUR),
            job("queue", "redis", "container shop-redis", schedule="", next_ms=0, overdue_ms=0, stores=["local"]),
            job("shop", "postgresql", f"database shop in container {HOSTILE}"),
        ]

    def add(self, job, what="backup", hours_ago=0, state="done", plain=0, **more):
        began = self.now - int(hours_ago * HOUR)
        took = plain // (32 * MIB) * 1000 + 1200
        run = {"run": len(self.runs) + 1, "job": job, "what": what, "trigger": "schedule", "by": "", "state": state, "partial": False,
               "queued_ms": began, "started_ms": began + 100, "ended_ms": began + took, "duration_ms": took, "stage": "", "member": "",
               "plain_bytes": plain, "stored_bytes": plain * 27 // 100, "expected_bytes": 0, "rate_bytes": 0, "left_ms": -1,
               "backup": "", "error": "", "warnings": [], "stores": [], "counts": {}, "removed": 0, **more}
        self.runs.append(run)
        return run

    def _day(self, job, days_ago, plain, state="done"):
        hours = 24 * days_ago - 5
        if state == "failed":
            self.add(job, hours_ago=hours, state="failed", plain=plain // 3, error=ERROR)
            return
        run = self.add(job, hours_ago=hours, plain=plain, counts={"tables": 41, "triggers": 1})
        run["backup"] = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(run["started_ms"] / 1000)) + f"-{run['run']:06x}"
        for store in ("offsite", "local"):
            self.backups.setdefault(job, []).insert(0, {
                "id": run["backup"], "job": job, "host": "vps1", "engine": self.jobs[job]["engine"], "store": store,
                "started_ms": run["started_ms"], "ended_ms": run["ended_ms"], "plain_bytes": run["plain_bytes"],
                "stored_bytes": run["stored_bytes"], "encrypted": self.jobs[job]["encrypted"],
                "members": [{"name": job, "title": job, "format": "pgdump", "plain_bytes": plain, "stored_bytes": plain // 4,
                             "counts": {"tables": 41, "triggers": 1, "rows": {"about": 1200345}}}],
                "verified_ms": self.now - 20 * HOUR if days_ago == 1 else 0, "drilled_ms": self.now - 19 * HOUR if days_ago == 1 else 0,
                "bad_ms": self.now - 30 * HOUR if days_ago == 3 and store == "local" else 0,
                "bad_why": "segment 2: 1048576 bytes are missing" if days_ago == 3 and store == "local" else "",
                "warnings": ["2 tables are not consistent: <i>log</i>, cache"] if days_ago == 2 else []})

    def of(self, job, what=None):
        return [r for r in self.runs if r["job"] == job and what in (None, r["what"])]

    def last(self, job):
        return self.of(job, "backup")[-1]

    def _settle(self, name):
        good = [r for r in self.of(name, "backup") if r["state"] == "done"][-1]
        self.jobs[name].update(last_success_ms=good["ended_ms"], last_size_bytes=good["stored_bytes"],
                               last_plain_bytes=good["plain_bytes"], last_duration_ms=good["duration_ms"])

    # --- the present

    def begin(self, job, what="backup", **more):
        """A run that is under way."""
        run = self.add(job, what, state="running", trigger="api", by="web admin 127.0.0.1", **{
            "stage": "dump", "member": job, "plain": 0, "expected_bytes": 3000 * MIB, "ended_ms": 0, **more})
        self.jobs[job]["running"] = run
        return run

    def end(self, run, state="done", **more):
        run.update(state=state, ended_ms=now_ms(), duration_ms=95000, stage="", member="", **more)
        job = self.jobs[run["job"]]
        job.pop("running", None)
        if run["what"] == "backup":
            job["last"] = run
            if state == "done":
                job.update(overdue=False, overdue_ms=now_ms() + 30 * HOUR)
                self._settle(run["job"])

    # --- what the daemon answers

    def _job(self, r):
        if r["job"] not in self.jobs:
            raise Refused("not_found", f"there is no backup job \"{r['job']}\"")
        return self.jobs[r["job"]]

    def _list(self, r):
        self._job(r)
        if r.get("refresh"):
            self.lists_read[r["job"]] = now_ms()
        return {"backups": self.backups.get(r["job"], []), "time_ms": self.lists_read.get(r["job"], self.now - HOUR),
                "errors": self.store_errors if r.get("refresh") else []}

    def _runs(self, r):
        found = [x for x in reversed(self.runs) if r.get("job") in (None, x["job"]) and r.get("what") in (None, x["what"])
                 and x["run"] < r.get("before", 1 << 60)]
        return {"runs": found[:r.get("limit", 50)]}

    def _run(self, r):
        return {"run": self.runs[r["run"] - 1]}

    def _start(self, r):
        self._job(r)
        if self.refuse:
            raise Refused("failed", self.refuse)
        body = {k: v for k, v in r.items() if k not in ("id", "op", "as")}
        self.started.append(body)
        return {"run": self.begin(r["job"], r.get("what", "backup"))["run"]}

    def _cancel(self, r):
        self.end(self.runs[r["run"] - 1], "cancelled", error="ended by web admin 127.0.0.1")
        return self._run(r)

    @property
    def handlers(self):
        return {
            "backup.jobs": lambda r: {"jobs": list(self.jobs.values()), "running": 0, "timezone": "Europe/Berlin"},
            "backup.list": self._list,
            "backup.runs": self._runs,
            "backup.run": self._run,
            "backup.start": self._start,
            "backup.cancel": self._cancel,
        }
