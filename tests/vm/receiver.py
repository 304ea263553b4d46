#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Who is told: a webhook on port 8099 and a mail server on port 8025 of the guest.

Appends a line of JSON to FOLDER/hook.jsonl for each request and to FOLDER/mail.jsonl for each mail."""

import email
import email.policy
import json
import pathlib
import socketserver
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FOLDER = pathlib.Path(sys.argv[1])


def keep(name, what):
    with open(FOLDER / name, "a", encoding="utf-8") as log:
        log.write(json.dumps({"at": time.time(), **what}) + "\n")


class Hook(BaseHTTPRequestHandler):
    def do_POST(self):
        keep("hook.jsonl", {"event": json.loads(self.rfile.read(int(self.headers["Content-Length"])))})
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


class Mail(socketserver.StreamRequestHandler):
    answers = {"DATA": "354 go on", "QUIT": "221 bye"}

    def handle(self):
        self.say("220 receiver")
        for line in self.rfile:
            word = line.split()[0].decode().upper()
            self.say(self.answers.get(word, "250 fine"))
            if word == "DATA":
                self.take()
            if word == "QUIT":
                return

    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def take(self):
        lines = iter(self.rfile.readline, b".\r\n")
        text = b"".join(line.removeprefix(b".") for line in lines)
        mail = email.message_from_bytes(text, policy=email.policy.default)
        pictures = [p.get_content() for p in mail.walk() if p.get_content_type() == "image/png"]
        keep(
            "mail.jsonl",
            {
                "kind": mail["X-Agent-Kind"],
                "subject": mail["Subject"],
                "pictures": [len(p) for p in pictures if p.startswith(b"\x89PNG\r\n\x1a\n")],
            },
        )
        self.say("250 taken")


class MailServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


FOLDER.mkdir(exist_ok=True)
mail_server = MailServer(("127.0.0.1", 8025), Mail)
threading.Thread(target=mail_server.serve_forever, daemon=True).start()
ThreadingHTTPServer(("127.0.0.1", 8099), Hook).serve_forever()
