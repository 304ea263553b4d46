# SPDX-License-Identifier: Apache-2.0
"""ntfy (docs.ntfy.sh/publish): as JSON to the root, or as a file with headers to the topic."""

import email.header
import re

from harness.providers import markdown
from harness.providers.server import Answer, Provider, Refused, go_json, png_size

MESSAGE_MAX = 4096  # bytes; a longer one becomes a file
JSON_MAX = 2 * MESSAGE_MAX  # of the whole body; server/server.go, transformBodyJSON
FILE_MAX = 15 * 1024 * 1024
MEMBERS = {"topic", "message", "title", "tags", "priority", "actions", "click", "attach", "markdown", "icon",
           "filename", "delay", "email", "call"}


def _error(status, code, text):
    return Refused(status, {"code": code, "http": status, "error": text, "link": "https://ntfy.sh/docs/publish/"})


class Ntfy(Provider):
    name = "ntfy"
    token = "tk_ntfyTokenOfTheTests4242xyz"
    topic = "vps1-alerts"

    def settings(self):
        return {"type": "ntfy", "url": self.base, "topic": self.topic}, {"token_file": self.token}

    def secrets(self):
        return [self.token]

    def check(self, request):
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            raise Refused(403, self.refusal(403).body)
        if request.path == "/":
            data = self._json(request)
        else:
            data = self._file(request)
        if not re.fullmatch(r"[-_A-Za-z0-9]{1,64}", data["topic"]):
            raise _error(400, 40009, "invalid request: topic invalid")
        if data["topic"] != self.topic:
            raise Refused(403, self.refusal(403).body)
        if data.get("priority") not in (None, 1, 2, 3, 4, 5):
            raise _error(400, 40007, "invalid request: priority invalid")
        if len(data.get("message", "").encode()) > MESSAGE_MAX:
            raise _error(413, 41301, "too long: this would arrive as a file, not as a message")
        if data.get("click") and not re.match(r"(https?|mailto|geo|ntfy):", data["click"]):
            raise _error(400, 40032, "invalid request: click URL is invalid")
        request.data = data
        return Answer(200, go_json({"id": "hwQ2YpKdmg", "time": 1700000000, "event": "message", **data}))

    def _json(self, request):
        if len(request.body) > JSON_MAX:
            raise _error(413, 41303, "JSON body too large")
        data = request.json(_error(400, 40024, "invalid request: request body must be valid JSON"))
        if not set(data) <= MEMBERS or not isinstance(data.get("tags", []), list):
            raise _error(400, 40024, "invalid request: request body must be valid JSON")
        if not data.get("topic") or not data.get("message"):
            raise _error(400, 40009, "invalid request: topic or message missing")
        return data

    def _file(self, request):
        """A picture as the body, the rest in headers: ASCII only, other text as RFC 2047 says."""
        if not png_size(request.body) or len(request.body) > FILE_MAX:
            raise _error(400, 40014, "invalid request: attachment is no PNG")
        headers = {n.lower().removeprefix("x-"): v for n, v in request.headers.items()}
        data = {"topic": request.path[1:]}
        request.pictures.append((headers.get("filename", ""), request.body))
        for member in ("title", "message", "click", "tags", "priority", "markdown"):
            if member in headers:
                data[member] = _header(headers[member])
        if "priority" in data:
            data["priority"] = int(data["priority"])
        data["message"] = data.get("message", "").replace("\\n", "\n")
        return data

    def too_many(self, wait):
        body = {"code": 42901, "http": 429, "error": "limit reached: too many requests, please be nice"}
        return Answer(429, body, {"Retry-After": str(wait)})

    def server_error(self):
        return Answer(500, {"code": 50001, "http": 500, "error": "internal server error"})

    def refusal(self, status):
        return Answer(status, {"code": status * 100 + 1, "http": status, "error": "forbidden",
                               "link": "https://ntfy.sh/docs/publish/#authentication"})

    def text(self, request):
        data = request.data
        body = data.get("message", "")
        return data.get("title", "") + "\n" + (markdown.read(body)[0] if data.get("markdown") else markdown.plain(body))

    def interpreted(self, request):
        return markdown.read(request.data.get("message", ""))[1] if request.data.get("markdown") else []


def _header(value):
    if not value.isascii():
        raise _error(400, 40000, "header is not ASCII")
    return str(email.header.make_header(email.header.decode_header(value)))
