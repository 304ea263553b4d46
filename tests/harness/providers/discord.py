# SPDX-License-Identifier: Apache-2.0
"""Discord's webhooks (docs.discord.com: resources/webhook#execute-webhook, resources/message#embed-object)."""

import datetime
import json

from harness.providers import markdown
from harness.providers.server import Answer, Provider, Refused, png_size, utf16

CONTENT_MAX = 2000
EMBEDS_MAX = 10
ALL_EMBEDS_MAX = 6000
LIMITS = {"title": 256, "description": 4096}


def _invalid(where, what):
    errors = {"_errors": [{"code": "BASE_TYPE_BAD_LENGTH", "message": what}]}
    for name in reversed(where.split(".")):
        errors = {name: errors}
    return Refused(400, {"message": "Invalid Form Body", "code": 50035, "errors": errors})


def _limited(where, text, most, least=1):
    if not isinstance(text, str) or not least <= utf16(text.strip()) or utf16(text) > most:
        raise _invalid(where, f"Must be between {least} and {most} in length.")
    return utf16(text)


def _address(where, url):
    if not isinstance(url, str) or not url.startswith(("http://", "https://")) or len(url) > 2048:
        raise _invalid(where, "Not a well formed URL.")


class Discord(Provider):
    name = "discord"
    path = "/api/webhooks/112233445566778899/dIsCordWebhookToken_of-the-Tests4242"

    def settings(self):
        return {"type": "discord"}, {"url_file": self.base + self.path}

    def secrets(self):
        return ["dIsCordWebhookToken_of-the-Tests4242"]

    def check(self, request):
        if request.path != self.path:
            known = request.path.rpartition("/")[0] == self.path.rpartition("/")[0]
            raise (Refused(401, {"message": "Invalid Webhook Token", "code": 50027}) if known
                   else Refused(404, {"message": "Unknown Webhook", "code": 10015}))
        data = self._data(request)
        if data.get("content"):
            _limited("content", data["content"], CONTENT_MAX)
        embeds = data.get("embeds", [])
        if not data.get("content") and not embeds and not request.pictures:
            raise Refused(400, {"message": "Cannot send an empty message", "code": 50006})
        if len(embeds) > EMBEDS_MAX:
            raise _invalid("embeds", "Must be 10 or fewer in length.")
        files = {name for name, _ in request.pictures}
        if sum(_check_embed(f"embeds.{i}", e, files) for i, e in enumerate(embeds)) > ALL_EMBEDS_MAX:
            raise _invalid("embeds", "Embed size exceeds maximum size of 6000")
        request.data = data
        if request.query.get("wait") == "true":
            return Answer(200, {"id": "1", "type": 0, **data})
        return Answer(204)

    def _data(self, request):
        broken = Refused(400, {"message": "The request body contains invalid JSON.", "code": 50109})
        if request.headers.get_content_type() != "multipart/form-data":
            return request.json(broken)
        parts = request.form(broken)
        for field, (name, content) in parts.items():
            if field == "payload_json":
                continue
            if not field.startswith("files[") or not name or not png_size(content):
                raise broken
            request.pictures.append((name, content))
        return json.loads(parts["payload_json"][1])

    def too_many(self, wait):
        body = {"message": "You are being rate limited.", "retry_after": float(wait), "global": False}
        return Answer(429, body, {"Retry-After": str(int(wait)), "X-RateLimit-Scope": "shared"})

    def server_error(self):
        return Answer(500, {"message": "500: Internal Server Error", "code": 0})

    def refusal(self, status):
        said = {401: ("Invalid Webhook Token", 50027), 404: ("Unknown Webhook", 10015)}
        message, code = said.get(status, ("Missing Access", 50001))
        return Answer(status, {"message": message, "code": code})

    def _fields(self, request):
        yield request.data.get("content", "")
        for e in request.data.get("embeds", []):
            yield e.get("title", "")
            yield e.get("description", "")
            for f in e.get("fields", []):
                yield f["name"]
                yield f["value"]
            yield e.get("footer", {}).get("text", "")  # Markdown is not read there: see interpreted()

    def text(self, request):
        return "\n".join(markdown.read(t)[0] for t in self._fields(request) if t)

    def interpreted(self, request):
        footers = [e.get("footer", {}).get("text", "") for e in request.data.get("embeds", [])]
        found = [f for t in self._fields(request) if t and t not in footers for f in markdown.read(t)[1]]
        if request.data.get("allowed_mentions", {}).get("parse") == []:
            found = [f for f in found if f != ("mention", "@everyone") and f != ("mention", "@here")]
        return found


def _check_embed(where, e, files):
    total = 0
    for name, most in LIMITS.items():
        if e.get(name):
            total += _limited(f"{where}.{name}", e[name], most)
    if len(e.get("fields", [])) > 25:
        raise _invalid(f"{where}.fields", "Must be 25 or fewer in length.")
    for i, f in enumerate(e.get("fields", [])):
        total += _limited(f"{where}.fields.{i}.name", f.get("name"), 256)
        total += _limited(f"{where}.fields.{i}.value", f.get("value"), 1024)
    if "footer" in e:
        total += _limited(f"{where}.footer.text", e["footer"].get("text"), 2048)
    if "author" in e:
        total += _limited(f"{where}.author.name", e["author"].get("name"), 256)
    if "url" in e:
        _address(f"{where}.url", e["url"])
    if not isinstance(e.get("color", 0), int) or not 0 <= e.get("color", 0) <= 0xFFFFFF:
        raise _invalid(f"{where}.color", "int value should be between 0 and 16777215")
    if "timestamp" in e:
        datetime.datetime.fromisoformat(e["timestamp"].replace("Z", "+00:00"))
    image = e.get("image", {}).get("url")
    if image is not None and image.removeprefix("attachment://") not in files:
        _address(f"{where}.image.url", image)
    return total
