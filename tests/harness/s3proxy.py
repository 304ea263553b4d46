# SPDX-License-Identifier: Apache-2.0
"""A proxy on loopback in front of an S3 server that does to requests what networks and object stores do.

    with S3Proxy(server.port) as proxy:
        proxy.fault("part", Cut("before response"), times=2)
        proxy.first_time = Cut("mid body")          every request that was not seen before, once

Operations: create part complete abort parts put get head delete list uploads, and * for all."""

import calendar
import email.utils
import hashlib
import hmac
import http.client
import socketserver
import ssl
import struct
import threading
import time
import urllib.parse
from socket import SO_LINGER, SOL_SOCKET

SKEW_MAX_S = 15 * 60


class Request:
    def __init__(self, method, target, headers, body):
        self.method = method
        self.target = target
        self.headers = headers  # list of (name, value)
        self.body = body
        self.path, _, self.query_text = target.partition("?")
        self.query = dict(urllib.parse.parse_qsl(self.query_text, keep_blank_values=True))

    def header(self, name):
        return next((v for n, v in self.headers if n.lower() == name), None)

    @property
    def op(self):
        has_key = self.path.count("/") > 1
        table = [("POST", "uploads", "create"), ("PUT", "partNumber", "part"), ("POST", "uploadId", "complete"),
                 ("DELETE", "uploadId", "abort"), ("GET", "uploadId", "parts"), ("GET", "uploads", "uploads"),
                 ("GET", "list-type", "list")]
        for method, name, op in table:
            if self.method == method and name in self.query:
                return op
        return self.method.lower() if has_key else "bucket"


class Answer:
    def __init__(self, status, headers, body, length=None):
        self.status = status
        self.headers = headers
        self.body = body
        self.length = len(body) if length is None else length  # as announced

    def bytes(self):
        lines = [f"HTTP/1.1 {self.status} X", *(f"{n}: {v}" for n, v in self.headers if n.lower() not in (
            "content-length", "connection", "transfer-encoding")), f"Content-Length: {self.length}"]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + self.body


def error(status, code, message="", headers=(), extra=""):
    body = f"<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{message}</Message>{extra}</Error>"
    return Answer(status, [("Content-Type", "application/xml"), *headers], body.encode())


class Cut:
    """Ends the connection: "before request" (when the head of it has come), "mid body", "before response" (the server has
    done it), "mid response". With reset, as a crash does it."""

    def __init__(self, where, reset=False):
        self.where = where
        self.reset = reset


class Say:
    """The proxy answers itself; the server hears nothing. As `after`: it has done it, but the answer is another."""

    def __init__(self, answer, after=False):
        self.answer = answer
        self.after = after


class Change:
    """fn(request, answer) -> answer"""

    def __init__(self, fn):
        self.fn = fn


class Hang:
    """No answer, for as long as the client waits."""


class Fault:
    def __init__(self, op, action, times, when):
        self.op, self.action, self.left, self.when = op, action, times, when


