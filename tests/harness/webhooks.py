# SPDX-License-Identifier: Apache-2.0
"""Deliveries as git hosts and registries send them: real payloads, signed with the secret of a test, and an app that takes them.

The apps of a test have hooks of their own that do nothing but say that they ran, so that what is tested ends at the queue."""

import base64
import hashlib
import hmac
import json
import socket
import time
import uuid
from pathlib import Path

from harness import http
from harness.http import Response

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "webhooks"
SECRET = "It's a Secret to Everybody"
PATH_SECRET = "0123456789abcdef0123456789abcdef"
MAX_BYTES = 26214400
STAGES = ["fetch/git", "build/command", "start/docker", "stop/docker", "retire/docker", "probe/tcp", "probe/http", "route/none"]


def fixture(path):
    return (FIXTURES / path).read_bytes()


def payload(path, **changes):
    """A real payload with some of its members changed, as bytes."""
    return json.dumps({**json.loads(fixture(path)), **changes}).encode()


def hmac_hex(secret, data, how=hashlib.sha256):
    return hmac.new(secret.encode(), data, how).hexdigest()


# --- what each sender puts into its headers


def github(body, secret=SECRET, event="push", delivery=None):
    return {"X-GitHub-Event": event, "X-GitHub-Delivery": delivery or str(uuid.uuid4()), "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/044aadd", "X-Hub-Signature-256": "sha256=" + hmac_hex(secret, body),
            "X-Hub-Signature": "sha1=" + hmac_hex(secret, body, hashlib.sha1)}


def gitea(body, secret=SECRET, event="push", name="Gitea", delivery=None):
    """Gitea sends the headers of Gogs and GitHub as well, Forgejo those of Gitea too."""
    delivery = delivery or str(uuid.uuid4())
    names = {"Forgejo": ["Forgejo", "Gitea", "Gogs"], "Gitea": ["Gitea", "Gogs"], "Gogs": ["Gogs"]}[name]
    headers = {} if name == "Gogs" else github(body, secret, event, delivery)
    headers["Content-Type"] = "application/json"
    for n in names:
        headers |= {f"X-{n}-Event": event, f"X-{n}-Delivery": delivery, f"X-{n}-Signature": hmac_hex(secret, body)}
    return headers


def gitlab(body, secret=SECRET, event="Push Hook", delivery=None):
    return {"X-Gitlab-Event": event, "X-Gitlab-Event-UUID": delivery or str(uuid.uuid4()), "X-Gitlab-Token": secret,
            "Content-Type": "application/json"}


def standard(body, secret=SECRET, identity=None, at=None):
    identity, at = identity or "msg_" + uuid.uuid4().hex, str(int(at or time.time()))
    key = base64.b64decode(secret[6:]) if secret.startswith("whsec_") else secret.encode()
    mac = hmac.new(key, f"{identity}.{at}.".encode() + body, hashlib.sha256).digest()
    return {"webhook-id": identity, "webhook-timestamp": at, "webhook-signature": "v1," + base64.b64encode(mac).decode(),
            "Content-Type": "application/json"}


def gitlab_signed(body, secret=SECRET, event="Push Hook", at=None):
    headers = gitlab(body, secret, event) | standard(body, secret, at=at)
    del headers["X-Gitlab-Token"]
    return headers


def bitbucket(body, secret=SECRET, event="repo:push", delivery=None):
    return {"X-Event-Key": event, "X-Request-UUID": delivery or str(uuid.uuid4()), "X-Hook-UUID": str(uuid.uuid4()),
            "X-Attempt-Number": "1", "X-Hub-Signature": "sha256=" + hmac_hex(secret, body), "Content-Type": "application/json"}


def bearer(body, secret=SECRET, delivery=None):
    return {"Authorization": "Bearer " + secret, **({"Idempotency-Key": delivery} if delivery else {})}


def unsigned(body, secret=SECRET):
    return {"Content-Type": "application/json", "User-Agent": "Go-http-client/1.1"}


# --- the app


class Apps:
    """The settings of apps for make_agent(), and their deliveries. Each app is (provider, options)."""

    def __init__(self, folder, forever=False):
        self.folder = Path(folder)
        self.hooks = self.folder / "hooks"
        self.apps = {}
        for hook in STAGES:
            self.hook(hook, "exec sleep 1000\n" if forever and hook == "fetch/git" else "")
        self.hook("start/docker", 'echo "container=$DEPLOY_ID" >>"$DEPLOY_OUTPUT"; echo "address=127.0.0.1:9" >>"$DEPLOY_OUTPUT"\n')

    def hook(self, name, text):
        path = self.hooks / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\n" + text)
        path.chmod(0o755)

    def secret(self, name, text):
        path = self.folder / name
        path.write_text(text + "\n")
        path.chmod(0o600)
        return str(path)

    def add(self, name, provider, secret=SECRET, image=None, **webhook):
        kind = {"image": image} if image else {"source": "https://git.example.com/me/shop.git", "build": "command", "command": "true"}
        self.apps[name] = {**kind, "swap": "docker", "route": "none",
                           "webhook": {"provider": provider, "secret_file": self.secret(name + ".secret", secret), **webhook}}
        return self

    @property
    def settings(self):
        return {"apps": self.apps, "hooks_dir": str(self.hooks)}


def post(agent, app, body, headers, timeout=20):
    """The answer to one delivery, with all that an answer must never be."""
    answer = http.request(f"{agent.url}/deploy/{app}", "POST", headers, body, timeout)
    assert answer.status not in (301, 302, 303, 307, 308)
    return answer


def send(agent, app, body, headers, length=True, piece=65536):
    """The same by hand: a body may be a list or generator of pieces, a header a list of values; without length it comes chunked."""
    pieces = [body[i:i + piece] for i in range(0, len(body), piece)] if isinstance(body, bytes) else body
    with socket.create_connection(("127.0.0.1", agent.port), 30) as s:
        head = [f"POST /deploy/{app} HTTP/1.1", "Host: localhost", "Connection: close"]
        for name, values in headers.items():
            head += [f"{name}: {v}" for v in (values if isinstance(values, list) else [values])]
        if length:
            head.append(f"Content-Length: {len(body)}")
        else:
            head.append("Transfer-Encoding: chunked")
        s.sendall("\r\n".join(head + ["", ""]).encode())
        try:
            for p in pieces:
                s.sendall(p if length else b"%x\r\n%s\r\n" % (len(p), p))
            if not length:
                s.sendall(b"0\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass  # it was answered before the end
        return read_answer(s)


def read_answer(s):
    """None: the connection was cut."""
    data = b""
    try:
        while piece := s.recv(65536):
            data += piece
    except ConnectionResetError:
        pass
    if b"\r\n\r\n" not in data:
        return None
    head, body = data.split(b"\r\n\r\n", 1)
    lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines[1:])
    return Response(int(lines[0].split()[1]), headers, body)
