# SPDX-License-Identifier: Apache-2.0
"""Nix of Debian: a derivation that needs no download, made the profile of an app, and the way back. Each hook sees a folder of the
test as /nix, and systemd by stand-ins: what its timer would do is done by the test."""

import os
import shutil
import subprocess

import pytest

from harness.hooks import App
from harness.tools import Tools

pytestmark = [pytest.mark.root, pytest.mark.skipif(not shutil.which("nix-build"), reason="no nix-build (Debian package nix-bin)")]

SOURCE = """
{ version ? "%s" }: derivation {
  name = "shop-${version}"; system = builtins.currentSystem; builder = "/bin/sh"; PATH = "/bin:/usr/bin";
  args = [ "-c" ''mkdir -p $out/bin; printf '#!/bin/sh\\necho %s >>%s/activated\\n' >$out/bin/activate; chmod +x $out/bin/activate'' ];
}
"""
VIEW = """
mount --make-rprivate / && mkdir -p /nix && mount --bind "$FOLDER/nix" /nix || exit 99
if [ -d "$FOLDER/units" ]; then
	mount -t tmpfs none /run && mkdir -p /run/systemd/system && mkdir -p /etc/systemd/system && mount --bind "$FOLDER/units" /etc/systemd/system || exit 99
fi
exec "$@"
"""
PROFILE = "nix/var/nix/profiles/agent-shop"


@pytest.fixture
def app(tmp_path):
    for folder in ("nix", "etc"):
        (tmp_path / folder).mkdir()
    (tmp_path / "etc" / "nix.conf").write_text("sandbox = false\nbuild-users-group =\nsubstituters =\n")
    yield App(tmp_path / "app", prefix=["env", f"FOLDER={tmp_path}", f"NIX_CONF_DIR={tmp_path}/etc", "unshare", "-m", "sh", "-c", VIEW, "sh"],
              port="8080", confirm="5m")
    subprocess.run(["chmod", "-R", "u+w", tmp_path / "nix"], check=False)


def build(app, tmp_path, number):
    app.deploy = number
    app.work.mkdir(exist_ok=True)
    (app.work / "default.nix").write_text(SOURCE % (number, number, tmp_path))
    return app.ok("build/nix").results["image"]


def activated(tmp_path):
    return (tmp_path / "activated").read_text().split()


def current(tmp_path):
    """The path that the profile stands for."""
    link = tmp_path / PROFILE
    while link.is_symlink():
        target = os.readlink(link)
        link = tmp_path / target.lstrip("/") if target.startswith("/nix") else link.parent / target
    return "/" + str(link.relative_to(tmp_path))


def test_a_path_of_the_store_becomes_the_profile_and_is_kept(app, tmp_path):
    first = build(app, tmp_path, 1)
    assert first.startswith("/nix/store/") and first.endswith("-shop-1")
    assert app.ok("start/nix-profile", image=first).results == {"container": "/nix/var/nix/profiles/agent-shop", "address": "127.0.0.1:8080"}
    app.ok("stop/nix-profile", image=first)
    second = build(app, tmp_path, 2)
    app.ok("start/nix-profile", image=second, old_image=first)
    assert current(tmp_path) == second and activated(tmp_path) == ["1", "2"]
    assert app.ok("start/nix-profile", "status", image=second, old_image=first).results == {"serves": "new"}
    assert "confirmed" in app.ok("stop/nix-profile", image=second, old_image=first).log
    app.ok("stop/nix-profile", "revert", image=second, old_image=first)
    assert current(tmp_path) == first and activated(tmp_path)[-1] == "1"
    assert app.ok("start/nix-profile", "status", image=second, old_image=first).results == {"serves": "old"}


def test_what_fails_later_brings_the_version_before_back(app, tmp_path):
    first, second = build(app, tmp_path, 1), None
    app.ok("start/nix-profile", image=first)
    app.ok("stop/nix-profile", image=first)
    second = build(app, tmp_path, 2)
    app.ok("start/nix-profile", image=second, old_image=first)
    app.ok("start/nix-profile", image=second, old_image=first)  # cut short, and again: the way back is still to the first
    for _ in range(2):
        app.ok("start/nix-profile", "revert", image=second, old_image=first)
        assert current(tmp_path) == first
    assert activated(tmp_path) == ["1", "2", "2", "1"]
    assert app.run("stop/nix-profile", image=second, old_image=first).status == 77  # nothing is left to confirm


