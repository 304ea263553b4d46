# SPDX-License-Identifier: Apache-2.0
"""A program of the user's that takes the events, and does what notify/README.md tells it to: checks the signature, the
age of the request, and whether it had that delivery already."""

import hashlib
import hmac
import time

from harness.providers.server import Answer, Provider, Refused

AGE_MAX = 300


class Webhook(Provider):
    name = "webhook"
    secret = "webhookKeyOfTheTests4242"

    def __init__(self):
        super().__init__()
        self.seen = []  # deliveries

    def settings(self):
        return {"type": "webhook", "url": self.base + "/hook"}, {"secret_file": self.secret}

    def secrets(self):
        return [self.secret]

    def check(self, request):
        headers = request.headers
        stamp = headers.get("X-Agent-Timestamp", "")
        signed = hmac.new(self.secret.encode(), stamp.encode() + b"." + request.body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(headers.get("X-Agent-Signature", ""), "sha256=" + signed):
            raise Refused(403, "wrong signature")
        if abs(time.time() - int(stamp)) > AGE_MAX:
            raise Refused(403, "too old")
        if not headers.get("X-Agent-Delivery") or not headers.get("X-Agent-Event"):
            raise Refused(400, "headers are missing")
        request.data = request.json(Refused(400, "no JSON"))
        self.seen.append(headers["X-Agent-Delivery"])
        return Answer(200, {"ok": True})

    def text(self, request):
        data = request.data
        facts = [f"{f['name']}: {f['value']}" for f in data.get("facts", [])]
        return "\n".join([data["host"], data["title"], data.get("text", ""), *facts])

    def interpreted(self, request):
        return []
