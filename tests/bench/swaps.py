#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What swaps cost in requests. Prints a table; asserts nothing. Needs root, dockerd, nft, wrk and the routers.

    swaps.py [--swaps 20] [--drain 1] [--connections 50] [--only nginx,caddy] [--app abrupt] [--post] [--way switch,off,runtime]

Each line: one router, N deploys by the hooks under `wrk` with connections that are kept alive. Ways: `switch`, the router is loaded once
and nftables lead to the version; `off`, the router gets each address and is reloaded (HAProxy: is told through its socket).
A line tells the requests, those without an answer, those with a bad one, the 99th percentile, the slowest, and how long the stages of one
deploy took at the median.
"""
import argparse
import os
import re
import statistics
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness import swaps  # noqa: E402
from harness.docker_net import DockerNet  # noqa: E402
from harness.hooks import App  # noqa: E402
from harness.routers import ALL  # noqa: E402

POST = 'wrk.method = "POST"\nwrk.body = "a=1"\n'


def timed(app, times):
    """Notes how long each hook takes."""
    plain = app.run

    def run(hook, verb="apply", **variables):
        begun = time.monotonic()
        answer = plain(hook, verb, **variables)
        times.setdefault(hook.split("/")[0], []).append((time.monotonic() - begun) * 1000)
        return answer
    app.run = run


def line(net, folder, name, way, args, script):
    router = ALL[name](net, os.path.join(folder, "router")).start()
    app = App(os.path.join(folder, "app"), prefix=net.prefix, **({} if way == "switch" else {"switch": "off"}))
    app.deploy = 0
    times = {}
    timed(app, times)
    try:
        shop = swaps.Shop(app, router, *([args.app] if args.app else []))
        load = swaps.under_load(shop, args.swaps, args.drain, 0.2, args.connections, script)
    finally:
        router.stop()
        net.remove_all()
    latency = dict(re.findall(r"(99%|Latency) +(?:[\d.]+\w+ +){0,2}([\d.]+m?s)", load.text))
    stages = ", ".join(f"{stage} {statistics.median(ms):.0f}" for stage, ms in times.items())
    print(f"{name:8} {way:7} {args.swaps:6} {load.requests:9} {load.lost:6} {load.refused:8} {latency.get('99%', '?'):>9} "
          f"{latency.get('Latency', '?'):>9}  {stages} ms", flush=True)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--swaps", type=int, default=20)
    p.add_argument("--drain", type=float, default=1.0)
    p.add_argument("--connections", type=int, default=50)
    p.add_argument("--only", default="nginx,caddy,haproxy")
    p.add_argument("--way", default="switch,off")
    p.add_argument("--app", default="", help="what web_app.c does: abrupt, slow")
    p.add_argument("--post", action="store_true")
    args = p.parse_args()
    print(f"{'router':8} {'way':7} {'swaps':>6} {'requests':>9} {'lost':>6} {'refused':>8} {'99 %':>9} {'slowest':>9}  stages")
    with tempfile.TemporaryDirectory(prefix="agent-swaps-") as folder:
        script = None
        if args.post:
            script = os.path.join(folder, "post.lua")
            with open(script, "w", encoding="ascii") as f:
                f.write(POST)
        net = DockerNet(os.path.join(folder, "docker"), name=f"agentbench{os.getpid()}")
        os.mkdir(net.folder)
        net.start()
        try:
            for n, (way, name) in enumerate((w, r) for w in args.way.split(",") for r in args.only.split(",")):
                line(net, os.path.join(folder, str(n)), name, way, args, script)
        finally:
            net.stop()


if __name__ == "__main__":
    main()
