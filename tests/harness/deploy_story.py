# SPDX-License-Identifier: Apache-2.0
"""Deploys as a daemon would tell of them: apps that serve, one that is being deployed, one that failed, one never deployed."""

import time

from harness.web_process import Refused

MINUTE = 60 * 1000
HOUR = 60 * MINUTE
HOSTILE = "<img src=x onerror=alert(1)> & <b>co</b>"
ENDS = {"done", "failed", "rolled_back", "broken", "skipped", "superseded", "cancelled"}
STAGES = [("fetch", 1400), ("build", 41000), ("release", 2100), ("start", 900), ("probe", 3100), ("route", 40), ("watch", 30000),
          ("drain", 10000), ("stop", 600), ("retire", 80)]
STATE_OF = {"fetch": "fetching", "build": "building", "push": "pushing", "release": "releasing", "start": "starting", "probe": "probing",
            "route": "routing", "watch": "watching", "drain": "draining", "stop": "draining", "retire": "draining"}
SUBJECTS = ["Mend the basket: a coupon counts once", "Search: also by article number", "Update of the framework to 7.1.4",
            "Orders are sent as a queue, not one by one", "Accessible names for all buttons of the checkout"]
PROBE_ERROR = ("the new version never got healthy: GET http://172.17.0.5:8080/up answered 500 for 60 s; its last lines: "
               "ActiveRecord::NoDatabaseError: We could not find your database: shop_production")


def now_ms():
    return int(time.time() * 1000)


