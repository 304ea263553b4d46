# SPDX-License-Identifier: Apache-2.0
"""A listener of the live stream: server-sent events (https://html.spec.whatwg.org/#server-sent-events)."""

import http.client
import json


class Stream:
    def __init__(self, agent, query="", headers=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", agent.port, timeout=15)
        self.connection.request("GET", "/api/v1/live" + query,
                                headers=headers or {"Authorization": "Bearer " + agent.viewer_token})
        self.answer = self.connection.getresponse()

    def event(self, name="sample"):
        """The fields of the next event of that name; others between are left out."""
        while True:
            fields = self.any_event()
            if fields["event"] == name:
                return fields

    def any_event(self):
        """The fields of the next event."""
        fields = {}
        while True:
            line = self.answer.readline().decode()
            assert line, "the stream ended"
            if line == "\n":
                if "event" in fields:
                    return fields
                fields = {}
            field, _, value = line.rstrip("\n").partition(":")
            if field:
                fields[field] = value.strip()

    def data(self, name="sample"):
        return json.loads(self.event(name)["data"])

    def close(self):
        self.answer.close()
        self.connection.close()
