# SPDX-License-Identifier: Apache-2.0
"""Versions as instances of a template unit. systemd by stand-ins that start the program of the unit; tests/vm/deploys.sh has the real one."""

import os
import re
import stat

import pytest

from harness.hooks import App
from harness.tools import Tools

pytestmark = pytest.mark.root

VIEW = 'mount --make-rprivate / && mkdir -p /etc/systemd/system && mount --bind "$UNITS" /etc/systemd/system || exit 99; exec "$@"'
SYSTEMCTL = """
cd {folder} && echo "$*" >>asked
while :; do case $1 in --now) now=1; shift ;; --quiet | --no-pager | --full | --lines=0 | --) shift ;; *) break ;; esac; done
verb=$1; shift
for unit; do case $unit in --now) now=1 ;; --*) ;; *) name=$unit ;; esac; done
case $verb in
start) [ ! -f fails ] && : >"running/$name" ;;
stop) rm -f "running/$name" ;;
enable) : >"enabled/$name"; [ -z "$now" ] || : >"running/$name" ;;
disable) rm -f "enabled/$name"; [ -z "$now" ] || rm -f "running/$name" ;;
is-active) [ -f "running/$name" ] ;;
status) echo "status of $name"; exit 3 ;;
esac
"""


@pytest.fixture
def app(tmp_path, monkeypatch):
    for folder in ("units", "running", "enabled"):
        (tmp_path / folder).mkdir()
    tools = Tools(tmp_path / "tools")
    tools.add("systemctl", SYSTEMCTL.format(folder=tmp_path))
    tools.add("journalctl", "echo last words of $*")
    monkeypatch.setenv("PATH", tools.environment()["PATH"])
    app = App(tmp_path / "app", prefix=["env", f"UNITS={tmp_path}/units", "unshare", "-m", "sh", "-c", VIEW, "sh"])
    app.options.update(command="mkdir -p out && cp page out", folder="out", keep="1")
    return app


def deploy(app, number, old=None):
    app.deploy = number
    app.work.mkdir()
    (app.work / "page").write_text(str(number))
    told = {"old_container": old["container"], "old_image": old["image"]} if old else {}
    told |= app.ok("build/command").results
    return told | app.ok("start/systemd", **told).results


def running(tmp_path):
    return sorted(os.listdir(tmp_path / "running"))


def test_versions_run_side_by_side_in_their_folders(app, tmp_path):
    app.secret("env", "KEY=s3cret\n")
    first = deploy(app, 1)
    second = deploy(app, 2, first)
    assert running(tmp_path) == ["shop@1.service", "shop@2.service"] and first["address"] != second["address"]
    text = (tmp_path / "units" / "shop@2.service.d" / "50-agent.conf").read_text()
    # A folder of root's alone, shown to the unit's user by systemd.
    assert f"BindPaths={app.cache}/releases/2:/run/agent-shop-2\nWorkingDirectory=/run/agent-shop-2\n" in text
    assert f"PORT={second['address'].split(':')[1]} HOST=127.0.0.1" in text and "s3cret" not in text
    secret = re.search(r"^EnvironmentFile=(.*)$", text, re.M).group(1)
    with open(secret, encoding="ascii") as f:
        assert f.read().strip() in ("KEY=s3cret", 'KEY="s3cret"')
    assert stat.S_IMODE(os.stat(secret).st_mode) == 0o600
    app.ok("stop/systemd", **second)
    assert running(tmp_path) == ["shop@2.service"] and os.listdir(tmp_path / "enabled") == ["shop@2.service"]
    assert app.ok("start/systemd", "status", **second).results == {"serves": "new"}
    app.ok("stop/systemd", "revert", **second)
    app.ok("start/systemd", "revert", **second)
    app.ok("start/systemd", "revert", **second)
    assert running(tmp_path) == ["shop@1.service"] and os.listdir(tmp_path / "enabled") == ["shop@1.service"]
    assert os.listdir(tmp_path / "units") == ["shop@1.service.d"]


def test_one_that_does_not_start_tells_its_last_words(app, tmp_path):
    (tmp_path / "fails").touch()
    app.work.mkdir()
    (app.work / "page").write_text("1")
    answer = app.run("start/systemd", **app.ok("build/command").results)
    assert answer.status == 1 and "last words of" in answer.log and "shop@1.service does not start" in answer.log


def test_a_rollback_starts_the_unit_of_then_and_retire_spares_it(app, tmp_path):
    first = deploy(app, 1)
    second = deploy(app, 2, first)
    app.ok("stop/systemd", **second)
    third = deploy(app, 3, second)
    app.ok("stop/systemd", **third)
    app.deploy = 4
    back = app.ok("start/systemd", image=second["image"], container=second["container"], old_container=third["container"]).results
    assert back == {"container": "shop@2.service", "address": second["address"]}
    app.ok("stop/systemd", container="shop@2.service", old_container="shop@3.service")
    app.ok("retire/systemd", container="shop@2.service", old_container="shop@3.service", image=second["image"], old_image=third["image"],
           keep="shop@2.service")
    assert running(tmp_path) == ["shop@2.service"] and sorted(os.listdir(app.cache / "releases")) == ["2", "3"]
    assert sorted(os.listdir(tmp_path / "units")) == ["shop@2.service.d", "shop@3.service.d"]


@pytest.mark.parametrize("unit", ["-x", "a b", "../etc", "shop;true"])
def test_what_is_no_unit_is_refused(app, tmp_path, unit):
    app.options["unit"] = unit
    assert app.run("start/systemd", image=str(tmp_path)).status == 1
    assert not (tmp_path / "asked").exists()


def test_units_of_others_are_left_alone(app, tmp_path):
    (tmp_path / "running" / "shop@9.service").touch()  # without what we write beside it
    assert app.run("stop/systemd", container="shop@1.service", old_container="shop@9.service").status == 77
    app.ok("start/systemd", "revert", container="shop@9.service")
    assert running(tmp_path) == ["shop@9.service"]
