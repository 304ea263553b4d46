# SPDX-License-Identifier: Apache-2.0
"""An app of a real agent that needs no Docker: its hooks are small scripts, its source is a git repository of this machine. A file
`broken` in the source lets the build fail, a file `slow` lets it wait until `gate` is there."""

import os
import subprocess

from harness.wait import until

SECRET = "the secret of the webhook"
HOOKS = {
    "build/make": """
[ "$1" = apply ] || exit 77
for i in 1 2 3; do echo "step $i of 3"; done
while [ -e "$DEPLOY_WORKDIR/slow" ] && [ ! -e "$DEPLOY_OPTION_GATE" ]; do sleep 0.1; done
if [ -e "$DEPLOY_WORKDIR/broken" ]; then echo "the compiler says: no" >&2; exit 1; fi
echo "image=made-$DEPLOY_ID" >>"$DEPLOY_OUTPUT"
""",
    "start/line": """
case $1 in
apply) echo "container=line-$DEPLOY_ID" >>"$DEPLOY_OUTPUT"; echo "address=127.0.0.1:1" >>"$DEPLOY_OUTPUT" ;;
status) echo serves=new >>"$DEPLOY_OUTPUT" ;;
esac
""",
    "stop/line": "exit 0\n",
    "retire/line": "exit 0\n",
    "probe/tcp": "exit 0\n",
    "route/line": """
case $1 in
apply) echo "$DEPLOY_CONTAINER" >"$DEPLOY_OPTION_SERVES" ;;
revert) echo "$DEPLOY_OLD_CONTAINER" >"$DEPLOY_OPTION_SERVES" ;;
esac
""",
}


class Jobs:
    """`settings` are those of the agent."""

    def __init__(self, folder):
        self.gate, self.serves_file, self.source = folder / "gate", folder / "serves", folder / "source"
        for name, text in HOOKS.items():
            hook = folder / "hooks" / name
            hook.parent.mkdir(parents=True, exist_ok=True)
            hook.write_text("#!/bin/sh\nset -eu\n" + text, encoding="utf-8")
            hook.chmod(0o755)
        secret = folder / "secret"
        secret.write_text(SECRET + "\n", encoding="utf-8")
        secret.chmod(0o600)
        self.source.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")
        app = {"source": str(self.source), "build": "make", "swap": "line", "route": "line", "watch": "0s", "drain": "0s",
               "webhook": {"provider": "github", "secret_file": str(secret)},
               "options": {"serves": str(self.serves_file), "gate": str(self.gate)}}
        self.settings = {"hooks_dir": str(folder / "hooks"), "build_min_disk": "0", "build_min_memory": "0", "apps": {"shop": app}}

    def git(self, *arguments):
        env = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "Ann",
               "GIT_AUTHOR_EMAIL": "ann@example.com", "GIT_COMMITTER_NAME": "Ann", "GIT_COMMITTER_EMAIL": "ann@example.com"}
        return subprocess.run(["git", *arguments], cwd=self.source, env=env, check=True, timeout=20,
                              stdout=subprocess.PIPE).stdout.decode().strip()

    def commit(self, message="change", **files):
        """A file whose text is None is removed."""
        for name, text in files.items():
            path = self.source / name
            path.unlink(missing_ok=True)
            if text is not None:
                path.write_text(text, encoding="utf-8")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    @property
    def serves(self):
        return self.serves_file.read_text(encoding="utf-8").strip() if self.serves_file.exists() else ""


def ended(agent, number, seconds=30):
    """The deploy, once it has ended."""
    until(lambda: agent.api(f"deploys/{number}")["deploy"]["ended_ms"] > 0, seconds, f"the end of deploy {number}")
    return agent.api(f"deploys/{number}")["deploy"]
