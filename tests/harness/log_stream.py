# SPDX-License-Identifier: Apache-2.0
"""A reader of the log of a deploy, as server-sent events."""

import http.client
import time


class LogStream:
    """`lines` grows as events come; `last_id` is where to go on from."""

    def __init__(self, agent, deploy, query="", headers=None, token=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", agent.port, timeout=15)
        self.connection.request("GET", f"/api/v1/deploys/{deploy}/log{query}", headers={
            "Authorization": "Bearer " + (token or agent.viewer_token), "Accept": "text/event-stream", **(headers or {})})
        self.answer = self.connection.getresponse()
        self.lines = []
        self.last_id = None

    def event(self):
        """The name and the lines of the next event; None: the stream is over."""
        name, data = None, []
        deadline = time.monotonic() + 20  # comments may come for ever
        while line := self.answer.readline().decode():
            assert time.monotonic() < deadline, "no event came"
            line = line.rstrip("\n")
            if not line and name:
                if name == "log":
                    self.lines += data
                return name, data
            field, _, value = line.partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                data.append(value)
            elif field == "id":
                self.last_id = value
        return None

    def until(self, n):
        while len(self.lines) < n:
            event = self.event()
            assert event and event[0] == "log", f"{event} after {len(self.lines)} lines"

    def rest(self):
        """Until its end."""
        while (event := self.event()) is not None:
            if event[0] == "end":
                assert self.event() is None, "nothing comes after the end"
                return
        raise AssertionError("the stream ended without an end")

    def close(self):
        self.answer.close()
        self.connection.close()
