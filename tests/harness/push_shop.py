# SPDX-License-Identifier: Apache-2.0
"""An agent with an app that is pushed to it, made of hooks of its own: no Docker, no network."""

import os
import subprocess

from harness import deploy_jobs
from harness.agent import Agent

ENV = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "Ann",
       "GIT_AUTHOR_EMAIL": "ann@example.com", "GIT_COMMITTER_NAME": "Ann", "GIT_COMMITTER_EMAIL": "ann@example.com"}

HOOKS = {
    **deploy_jobs.HOOKS,
    "build/make": """
[ "$1" = apply ] || exit 77
while [ -e "$DEPLOY_WORKDIR/wait" ] && [ ! -e "$DEPLOY_OPTION_GATE" ]; do sleep 0.1; done
if [ -e "$DEPLOY_WORKDIR/broken" ]; then echo "the compiler says: $(cat "$DEPLOY_WORKDIR/broken")" >&2; exit 1; fi
echo "building $DEPLOY_COMMIT"
echo "image=made-$DEPLOY_ID" >>"$DEPLOY_OUTPUT"
""",
    "probe/tcp": """if [ "$1" = apply ] && [ -e "$DEPLOY_WORKDIR/sick" ]; then echo "it does not answer"; exit 1; fi\n""",
}


class PushShop:
    """`options` are further ones of the app, `hooks` further hooks: name -> text without the first line."""

    def __init__(self, folder, hooks=None, **options):
        self.folder = folder
        self.serves_file = folder / "serves"
        for name, text in {**HOOKS, **(hooks or {})}.items():
            hook = folder / "hooks" / name
            hook.parent.mkdir(parents=True, exist_ok=True)
            hook.write_text("#!/bin/bash\nset -eu\n" + text, encoding="utf-8")
            hook.chmod(0o755)
        self.app = {"build": "make", "swap": "line", "route": "line", "watch": "0s", "drain": "0s",
                    "options": {"serves": str(self.serves_file), "gate": str(folder / "gate")}, **options}
        self.agent = Agent(folder / "agent", self.settings(shop=self.app))
        self.source = folder / "source"
        self.source.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")

    def settings(self, **apps):
        return {"hooks_dir": str(self.folder / "hooks"), "build_min_disk": "0", "build_min_memory": "0", "apps": apps}

    def repo(self, app="shop"):
        answer = self.agent.cli("deploy", "repo", app)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    @property
    def remote(self):
        return self.agent.state / "repos" / "shop.git"

    def git(self, *arguments, folder=None):
        return subprocess.run(["git", *map(str, arguments)], cwd=folder or self.source, env=ENV, check=True, timeout=20,
                              stdout=subprocess.PIPE).stdout.decode().strip()

    def commit(self, message="change", **files):
        for name, text in files.items():
            path = self.source / name
            path.unlink(missing_ok=True)
            if text is not None:
                path.write_text(text, encoding="utf-8")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def pushing(self, *what):
        return subprocess.Popen(["git", "push", str(self.remote), *(what or ("HEAD:main",))], cwd=self.source, env=ENV,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def push(self, *what):
        """(whether it went well, what was seen)"""
        process = self.pushing(*what)
        seen, _ = process.communicate(timeout=50)
        return process.returncode == 0, seen

    def branch(self, name="main"):
        """The commit the agent's repository has there."""
        return subprocess.run(["git", "rev-parse", "--verify", "--quiet", f"refs/heads/{name}"], cwd=self.remote, env=ENV,
                              check=False, stdout=subprocess.PIPE).stdout.decode().strip()

    def deploys(self):
        return self.agent.api("deploys?app=shop")["deploys"]

    @property
    def serves(self):
        return self.serves_file.read_text(encoding="utf-8").strip() if self.serves_file.exists() else ""
