# SPDX-License-Identifier: Apache-2.0
"""Docker's own daemon for the tests: private socket, data folder and bridge, no iptables rules, one busybox image."""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import tarfile
import tempfile
from pathlib import Path

from harness.wait import until

IMAGE = "bb:1"
PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"
PREFIX = "agenttest-"
BRIDGE_PREFIX = "agtest"


def _run(*command, check=True, **kwargs):
    r = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                       check=False, **kwargs)
    assert not check or r.returncode == 0, f"{' '.join(command)}: {r.stderr.strip()}"
    return r


class Docker:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.socket = self.folder / "docker.sock"
        self.data = self.folder / "data"
        self.log_path = self.folder / "dockerd.log"
        # A link of its own, so that a Docker of this machine keeps docker0. Containers reach each other and nothing else.
        self.bridge = f"{BRIDGE_PREFIX}{os.getpid()}"
        self.process = None

    # --- the daemon

    def start(self):
        self._bridge_up()
        self.start_daemon()
        self._import_image()

    def start_daemon(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self._command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True, env={**os.environ, "PATH": PATH})
        until(self._answers, 60, "dockerd")

    def _folders(self):
        return ["--host", f"unix://{self.socket}", "--data-root", str(self.data), "--exec-root", str(self.folder / "exec"),
                "--pidfile", str(self.folder / "dockerd.pid"), "--log-level", "warn"]

    def _command(self):
        return ["dockerd", *self._folders(), "--bridge", self.bridge, "--iptables=false", "--ip6tables=false",
                "--ip-forward=false", "--ip-masq=false", "--userland-proxy=false"]

    def _answers(self):
        assert self.process.poll() is None, self.log_path.read_text(errors="replace")
        return self.cli("version", check=False).returncode == 0

    def _bridge_up(self):
        with open(Path(tempfile.gettempdir()) / f"{BRIDGE_PREFIX}.lock", "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # others choose their address at the same time
            self._take_address()

    def _take_address(self):
        links = json.loads(_run("ip", "-json", "address", "show").stdout)
        for link in links:  # of a test run that was killed
            owner = link["ifname"].removeprefix(BRIDGE_PREFIX)
            if link["ifname"].startswith(BRIDGE_PREFIX) and not Path(f"/proc/{owner}").exists():
                _run("ip", "link", "delete", link["ifname"], check=False)
        taken = {a["local"] for link in links for a in link["addr_info"]}
        address = next(a for a in (f"172.31.{n}.1" for n in range(250, 200, -1)) if a not in taken)
        _run("ip", "link", "add", self.bridge, "type", "bridge")
        _run("ip", "address", "add", f"{address}/24", "dev", self.bridge)
        _run("ip", "link", "set", self.bridge, "up")

    def _import_image(self):
        """A tree of busybox-static alone; there is no registry."""
        busybox = shutil.which("busybox")
        archive = self.folder / "bb.tar"
        applets = _run(busybox, "--list").stdout.split()
        with tarfile.open(archive, "w") as tar:
            for name in ("bin", "etc", "proc", "tmp", "www"):
                folder = tarfile.TarInfo(name)
                folder.type, folder.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
                tar.addfile(folder)
            tar.add(busybox, "bin/busybox")
            for applet in applets:
                if applet != "busybox":
                    link = tarfile.TarInfo(f"bin/{applet}")
                    link.type, link.linkname = tarfile.SYMTYPE, "busybox"
                    tar.addfile(link)
        self.cli("import", str(archive), IMAGE)

    def stop_daemon(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)

    def stop(self):
        self.remove_all()
        try:
            self.stop_daemon()
        finally:
            # dockerd ends its containerd itself; what is left is the mount of its data folder.
            for line in Path("/proc/self/mounts").read_text().splitlines():
                target = line.split()[1]
                if target.startswith(str(self.folder)):
                    _run("umount", "-l", target, check=False)
            _run("ip", "link", "delete", self.bridge, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def disk(self):
        """Device of the disk that holds the containers' files."""
        number = os.stat(self.data).st_dev
        device = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}").resolve()
        if (device / "partition").exists():
            device = device.parent
        return f"/dev/{device.name}"

    # --- containers

    def settings(self):
        """Options with which an agent sees these containers; those of a test beside it are seen without their names."""
        return {"container_sockets": [str(self.socket)], "docker_root": str(self.data)}

    def cli(self, *arguments, check=True):
        return _run("docker", *arguments, check=check,
                    env={**os.environ, "DOCKER_HOST": f"unix://{self.socket}"})

    def run(self, name, *command, options=()):
        """Starts a container in the background; its whole name is returned."""
        name = PREFIX + name
        self.cli("run", "--detach", "--init=false", "--name", name, *options, IMAGE, *command)
        return name

    def remove(self, *names):
        self.cli("rm", "--force", *names)

    def exec(self, name, *command):
        return self.cli("exec", name, *command).stdout

    def inspect(self, name):
        return json.loads(self.cli("inspect", name).stdout)[0]

    def address(self, name):
        return self.inspect(name)["NetworkSettings"]["IPAddress"]

    def pid(self, name):
        return self.inspect(name)["State"]["Pid"]

    def stats(self, name):
        """One row of `docker stats`."""
        return json.loads(self.cli("stats", "--no-stream", "--format", "{{json .}}", name).stdout)

    def containers(self):
        return self.cli("ps", "--all", "--format", "{{.Names}}").stdout.split()

    def remove_all(self):
        names = self.containers()
        if names:
            self.remove(*names)
