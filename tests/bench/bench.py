#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the agent costs. Prints a table; asserts nothing (speed is no test).

    bench.py [--levels 1,50,1000] [--interval 20] [--samples 6] [--no-strace] [--soak SECONDS]

For each level makes that many synthetic container cgroups in the real hierarchy (root), runs the
agent with its default retention, and measures both processes over whole samples:
CPU time (schedstat, nanoseconds), system calls (strace, over further samples), memory (PSS and
resident, smaps_rollup), bytes written. Then asks the API for two days of one entity.
"""
import argparse
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
AGENT = os.path.join(ROOT, "build", "agent")
CGROUPS = os.path.join(ROOT, "build", "tests", "cgroups")
TARGET_CPU_MS_50 = 6.0
TARGET_PSS_MB = 14.0


def read(path):
    with open(path, "rb") as f:
        return f.read().decode()


def cpu_ns(pid):
    """On-CPU time of all threads: field 1 of /proc/PID/task/TID/schedstat (kernel scheduler/sched-stats)."""
    return sum(int(read(f"/proc/{pid}/task/{t}/schedstat").split()[0]) for t in os.listdir(f"/proc/{pid}/task"))


def memory_kb(pid):
    rows = dict(line.split(":", 1) for line in read(f"/proc/{pid}/smaps_rollup").splitlines()[1:])
    return int(rows["Pss"].split()[0]), int(rows["Rss"].split()[0])


def anonymous_kb(pid):
    """What is this process's own: PSS of shared libraries moves with whoever else runs."""
    rows = dict(line.split(":", 1) for line in read(f"/proc/{pid}/smaps_rollup").splitlines()[1:])
    return int(rows["Pss_Anon"].split()[0])


def written(pid):
    return int(dict(line.split(": ") for line in read(f"/proc/{pid}/io").splitlines())["write_bytes"])


def children(pid):
    return [int(p) for p in read(f"/proc/{pid}/task/{pid}/children").split()]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Agent:
    def __init__(self, interval, retention=None):
        self.dir = tempfile.TemporaryDirectory(prefix="agent-bench-")
        self.state = os.path.join(self.dir.name, "state")
        self.port = free_port()
        conf = os.path.join(self.dir.name, "agent.conf")
        with open(conf, "w") as f:
            f.write(f'interval = "{interval}s"\n')
            if retention:
                f.write("retention = [%s]\n" % ", ".join('"%s"' % r for r in retention))
        os.chmod(conf, 0o600)
        self.log = open(os.path.join(self.dir.name, "log"), "w")
        self.process = subprocess.Popen(
            [AGENT, "run", "--config", conf, "--state", self.state, "--listen", f"127.0.0.1:{self.port}"],
            stdout=self.log, stderr=self.log)
        self.pid = self.process.pid
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        deadline = time.monotonic() + 60
        while not os.path.exists(os.path.join(self.state, "token.admin")) or not children(self.pid):
            if time.monotonic() > deadline or self.process.poll() is not None:
                sys.exit("the agent did not start:\n" + read(self.log.name))
            time.sleep(0.1)
        self.token = read(os.path.join(self.state, "token.admin")).strip()
        self.web = children(self.pid)[0]

    def get(self, path):
        self.connection.request("GET", path, headers={"Authorization": "Bearer " + self.token})
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {body[:200]}")
        return body

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        self.log.close()
        self.dir.cleanup()


def measure(agent, samples, interval, strace):
    pids = (agent.pid, agent.web)
    time.sleep(interval - time.time() % interval + interval / 2)
    cpu, wrote = [], []
    for _ in range(samples):
        before = [cpu_ns(p) for p in pids], sum(written(p) for p in pids)
        time.sleep(interval)
        after = [cpu_ns(p) for p in pids], sum(written(p) for p in pids)
        cpu.append(sum(after[0]) - sum(before[0]))
        wrote.append(after[1] - before[1])
    memory = [memory_kb(p) for p in pids]
    calls = None
    if strace:
        out = os.path.join(agent.dir.name, "strace")
        with subprocess.Popen(["strace", "-f", "-c", "-U", "calls,name", "-o", out, "-p", str(agent.pid), "-p", str(agent.web)],
                              stderr=subprocess.DEVNULL) as s:
            time.sleep(2 * interval)
            s.terminate()
        calls = int(read(out).split("\n")[-2].split()[0]) / 2  # the line of the total
    return {"cpu_ms": statistics.median(cpu) / 1e6, "cpu_all": [round(c / 1e6, 2) for c in cpu],
            "bytes": statistics.median(wrote), "pss": [m[0] / 1024 for m in memory],
            "rss": [m[1] / 1024 for m in memory], "calls": calls}


