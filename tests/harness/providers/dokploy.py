# SPDX-License-Identifier: Apache-2.0
"""Dokploy's notification.receiveNotification over tRPC (apps/dokploy/server/api/routers/notification.ts)."""

from harness.providers.server import Answer, Provider, Refused

MEMBERS = {"ServerType": str, "Type": str, "Value": (int, float), "Threshold": (int, float), "Message": str,
           "Timestamp": str, "Token": str}


def _bad(message):
    return Refused(400, {"error": {"json": {"message": message, "code": -32600, "data": {"code": "BAD_REQUEST"}}}})


class Dokploy(Provider):
    name = "dokploy"
    path = "/api/trpc/notification.receiveNotification"
    token = "dokployMetricsTokenOfTheTests4242"

    def settings(self):
        return {"type": "dokploy", "url": self.base + self.path}, {"token_file": self.token}

    def secrets(self):
        return [self.token]

    def check(self, request):
        if request.path != self.path:
            raise Refused(404, {"error": {"json": {"message": "No procedure found", "code": -32004}}})
        data = request.json(_bad("invalid JSON")).get("json", {})
        for name, kind in MEMBERS.items():
            if not isinstance(data.get(name), kind) or isinstance(data.get(name), bool):
                raise _bad(f"Invalid input: {name}")
        if data["Type"] not in ("Memory", "CPU") or data["ServerType"] not in ("Dokploy", "Remote"):
            raise _bad("Invalid enum value")
        if data["Token"] != self.token:
            raise _bad("Token not found")
        request.data = data
        return Answer(200, {"result": {"data": {"json": True}}})

    def text(self, request):
        return request.data["Message"]

    def interpreted(self, request):
        return []
