# SPDX-License-Identifier: Apache-2.0
"""Docker as it is on a server, with its rules and bridges, in a network namespace of its own: the switch and the routers of a
test are in there too, and nothing of this machine's rules is touched."""

import os
import subprocess
import tarfile
from pathlib import Path

from harness.docker import PATH, Docker

SOURCE = Path(__file__).with_name("web_app.c")
WEB = "web:1"
ENVIRONMENT = {**os.environ, "PATH": PATH}


class DockerNet(Docker):
    """WEB is an image with web_app.c as its program, which listens on 8080."""

    def __init__(self, folder, name=None):
        super().__init__(folder)
        self.name = name or f"agentdocker{os.getpid()}"
        # Not `ip netns exec`: its view of /sys has no cgroups.
        self.prefix = ["nsenter", f"--net=/run/netns/{self.name}"]
        self.processes = []

    def _bridge_up(self):
        subprocess.run(["ip", "netns", "delete", self.name], stderr=subprocess.DEVNULL, check=False)  # of a run that was killed
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        self.run_in("ip", "link", "set", "lo", "up")

    def _command(self):
        return [*self.prefix, "dockerd", *self._folders()]

    def _import_image(self):
        super()._import_image()
        program = self.folder / "web_app"
        subprocess.run(["cc", "-D_GNU_SOURCE", "-std=c11", "-O2", "-static", "-s", "-o", program, SOURCE], check=True)
        with tarfile.open(self.folder / "web.tar", "w") as tar:
            tar.add(program, "web_app")
        self.cli("import", "--change", "ENTRYPOINT [\"/web_app\"]", "--change", "EXPOSE 8080", str(self.folder / "web.tar"), WEB)

    def run_in(self, *command, check=True, timeout=60):
        r = subprocess.run([*self.prefix, *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           text=True, check=False, timeout=timeout, env=ENVIRONMENT)
        assert not check or r.returncode == 0, f"{command}: {r.stdout}"
        return r.stdout

    def start_in(self, *command, **options):
        process = subprocess.Popen([*self.prefix, *command], stdin=subprocess.DEVNULL, env=ENVIRONMENT, **options)
        self.processes.append(process)
        return process

    def end(self, process):
        self.processes.remove(process)
        process.terminate()
        process.wait(20)

    def get(self, address, *options):
        return self.run_in("curl", "-s", "-m", "5", *options, f"http://{address}/", check=False)

    def stop(self):
        for process in list(self.processes):
            self.end(process)
        super().stop()
        subprocess.run(["ip", "netns", "delete", self.name], check=False)
