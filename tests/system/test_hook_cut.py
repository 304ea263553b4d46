# SPDX-License-Identifier: Apache-2.0
"""A hook that was cut short, by a crash or its deadline, comes to the same end when it is run again."""

import shutil

import pytest

from harness.docker import PATH
from harness.docker_net import WEB
from harness.hooks import App
from harness.tools import Tools
from harness.versions import start


@pytest.fixture
def app(tmp_path, net):
    return App(tmp_path / "app", prefix=net.prefix, docker_socket=net.socket, port="8080", stop_timeout="1s", keep="1",
               health_path="/", health_count="2", health_interval="100ms", health_deadline="3s")


class Cut:
    """`docker` and `nft` that end the hook without a word at its n-th call of one of them, before or after it is done."""

    def __init__(self, tmp_path, monkeypatch):
        tools = Tools(tmp_path / "cut")
        self.calls, self.at, self.late = (tmp_path / name for name in ("calls", "at", "late"))
        for name in ("docker", "nft"):
            real = shutil.which(name, path=PATH)
            tools.add(name, f"""real={real}
[ -n "$DEPLOY_APP" ] || exec "$real" "$@"
echo x >>{self.calls}
[ "$(wc -l <{self.calls})" = "$(cat {self.at})" ] || exec "$real" "$@"
[ ! -f {self.late} ] || "$real" "$@"
set -- $(cat /proc/$$/stat)
kill -9 -- -$5""")
        monkeypatch.setenv("PATH", tools.environment()["PATH"])

    def until_whole(self, app, hook, late, verb="apply", **told):
        """Cuts it at its first call, then again at the second one, and so on, until it is not cut any more."""
        self.late.touch() if late else self.late.unlink(missing_ok=True)
        for n in range(1, 60):
            self.calls.write_text("")
            self.at.write_text(str(n))
            answer = app.run(hook, verb, **told)
            if len(self.calls.read_text()) // 2 < n:
                return answer
        raise AssertionError(f"{hook} does not end")


@pytest.fixture
def cut(tmp_path, monkeypatch, app):
    app.prefix = [*app.prefix, "setsid", "--wait"]
    return Cut(tmp_path, monkeypatch)


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
def test_a_deploy_cut_short_at_any_point_comes_to_the_same_end(app, net, cut, late):
    cut.at.write_text("0")
    first = start(app, 1)
    app.ok("route/nft", **first)
    app.deploy = 2
    app.secret("env", "VERSION=v2\n")
    told = {"image": WEB, "old_container": "shop-1", "old_address": first["address"]}
    told |= cut.until_whole(app, "start/docker", late, **told).results
    assert net.get("198.18.0.1") == "v1"
    assert cut.until_whole(app, "route/nft", late, **told).status == 0
    assert net.get("198.18.0.1") == "v2"
    assert cut.until_whole(app, "stop/docker", late, **told).status == 0
    assert sorted(net.containers()) == ["shop-1", "shop-2"] and not net.inspect("shop-1")["State"]["Running"]
    # And all of the way back.
    assert cut.until_whole(app, "stop/docker", late, "revert", **told).status == 0
    assert cut.until_whole(app, "route/nft", late, "revert", **told).status == 0
    assert cut.until_whole(app, "start/docker", late, "revert", **told).status == 0
    assert net.get("198.18.0.1") == "v1" and net.containers() == ["shop-1"]
