# SPDX-License-Identifier: Apache-2.0
"""Runs `agent worker backup` with an order, as the daemon does, and reads what it says."""

import json
import os
import signal
import subprocess
from pathlib import Path

from harness.agent import BINARY, SANITIZER
from harness.wait import until

# The report is on descriptor 3, here a file: it can be read while the worker runs and after it was killed.
START = 'report=$1; shift; exec "$@" 3>>"$report"'


class Run:
    """One worker under way, or over."""

    def __init__(self, order, report, stdout, stderr, prefix=(), environment=None):
        self.report, self.stdout, self.stderr = Path(report), Path(stdout), Path(stderr)
        self.order = order
        with open(self.stdout, "wb") as out, open(self.stderr, "wb") as err:
            self.process = subprocess.Popen(
                ["/bin/sh", "-c", START, "sh", str(self.report), *prefix, str(BINARY), "worker", "backup"],
                stdin=subprocess.PIPE, stdout=out, stderr=err, start_new_session=True,
                env={**os.environ, **(environment or {})})
        self.process.stdin.write(json.dumps(order).encode())
        self.process.stdin.close()

    @property
    def lines(self):
        """What it said so far; a line cut by a kill is left out."""
        text = self.report.read_text() if self.report.exists() else ""
        return [json.loads(line) for line in text.split("\n")[:-1]]

    def said(self, kind):
        return [line for line in self.lines if line["type"] == kind]

    def stages(self):
        return [line["stage"] for line in self.said("stage")]

    def warnings(self):
        return [line["text"] for line in self.said("warning")]

    def wait_stage(self, stage, seconds=20):
        until(lambda: stage in self.stages() or self.process.poll() is not None, seconds, f"stage {stage}", step=0.01)
        assert stage in self.stages(), self.explain()

    def wait(self, seconds=60):
        self.process.wait(seconds)
        return self

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def kill(self):
        self.process.kill()
        return self.wait()

    def explain(self):
        return f"exit status {self.process.returncode}, said {self.lines}, stderr {self.stderr.read_text()!r}"

    @property
    def result(self):
        """The result line: exactly one, the last, and the exit status fits."""
        assert not SANITIZER.search(self.stderr.read_text()), self.stderr.read_text()
        results = self.said("result")
        assert len(results) == 1 and self.lines[-1] is not None, self.explain()
        assert self.lines[-1]["type"] == "result", self.explain()
        assert self.process.returncode == (0 if results[0]["ok"] else 1), self.explain()
        return results[0]

    def good(self):
        assert self.result["ok"], self.explain()
        return self.result

    def bad(self, words=""):
        assert not self.result["ok"], self.explain()
        assert words in self.result["error"], self.explain()
        return self.result


class Worker:
    """A state folder, a job and its stores."""

    def __init__(self, folder, job=None, stores=None, prefix=(), environment=None):
        self.folder = Path(folder)
        self.state = self.folder / "state"
        self.state.mkdir(parents=True, exist_ok=True)
        self.stores = stores or [self.directory_store("local")]
        self.job = {"name": "shop", "engine": "command", "command": ["/bin/echo", "hello"],
                    "stores": [s["name"] for s in self.stores], **(job or {})}
        self.prefix, self.environment = prefix, environment
        self.number = 0
        self.order_members = {}

    def directory_store(self, name):
        path = self.folder / f"store-{name}"
        path.mkdir(mode=0o700, exist_ok=True)
        return {"name": name, "type": "directory", "path": str(path)}

    def order(self, do, job=None, **members):
        order = {"do": do, "run": self.number, "job": {**self.job, **(job or {})}, "stores": self.stores,
                 "host": "vps1", "state": str(self.state), "agent_version": "0.1.0", **self.order_members, **members}
        return {k: v for k, v in order.items() if v is not None}

    def begin(self, do, job=None, **members):
        """Starts it and does not wait."""
        self.number += 1
        base = self.folder / f"run-{self.number}"
        return Run(self.order(do, job, **members), f"{base}.report", f"{base}.stdout", f"{base}.stderr",
                   self.prefix, self.environment)

    def slow_backup(self):
        """One that is in the middle of its dump."""
        run = self.begin("backup", {"compression": "none", "bandwidth": 3_000_000})
        until(lambda: any(p["plain_bytes"] > 1_500_000 for p in run.said("progress")) or run.process.poll() is not None, 20,
              "the middle of the dump")
        return run

    def run(self, do, job=None, **members):
        return self.begin(do, job, **members).wait()

    def backup(self, job=None, **members):
        return self.run("backup", job, **members).good()

    def restore(self, job=None, **how):
        """To where it came from unless told otherwise, without being asked."""
        return self.run("restore", job, restore={"yes": True, **how})

    def restored(self, **restore):
        """The plain bytes of a backup."""
        path = self.folder / f"restored-{self.number}"
        self.run("restore", restore={"to": str(path), "yes": True, **restore}).good()
        return path.read_bytes()

    # --- what is in the directory stores

    def files(self, store=None):
        """Paths below the store's folder."""
        root = Path((store or self.stores[0])["path"])
        return sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file())

    def manifests(self, store=None):
        return [f for f in self.files(store) if f.endswith("/manifest.json")]

    def manifest_path(self, store=None):
        """That of the only backup."""
        store = store or self.stores[0]
        [name] = self.manifests(store)
        return Path(store["path"]) / name

    def manifest(self, store=None):
        return json.loads(self.manifest_path(store).read_text())

    def change_manifest(self, change):
        manifest = self.manifest()
        change(manifest)
        self.manifest_path().write_text(json.dumps(manifest))

    def backups(self, store=None):
        """What `list` says of the store."""
        name = (store or self.stores[0])["name"]
        run = self.run("list")
        run.good()
        return next(line["backups"] for line in run.said("catalogue") if line["store"] == name)

    def nothing_left(self):
        """As if the run had never been."""
        for store in self.stores:
            if store["type"] == "directory":
                assert self.files(store) == []
        assert self.journals() == []

    def journals(self):
        """Of runs; one that was killed before it had its name is swept an hour later."""
        folder = self.state / "backup" / "uploads"
        return sorted(p.name for p in folder.glob("*.journal")) if folder.exists() else []