@pytest.fixture
def systemd(app, tmp_path, monkeypatch):
    """Its programs as stand-ins that note what they are asked; systemd-run runs it."""
    (tmp_path / "units").mkdir()
    tools = Tools(tmp_path / "tools")
    tools.add("systemctl", f'echo "$*" >>{tmp_path}/asked')
    tools.add("systemd-run", 'while [ "$1" != -- ]; do shift; done; shift; exec "$@"')
    monkeypatch.setenv("PATH", tools.environment()["PATH"])
    return tmp_path / "units"


def fire(app, units, number):
    """What systemd would do with the service of the timer: its own environment, its own command."""
    text = (units / f"agent-return-shop-{number}.service").read_text()
    words = [w.strip('"') for line in text.splitlines() if line.startswith("Environment=") for w in line.split("=", 1)[1].split()]
    command = next(line for line in text.splitlines() if line.startswith("ExecStart=")).split("=", 1)[1].replace('"', "").split()
    return subprocess.run([*app.prefix, "env", *words, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          env={k: v for k, v in os.environ.items() if k != "PATH"} | {"PATH": "/usr/bin:/bin"})


def test_without_a_confirmation_a_timer_brings_the_version_before_back(app, tmp_path, systemd):
    """The agent is gone, the server was started anew: all there is is what is on the disk."""
    first = build(app, tmp_path, 1)
    app.ok("start/nix-profile", image=first)
    app.ok("stop/nix-profile", image=first)
    assert os.listdir(systemd) == []  # disarmed
    second = build(app, tmp_path, 2)
    app.ok("start/nix-profile", image=second, old_image=first)
    timer = (systemd / "agent-return-shop-2.timer").read_text()
    assert "Persistent=yes" in timer and "OnCalendar=20" in timer
    assert "OnActiveSec=" in timer, "armed so late that its time has passed, it fires all the same"
    asked = (tmp_path / "asked").read_text()
    assert "enable --now -- agent-return-shop-2.timer" in asked
    r = fire(app, systemd, 2)
    assert r.returncode == 0, r.stdout
    assert current(tmp_path) == first and activated(tmp_path) == ["1", "2", "1"]
    assert os.listdir(systemd) == []


def test_systemd_takes_the_timer(app, tmp_path, systemd):
    first = build(app, tmp_path, 1)
    app.ok("start/nix-profile", image=first)
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd-analyze")
    when = next(line for line in (systemd / "agent-return-shop-1.timer").read_text().splitlines() if line.startswith("OnCalendar="))
    out = subprocess.run(["systemd-analyze", "calendar", when.split("=", 1)[1]], stdout=subprocess.PIPE, text=True, check=True).stdout
    assert "Next elapse: never" not in out
    r = subprocess.run(["systemd-analyze", "verify", systemd / "agent-return-shop-1.service"], stderr=subprocess.PIPE, text=True, check=False)
    assert r.returncode == 0 and "agent-return" not in r.stderr, r.stderr


def test_what_is_old_is_let_go_of(app, tmp_path):
    app.options["keep"] = "1"
    paths = []
    for number in (1, 2, 3):
        paths.append(build(app, tmp_path, number))
        app.ok("start/nix-profile", image=paths[-1])
        app.ok("stop/nix-profile", image=paths[-1])
    app.ok("retire/nix-profile", image=paths[2], old_image=paths[1])
    assert sorted(os.listdir(app.cache / "nix")) == ["2", "3"]


def test_a_derivation_that_fails_says_why(app, tmp_path):
    app.work.mkdir()
    (app.work / "default.nix").write_text(
        'derivation { name = "x"; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" "echo it hurts; exit 3" ]; }')
    answer = app.run("build/nix")
    assert answer.status != 0 and "it hurts" in answer.log and not answer.results
