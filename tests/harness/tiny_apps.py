# SPDX-License-Identifier: Apache-2.0
"""Apps that are nothing but hooks of five lines: all a deploy needs but git, Docker and a router. A test says what else a hook does."""

import subprocess

from harness.agent import BINARY, Agent
from harness.control import ask
from harness.wait import until

ENDS = {"done", "failed", "rolled_back", "broken", "skipped", "superseded", "cancelled"}
COMMIT = "3f9a2c1b" * 5

# One script for all: says who it is, does what the test put beside it, then what its stage is for.
HOOK = """#!/bin/sh
set -eu
echo "$DEPLOY_STAGE $1 of deploy $DEPLOY_ID"
if [ -e "{folder}/$DEPLOY_APP.$DEPLOY_STAGE.$1" ]; then . "{folder}/$DEPLOY_APP.$DEPLOY_STAGE.$1"; fi
case $DEPLOY_STAGE.$1 in
fetch.apply) printf 'commit={commit}\\nauthor=Ada\\nsubject=Mend the basket\\n' >>"$DEPLOY_OUTPUT" ;;
build.apply) echo "image=${{DEPLOY_IMAGE:-tiny:$DEPLOY_ID}}" >>"$DEPLOY_OUTPUT" ;;
start.apply) printf 'container=tiny-%s\\naddress=127.0.0.1:1\\n' "$DEPLOY_ID" >>"$DEPLOY_OUTPUT" ;;
*.status) echo serves=old >>"$DEPLOY_OUTPUT" ;;
esac
"""


class TinyApps:
    """An agent with apps of these names. `options` are those of all apps."""

    def __init__(self, folder, *names, **options):
        self.folder = folder / "say"
        self.folder.mkdir(parents=True)
        self.hooks = folder / "hooks"
        for name in ("fetch/git", "build/tiny", "build/image", "start/tiny", "probe/tcp", "route/tiny", "stop/tiny", "retire/tiny"):
            path = self.hooks / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(HOOK.format(folder=self.folder, commit=COMMIT), encoding="utf-8")
            path.chmod(0o755)
        app = {"source": "/nonexistent/shop.git", "build": "tiny", "swap": "tiny", "route": "tiny", "watch": "0s", "drain": "0s", **options}
        self.agent = Agent(folder / "agent", {"hooks_dir": str(self.hooks), "apps": {name: app for name in names}})

    # --- what hooks do

    def on(self, app, stage, text, verb="apply"):
        """A piece of shell for this hook; "" for none."""
        (self.folder / f"{app}.{stage}.{verb}").write_text(text, encoding="utf-8")

    def hold(self, app, stage):
        """The hook stays there until let_go(); held() waits for it."""
        self.on(app, stage, f': >"{self.folder}/held"; while [ -e "{self.folder}/hold" ]; do sleep 0.02; done\n')
        (self.folder / "held").unlink(missing_ok=True)
        (self.folder / "hold").touch()

    def held(self):
        until((self.folder / "held").exists, 20, "the hook that is held")

    def let_go(self):
        (self.folder / "hold").unlink(missing_ok=True)

    # --- what becomes of it

    def command(self, *arguments, **more):
        return self.agent.cli("deploy", *arguments, **more)

    def followed(self, *arguments):
        """A command that goes on; output and errors are pipes."""
        return subprocess.Popen([str(BINARY), "deploy", *arguments, "--state", str(self.agent.state)], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def start(self, app, **members):
        return ask(self.agent, "deploy.start", app=app, **members)["deploy"]

    def get(self, number):
        return ask(self.agent, "deploy.get", deploy=number)["deploy"]

    def ended(self, number, seconds=20):
        """The record of a deploy that has ended, with its observers."""
        def end():
            d = self.get(number)
            return d if d["state"] in ENDS and not d["stage"] else None

        return until(end, seconds, f"the end of deploy {number}")

    def deploy(self, app, **members):
        return self.ended(self.start(app, **members))

    def log(self, number):
        return ask(self.agent, "deploy.log", deploy=number)["text"]
