# SPDX-License-Identifier: Apache-2.0
"""Microsoft Teams: an incoming webhook made with Workflows, which takes an Adaptive Card
(learn.microsoft.com: platform/webhooks-and-connectors/how-to/connectors-using; adaptivecards.io/explorer)."""

from harness.providers import markdown
from harness.providers.server import Answer, Provider, Refused

BODY_MAX = 28 * 1024


def _invalid(message):
    return Refused(400, {"error": {"code": "InvalidRequestContent", "message": message}})


class Teams(Provider):
    name = "teams"
    path = "/workflows/0123456789abcdef/triggers/manual/paths/invoke"
    signature = "TeamsSignatureOfTheTests_4242"

    def settings(self):
        url = f"{self.base}{self.path}?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig={self.signature}"
        return {"type": "teams"}, {"url_file": url}

    def secrets(self):
        return [self.signature]

    def check(self, request):
        if request.path != self.path:
            raise Refused(404, {"error": {"code": "WorkflowNotFound", "message": "The workflow could not be found."}})
        if request.query.get("sig") != self.signature:
            raise Refused(401, self.refusal(401).body)
        data = request.json(_invalid("The request content is not valid JSON."))
        if len(request.body) > BODY_MAX:
            raise Refused(413, {"error": {"code": "RequestEntityTooLarge", "message": "too large"}})
        attachments = data.get("attachments", [])
        if data.get("type") != "message" or len(attachments) != 1:
            raise _invalid("type 'message' with one attachment expected")
        if attachments[0].get("contentType") != "application/vnd.microsoft.card.adaptive":
            raise _invalid("Unsupported attachment content type")
        _check_card(attachments[0].get("content"))
        request.data = data
        return Answer(202)

    def too_many(self, wait):
        body = {"error": {"code": "WorkflowTriggerIsThrottled", "message": "Rate limit is exceeded."}}
        return Answer(429, body, {"Retry-After": str(wait)})

    def server_error(self):
        return Answer(502, {"error": {"code": "BadGateway", "message": "The server had a failure."}})

    def refusal(self, status):
        message = "The authentication credentials are not valid or are expired."
        return Answer(status, {"error": {"code": "DirectApiAuthorizationRequired", "message": message}})

    def _read(self, request):
        """What is seen and what is more than text, of each element. Markdown is read in all but rich text."""
        for is_rich, text in _texts(request.data["attachments"][0]["content"]["body"]):
            yield (markdown.plain(text), []) if is_rich else markdown.read(text)

    def text(self, request):
        return "\n".join(seen for seen, _ in self._read(request))

    def interpreted(self, request):
        mentions = request.data["attachments"][0]["content"].get("msteams", {}).get("entities", [])
        found = [f for _, some in self._read(request) for f in some]
        return found + [("mention", m.get("text", "")) for m in mentions]


def _check_card(card):
    if not isinstance(card, dict) or card.get("type") != "AdaptiveCard" or not card.get("body"):
        raise _invalid("AdaptiveCard with a body expected")
    if card.get("version") not in ("1.0", "1.1", "1.2", "1.3", "1.4", "1.5"):
        raise _invalid("version is not supported")
    for item in card["body"]:
        _check_item(item)
    for action in card.get("actions", []):
        if action.get("type") != "Action.OpenUrl" or not action.get("url", "").startswith(("http://", "https://")):
            raise _invalid("Action.OpenUrl with an address expected")


def _check_item(item):
    kind = item.get("type")
    if kind == "TextBlock":
        good = isinstance(item.get("text"), str) and item["text"]
    elif kind == "RichTextBlock":
        runs = item.get("inlines", [])
        good = runs and all(r.get("type") == "TextRun" and isinstance(r.get("text"), str) and r["text"] for r in runs)
    elif kind == "FactSet":
        good = item.get("facts") and all(
            set(f) == {"title", "value"} and all(isinstance(v, str) for v in f.values()) for f in item["facts"])
    elif kind == "Image":
        good = item.get("url", "").startswith(("http://", "https://", "data:image/png;base64,"))
    elif kind in ("Container", "ColumnSet", "Column"):
        inner = item.get("items", item.get("columns", []))
        good = bool(inner)
        for i in inner:
            _check_item(i)
    else:
        good = False
    if not good:
        raise _invalid(f"invalid element {kind}")


def _texts(items):
    """(is it rich text, the text) in order."""
    for item in items:
        if item["type"] == "TextBlock":
            yield False, item["text"]
        elif item["type"] == "RichTextBlock":
            yield True, "".join(run["text"] for run in item["inlines"])
        for fact in item.get("facts", []):
            yield False, fact["title"]
            yield False, fact["value"]
        yield from _texts(item.get("items", item.get("columns", [])))
