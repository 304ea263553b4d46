# SPDX-License-Identifier: Apache-2.0
"""What goes wrong with a version, with Docker, with a router: it is said, what serves is left alone, and a hook that was cut
short comes to the same end when it is run again."""

import os
import shutil

import pytest

from harness.docker import PATH
from harness.docker_net import WEB, DockerNet
from harness.hooks import App
from harness.routers import ALL, DOMAIN, LISTEN
from harness.tools import Tools

pytestmark = pytest.mark.skipif(os.geteuid() != 0 or not all(shutil.which(p, path=PATH) for p in ("dockerd", "nft")),
                                reason="needs root, dockerd, nft (Debian packages docker.io, nftables)")


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    docker = DockerNet(tmp_path_factory.mktemp("net"))
    docker.start()
    yield docker
    docker.stop()


@pytest.fixture
def app(tmp_path, net):
    yield App(tmp_path / "app", prefix=net.prefix, docker_socket=net.socket, port="8080", stop_timeout="1s", keep="1",
              health_path="/", health_count="2", health_interval="100ms", health_deadline="3s")
    net.remove_all()
    net.cli("network", "rm", "agent-shop", check=False)
    net.run_in("nft", "delete", "table", "ip", "agent", check=False)


def start(app, number, mode="", old=None):
    app.deploy = number
    app.options["arguments"] = mode
    app.secret("env", f"VERSION=v{number}\n")
    told = {"image": WEB}
    if old:
        told |= {"old_container": old["container"], "old_address": old["address"]}
    return told | app.ok("start/docker", **told).results


@pytest.mark.parametrize("mode,said", [
    ("deaf", "says 000"), ("500", "says 500"), ("crash", "its container is: exited"),
])
def test_a_version_that_is_not_healthy_is_refused(app, net, mode, said):
    first = start(app, 1)
    app.ok("route/nft", **first)
    second = start(app, 2, mode, first)
    answer = app.run("probe/http", **second)
    assert answer.status == 1 and said in answer.log
    assert app.run("probe/http", "status", **second).status == 1
    log = app.ok("start/docker", "revert", **second).log
    assert f"version v2 begins {mode}" in log
    if mode == "crash":
        assert "exit status 3" in log and "out of luck" in log
    assert net.get("198.18.0.1") == "v1" and net.containers() == ["shop-1"]


def test_a_version_that_takes_too_much_memory_is_said_to(app, net):
    app.options["memory"] = str(16 << 20)
    told = start(app, 1, "eat")
    answer = app.run("probe/http", **told)
    assert answer.status == 1 and "killed for want of memory" in answer.log + app.ok("start/docker", "revert", **told).log


def test_an_image_that_is_missing_is_named(app, net):
    app.deploy = 1
    answer = app.run("start/docker", image="agent/shop:gone")
    assert answer.status != 0 and "agent/shop:gone" in answer.log
    app.ok("start/docker", "revert", image="agent/shop:gone")
    assert net.containers() == []


def test_docker_that_is_away_is_waited_for(app, net):
    """Stopped in the middle of a deploy; its containers end with it."""
    first = start(app, 1)
    net.stop_daemon()
    try:
        for hook, verb in (("start/docker", "apply"), ("start/docker", "revert"), ("start/docker", "status"), ("stop/docker", "apply"),
                           ("retire/docker", "apply"), ("build/dockerfile", "apply"), ("release/command", "apply")):
            app.options["release"] = "true"
            assert app.run(hook, verb, **first).status == 75, hook
        assert app.run("probe/http", **first).status == 1
    finally:
        net.start_daemon()
    again = start(app, 1)
    assert (again["container"], net.get(again["address"])) == ("shop-1", "v1")


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


def test_after_a_reboot_apply_fills_the_switch_again(app, net):
    first = start(app, 1)
    app.ok("route/nft", **first)
    app.run("stop/docker", **first)  # nothing to stop; from now on Docker starts it with itself
    net.run_in("nft", "delete", "table", "ip", "agent")
    net.run_in("ip", "address", "delete", "198.18.0.1/32", "dev", "lo")
    assert net.get("198.18.0.1") == ""
    assert app.ok("route/nft", "status", **first).results == {"serves": "neither"}
    app.ok("route/nft", **first)
    assert app.ok("route/nft", "status", **first).results == {"serves": "new"}
    assert net.get("198.18.0.1") == "v1"


# --- routers


@pytest.fixture
def caddy(app, net, tmp_path):
    if not ALL["caddy"].is_there():
        pytest.skip("no caddy")
    router = ALL["caddy"](net, tmp_path / "router").start()
    app.options.update(router.options)
    yield router
    router.stop()


def test_what_caddy_refuses_is_taken_back_and_others_go_on(app, net, caddy):
    theirs = caddy.folder / "agent.d" / "blog.caddy"
    theirs.write_text(f"http://{DOMAIN}:8000 {{\n\trespond theirs\n}}\n")
    net.run_in(*app.options["caddy_reload"].split())
    answer = app.run("route/caddy", **start(app, 1))
    assert answer.status == 1 and "it is as it was" in answer.log and "ambiguous" in answer.log
    assert os.listdir(caddy.folder / "agent.d") == ["blog.caddy"]
    assert net.get(LISTEN, "-H", f"Host: {DOMAIN}") == "theirs"


def test_caddy_with_a_fault_of_its_own_is_left_alone(app, net, caddy):
    first = start(app, 1)
    app.ok("route/caddy", **first)
    file = caddy.folder / "agent.d" / "shop.caddy"
    before = file.read_text()
    (caddy.folder / "agent.d" / "theirs.caddy").write_text("nonsense {\n")
    app.options["caddy_keepalive"] = "9s"  # so that the file is to be another one
    answer = app.run("route/caddy", **start(app, 2, old=first))
    assert answer.status == 1 and "wrong by itself" in answer.log
    assert file.read_text() == before and net.get("198.18.0.1") == "v2"  # the switch needs no Caddy
    app.run("route/caddy", "revert", old_address=first["address"], old_container="shop-1")
    assert net.get("198.18.0.1") == "v1" and net.get(LISTEN, "-H", f"Host: {DOMAIN}") in ("v1", "v2")


def test_haproxy_that_has_no_such_backend_is_told_what_it_needs(app, net, tmp_path):
    if not ALL["haproxy"].is_there():
        pytest.skip("no haproxy")
    router = ALL["haproxy"](net, tmp_path / "router").start()
    app.options.update(router.options, backend="other")
    answer = app.run("route/haproxy", **start(app, 1))
    assert answer.status == 1 and "server app 198.18.0.1:80" in answer.log
    app.options["haproxy_socket"] = tmp_path / "nothing"
    assert app.run("route/haproxy", address="198.18.1.10:8080").status == 75
    router.stop()
