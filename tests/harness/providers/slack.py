# SPDX-License-Identifier: Apache-2.0
"""Slack's incoming webhooks (docs.slack.dev: messaging/sending-messages-using-incoming-webhooks, reference/block-kit).

Success is 200 with the body "ok", and nothing else is.
"""

import html
import re

from harness.providers.markdown import plain
from harness.providers.server import Answer, Provider, Refused

BLOCKS_MAX = 50
TEXT_MAX = 40000
ALL_BLOCKS_MAX = 13000  # msg_blocks_too_long; seen in practice, not documented

# A zero-width space parts words for it, as people use it to format within a word.
_FORMATTED = (
    ("bold", re.compile(r"(?<![\w*])\*(?=[^\s*\u200b])([^*\n]+?)\*(?![\w*])")),
    ("italic", re.compile(r"(?<![\w_])_(?=[^\s_\u200b])([^_\n]+?)_(?![\w_])")),
    ("strike", re.compile(r"(?<![\w~])~(?=[^\s~\u200b])([^~\n]+?)~(?![\w~])")),
    ("code", re.compile(r"`([^`\n]+)`")),
    ("quote", re.compile(r"^(?:&gt;|>)(.*)$", re.M)),
    ("list", re.compile(r"^ *[•] +(.*)$", re.M)),
)
_ANGLES = re.compile(r"<([^<>]*)>")


class Slack(Provider):
    name = "slack"
    path = "/services/T00000001/B00000001/hG7sKeyOfSlackWebhook4242"

    def settings(self):
        return {"type": "slack"}, {"url_file": self.base + self.path}

    def secrets(self):
        return ["hG7sKeyOfSlackWebhook4242"]

    def check(self, request):
        if request.path != self.path:
            known = request.path.rpartition("/")[0] == self.path.rpartition("/")[0]
            raise Refused(403, "invalid_token") if known else Refused(404, "no_service")
        data = request.json(Refused(400, "invalid_payload"))
        text, blocks = data.get("text"), data.get("blocks", [])
        if not isinstance(text or "", str) or not isinstance(blocks, list):
            raise Refused(400, "invalid_payload")
        if not text:
            raise Refused(400, "no_text")
        if len(text) > TEXT_MAX:
            raise Refused(400, "msg_too_long")
        if len(blocks) > BLOCKS_MAX or not all(_block_fits(b) for b in blocks):
            raise Refused(400, "invalid_blocks")
        if sum(len(t["text"]) for t in _texts(blocks)) > ALL_BLOCKS_MAX:
            raise Refused(400, "msg_blocks_too_long")
        for attachment in data.get("attachments", []):
            if not all(_block_fits(b) for b in attachment.get("blocks", [])):
                raise Refused(400, "invalid_attachments")
        request.data = data
        return Answer(200, "ok")

    def too_many(self, wait):
        return Answer(429, "rate_limited", {"Retry-After": str(wait)})

    def server_error(self):
        return Answer(500, "rollup_error")

    def refusal(self, status):
        said = {400: "invalid_payload", 403: "invalid_token", 404: "no_service", 410: "channel_is_archived"}
        return Answer(status, said.get(status, "action_prohibited"))

    def nonsense(self):
        return Answer(200, "<!DOCTYPE html><html><title>Sign in</title></html>")

    def _summary(self, request):
        """The text beside the blocks, which is what a telephone shows first. Its formatting can be switched off."""
        kind = "mrkdwn" if request.data.get("mrkdwn", True) else "links"
        return {"type": kind, "text": request.data["text"]}

    def text(self, request):
        shown = _texts(_all_blocks(request.data)) or [self._summary(request)]
        return "\n".join(_read(t)[0] for t in shown)

    def interpreted(self, request):
        shown = [*_texts(_all_blocks(request.data)), self._summary(request)]
        return [found for t in shown for found in _read(t)[1]]


def _all_blocks(data):
    return [*data.get("blocks", []), *(b for a in data.get("attachments", []) for b in a.get("blocks", []))]


def _texts(blocks):
    """All text objects in order."""
    out = []
    for block in blocks:
        texts = [block.get("text"), *block.get("fields", []), *block.get("elements", [])]
        for t in texts:
            while isinstance(t, dict) and isinstance(t.get("text"), dict):  # a button
                t = t["text"]
            if isinstance(t, dict) and isinstance(t.get("text"), str):
                out.append(t)
    return out


def _read(t):
    """What is seen of a text object, and what in it is more than text."""
    if t["type"] == "plain_text":
        return plain(html.unescape(t["text"])), []
    found = []
    text = t["text"]
    for m in _ANGLES.finditer(text):
        kind = "mention" if m.group(1)[:1] in "!@#" else "link"
        found.append((kind, m.group(1)))
    text = _ANGLES.sub(lambda m: m.group(1).partition("|")[2] or m.group(1), text)
    for kind, pattern in _FORMATTED if t["type"] == "mrkdwn" else ():
        found += [(kind, plain(html.unescape(m.group(1)))) for m in pattern.finditer(text)]
    return plain(html.unescape(text)), found


def _text_fits(t, limit, kinds=("plain_text", "mrkdwn")):
    return (isinstance(t, dict) and t.get("type") in kinds and isinstance(t.get("text"), str)
            and 1 <= len(t["text"]) <= limit and set(t) <= {"type", "text", "emoji", "verbatim"})


def _button_fits(b):
    return (b.get("type") == "button" and _text_fits(b.get("text"), 75, ("plain_text",))
            and len(b.get("url", "")) <= 3000 and len(b.get("action_id", "")) <= 255)


def _section_fits(b):
    fields = b.get("fields", [])
    if "text" not in b and not fields:
        return False
    return (("text" not in b or _text_fits(b["text"], 3000))
            and ("fields" not in b or 1 <= len(fields) <= 10 and all(_text_fits(f, 2000) for f in fields)))


def _image_fits(b):
    url, alt = b.get("image_url", ""), b.get("alt_text", "")
    return url.startswith(("http://", "https://")) and len(url) <= 3000 and 1 <= len(alt) <= 2000


_FITS = {
    "header": lambda b: _text_fits(b.get("text"), 150, ("plain_text",)),
    "section": _section_fits,
    "context": lambda b: 1 <= len(b.get("elements", [])) <= 10 and all(_text_fits(e, 2000) for e in b["elements"]),
    "divider": lambda b: True,
    "image": _image_fits,
    "actions": lambda b: 1 <= len(b.get("elements", [])) <= 25 and all(_button_fits(e) for e in b["elements"]),
}
_MEMBERS = {"type", "block_id", "text", "fields", "elements", "accessory", "image_url", "alt_text", "title", "expand"}


def _block_fits(block):
    return (isinstance(block, dict) and set(block) <= _MEMBERS and block.get("type") in _FITS
            and _FITS[block["type"]](block))
