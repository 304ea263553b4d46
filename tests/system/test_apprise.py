# SPDX-License-Identifier: Apache-2.0
"""The channel "command": with Debian's apprise as notify/README.md says, and with programs that misbehave."""

import json
import shutil
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from harness.wait import until

# As in notify/README.md, but for the file's path.
SCRIPT = 'apprise -c {} -n "$AGENT_TYPE" -t "$AGENT_TITLE" -b "$AGENT_TEXT" || exit 75'


class JsonServer:
    """What apprise's json:// service sends to."""

    def __init__(self):
        got = self.got = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self):
        return f"json://127.0.0.1:{self.server.server_address[1]}/"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver():
    server = JsonServer()
    yield server
    server.close()


@pytest.fixture
def commanding(make_agent):
    """commanding(argv...): an agent whose channel "own" is that program."""

    def make(*argv):
        channel = {"type": "command", "command": list(argv), "events": ["message", "test"]}
        return make_agent(settings={"hostname": "web-1", "channels": {"own": channel}}).start(1)

    return make


@pytest.fixture
def apprise(commanding, tmp_path):
    if not shutil.which("apprise"):
        pytest.skip("no apprise (Debian package apprise)")

    def make(url):
        path = tmp_path / "apprise.conf"
        path.write_text(url + "\n")
        path.chmod(0o600)
        return commanding("sh", "-c", SCRIPT.format(path))

    return make


def tried(agent):
    r = agent.cli("notify", "test", "own", "--json", timeout=90)
    result = json.loads(r.stdout)
    assert (r.returncode == 0) == result["sent"], r
    return result


def deliveries(agent):
    return json.loads(agent.cli("notify", "log", "--json").stdout)["deliveries"]


def test_apprise_gets_title_text_and_type(apprise, receiver):
    agent = apprise(receiver.url)
    assert tried(agent)["sent"]
    assert receiver.got[0]["title"] == "INFO web-1: Test message of web-1"
    assert 'the channel "own" works' in receiver.got[0]["message"]
    assert receiver.got[0]["type"] == "info"


def test_texts_are_no_script(apprise, receiver):
    agent = apprise(receiver.url)
    title, text = '$(touch /tmp/evil) `id` "; \'x\' -t', 'first --body\n$HOME\n"; rm -rf "$x"\nend'
    assert agent.cli("notify", "send", title, text, "--severity", "critical").returncode == 0
    until(lambda: receiver.got, 20, "the message")
    assert receiver.got[0]["title"] == f"CRITICAL web-1: {title}"
    assert receiver.got[0]["message"].startswith(text)
    assert receiver.got[0]["type"] == "failure"


def test_apprise_that_cannot_deliver_is_tried_again(apprise):
    agent = apprise("json://127.0.0.1:1/")
    result = tried(agent)
    assert not result["sent"] and result["status"] == 75 and result["verdict"] == "retry", result


def test_each_event_is_on_stdin_by_itself(commanding, tmp_path):
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ncat >>{tmp_path}/got\necho taken\n")
    program.chmod(0o755)
    agent = commanding(str(program))
    for i in range(3):
        agent.cli("notify", "send", f"Event {i}", "--key", "one story")
    until(lambda: len(deliveries(agent)) == 3 and all(d["state"] == "sent" for d in deliveries(agent)), 20, "all three")
    events = [json.loads(line) for line in (tmp_path / "got").read_text().splitlines()]
    assert [e["title"] for e in events] == ["Event 0", "Event 1", "Event 2"]
    assert {e["key"] for e in events} == {"one story"} and {e["host"] for e in events} == {"web-1"}
    assert tried(agent)["answer"] == "taken\n"


@pytest.mark.parametrize("argv, verdict, words", [
    (["/no/such/program"], "broken", "/no/such/program"),
    (["sh", "-c", "echo no; echo such user >&2; exit 1"], "refused", "exit status 1: such user"),
    (["sh", "-c", "kill -9 $$"], "retry", "killed by signal 9"),
    (["sh", "-c", "no-such-program"], "broken", "not found"),
])
def test_a_program_that_fails_is_told(commanding, argv, verdict, words):
    agent = commanding(*argv)
    if argv[0].startswith("/no"):
        r = agent.cli("notify", "test", "own")
        assert r.returncode == 1 and words in r.stdout + r.stderr
        agent.cli("notify", "send", "Something")
        until(lambda: any(words in text for text in agent.problems().values()), 10, "the problem")
        return
    result = tried(agent)
    assert not result["sent"] and result["verdict"] == verdict and words in result["why"], result
