# SPDX-License-Identifier: Apache-2.0
"""Telegram's Bot API (core.telegram.org/bots/api): sendMessage and sendPhoto. Lengths, offsets: UTF-16 units."""

import json
import urllib.parse

from harness.providers.server import Answer, Provider, Refused, png_size, utf16

TEXT_MAX = 4096
CAPTION_MAX = 1024
ENTITIES_MAX = 100
PHOTO_MAX = 10 * 1024 * 1024


def _error(status, description, **parameters):
    body = {"ok": False, "error_code": status, "description": description}
    return Answer(status, {**body, "parameters": parameters} if parameters else body)


def _bad(description, **parameters):
    answer = _error(400, "Bad Request: " + description, **parameters)
    return Refused(answer.status, answer.body)


class Telegram(Provider):
    name = "telegram"
    token = "123456789:AAtelegramBotTokenOfTheTests-4242"

    def __init__(self):
        super().__init__()
        self.chats = {"-1001234567890": {12}}  # number: its topics
        self.moved = {}  # old number: new number

    def settings(self):
        return {"type": "telegram", "url": self.base, "chat": "-1001234567890"}, {"token_file": self.token}

    def secrets(self):
        return [self.token, self.token.partition(":")[2]]

    def check(self, request):
        bot, _, method = request.path.removeprefix("/bot").partition("/")
        if urllib.parse.unquote(bot) != self.token:
            raise Refused(401, _error(401, "Unauthorized").body)
        if method == "sendMessage":
            data = request.json(_bad("can't parse JSON object"))
            self._chat(data)
            self._text(data.get("text", ""), data.get("entities", []), TEXT_MAX, "message is too long")
        elif method == "sendPhoto":
            data = self._photo(request)
            self._chat(data)
            self._text(data.get("caption", ""), data.get("caption_entities", []), CAPTION_MAX,
                       "message caption is too long")
        else:
            raise Refused(404, _error(404, "Not Found").body)
        request.data = data
        return Answer(200, {"ok": True, "result": {  # the message comes back, all that is not ASCII as \uXXXX
            **data, "message_id": len(self.requests) + 1, "date": 1700000000,
            "chat": {"id": int(data["chat_id"]), "type": "supergroup"}}})

    def _chat(self, data):
        chat = str(data.get("chat_id", ""))
        if chat in self.moved:
            raise _bad("group chat was upgraded to a supergroup chat", migrate_to_chat_id=self.moved[chat])
        if chat not in self.chats:
            raise _bad("chat not found" if chat else "chat_id is empty")
        if "message_thread_id" in data and int(data["message_thread_id"] or 0) not in self.chats[chat]:
            raise _bad("message thread not found")

    def _text(self, text, entities, limit, too_long):
        if not isinstance(text, str) or not text.strip():
            raise _bad("message text is empty")
        if utf16(text) > limit:
            raise _bad(too_long)
        if len(entities) > ENTITIES_MAX:
            raise _bad("too many entities")
        for entity in entities:
            _check_entity(text, entity)

    def _photo(self, request):
        parts = request.form(_bad("there is no photo in the request"))
        name, photo = parts.get("photo", (None, b""))
        size = png_size(photo)
        if not name or not size or len(photo) > PHOTO_MAX:
            raise _bad("IMAGE_PROCESS_FAILED")
        if sum(size) > 10000 or max(size) > 20 * min(size):
            raise _bad("PHOTO_INVALID_DIMENSIONS")
        request.pictures.append((name, photo))
        data = {key: value.decode("utf-8") for key, (_, value) in parts.items() if key != "photo"}
        for key in ("caption_entities", "link_preview_options", "reply_parameters"):
            if key in data:
                data[key] = json.loads(data[key])
        return data

    def too_many(self, wait):
        return _error(429, f"Too Many Requests: retry after {wait}", retry_after=wait)

    def server_error(self):
        return _error(500, "Internal Server Error")

    def refusal(self, status):
        said = {401: "Unauthorized", 403: "Forbidden: bot was kicked from the supergroup chat", 404: "Not Found",
                400: "Bad Request: message is too long"}
        return _error(status, said.get(status, "Conflict"))

    def text(self, request):
        return request.data.get("text") or request.data["caption"]

    def interpreted(self, request):
        """Entities say beside the text what is formatted, so only these could lead away, or a parse_mode."""
        data = request.data
        text = self.text(request).encode("utf-16-le")
        entities = data.get("entities") or data.get("caption_entities") or []
        found = [("link", text[2 * e["offset"]:2 * (e["offset"] + e["length"])].decode("utf-16-le"))
                 for e in entities if e["type"] == "text_link"]
        return found + ([("parse_mode", data["parse_mode"])] if data.get("parse_mode") else [])


def _check_entity(text, entity):
    units = text.encode("utf-16-le")
    offset, length = entity.get("offset"), entity.get("length")
    kinds = {"bold", "italic", "underline", "strikethrough", "code", "pre", "blockquote", "expandable_blockquote",
             "text_link", "url"}
    if entity.get("type") not in kinds:
        raise _bad("unsupported entity type")
    if not isinstance(offset, int) or not isinstance(length, int) or offset < 0 or length < 1:
        raise _bad("can't parse entity: invalid offset or length")
    if 2 * (offset + length) > len(units):
        raise _bad("entity is outside of the text")
    for at in (offset, offset + length):  # not in the middle of a pair
        if 0 < at < len(units) // 2 and 0xDC <= units[2 * at + 1] <= 0xDF:
            raise _bad("entity begins or ends in the middle of a UTF-16 symbol")
    if entity["type"] == "text_link" and not str(entity.get("url", "")).startswith(("http://", "https://")):
        raise _bad("wrong HTTP URL specified")
