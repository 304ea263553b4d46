# SPDX-License-Identifier: Apache-2.0
"""nginx, Caddy and HAProxy as an administrator has them before the first deploy, in the network namespace of a DockerNet."""

import shutil
import subprocess
from pathlib import Path

from harness.docker import PATH
from harness.wait import until

DOMAIN = "shop.test"
LISTEN = "127.0.0.1:8000"


class Router:
    """`options` are those of the app; LISTEN is where it takes requests."""

    program = None

    def __init__(self, net, folder):
        self.net, self.folder = net, Path(folder)
        self.folder.mkdir(parents=True)
        self.options = {"domain": DOMAIN, "router": LISTEN}
        self.process = None

    @classmethod
    def is_there(cls):
        return shutil.which(cls.program, path=PATH)

    def start(self):
        self.configure()
        with open(self.folder / "log", "wb") as log:
            self.process = self.net.start_in(*self.command(), stdout=log, stderr=subprocess.STDOUT)
        until(self.answers, 20, self.program)
        return self

    def configure(self):
        raise NotImplementedError

    def command(self):
        raise NotImplementedError

    def answers(self):
        assert self.process.poll() is None, (self.folder / "log").read_text(errors="replace")
        return self.is_up()

    def is_up(self):
        raise NotImplementedError

    def stop(self):
        self.net.end(self.process)


class Nginx(Router):
    program = "nginx"

    def configure(self):
        f = self.folder
        (f / "conf.d").mkdir()
        temporary = " ".join(f"{kind}_temp_path {f}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (f / "nginx.conf").write_text(
            f"worker_processes 2; pid {f}/pid; error_log {f}/error.log; worker_rlimit_nofile 8192;\n"
            f"events {{ worker_connections 2048; }}\nhttp {{ access_log off; keepalive_requests 1000000; {temporary}\n"
            f"include {f}/conf.d/*.conf; }}\n", encoding="utf-8")
        self.options.update(nginx_folder=f / "conf.d", nginx=f"nginx -e {f}/error.log -c {f}/nginx.conf", listen=LISTEN)

    def command(self):
        return ["nginx", "-e", f"{self.folder}/error.log", "-g", "daemon off;", "-c", f"{self.folder}/nginx.conf"]

    def is_up(self):
        return (self.folder / "pid").exists()


class Caddy(Router):
    program = "caddy"

    def configure(self):
        f = self.folder
        (f / "Caddyfile").write_text(
            f"{{\n\tadmin unix/{f}/admin\n\tauto_https off\n\tstorage file_system {f}/data\n"
            f"\tlog {{\n\t\tlevel ERROR\n\t}}\n\tdefault_bind 127.0.0.1\n}}\nimport agent.d/*.caddy\n", encoding="utf-8")
        (f / "agent.d").mkdir()
        # Caddy of Debian looks for its own folders in HOME when it tests a configuration.
        self.options.update(caddyfile=f / "Caddyfile", domain=f"http://{DOMAIN}:8000",
                            caddy_reload=f"caddy reload --adapter caddyfile --address unix/{f}/admin --config {f}/Caddyfile")

    def command(self):
        return ["caddy", "run", "--adapter", "caddyfile", "--config", f"{self.folder}/Caddyfile"]

    def is_up(self):
        return (self.folder / "admin").exists()


class Haproxy(Router):
    program = "haproxy"
    extra = "option http-server-close"

    def configure(self):
        f = self.folder
        (f / "haproxy.cfg").write_text(
            f"global\n    maxconn 4000\n    stats socket {f}/socket mode 600 level admin\n"
            "defaults\n    mode http\n    timeout connect 2s\n    timeout client 30s\n    timeout server 30s\n    retries 3\n"
            f"frontend web\n    bind {LISTEN}\n    use_backend agent-shop if {{ hdr(host) -i {DOMAIN} }}\n"
            f"backend agent-shop\n    {self.extra}\n    server app 127.0.0.1:9\n", encoding="utf-8")
        self.options.update(haproxy_socket=f / "socket")

    def command(self):
        return ["haproxy", "-W", "-f", f"{self.folder}/haproxy.cfg"]

    def is_up(self):
        return (self.folder / "socket").exists()


ALL = {"nginx": Nginx, "caddy": Caddy, "haproxy": Haproxy}
