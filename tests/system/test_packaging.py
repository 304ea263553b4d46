# SPDX-License-Identifier: Apache-2.0
"""What `make install` puts down, and whether the systemd unit lets the agent do its work."""

import os
import re
import shutil
import subprocess

import pytest

from harness.agent import BINARY, ROOT, run_cli
from harness.backups import job, run_to_end, settings

HOOKS = ROOT / "deploy-hooks" / "hooks"
UNIT = ROOT / "packaging/agent.service"


def option(name):
    """The values of an option of the unit."""
    return re.findall(rf"^{name}=(.*)$", UNIT.read_text(), re.M)


def confined():
    """A command under the capabilities of the unit, as systemd gives them."""
    (bounding,) = option("CapabilityBoundingSet")
    kept = ",".join("+" + c.removeprefix("CAP_").lower() for c in bounding.split())
    return ["setpriv", f"--bounding-set=-all,{kept}", "--no-new-privs"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    # Not built again: BUILD is where the program of this run comes from.
    subprocess.run(["make", "-s", "install", f"BUILD={BINARY.parent}", "PREFIX=/usr", f"DESTDIR={root}", "-o", str(BINARY)],
                   cwd=ROOT, check=True, capture_output=True, timeout=60)
    return root


def test_everything_is_in_its_place(installed):
    files = {str(p.relative_to(installed)) for p in installed.rglob("*") if p.is_file()}
    assert files == {
        "usr/bin/agent", "usr/lib/systemd/system/agent.service", "usr/share/bash-completion/completions/agent",
        "usr/share/doc/agent/agent.conf.sample", *(f"usr/share/man/man{p.suffix[1:]}/{p.name}" for p in (ROOT / "packaging/man").iterdir()),
        *(f"usr/lib/agent/hooks/{p.relative_to(HOOKS)}" for p in HOOKS.glob("*/*")),
    }
    for p in HOOKS.glob("*/*"):
        assert os.access(installed / "usr/lib/agent/hooks" / p.relative_to(HOOKS), os.X_OK) == os.access(p, os.X_OK), p
    assert os.access(installed / "usr/bin/agent", os.X_OK)
    sample = installed / "usr/share/doc/agent/agent.conf.sample"
    assert subprocess.run([installed / "usr/bin/agent", "config", "check", "--config", sample], check=False).returncode == 0


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not here")
def test_systemd_takes_the_unit(installed, tmp_path):
    text = (installed / "usr/lib/systemd/system/agent.service").read_text()
    assert "ExecStart=/usr/bin/agent run" in text and "@" not in re.sub(r"^#.*$", "", text, flags=re.M)
    unit = tmp_path / "agent.service"
    unit.write_text(text.replace("/usr/bin/agent", str(BINARY)))
    r = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False,
                       env={**os.environ, "MANPATH": str(installed / "usr/share/man")})
    assert r.returncode == 0 and not r.stderr, r.stderr


def test_the_unit_is_made_for_what_backups_need():
    # What hides files, or shows other ones, would leave them out of backups.
    for hiding in ("ProtectHome", "ProtectSystem", "PrivateTmp", "PrivateMounts", "InaccessiblePaths"):
        assert option(hiding) == [], hiding
    # A worker that is killed for its memory must not take the daemon with it.
    assert option("OOMPolicy") == ["continue"]
    limits = dict(word.split("=") for word in option("Environment")[0].split())
    high, most = (int(limits[name].removesuffix("M")) for name in ("AGENT_MEMORY_HIGH", "AGENT_MEMORY_MAX"))
    assert 64 + 2 * 170 + 256 <= high < most  # the daemon, two parts of a backup of 1 TB, and a codec


def test_the_unit_is_made_for_what_deploys_need():
    assert "CAP_NET_ADMIN" in option("CapabilityBoundingSet")[0].split()
    assert set(option("Delegate")[0].split()) == {"cpu", "io", "memory", "pids"} and option("RuntimeDirectory") == ["agent"]
    # What is set for the unit counts for builds too.
    assert option("MemoryHigh") == [] and option("MemoryMax")[0].endswith("%") and int(option("TasksMax")[0]) > 2 * 4096


@pytest.fixture
def unit_agent(make_agent):
    return lambda **jobs: make_agent(settings=settings(**jobs), prefix=confined()).start(samples=1)


@pytest.mark.root
@pytest.mark.parametrize("words", [
    ["setpriv", "--reuid=nobody", "--regid=nogroup", "--init-groups"], ["runuser", "-u", "nobody", "--"], ["sudo", "-n", "-u", "nobody"],
], ids=lambda words: words[0])
def test_a_dump_may_run_as_another_user(unit_agent, words, tmp_path):
    if not shutil.which(words[0]):
        pytest.skip(f"{words[0]} is not here")
    agent = unit_agent(shop={**job(), "command": [*words, "/usr/bin/id", "-un"], "restore_command": ["/bin/true"]})
    run = run_to_end(agent, "shop")
    assert run["state"] == "done", run
    agent.stop()
    r = run_cli("backup", "restore", "shop", "--to", str(tmp_path / "out"), "--config", str(agent.config), "--state", str(agent.state))
    assert r.returncode == 0 and (tmp_path / "out").read_text() == "nobody\n"


def looks(folder):
    """Owner, mode and capabilities of each file."""
    found = {}
    for path in sorted(folder.rglob("*")):
        s = path.lstat()
        found[str(path.relative_to(folder))] = (s.st_uid, s.st_gid, oct(s.st_mode), {
            name: os.getxattr(path, name) for name in os.listxattr(path)})
    return found


@pytest.mark.root
def test_files_of_all_users_are_read_and_tried(unit_agent, tmp_path):
    """Of others and for nobody's eyes, with set-id bits, a capability; the command line restores them all."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "private").mkdir(mode=0o700)
    (home / "private/file").write_text("secret")
    (home / "private/file").chmod(0)
    for path in ("private/file", "private"):
        os.chown(home / path, 65534, 65534)
    (home / "shared").mkdir()
    (home / "tool").write_text("x")
    os.chown(home / "tool", 12345, 12345)
    (home / "tool").chmod(0o6755)
    (home / "shared").chmod(0o2775)
    (home / "ping").write_text("x")
    if shutil.which("setcap"):
        subprocess.run(["setcap", "cap_net_raw+ep", str(home / "ping")], check=True)
    agent = unit_agent(home={"engine": "directory", "path": str(home)})
    assert run_to_end(agent, "home")["state"] == "done"
    run = run_to_end(agent, "home", what="drill")
    assert run["state"] == "done" and not run["warnings"], run
    r = run_cli("backup", "restore", "home", "--into", str(tmp_path / "back"), "--yes", "--config", str(agent.config),
                "--state", str(agent.state))
    assert r.returncode == 0, r.stderr + r.stdout
    assert looks(tmp_path / "back") == looks(home)
