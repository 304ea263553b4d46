# SPDX-License-Identifier: Apache-2.0
"""Gotify (gotify.net/api-docs: POST /message; gotify.net/docs/msgextras)."""

from harness.providers import markdown
from harness.providers.server import Answer, Provider, Refused, go_json


def _error(status, error, description):
    return Refused(status, {"error": error, "errorCode": status, "errorDescription": description})


class Gotify(Provider):
    name = "gotify"
    token = "AgotifyAppTok4242"

    def settings(self):
        return {"type": "gotify", "url": self.base}, {"token_file": self.token}

    def secrets(self):
        return [self.token]

    def check(self, request):
        if request.path != "/message":
            raise _error(404, "Not Found", "page not found")
        if self.token not in (request.headers.get("X-Gotify-Key"), request.query.get("token")):
            raise Refused(401, self.refusal(401).body)
        data = request.json(_error(400, "Bad Request", "invalid character"))
        if not isinstance(data.get("message"), str) or not data["message"]:
            raise _error(400, "Bad Request", "Field 'message' is required")
        if not isinstance(data.get("title", ""), str) or not isinstance(data.get("priority", 0), int):
            raise _error(400, "Bad Request", "json: cannot unmarshal")
        extras = data.get("extras", {})
        if not isinstance(extras, dict) or not all("::" in key for key in extras):
            raise _error(400, "Bad Request", "extras are top-level namespaces")
        request.data = data
        return Answer(200, go_json({"id": 25, "appid": 5, **data}))

    def server_error(self):
        said = {"error": "Internal Server Error", "errorCode": 500, "errorDescription": "database is locked"}
        return Answer(500, said)

    def refusal(self, status):
        said = "you need to provide a valid access token or user credentials to access this api"
        return Answer(status, {"error": "Unauthorized", "errorCode": status, "errorDescription": said})

    def _is_markdown(self, request):
        display = request.data.get("extras", {}).get("client::display", {})
        return display.get("contentType") == "text/markdown"

    def text(self, request):
        body = request.data["message"]
        body = markdown.read(body)[0] if self._is_markdown(request) else markdown.plain(body)
        return request.data.get("title", "") + "\n" + body

    def interpreted(self, request):
        return markdown.read(request.data["message"])[1] if self._is_markdown(request) else []
