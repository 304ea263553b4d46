# SPDX-License-Identifier: Apache-2.0
"""A hook script run as the agent runs it: a cleared environment, a file for results, secrets as files."""

import os
import subprocess
from pathlib import Path

HOOKS = Path(__file__).parents[2] / "deploy-hooks" / "hooks"


class Answer:
    def __init__(self, process, output):
        self.status = process.returncode
        self.log = process.stdout.decode(errors="replace")
        text = output.read_text(encoding="utf-8") if output.exists() else ""
        self.results = dict(line.split("=", 1) for line in text.splitlines())


class App:
    """The folders of an app, and what its hooks are told."""

    def __init__(self, folder, name="shop", prefix=(), **options):
        self.folder = Path(folder)
        self.name = name
        self.prefix = list(prefix)  # of the command: a network namespace
        self.options = options
        self.deploy = 1
        for part in ("cache", "secrets", "state"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)

    @property
    def work(self):
        return self.folder / f"work{self.deploy}"

    @property
    def cache(self):
        return self.folder / "cache"

    def secret(self, name, text):
        (self.folder / "secrets" / name).write_text(text, encoding="utf-8")

    def environment(self, **variables):
        env = {"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin", "HOME": "/root", "LANG": "C.UTF-8",
               "DEPLOY_APP": self.name, "DEPLOY_ID": str(self.deploy), "DEPLOY_WORKDIR": str(self.work),
               "DEPLOY_CACHE": str(self.cache), "DEPLOY_STATE": str(self.folder / "state"),
               "CREDENTIALS_DIRECTORY": str(self.folder / "secrets"), "DEPLOY_DRY_RUN": ""}
        env.update({f"DEPLOY_OPTION_{key.upper()}": str(value) for key, value in self.options.items()})
        env.update({f"DEPLOY_{key.upper()}": str(value) for key, value in variables.items()})
        return env

    def run(self, hook, verb="apply", timeout=60, **variables):
        self.work.mkdir(exist_ok=True)
        output = self.folder / "output"
        output.unlink(missing_ok=True)
        env = {**self.environment(**variables), "DEPLOY_OUTPUT": str(output)}
        process = subprocess.run([*self.prefix, str(HOOKS / hook), verb], cwd=self.work, env=env, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout, check=False)
        return Answer(process, output)

    def ok(self, hook, verb="apply", **variables):
        answer = self.run(hook, verb, **variables)
        assert answer.status == 0, answer.log
        return answer
