# SPDX-License-Identifier: Apache-2.0
"""The whole: a git repository, the agent, Docker, a router; a push becomes what answers."""

import hashlib
import hmac
import json
import os
import subprocess

from harness import http
from harness.agent import Agent
from harness.control import ask
from harness.docker import PATH
from harness.routers import LISTEN
from harness.wait import until

SECRET = "the secret of the webhook"
ENDS = {"done", "failed", "rolled_back", "broken", "skipped", "superseded", "cancelled"}


class Repository:
    """Commits by whom the test says; `folder` is also what the agent fetches from."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments):
        identity = {"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.com", "GIT_COMMITTER_NAME": "Ada",
                    "GIT_COMMITTER_EMAIL": "ada@example.com", "GIT_CONFIG_GLOBAL": "/dev/null"}
        return subprocess.run(["git", *arguments], cwd=self.folder, check=True, stdout=subprocess.PIPE, text=True,
                              env={**os.environ, **identity}).stdout.strip()

    def commit(self, files, message="A change"):
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD")


class Deploying:
    """An agent with the app "shop" that Docker runs and `router` leads to. Within the network namespace of `net`."""

    def __init__(self, net, folder, router, **options):
        self.net, self.router = net, router
        self.repository = Repository(folder / "repository")
        (folder / "secret").write_text(SECRET)
        (folder / "secret").chmod(0o600)
        rare = {k: str(v) for k, v in router.options.items() if k not in ("domain",)}
        self.app = {
            "source": str(self.repository.folder), "build": "dockerfile", "swap": "docker", "route": router.program,
            "domain": router.options["domain"], "port": 8080, "health": {"path": "/", "interval": "100ms", "deadline": "4s"},
            "memory": "32M", "watch": "1s", "drain": "1s", "stop_timeout": "5s", "webhook": {"provider": "github", "secret_file": str(folder / "secret")},
            "options": {"docker_socket": str(net.socket), **rare}, **options,
        }
        self.agent = Agent(folder / "agent", self.settings(), environment={"PATH": PATH})

    def settings(self):
        return {**self.net.settings(), "apps": {"shop": self.app}}

    def version(self, number, mode="", message="A change"):
        """Commits a version that answers with its number; `mode` is one of web_app.c."""
        command = f'ENTRYPOINT ["/web_app", "{mode}"]\n' if mode else ""
        return self.repository.commit({"Dockerfile": f"FROM web:1\nENV VERSION={number}\n{command}"}, message)

    def push(self, commit, before="0" * 40, ref="refs/heads/main", secret=SECRET, delivery=None):
        """What GitHub sends; the answer."""
        body = json.dumps({"ref": ref, "before": before, "after": commit, "created": False, "deleted": False, "forced": False,
                           "repository": {"full_name": "ada/shop"}, "pusher": {"name": "ada"}, "sender": {"login": "ada"},
                           "head_commit": {"id": commit, "message": "A change", "author": {"name": "Ada"}}, "commits": []}).encode()
        signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "X-GitHub-Event": "push", "X-Hub-Signature-256": f"sha256={signature}",
                   "X-GitHub-Delivery": delivery or f"{commit[:32]}"}
        return http.request(f"http://127.0.0.1:{self.agent.port}/deploy/shop", method="POST", headers=headers, body=body)

    def start(self, **members):
        return ask(self.agent, "deploy.start", app="shop", **members)["deploy"]

    def get(self, number):
        return ask(self.agent, "deploy.get", deploy=number)["deploy"]

    def ended(self, number, seconds=60):
        until(lambda: self.get(number)["state"] in ENDS, seconds, f"the end of deploy {number}")
        return self.get(number)

    def deploy(self, **members):
        return self.ended(self.start(**members))

    def log(self, number):
        return ask(self.agent, "deploy.log", deploy=number, offset=0)["text"]

    def answers(self):
        host = self.router.options["domain"].removeprefix("http://").split(":")[0]
        return self.net.get(LISTEN, "-H", f"Host: {host}")
