# SPDX-License-Identifier: Apache-2.0
"""One deploy after the other by the hooks alone, while wrk asks without a pause."""

import re
import signal
import subprocess
import time

from harness.docker_net import WEB
from harness.routers import LISTEN
from harness.wait import until


class Shop:
    """An app whose versions are containers of WEB; `app` is the App of harness.hooks, `router` is up."""

    def __init__(self, app, router, *arguments):
        self.app, self.router = app, router
        self.app.options.update(router.options, docker_socket=router.net.socket, port="8080", health_path="/", health_count="1",
                                health_interval="100ms", stop_timeout="5s", arguments="\n".join(arguments))
        self.serves = {}

    def image(self):
        """One more version; all are the same image, told their number."""
        self.app.deploy += 1
        self.app.secret("env", f"VERSION={self.app.deploy}\n")
        return WEB

    def start(self, image):
        old = {"old_container": self.serves.get("container", ""), "old_address": self.serves.get("address", "")}
        new = self.app.ok("start/docker", image=image, **old).results
        told = {"image": image, "container": new["container"], "address": new["address"], **old}
        self.app.ok("probe/http", **told)
        return told

    def route(self, told):
        answer = self.app.ok(f"route/{self.router.program}", **told)
        self.serves = told
        return answer

    def stop(self, told):
        if told["old_container"]:
            self.app.ok("stop/docker", **told)

    def swap(self, drain=0.0):
        told = self.start(self.image())
        self.route(told)
        time.sleep(drain)  # what the daemon does between route and stop
        self.stop(told)

    def answers(self):
        host = re.sub(r"^http://|:\d+$", "", self.router.options["domain"])
        return self.router.net.get(LISTEN, "-H", f"Host: {host}")


class Load:
    """wrk on the router, until wait(); then what was asked and what got no good answer."""

    def __init__(self, router, seconds, connections=50, threads=1, script=None):
        host = re.sub(r"^http://|:\d+$", "", router.options["domain"])
        extra = ["-s", str(script)] if script else []
        self.process = subprocess.Popen(
            [*router.net.prefix, "wrk", "-c", str(connections), "-t", str(threads), "-d", f"{seconds}s", "--timeout", "10s",
             "--latency", "-H", f"Host: {host}", *extra, f"http://{LISTEN}/"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.end = time.monotonic() + seconds

    def left(self):
        return self.end - time.monotonic()

    def wait(self):
        self.text, _ = self.process.communicate(timeout=120)
        self.requests = int(re.search(r"(\d+) requests in", self.text).group(1))
        found = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", self.text)
        self.lost = sum(map(int, found.groups())) if found else 0
        found = re.search(r"Non-2xx or 3xx responses: (\d+)", self.text)
        self.refused = int(found.group(1)) if found else 0
        return self


def under_load(shop, swaps, drain, pause, connections=50, script=None, until_seconds=None):
    """Swaps one after the other under load; the Load, and how many seconds all took."""
    shop.swap()
    until(lambda: shop.answers() == "1", 10, "the first version")
    load = Load(shop.router, until_seconds or int(swaps * (drain + pause + 10)) + 5, connections, script=script)
    begun = time.monotonic()
    for _ in range(swaps):
        time.sleep(pause)
        shop.swap(drain)
    load.took = time.monotonic() - begun
    assert load.left() > 0, f"the load ended before the swaps: {load.took:.1f} s"
    load.process.send_signal(signal.SIGINT)
    return load.wait()