class S3Proxy:
    """`tls`: an ssl.SSLContext, to be spoken to by https alone."""

    def __init__(self, port, keys=None, tls=None):
        self.upstream = port
        self.keys = keys  # (access key, secret key) of the server: needed for clock_s and tokens
        self.clock_s = 0  # how far the server's clock is off
        self.tokens = {}  # session token -> None, or the Answer it gets
        self.faults = []
        self.first_time = None
        self.seen = []  # every Request
        self.connections = 0
        self.tls = tls
        self.lock = threading.Lock()
        proxy = self

        class Handler(socketserver.StreamRequestHandler):
            def setup(self):
                proxy.connections += 1
                if tls:
                    try:
                        self.request = tls.wrap_socket(self.request, server_side=True)
                    except OSError:
                        pass  # the client does not trust us
                super().setup()

            def handle(self):
                if tls and not isinstance(self.request, ssl.SSLSocket):
                    return
                try:
                    while proxy._serve(self):
                        pass
                except (OSError, http.client.HTTPException):
                    pass

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True
            block_on_close = False

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    @property
    def endpoint(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def fault(self, op, action, times=1, when=lambda request: True):
        self.faults.append(Fault(op, action, times, when))

    def quiet(self):
        """No more faults."""
        self.faults, self.first_time = [], None

    def ops(self):
        return [r.op for r in self.seen]

    def seen_ops(self, op):
        return [r for r in self.seen if r.op == op]

    # --- one request

    def _choose(self, request):
        with self.lock:
            known = any(r.method == request.method and r.target == request.target for r in self.seen)
            self.seen.append(request)
            for f in self.faults:
                if f.left and f.op in (request.op, "*") and f.when(request):
                    f.left -= 1
                    return f.action
            return None if known else self.first_time

    def _serve(self, handler):
        line = handler.rfile.readline().decode("latin-1").split()
        if len(line) != 3:
            return False
        headers = []
        while (text := handler.rfile.readline().decode("latin-1").strip()):
            name, _, value = text.partition(":")
            headers.append((name, value.strip()))
        request = Request(line[0], line[1], headers, b"")
        length = int(request.header("content-length") or 0)
        action = self._choose(request)
        if isinstance(action, Cut) and action.where == "before request":
            return self._cut(handler, action)
        if request.header("expect"):
            handler.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if isinstance(action, Cut) and action.where == "mid body":
            handler.rfile.read(length // 2)
            return self._cut(handler, action)
        request.body = handler.rfile.read(length)
        if len(request.body) < length:
            return False
        return self._reply(handler, request, action)

    def _reply(self, handler, request, action):
        if isinstance(action, Hang):
            handler.rfile.read(1)  # returns at the end of the connection
            return False
        if isinstance(action, Say) and not action.after:
            answer = action.answer
        else:
            answer = self._refuse(request) or self._forward(request)
        if isinstance(action, Say):
            answer = action.answer
        if isinstance(action, Change):
            answer = action.fn(request, answer)
        data = self._dated(answer).bytes()
        if isinstance(action, Cut):
            if action.where == "mid response":
                handler.wfile.write(data[:len(data) - max(1, len(answer.body) // 2 or 20)])
            return self._cut(handler, action)
        handler.wfile.write(data)
        return len(answer.body) == answer.length or request.method == "HEAD"

    @staticmethod
    def _cut(handler, action):
        if action.reset:
            handler.connection.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
        return False

    def _dated(self, answer):
        if not self.clock_s:
            return answer
        date = email.utils.formatdate(time.time() + self.clock_s, usegmt=True)
        headers = [(n, v) for n, v in answer.headers if n.lower() != "date"] + [("Date", date)]
        return Answer(answer.status, headers, answer.body, answer.length)

    # --- what the server would say, were its clock another, or had it temporary keys

    def _refuse(self, request):
        if not self.keys:
            return None
        token = request.header("x-amz-security-token")
        if token is not None and (answer := self.tokens.get(token, error(403, "InvalidToken"))):
            return answer
        stamp = time.strptime(request.header("x-amz-date"), "%Y%m%dT%H%M%SZ")
        if abs(calendar.timegm(stamp) - (time.time() + self.clock_s)) > SKEW_MAX_S:
            return error(403, "RequestTimeTooSkewed", "The difference between the request time and ours is too large")
        names = request.header("authorization").split("SignedHeaders=")[1].split(",")[0].split(";")
        if self._sign(request, names, request.header("x-amz-date")) != request.header("authorization"):
            return error(403, "SignatureDoesNotMatch")
        return None

    def _sign(self, request, names, date):
        """The Authorization header as the server's keys make it."""
        credential = request.header("authorization").split("Credential=")[1].split(",")[0]
        region = credential.split("/")[2]
        canonical = "\n".join([
            request.method, request.path, request.query_text,
            *(f"{n}:{' '.join(date.split()) if n == 'x-amz-date' else ' '.join(request.header(n).split())}" for n in names),
            "", ";".join(names), request.header("x-amz-content-sha256")])
        scope = f"{date[:8]}/{region}/s3/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        key = ("AWS4" + self.keys[1]).encode()
        for part in (date[:8], region, "s3", "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        return (f"AWS4-HMAC-SHA256 Credential={self.keys[0]}/{scope}, SignedHeaders={';'.join(names)}, "
                f"Signature={hmac.new(key, text.encode(), 'sha256').hexdigest()}")

    def _forward(self, request):
        headers = request.headers
        if self.keys:
            date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
            names = [n for n in request.header("authorization").split("SignedHeaders=")[1].split(",")[0].split(";")
                     if n != "x-amz-security-token"]
            authorization = self._sign(request, names, date)
            headers = [(n, v) for n, v in headers if n.lower() not in ("x-amz-date", "x-amz-security-token",
                                                                       "authorization")]
            headers += [("x-amz-date", date), ("Authorization", authorization)]
        upstream = http.client.HTTPConnection("127.0.0.1", self.upstream, timeout=30)
        upstream.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
        for name, value in headers:
            if name.lower() not in ("expect", "connection"):
                upstream.putheader(name, value)
        upstream.endheaders(request.body or None)
        r = upstream.getresponse()
        body = r.read()
        length = r.getheader("content-length")
        upstream.close()
        return Answer(r.status, r.getheaders(), body, int(length) if length is not None and request.method == "HEAD" else None)
