#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The timeline of a deploy, per stage, from the webhook to the end. Prints tables; asserts nothing. Needs root, dockerd, nft, nginx.

    deploy.py [--deploys 5]

Each deploy is a push as GitHub sends it, of an app whose build is one layer and which answers as soon as it runs: what is left is
what the agent adds. Figures are milliseconds: medians, and the worst.
"""
import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.deploying import Deploying  # noqa: E402
from harness.docker_net import DockerNet  # noqa: E402
from harness.netns import inside  # noqa: E402
from harness.routers import Nginx  # noqa: E402

# Not the agent's: the source's, the build's, and what the administrator asks for.
OTHERS = ("fetch", "build", "watch", "drain")


def row(name, values):
    print(f"{name:34} {statistics.median(values):8.0f} {max(values):8.0f}")


def one(d, number):
    commit = d.version(number)
    begun = time.time() * 1000
    answer = d.push(commit)
    answered = time.time() * 1000
    assert answer.status == 202, answer.body
    r = d.ended(answer.json()["deploys"][0]["deploy"])
    assert r["state"] == "done", d.log(r["id"])
    return begun, answered, r


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--deploys", type=int, default=5)
    args = p.parse_args()
    with tempfile.TemporaryDirectory(prefix="agent-deploy-") as folder:
        net = DockerNet(Path(folder) / "docker", name=f"agentbench{os.getpid()}")
        net.folder.mkdir()
        net.start()
        router = Nginx(net, Path(folder) / "router").start()
        try:
            with inside(net.name):
                d = Deploying(net, Path(folder) / "d", router)
                d.agent.start(samples=1)
                try:
                    one(d, 1)  # the router is loaded, images are there
                    runs = [one(d, 2 + i) for i in range(args.deploys)]
                finally:
                    d.agent.finish()
        finally:
            router.stop()
            net.stop()
    print(f"{'of ' + str(args.deploys) + ' deploys, ms':34} {'median':>8} {'worst':>8}")
    row("webhook to answer", [a - b for b, a, _ in runs])
    row("webhook to first hook", [r["stages"][0]["started_ms"] - b for b, _, r in runs])
    stages = {}
    for _, _, r in runs:
        for s in r["stages"]:
            stages.setdefault(s["stage"], []).append(s["ended_ms"] - s["started_ms"])
    for stage, times in stages.items():
        row(stage, times)
    whole = [r["ended_ms"] - b for b, _, r in runs]
    others = [sum(s["ended_ms"] - s["started_ms"] for s in r["stages"] if s["stage"] in OTHERS) for _, _, r in runs]
    row("webhook to end", whole)
    row("without " + ", ".join(OTHERS), [w - o for w, o in zip(whole, others)])


if __name__ == "__main__":
    main()
