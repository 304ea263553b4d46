# SPDX-License-Identifier: Apache-2.0
"""Many deliveries of all sorts at a time, as a busy git host and somebody hostile would send them together."""

import http.client
import itertools
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from harness import proc, webhooks
from harness.control import Control
from harness.webhooks import MAX_BYTES, payload

# Of each ten: four pushes in their order, two of them once more, two with a wrong secret, one too large, one for no app.
ROUND = ["push", "bad", "push", "again", "large", "push", "bad", "unknown", "push", "again"]
EXPECTED = {"push": {202}, "again": {200}, "bad": {401}, "large": {413}, "unknown": {401}}


def push(commit, before):
    head = {"id": commit, "message": "m", "author": {"name": "Ada"}}
    return payload("github/push-4.json", ref="refs/heads/main", before=before, after=commit, created=False, forced=False,
                   head_commit=head, commits=[head])


class Flood:
    """`n` deliveries within `seconds` for the app "shop" of `agent`. Pushes come one after the other, as their host sends them, and all
    else at any time. `took[kind]` has how long each answer took in s, `answers[kind]` how often which status came."""

    def __init__(self, agent, n=1000, seconds=10):
        self.agent, self.n, self.seconds = agent, n, seconds
        self.took = {kind: [] for kind in EXPECTED}
        self.answers = {kind: {} for kind in EXPECTED}
        self.lock = threading.Lock()
        self.sent = []  # pushes that were answered: (body, headers)
        self.newest = None
        self.rss = {}
        self.times = []  # when samples came
        self.ended = threading.Event()

    def _one(self, kind, body, headers, app="shop"):
        began = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", self.agent.port, timeout=30)
        try:
            if kind == "large":  # said by its head alone
                connection.putrequest("POST", f"/deploy/{app}")
                for name, value in {**headers, "Content-Length": str(MAX_BYTES + 1)}.items():
                    connection.putheader(name, value)
                connection.endheaders()
            else:
                connection.request("POST", f"/deploy/{app}", body, headers)
            answer = connection.getresponse()
            answer.read()
            status = answer.status
        finally:
            connection.close()
        with self.lock:
            self.took[kind].append(time.perf_counter() - began)
            self.answers[kind][status] = self.answers[kind].get(status, 0) + 1

    def _other(self, kind, i):
        if kind == "again":
            with self.lock:
                body, headers = self.sent[i % len(self.sent)] if self.sent else self.first
            self._one(kind, body, headers)
        else:
            self._one(kind, self.body, webhooks.github(self.body, "wrong" if kind == "bad" else webhooks.SECRET),
                      "nosuch" if kind == "unknown" else "shop")

    def _push(self):
        before, self.newest = self.newest, os.urandom(20).hex()
        body = push(self.newest, before)
        headers = webhooks.github(body)
        self._one("push", body, headers)
        with self.lock:
            self.sent.append((body, headers))

    def _watch(self):
        pids = {"daemon": self.agent.pid, "web": self.agent.web_pid}
        self.rss = {name: [proc.rss_bytes(pid)] * 2 for name, pid in pids.items()}
        while not self.ended.wait(0.05):
            for name, pid in pids.items():
                self.rss[name][1] = max(self.rss[name][1], proc.rss_bytes(pid))

    def _listen(self, control):
        try:
            while not self.ended.is_set():
                message = control.answer()
                if message.get("event") == "sample":
                    self.times.append(time.monotonic())
        except (OSError, ConnectionError, ValueError):
            pass

    def run(self):
        self.newest = os.urandom(20).hex()
        self.body = push(os.urandom(20).hex(), self.newest)
        self._push()  # what runs from now on
        self.first = self.sent[0]
        control = Control(self.agent)
        control.ask("sample.subscribe", classes=["host"])
        watchers = [threading.Thread(target=self._watch), threading.Thread(target=self._listen, args=(control,), daemon=True)]
        for t in watchers:
            t.start()
        try:
            self._send_all()
        finally:
            self.ended.set()
            watchers[0].join()
            control.socket.close()
        return self

    def _send_all(self):
        kinds = list(itertools.islice(itertools.cycle(ROUND), self.n - 1))
        began = time.monotonic()
        with ThreadPoolExecutor(1) as host, ThreadPoolExecutor(16) as others:
            jobs = []
            for i, kind in enumerate(kinds):
                delay = began + self.seconds * i / self.n - time.monotonic()
                if delay > 0:
                    time.sleep(delay)
                jobs.append(host.submit(self._push) if kind == "push" else others.submit(self._other, kind, i))
            for j in jobs:
                j.result()
        self.wall_s = time.monotonic() - began

    @property
    def jitter_s(self):
        """The most by which the time between two samples was not the second it should be; None: too few came."""
        if len(self.times) < 3:
            return None
        return max(abs(b - a - 1) for a, b in zip(self.times, self.times[1:]))

    def quantile(self, q, kind=None):
        took = sorted(self.took[kind] if kind else [t for one in self.took.values() for t in one])
        return took[min(len(took) - 1, int(q * len(took)))] if took else float("nan")

    def deploys(self):
        """All there are of the app, newest first."""
        found, before = [], None
        while True:
            page = self.agent.api("deploys?app=shop&limit=500" + (f"&before={before}" if before else ""))["deploys"]
            if not page:
                return found
            found += page
            before = page[-1]["id"]
