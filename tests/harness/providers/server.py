# SPDX-License-Identifier: Apache-2.0
"""The server all providers are made of: takes a request, lets the provider check it, answers or misbehaves."""

import collections
import dataclasses
import json
import socket
import struct
import threading
import time
import urllib.parse
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from harness.wait import until


class Refused(Exception):
    """What the provider says to a request that breaks its rules."""

    def __init__(self, status, body, headers=None):
        super().__init__(f"{status} {body}")
        self.answer = Answer(status, body, headers or {})


@dataclasses.dataclass
class Answer:
    status: int
    body: object = ""
    headers: dict = dataclasses.field(default_factory=dict)

    def encoded(self):
        if isinstance(self.body, bytes):
            return self.body, "application/octet-stream"
        if isinstance(self.body, str):
            return self.body.encode(), "text/plain; charset=utf-8"
        return json.dumps(self.body).encode(), "application/json"


@dataclasses.dataclass
class Request:
    """One request as it came, and what became of it."""

    method: str
    target: str  # as it stood in the request line
    path: str
    query: dict
    headers: object
    body: bytes
    time: float
    mode: str = "ok"
    refused: str = ""  # why; "" when it was accepted
    data: dict = dataclasses.field(default_factory=dict)  # what the provider made of it
    pictures: list = dataclasses.field(default_factory=list)  # (name, PNG)

    @property
    def accepted(self):
        return self.mode == "ok" and not self.refused

    def json(self, refusal):
        """The body as a JSON object, else the refusal."""
        if self.headers.get_content_type() != "application/json":
            raise refusal
        try:
            data = json.loads(self.body.decode("utf-8"))
        except ValueError:
            raise refusal from None
        if not isinstance(data, dict):
            raise refusal
        return data

    def form(self, refusal):
        """The parts of multipart/form-data: name -> (file name or None, bytes)."""
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        message = BytesParser(policy=HTTP).parsebytes(head + self.body)
        if message.get_content_type() != "multipart/form-data" or not message.is_multipart():
            raise refusal
        parts = {}
        for part in message.iter_parts():
            name = part.get_param("name", header="content-disposition")
            if name is None or part.get_content_disposition() != "form-data" or name in parts:
                raise refusal
            parts[name] = (part.get_filename(), part.get_payload(decode=True))
        return parts


def utf16(text):
    """Length in UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def png_size(data):
    """(width, height) of a whole PNG file (ISO/IEC 15948); None when it is none."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n") or data[12:16] != b"IHDR" or data[-8:-4] != b"IEND":
        return None
    return struct.unpack(">II", data[16:24])


def go_json(data):
    """As a program in Go writes it, which several of them are."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for c in "<>&\u2028\u2029":
        text = text.replace(c, f"\\u{ord(c):04x}")
    return text + "\n"


class Provider:
    """To be derived from: `check` raises Refused or returns the Answer, and fills request.data and .pictures.

    `mode`s of next(): ok, 429 (wait=seconds), 500, hang, cut (in the middle of the answer), reset, garbage (no
    HTTP), nonsense (200 with a body that is not the provider's), refuse (status=403 and the like), echo (a refusal that
    repeats the whole request).
    """

    name = "provider"

    def __init__(self):
        self.requests = []
        self.planned = collections.deque()
        self.always_mode = ("ok", {})
        self.lock = threading.Lock()
        self.ended = threading.Event()
        handler = type("Handler", (_Handler,), {"provider": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    @property
    def base(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def close(self):
        self.ended.set()
        self.server.shutdown()
        self.server.server_close()

    # --- what a test wants of it

    def next(self, mode, times=1, **how):
        """The next so many requests are treated that way."""
        self.planned.extend([(mode, how)] * times)

    def always(self, mode, **how):
        self.always_mode = (mode, how)

    def settings(self):
        """Of the agent's channel: options, and secrets by the name of their option."""
        raise NotImplementedError

    def secrets(self):
        """What must never be seen anywhere but in the requests."""
        return []

    @property
    def accepted(self):
        return [r for r in self.requests if r.accepted]

    def wait(self, n=1, seconds=10):
        """The accepted requests, when there are n of them; says what was refused when they do not come."""
        def enough():
            assert len(self.accepted) >= n, [r.refused or r.mode for r in self.requests]
            return self.accepted

        return until(enough, seconds, f"{n} messages at {self.name}")

    def text(self, request):
        """All of a message as a person reads it."""
        raise NotImplementedError

    def interpreted(self, request):
        """What is shown as more than text, as (kind, content): formatting, links, mentions."""
        raise NotImplementedError

    # --- its answers

    def check(self, request):
        raise NotImplementedError

    def too_many(self, wait):
        return Answer(429, "too many requests", {"Retry-After": str(wait)})

    def server_error(self):
        return Answer(500, "internal error")

    def refusal(self, status):
        return Answer(status, "no")

    def nonsense(self):
        return Answer(200, b"\xff\xfe{\"ok\":tru")

    def answer(self, request):
        """The Answer of a mode that has one, after the check where it is made."""
        mode, how = self._take()
        request.mode = mode
        if mode == "429":
            return self.too_many(how.get("wait", 1))
        if mode == "refuse":
            return self.refusal(how["status"])
        if mode == "echo":
            return Answer(how["status"], f"Cannot {request.method} {request.target}\n{request.headers}\n"
                          + request.body.decode(errors="replace"))
        if mode == "500":
            return self.server_error()
        if mode == "nonsense":
            return self.nonsense()
        if mode != "ok":
            return None
        try:
            return self.check(request)
        except Refused as e:
            request.refused = str(e)
            return e.answer

    def _take(self):
        with self.lock:
            return self.planned.popleft() if self.planned else self.always_mode


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    provider = None

    def log_message(self, *_):
        pass

    def _body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def do_POST(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        request = Request(self.command, self.path, url.path, query, self.headers, self._body(), time.monotonic())
        try:
            answer = self.provider.answer(request)
        except Exception as e:  # a request that the check did not foresee must not pass for accepted
            request.refused = f"{type(e).__name__}: {e}"
            answer = Answer(500, request.refused)
        self.provider.requests.append(request)
        if answer:
            self._send(answer)
        else:
            self._misbehave(request.mode)

    do_PUT = do_POST
    do_GET = do_POST

    def _send(self, answer):
        body, type_ = answer.encoded()
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Type", type_)
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if answer.status != 204:
            self.wfile.write(body)

    def _misbehave(self, mode):
        self.close_connection = True
        if mode == "hang":
            self.provider.ended.wait(600)
        elif mode == "cut":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\nok")
        elif mode == "garbage":
            self.wfile.write(b"\x16\x03\x01\x00\x00nothing that is HTTP\r\n\r\n")
        elif mode == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            raise ValueError(mode)
        self.wfile.flush()