def latency(agent, path, n=200):
    agent.get(path)
    took = []
    for _ in range(n):
        t = time.perf_counter()
        size = len(agent.get(path))
        took.append((time.perf_counter() - t) * 1e3)
    return statistics.median(took), sorted(took)[int(n * 0.99)], size


def level(n, args):
    maker = subprocess.Popen([CGROUPS, str(n)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    maker.stdout.readline()
    agent = Agent(args.interval)
    try:
        # The first samples make files, one at a time; they are not what a day looks like.
        time.sleep(2 * args.interval + n * 0.02)
        m = measure(agent, args.samples, args.interval, args.strace)
        print(f"| {n} | {m['cpu_ms']:.2f} | {m['calls'] or 0:.0f} | {sum(m['pss']):.1f} ({m['pss'][0]:.1f} + {m['pss'][1]:.1f})"
              f" | {sum(m['rss']):.1f} | {m['bytes'] / 1024:.0f} |", flush=True)
        if n == 50:
            key = json.loads(agent.get("/api/v1/entities?class=container"))["entities"][0]["key"]
            rows = []
            for name, path in (
                    ("two days of one metric, 400 points",
                     f"/api/v1/series?entity=container/{key}&metric=cpu_used_percent&from=-172800&points=400"),
                    ("two days of 10 metrics, 1000 points",
                     f"/api/v1/series?entity=container/{key}&from=-172800&points=1000&metric=cpu_used_percent,"
                     "cpu_user_percent,cpu_system_percent,memory_used_bytes,memory_anon_bytes,memory_file_bytes,"
                     "network_received_bytes_per_second,network_sent_bytes_per_second,disk_read_bytes_per_second,processes"),
                    ("all containers now", "/api/v1/entities?class=container"),
                    ("Prometheus scrape", "/metrics")):
                rows.append((name, *latency(agent, path)))
            return m, rows
        return m, None
    finally:
        agent.stop()
        maker.stdin.close()
        maker.wait(60)


def soak(seconds):
    maker = subprocess.Popen([CGROUPS, "20"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    maker.stdout.readline()
    agent = Agent(1, ["1s for 10m", "1m for 1d"])
    print(f"\nSoak: 1 s interval, 20 cgroups, {seconds} s\n\n| after s | PSS MB | own memory KiB | entities | descriptors |\n| ---: | ---: | ---: | ---: | ---: |", flush=True)
    start = time.monotonic()
    try:
        for part in range(13):
            while time.monotonic() - start < seconds * part / 12 + 60 * (part == 0):
                time.sleep(0.5)
            pss = sum(memory_kb(p)[0] for p in (agent.pid, agent.web)) / 1024
            fds = sum(len(os.listdir(f"/proc/{p}/fd")) for p in (agent.pid, agent.web))
            own = sum(anonymous_kb(p) for p in (agent.pid, agent.web))
            entities = len(json.loads(agent.get("/api/v1/entities"))["entities"])
            print(f"| {time.monotonic() - start:.0f} | {pss:.2f} | {own} | {entities} | {fds} |", flush=True)
    finally:
        agent.stop()
        maker.stdin.close()
        maker.wait(60)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--levels", default="1,50,1000")
    p.add_argument("--interval", type=int, default=20)
    p.add_argument("--samples", type=int, default=6)
    p.add_argument("--soak", type=int, default=0)
    p.add_argument("--no-strace", dest="strace", action="store_false")
    args = p.parse_args()
    if os.geteuid() != 0:
        sys.exit("the bench makes cgroups and needs root")
    if args.levels != "none":
        print(f"Interval {args.interval} s, median of {args.samples} samples, daemon and web process together\n")
        print("| cgroups | CPU ms per sample | system calls per sample | PSS MB (daemon + web) | resident MB | KiB written per sample |")
        print("| ---: | ---: | ---: | ---: | ---: | ---: |", flush=True)
        done = {n: level(n, args) for n in map(int, args.levels.split(","))}
        if 50 in done:
            m, rows = done[50]
            print(f"\nTargets at 50: CPU {m['cpu_ms']:.2f} of {TARGET_CPU_MS_50} ms (ratio {m['cpu_ms'] / TARGET_CPU_MS_50:.2f}),"
                  f" PSS {sum(m['pss']):.1f} of {TARGET_PSS_MB} MB (ratio {sum(m['pss']) / TARGET_PSS_MB:.2f})")
            print("\n| API request | median ms | 99th percentile ms | bytes |\n| --- | ---: | ---: | ---: |")
            for name, median, worst, size in rows:
                print(f"| {name} | {median:.2f} | {worst:.2f} | {size} |")
    if args.soak:
        soak(args.soak)


main()