class Story:
    """`apps` and `deploys` (oldest first) can be changed by a test; `handlers` is what a WebProcess needs."""

    def __init__(self):
        self.now = now_ms()
        self.deploys = []
        self.asked = []  # (what, members) of what was begun
        self.refuse = None
        self.logs = {}
        self.refused = []
        self.apps = {a["name"]: a for a in self._apps()}
        for i in range(14, 0, -1):
            self.past("shop", i * 22, "failed" if i == 4 else "rolled_back" if i == 9 else "superseded" if i == 6 else "done")
        self.past("blog", 50)
        self.past("blog", 3, "failed")
        self.settle("shop")
        self.settle("blog")

    def _apps(self):
        def app(name, source, **more):
            return {"name": name, "source": source, "branch": "main", "build": "dockerfile", "swap": "docker", "route": "nginx",
                    "domain": f"{name}.example.com", "strategy": "start-first", "webhook": "github",
                    "origin": "/etc/agent/agent.conf:31", "can_rollback": False, **more}

        return [
            app("blog", "https://git.example.com/team/blog.git", build="static", route="caddy", webhook=""),
            app("shop", f"git@git.example.com:team/{HOSTILE}.git"),
            app("worker", "https://git.example.com/team/worker.git", route="none", domain="", strategy="recreate"),
        ]

    # --- the past

    def add(self, app, **more):
        i = len(self.deploys) + 1
        sha = f"{i:02x}9f8e7d6c5b4a39281706f5e4d3c2b1a0{i:06x}"
        d = {"id": i, "app": app, "state": "queued", "strategy": self.apps[app]["strategy"], "watch_ms": 30000, "drain_ms": 10000,
             "trigger": "webhook", "by": "octocat", "provider": "github", "delivery": f"d-{i}", "ref": "refs/heads/main", "commit": sha,
             "before": "0" * 40, "author": "Ada Lovelace", "subject": SUBJECTS[i % len(SUBJECTS)], "queued_ms": now_ms(), "started_ms": 0,
             "ended_ms": 0, "deadline_ms": 0, "stage": "", "attempt": 0, "requeued": 0, "after": "queued", "failed_in": "queued",
             "error": "", "rollback_of": 0, "superseded_by": 0, "downtime_ms": -1, "stages": [],
             "new": {"image": f"{app}:{sha[:12]}", "digest": "", "container": f"{app}-{i}", "address": "172.17.0.5:8080"},
             "old": self.version(app), **more}
        self.deploys.append(d)
        return d

    def version(self, app):
        """Of the newest deploy of the app that is done."""
        done = [d for d in self.deploys if d["app"] == app and d["state"] == "done"]
        return dict(done[-1]["new"]) if done else {"image": "", "digest": "", "container": "", "address": ""}

    def past(self, app, hours_ago, state="done", **more):
        began = self.now - int(hours_ago * HOUR)
        d = self.add(app, state=state, queued_ms=began, started_ms=began + 25, **more)
        until = {"failed": "probe", "rolled_back": "watch", "superseded": ""}.get(state, "retire")
        self.walk(d, until, began + 25)
        d["ended_ms"] = d["stages"][-1]["ended_ms"] if d["stages"] else began + 5000
        if state == "failed":
            d["stages"][-1]["state"] = "failed"
            self.stage(d, "start", d["ended_ms"], 700, verb="revert")
            d.update(failed_in="probing", error=PROBE_ERROR)
        elif state == "rolled_back":
            d["stages"][-1]["state"] = "failed"
            for stage in ("route", "start"):
                self.stage(d, stage, d["ended_ms"], 300, verb="revert")
            d.update(failed_in="watching", error="the container restarted 2 times in the watch window; the version before serves again")
        elif state == "superseded":
            d.update(started_ms=0, superseded_by=d["id"] + 1, error=f"superseded by deploy {d['id'] + 1}")
        elif state == "done":
            d["downtime_ms"] = 0
        self.logs[d["id"]] = [f"2026-11-21T03:00:{i % 60:02}Z build | step {i} of 40" for i in range(40)]
        return d

    def stage(self, d, stage, began, took, verb="apply", state="done"):
        verb = "" if stage in ("watch", "drain") else verb
        d["stages"].append({"stage": stage, "verb": verb, "state": state, "started_ms": began,
                            "ended_ms": began + took if state != "running" else 0, "attempts": 1})

    def walk(self, d, until, began):
        for stage, took in STAGES:
            if not until:
                return
            self.stage(d, stage, began, took, state="skipped" if stage == "release" else "done")
            began += took
            if stage == until:
                return

    def of(self, app):
        return [d for d in self.deploys if d["app"] == app]

    def settle(self, app):
        ended = [d for d in self.of(app) if d["state"] in ENDS]
        good = [d for d in ended if d["state"] == "done"]
        self.apps[app].update(can_rollback=len(good) > 1)
        for name, found in (("last", ended), ("serves", good)):
            if found:
                self.apps[app][name] = found[-1]

    # --- the present

    def begin(self, app, stage="build", ago_ms=20000, **more):
        """One that is under way: `stage` runs since ago_ms."""
        d = self.add(app, **more)
        names = [name for name, _ in STAGES]
        before = sum(took for _, took in STAGES[:names.index(stage)])
        began = now_ms() - ago_ms
        if names.index(stage):
            self.walk(d, names[names.index(stage) - 1], began - before)
        self.stage(d, stage, began, 0, state="running")
        d.update(state=STATE_OF[stage], stage=stage, queued_ms=began - before - 300, started_ms=began - before, attempt=1)
        if stage == "watch":
            d["deadline_ms"] = began + d["watch_ms"]
        self.logs[d["id"]] = []
        self.apps[app]["current"] = d
        return d

    def go_on(self, d, stage):
        d["stages"][-1].update(state="done", ended_ms=now_ms())
        self.stage(d, stage, now_ms(), 0, state="running")
        d.update(state=STATE_OF[stage], stage=stage)

    def wait(self, app, position=1, waits_for="", **more):
        d = self.add(app, position=position, **({"waits_for": waits_for} if waits_for else {}), **more)
        self.apps[app]["current"] = d
        return d

    def end(self, d, state="done", **more):
        if d["stages"]:
            d["stages"][-1].update(state="done" if state == "done" else "cancelled" if state == "cancelled" else "failed", ended_ms=now_ms())
        d.update(state=state, ended_ms=now_ms(), stage="", **more)
        self.apps[d["app"]].pop("current", None)
        self.settle(d["app"])

    # --- what the daemon answers

    def one(self, r):
        if not 0 < r["deploy"] <= len(self.deploys):
            raise Refused("not_found", f"there is no deploy {r['deploy']}")
        return self.deploys[r["deploy"] - 1]

    def _app(self, r):
        if r["app"] not in self.apps:
            raise Refused("not_found", f"there is no app \"{r['app']}\"")
        if self.refuse:
            raise Refused("failed", self.refuse)
        self.asked.append((r["op"], {k: v for k, v in r.items() if k not in ("id", "op", "as")}))
        return self.apps[r["app"]]

    def _list(self, r):
        found = [d for d in reversed(self.deploys) if r.get("app") in (None, d["app"]) and d["id"] < r.get("before", 1 << 60)]
        return {"deploys": found[:r.get("limit", 50)]}

    def _start(self, r):
        self._app(r)
        d = self.begin(r["app"], "fetch", 100, trigger="api", by="web admin 127.0.0.1")
        return {"deploy": d["id"], "superseded": 0, "duplicate": False}

    def _rollback(self, r):
        self._app(r)
        good = [d for d in self.of(r["app"]) if d["state"] == "done"]
        to = r.get("to") or good[-2]["id"]
        d = self.begin(r["app"], "start", 100, trigger="rollback", by="web admin 127.0.0.1", rollback_of=to)
        d["stages"] = d["stages"][-1:]
        return {"deploy": d["id"], "superseded": 0, "duplicate": False}

    def _cancel(self, r):
        d = self.one(r)
        if d["state"] in ENDS:
            raise Refused("not_found", f"no deploy {d['id']} waits or is under way")
        if d["state"] in ("draining", "removing", "returning"):
            raise Refused("conflict", f"deploy {d['id']} is {d['state']}: that is finished first")
        self.end(d, "cancelled", error="cancelled by web admin 127.0.0.1")
        return {"deploy": d}

    def log(self, r):
        """Offsets count bytes, as the daemon's do; at most 1,000 lines at once."""
        d = self.one(r)
        at, text, offset = 0, "", r.get("offset", 0)
        lines = self.logs.get(d["id"], [])
        for n, line in enumerate(lines):
            piece = line + "\n"
            if at >= offset and text.count("\n") < 1000:
                text += piece
            elif at >= offset:
                break
            at += len(piece.encode())
        return {"text": text, "next": max(at, offset), "ended": d["state"] in ENDS and not text}

    def log_size(self, d):
        return sum(len(line.encode()) + 1 for line in self.logs[d["id"]])

    @property
    def handlers(self):
        return {
            "deploy.apps": lambda r: {"apps": list(self.apps.values()), "running": 0, "max_builds": 1},
            "deploy.list": self._list,
            "deploy.get": lambda r: {"deploy": self.one(r)},
            "deploy.start": self._start,
            "deploy.rollback": self._rollback,
            "deploy.cancel": self._cancel,
            "deploy.log": self.log,
            "deploy.check": lambda r: {"stages": [], "problems": 0},
            "deploy.refused": lambda r: {"refused": self.refused[:r.get("limit", 50)]},
        }
