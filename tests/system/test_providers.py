# SPDX-License-Identifier: Apache-2.0
"""The servers that stand for the providers (harness/providers): a test of channels is worth what these refuse."""

import json
import struct
import zlib
from http.client import HTTPException

import pytest

from harness import http
from harness.providers import Discord, Dokploy, Gotify, Ntfy, Slack, Teams, Telegram, markdown


def png(width=4, height=4):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + b"\xff" * 3 * width for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


@pytest.fixture
def start():
    made = []

    def make(kind):
        made.append(kind())
        return made[-1]

    yield make
    for provider in made:
        provider.close()


def multipart(fields):
    """Body and type of multipart/form-data; a value is text or (file name, bytes)."""
    body = b""
    for name, value in fields.items():
        file, data = value if isinstance(value, tuple) else (None, value.encode())
        disposition = f'form-data; name="{name}"' + (f'; filename="{file}"' if file else "")
        body += f"--x42\r\nContent-Disposition: {disposition}\r\n\r\n".encode() + data + b"\r\n"
    return body + b"--x42--\r\n", {"Content-Type": "multipart/form-data; boundary=x42"}


def section(text):
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def card(*body):
    content = {"type": "AdaptiveCard", "version": "1.4", "body": list(body)}
    return {"type": "message",
            "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": content}]}


def dokploy(**changed):
    return {"json": {"ServerType": "Dokploy", "Type": "CPU", "Value": 91.2, "Threshold": 85, "Message": "m",
                     "Timestamp": "t", "Token": Dokploy.token, **changed}}


NTFY = {"Authorization": f"Bearer {Ntfy.token}"}
GOTIFY = {"X-Gotify-Key": Gotify.token}
TELEGRAM = f"/bot{Telegram.token}/sendMessage"
CHAT = {"chat_id": "-1001234567890"}
TEAMS = Teams.path + "?sig=" + Teams.signature

# Provider, path, headers, body, status: what their documentation says of such a request.
CASES = [
    (Slack, Slack.path, {}, {"text": "x"}, 200),
    (Slack, Slack.path, {}, {"text": "x", "blocks": [section("y" * 3000)] * 4}, 200),
    (Slack, Slack.path, {}, {"text": "x", "blocks": [section("y" * 3001)]}, 400),
    (Slack, Slack.path, {}, {"text": "x", "blocks": [section("y" * 3000)] * 5}, 400),
    (Slack, Slack.path, {}, {"text": "x", "blocks": [section("y")] * 51}, 400),
    (Slack, Slack.path, {}, {"text": "x", "blocks": [section("")]}, 400),
    (Slack, Slack.path, {}, {"text": "x", "blocks": [{"type": "header", "text": "y"}]}, 400),
    (Slack, Slack.path, {}, {"blocks": [section("y")]}, 400),
    (Slack, Slack.path, {}, b"{", 400),
    (Slack, Slack.path + "x", {}, {"text": "x"}, 403),
    (Telegram, TELEGRAM, {}, {**CHAT, "text": "😀" * 2048}, 200),
    (Telegram, TELEGRAM, {}, {**CHAT, "text": "😀" * 2048 + "x"}, 400),
    (Telegram, TELEGRAM, {}, {**CHAT, "text": " \n"}, 400),
    (Telegram, TELEGRAM, {}, {**CHAT, "text": "😀b", "entities": [{"type": "bold", "offset": 2, "length": 1}]}, 200),
    (Telegram, TELEGRAM, {}, {**CHAT, "text": "😀b", "entities": [{"type": "bold", "offset": 1, "length": 1}]}, 400),
    (Telegram, TELEGRAM, {}, {**CHAT, "text": "ab", "entities": [{"type": "bold", "offset": 1, "length": 2}]}, 400),
    (Telegram, TELEGRAM, {}, {"chat_id": "1", "text": "x"}, 400),
    (Telegram, TELEGRAM, {}, {**CHAT, "text": "x", "message_thread_id": 12}, 200),
    (Telegram, TELEGRAM, {}, {**CHAT, "text": "x", "message_thread_id": 13}, 400),
    (Telegram, TELEGRAM.replace("AAtele", "BB"), {}, {**CHAT, "text": "x"}, 401),
    (Discord, Discord.path, {}, {"content": "x" * 2000}, 204),
    (Discord, Discord.path + "?wait=true", {}, {"content": "x"}, 200),
    (Discord, Discord.path, {}, {"content": "x" * 2001}, 400),
    (Discord, Discord.path, {}, {"embeds": [{"title": "x" * 256, "description": "y" * 4096}]}, 204),
    (Discord, Discord.path, {}, {"embeds": [{"title": "x" * 257}]}, 400),
    (Discord, Discord.path, {}, {"embeds": [{"description": "y" * 3001}] * 2}, 400),
    (Discord, Discord.path, {}, {"embeds": [{"title": "x", "fields": [{"name": "", "value": "x"}]}]}, 400),
    (Discord, Discord.path, {}, {"embeds": [{"title": "x", "image": {"url": "attachment://a.png"}}]}, 400),
    (Discord, Discord.path, {}, {}, 400),
    (Discord, Discord.path + "x", {}, {"content": "x"}, 401),
    (Teams, TEAMS, {}, card({"type": "TextBlock", "text": "x"}), 202),
    (Teams, TEAMS, {}, card({"type": "TextBlock", "text": "x" * 28 * 1024}), 413),
    (Teams, TEAMS, {}, card({"type": "TextBlock"}), 400),
    (Teams, TEAMS, {}, card({"type": "FactSet", "facts": [{"title": "a"}]}), 400),
    (Teams, TEAMS, {}, {"text": "x"}, 400),
    (Teams, TEAMS + "x", {}, card({"type": "TextBlock", "text": "x"}), 401),
    (Ntfy, "/", NTFY, {"topic": Ntfy.topic, "message": "x", "priority": 5}, 200),
    (Ntfy, "/", NTFY, {"topic": Ntfy.topic, "message": "x", "priority": 6}, 400),
    (Ntfy, "/", NTFY, {"topic": "not/a topic", "message": "x"}, 400),
    (Ntfy, "/", NTFY, {"topic": Ntfy.topic, "message": "x" * 4097}, 413),
    (Ntfy, "/", NTFY, {"topic": Ntfy.topic, "message": "\n" * 4096}, 413),
    (Ntfy, "/", {}, {"topic": Ntfy.topic, "message": "x"}, 403),
    (Ntfy, "/" + Ntfy.topic, {**NTFY, "Filename": "c.png", "Title": "=?UTF-8?B?w6Q=?="}, png(), 200),
    (Ntfy, "/" + Ntfy.topic, {**NTFY, "Filename": "c.png", "Title": "ä".encode().decode("latin-1")}, png(), 400),
    (Ntfy, "/" + Ntfy.topic, {**NTFY, "Filename": "c.png"}, b"no picture", 400),
    (Gotify, "/message", GOTIFY, {"title": "x", "message": "y", "priority": 8}, 200),
    (Gotify, "/message", GOTIFY, {"title": "x", "message": ""}, 400),
    (Gotify, "/message", GOTIFY, {"message": "x", "priority": "high"}, 400),
    (Gotify, "/message", {}, {"message": "x"}, 401),
    (Dokploy, Dokploy.path, {}, dokploy(), 200),
    (Dokploy, Dokploy.path, {}, dokploy(Type="Disk"), 400),
    (Dokploy, Dokploy.path, {}, dokploy(Value="91.2"), 400),
    (Dokploy, Dokploy.path, {}, dokploy(Token="x"), 400),
]


