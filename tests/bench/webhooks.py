#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How deliveries are answered under a flood of them, and one at a time. Prints tables; asserts nothing (speed is no test).

    webhooks.py [--n 1000] [--seconds 10] [--large 5]

The senders are threads of this one program on the same machine, so part of each time is theirs."""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests")]

from harness import proc, webhooks  # noqa: E402
from harness.agent import Agent  # noqa: E402
from harness.flood import Flood  # noqa: E402
from harness.webhooks import MAX_BYTES, Apps, send  # noqa: E402


def row(name, n, took, answers=""):
    q = [took(x) * 1000 for x in (0.5, 0.95, 0.99, 1)]
    print(f"{name:10} {n:6} {q[0]:9.1f} {q[1]:9.1f} {q[2]:9.1f} {q[3]:9.1f}  {answers}")


def flood(agent, args):
    f = Flood(agent, args.n, args.seconds).run()
    print(f"\n{args.n} deliveries in {f.wall_s:.1f} s\n\n{'':10} {'n':>6} {'p50 ms':>9} {'p95 ms':>9} {'p99 ms':>9} {'max ms':>9}  answers")
    for kind, took in f.took.items():
        row(kind, len(took), lambda q, k=kind: f.quantile(q, k), f.answers[kind])
    row("all", args.n, f.quantile)
    print("\nmemory: " + ", ".join(f"{name} {a / 2**20:.1f} MiB, at most {b / 2**20:.1f}" for name, (a, b) in f.rss.items()))
    print(f"sampling jitter: {f.jitter_s * 1000:.0f} ms" if f.jitter_s is not None else "sampling jitter: too few samples")
    states = {}
    for d in f.deploys():
        states[d["state"]] = states.get(d["state"], 0) + 1
    print(f"deploys: {states}; of the newest commit: {sum(d['commit'] == f.newest for d in f.deploys())}")


def large(agent, times):
    body = webhooks.payload("github/push-4.json", ref="refs/heads/main")
    body = body[:-1] + b', "pad": "' + b"y" * (MAX_BYTES - len(body) - 11) + b'"}'
    headers, took = webhooks.github(body), []
    before = proc.rss_bytes(agent.pid), proc.rss_bytes(agent.web_pid)
    for _ in range(times):
        began = time.perf_counter()
        status = send(agent, "shop", body, headers).status
        took.append(time.perf_counter() - began)
    after = proc.rss_bytes(agent.pid), proc.rss_bytes(agent.web_pid)
    print(f"\n25 MiB, one after the other: median {statistics.median(took) * 1000:.0f} ms, the last answered {status}; "
          f"memory of daemon {before[0] / 2**20:.1f} -> {after[0] / 2**20:.1f} MiB, web {before[1] / 2**20:.1f} -> {after[1] / 2**20:.1f} MiB")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--n", type=int, default=1000)
    p.add_argument("--seconds", type=float, default=10)
    p.add_argument("--large", type=int, default=5)
    args = p.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        apps = Apps(Path(folder), forever=True).add("shop", "github", branches=["main"])
        agent = Agent(Path(folder) / "agent", settings=apps.settings).start(samples=3)
        try:
            flood(agent, args)
            large(agent, args.large)
        finally:
            agent.stop()


if __name__ == "__main__":
    main()
