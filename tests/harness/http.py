# SPDX-License-Identifier: Apache-2.0
"""A small HTTP client on urllib: statuses are results, not exceptions, and redirects are shown, not followed."""

import json
import urllib.error
import urllib.request


class Response:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def text(self):
        return self.body.decode()

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.body[:200]!r}>"


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


# No proxy of the environment comes between a test and 127.0.0.1.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), NoRedirect)


def request(url, method="GET", headers=None, body=None, timeout=10):
    if isinstance(body, (dict, list)):
        body = json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **(headers or {})}
    r = urllib.request.Request(url, data=body, headers=headers or {}, method=method)
    try:
        with _opener.open(r, timeout=timeout) as answer:
            return Response(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as e:
        with e:
            return Response(e.code, e.headers, e.read())