def test_good_requests_are_taken_and_bad_ones_are_not(start):
    running = {}
    for kind, path, headers, body, status in CASES:
        provider = running.setdefault(kind, None) or start(kind)
        running[kind] = provider
        if isinstance(body, bytes):
            headers = {"Content-Type": "application/json" if body[:1] == b"{" else "image/png", **headers}
        answer = http.request(provider.base + path, "POST", headers, body)
        assert answer.status == status, (kind.name, path, str(body)[:200], answer)
        assert provider.requests[-1].accepted == (status < 300)


def test_pictures_must_be_pictures(start):
    telegram, discord = start(Telegram), start(Discord)
    for picture, good in ((png(), True), (b"GIF89a", False), (png()[:-4], False), (png(400, 4), False)):
        body, headers = multipart({**CHAT, "caption": "x", "photo": ("chart.png", picture)})
        answer = http.request(f"{telegram.base}/bot{Telegram.token}/sendPhoto", "POST", headers, body)
        assert (answer.status == 200) == good, answer
    assert telegram.accepted[0].pictures == [("chart.png", png())]

    payload = json.dumps({"embeds": [{"title": "x", "image": {"url": "attachment://chart.png"}}]})
    body, headers = multipart({"payload_json": payload, "files[0]": ("chart.png", png())})
    assert http.request(discord.base + discord.path, "POST", headers, body).status == 204
    body, headers = multipart({"payload_json": payload, "files[0]": ("other.png", png())})
    assert http.request(discord.base + discord.path, "POST", headers, body).status == 400
    assert discord.accepted[0].pictures == [("chart.png", png())]


def test_a_chat_that_moved_says_where_to(start):
    telegram = start(Telegram)
    telegram.moved["-42"] = -10042
    answer = http.request(telegram.base + TELEGRAM, "POST", {}, {"chat_id": -42, "text": "x"})
    assert answer.status == 400 and answer.json()["parameters"] == {"migrate_to_chat_id": -10042}


def test_what_would_be_interpreted_is_found(start):
    seen, found = markdown.read("a **b** \\*c\\* [d](http://e) <@1> \\@everyone\n# f\n\\# g `h` i_j_k &lt;")
    assert seen == "a b *c* d @1 @everyone\nf\n# g h i_j_k <"
    assert sorted(found) == [("bold", "b"), ("code", "h"), ("heading", "f"), ("link", "d"), ("mention", "@1")]

    slack = start(Slack)
    text = "*b* 2*3*4 <!channel> <http://x|y> &lt;!here&gt; _i_ *\u200bno* `c`"
    http.request(slack.base + slack.path, "POST", {}, {"text": "t", "blocks": [section(text)]})
    found = slack.interpreted(slack.accepted[0])
    assert ("mention", "!channel") in found and ("link", "http://x|y") in found and ("bold", "b") in found
    assert ("italic", "i") in found and ("code", "c") in found
    assert not [f for f in found if "here" in f[1] or "3" in f[1] or "no" in f[1]]
    assert "<!here>" in slack.text(slack.accepted[0])


def test_they_misbehave_when_told_to(start):
    slack = start(Slack)
    url, good = slack.base + slack.path, {"text": "x"}
    slack.next("429", wait=7)
    answer = http.request(url, "POST", {}, good)
    assert answer.status == 429 and answer.headers["Retry-After"] == "7"
    slack.next("500")
    assert http.request(url, "POST", {}, good).status == 500
    slack.next("refuse", status=410)
    assert http.request(url, "POST", {}, good).text == "channel_is_archived"
    for mode in ("cut", "reset", "garbage", "hang"):
        slack.next(mode)
        with pytest.raises((OSError, HTTPException)):
            http.request(url, "POST", {}, good, timeout=0.3)
    assert http.request(url, "POST", {}, good).text == "ok"
    assert len(slack.accepted) == 1 and len(slack.requests) == 8
