# SPDX-License-Identifier: Apache-2.0
"""The switch and the router hooks, in a network namespace of their own: nothing of this machine's rules is touched."""

import os
import shutil
import subprocess
import sys

import pytest

from harness.hooks import App
from harness.wait import until

pytestmark = pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("nft", path=os.environ["PATH"] + ":/usr/sbin:/sbin"),
                                reason="needs root and nft (Debian package nftables)")

SERVER = """
import http.server, sys
class H(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = sys.argv[1].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *a): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), H).serve_forever()
"""


class Net:
    def __init__(self):
        self.name = f"agenttest{os.getpid()}"
        self.prefix = ["ip", "netns", "exec", self.name]
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        self.run("ip", "link", "set", "lo", "up")
        self.processes = []

    def run(self, *command, check=True):
        return subprocess.run([*self.prefix, *command], check=check, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout

    def start(self, *command):
        self.processes.append(subprocess.Popen([*self.prefix, *command]))

    def get(self, address, *options):
        return self.run("curl", "-s", "-m", "5", *options, f"http://{address}/", check=False)

    def close(self):
        for p in self.processes:
            p.terminate()  # nginx, killed, would leave its workers
            p.wait()
        subprocess.run(["ip", "netns", "delete", self.name], check=True)


@pytest.fixture
def net():
    n = Net()
    for port in ("9001", "9002"):
        n.start(sys.executable, "-c", SERVER, port)
        until(lambda p=port: n.get(f"127.0.0.1:{p}") == p, 10, "a version of the app")
    yield n
    n.close()


@pytest.fixture
def app(tmp_path, net):
    return App(tmp_path / "app", prefix=net.prefix)


OLD, NEW = "127.0.0.1:9001", "127.0.0.1:9002"


def test_the_stable_address_leads_to_the_version_that_serves(app, net):
    app.ok("route/nft", address=OLD)
    assert net.get("198.18.0.1") == "9001"
    app.ok("route/nft", address=NEW, old_address=OLD)
    assert net.get("198.18.0.1") == "9002"
    app.ok("route/nft", "revert", address=NEW, old_address=OLD)
    assert net.get("198.18.0.1") == "9001"


def test_status_says_who_gets_the_requests(app):
    assert app.ok("route/nft", "status", address=NEW, old_address=OLD).results == {"serves": "neither"}
    app.ok("route/nft", address=NEW, old_address=OLD)
    assert app.ok("route/nft", "status", address=NEW, old_address=OLD).results == {"serves": "new"}
    app.ok("route/nft", "revert", address=NEW, old_address=OLD)
    assert app.ok("route/nft", "status", address=NEW, old_address=OLD).results == {"serves": "old"}


def test_without_a_version_before_the_address_leads_nowhere_again(app, net):
    app.ok("route/nft", address=NEW)
    app.ok("route/nft", "revert", address=NEW)
    assert net.get("198.18.0.1") == ""


def test_twice_is_the_same_as_once(app, net):
    app.ok("route/nft", address=NEW)
    app.ok("route/nft", address=NEW)
    assert net.get("198.18.0.1") == "9002"
    assert net.run("nft", "list", "chain", "ip", "agent", "from_host").count("map @apps") == 1


def test_apps_have_addresses_of_their_own_and_keep_them(app, net, tmp_path):
    app.ok("route/nft", address=OLD)
    other = App(tmp_path / "app", name="blog", prefix=net.prefix)
    other.ok("route/nft", address=NEW)
    assert (net.get("198.18.0.1"), net.get("198.18.0.2")) == ("9001", "9002")
    net.run("nft", "flush", "ruleset")  # a reboot
    other.ok("route/nft", address=NEW)
    app.ok("route/nft", address=OLD)
    assert (net.get("198.18.0.1"), net.get("198.18.0.2")) == ("9001", "9002")


def test_what_has_ended_is_forgotten_soon(app, net):
    """Else Docker, as it removes what the kernel remembers of a container that stops, hits new connections (lib/switch.sh)."""
    app.ok("route/nft", address=OLD)
    assert "time_wait : 1, close : 1" in net.run("nft", "list", "ct", "timeout", "ip", "agent", "ended")
    for chain in ("from_host", "from_containers"):
        rules = net.run("nft", "list", "chain", "ip", "agent", chain)
        assert 0 < rules.index('ct timeout set "ended"') < rules.index("dnat")


@pytest.mark.parametrize("address", ["1.2.3.4:80 } ; flush ruleset", "-f:1", "", "::1:80"])
def test_what_is_no_address_is_refused(app, net, address):
    app.ok("route/nft", address=OLD)
    assert app.run("route/nft", address=address).status == 1
    assert net.get("198.18.0.1") == "9001"


@pytest.fixture
def nginx(app, net, tmp_path):
    if not shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
        pytest.skip("no nginx")
    folder = tmp_path / "nginx"
    (folder / "conf.d").mkdir(parents=True)
    conf = folder / "nginx.conf"
    conf.write_text(f"pid {folder}/pid; error_log {folder}/error.log; events {{ }}\n"
                    f"http {{ access_log off; client_body_temp_path {folder}/t; proxy_temp_path {folder}/p;\n"
                    f"include {folder}/conf.d/*.conf; }}\n", encoding="utf-8")
    net.start("nginx", "-e", f"{folder}/error.log", "-g", "daemon off;", "-c", str(conf))
    until((folder / "pid").exists, 10, "nginx")
    app.options.update(nginx_folder=folder / "conf.d", nginx=f"nginx -e {folder}/error.log -c {conf}", listen="127.0.0.1:8080",
                       router="127.0.0.1:8080", domain="shop.example.com")
    return folder


def ask(net):
    return net.get("127.0.0.1:8080", "-H", "Host: shop.example.com")


def test_nginx_is_loaded_once_and_never_again(app, net, nginx):
    first = app.ok("route/nginx", address=OLD)
    assert "nginx reloaded" in first.log and ask(net) == "9001"
    second = app.ok("route/nginx", address=NEW, old_address=OLD)
    assert "nginx reloaded" not in second.log
    until(lambda: ask(net) == "9002", 10, "the new version")


def test_nginx_keeps_no_connection_to_a_version_for_long(app, nginx):
    """But as many as it needs: with few it would run out of ports under load."""
    app.ok("route/nginx", address=OLD)
    text = (nginx / "conf.d" / "agent-shop.conf").read_text()
    for line in ("keepalive 64;", "keepalive_time 5s;", "keepalive_timeout 5s;"):
        assert line in text


def test_nginx_with_a_fault_of_its_own_is_left_alone(app, nginx):
    (nginx / "conf.d" / "theirs.conf").write_text("nonsense;\n", encoding="utf-8")
    answer = app.run("route/nginx", address=OLD)
    assert answer.status == 1
    assert "wrong by itself" in answer.log
    assert not (nginx / "conf.d" / "agent-shop.conf").exists()


def test_nginx_without_the_switch_is_reloaded_at_each_deploy(app, net, nginx):
    app.options["switch"] = "off"
    app.ok("route/nginx", address=OLD)
    assert "nginx reloaded" in app.ok("route/nginx", address=NEW, old_address=OLD).log
    until(lambda: ask(net) == "9002", 10, "the new version")
    assert app.ok("route/nginx", "status", address=NEW, old_address=OLD).results == {"serves": "new"}
    app.ok("route/nginx", "revert", address=NEW, old_address=OLD)
    until(lambda: ask(net) == "9001", 10, "the old version")


def test_traefik_gets_a_whole_file(app, tmp_path):
    folder = tmp_path / "traefik"
    folder.mkdir()
    app.options.update(traefik_folder=folder, domain="shop.example.com", cert_resolver="le")
    app.run("route/traefik", address=OLD)
    text = (folder / "agent-shop.yml").read_text()
    assert 'rule: "Host(`shop.example.com`)"' in text and 'url: "http://198.18.0.1:80"' in text
    assert 'tls: { certResolver: le }' in text and os.listdir(folder) == ["agent-shop.yml"]


def test_probe_wants_several_good_answers_in_a_row(app):
    app.options.update(health_path="/", health_interval="0s")
    assert "healthy 3 times in a row" in app.ok("probe/http", address=NEW).log
    assert app.run("probe/tcp", address=NEW).status == 77


def test_probe_says_why_it_gave_up(app):
    app.options.update(health_path="/", health_deadline="1s")
    answer = app.run("probe/http", address="127.0.0.1:9")
    assert answer.status == 1 and "http://127.0.0.1:9/ says 000" in answer.log


def test_probe_of_a_port(app):
    app.options.update(health_interval="0s", health_deadline="5s", health_count="1")
    app.ok("probe/tcp", address=NEW)
    assert app.run("probe/tcp", address="127.0.0.1:9").status == 1
