# SPDX-License-Identifier: Apache-2.0
"""The channel "email": from an event in the agent to what a person reads in a mailbox, with real mail servers."""

import email.utils
import json
import socket
import time

import pytest

from harness.certificates import Authority
from harness.smtp import SmtpServer
from harness.wait import until

PASSWORD = "c0rrect-horse"
LOGIN = {"user": "agent", "password": PASSWORD}


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    authority = Authority(tmp_path_factory.mktemp("authority"))
    authority.good = authority.make()
    return authority


@pytest.fixture
def smtp(authority):
    """smtp("starttls", ...): a server, closed after the test."""
    made = []

    def make(security="none", **kwargs):
        made.append(SmtpServer(security, **{"certificate": authority.good, **kwargs}))
        return made[-1]

    yield make
    for server in made:
        server.close()


@pytest.fixture
def mailing(make_agent, authority, tmp_path):
    """mailing(server, option=value...): an agent whose channel "mail" is that server."""

    def make(server, rules=None, **options):
        channel = {"type": "email", "server": server.address, "security": server.security, "from": "agent@example.com",
                   "to": ["ann@example.com", "bob@example.com"], "group": "0s", "ca_file": str(authority.ca),
                   "events": ["message", "test"]}  # not what is wrong with the machine the tests run on
        if server.user:
            path = tmp_path / "password"
            path.write_text(server.password + "\n")
            path.chmod(0o600)
            channel |= {"user": server.user, "password_file": str(path)}
        channel |= options
        channel = {name: value for name, value in channel.items() if value is not None}
        settings = {"hostname": "web-1", "channels": {"mail": channel}}
        if rules:
            settings["rules"] = rules
        return make_agent(settings=settings).start(1)

    return make


def send(agent, title, text="", *options):
    r = agent.cli("notify", "send", title, text, *options)
    assert r.returncode == 0, r.stderr


def deliveries(agent):
    return json.loads(agent.cli("notify", "log", "--json").stdout)["deliveries"]


def tried(agent, channel="mail"):
    """The result of `agent notify test`."""
    r = agent.cli("notify", "test", channel, "--json", timeout=90)
    result = json.loads(r.stdout)
    assert (r.returncode == 0) == result["sent"], r
    assert PASSWORD not in r.stdout + r.stderr
    return result


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_message_arrives_encrypted_and_readable(smtp, mailing, security):
    server = smtp(security, **LOGIN)
    agent = mailing(server)
    result = tried(agent)
    assert result["sent"] and result["status"] == 250 and result["answer"] == "250 2.0.0 queued as 1234", result
    mail, = server.mails
    mail.check()
    assert mail.encrypted and mail.login == "agent"
    assert mail.recipients == ["ann@example.com", "bob@example.com"]
    message = mail.message
    assert message["Subject"] == "INFO web-1: Test message of web-1"
    assert message["From"] == "web-1 <agent@example.com>"
    assert message["To"] == "ann@example.com, bob@example.com"
    assert message["Auto-Submitted"] == "auto-generated"
    assert abs(email.utils.parsedate_to_datetime(message["Date"]).timestamp() - time.time()) < 60
    assert 'the channel "mail" works' in mail.text()
    assert 'the channel &quot;mail&quot; works' in mail.text("html")
    assert PASSWORD.encode() not in server.clear_text and PASSWORD not in agent.log()
    assert len(mail.pictures) == 1, "a test shows that pictures arrive"


def test_an_alert_comes_with_its_chart(smtp, mailing):
    server = smtp()
    mailing(server, events=["alert.firing"], entities=["host/*"],
            rules={"always": {"metric": "host.processes_total", "warning": "> 1", "for": "4s"}})
    until(lambda: any("Processes" in m.text() + m.message["Subject"] for m in server.mails), 30, "the alert")
    mail = next(m for m in server.mails if "Processes" in m.text() + m.message["Subject"])
    mail.check()
    assert mail.message["Subject"].startswith("WARNING web-1: ")
    assert "above 1" in mail.text() and "above 1" in mail.text("html")
    picture, = mail.pictures
    assert picture.get_content().startswith(b"\x89PNG\r\n\x1a\n")
    cid = picture["Content-ID"].strip("<>")
    assert f'src="cid:{cid}"' in mail.text("html")


def test_nothing_in_a_text_is_interpreted(smtp, mailing):
    server = smtp()
    agent = mailing(server)
    title = "<b>Müll</b> \x07\r\nBcc: evil@example.com =?utf-8?q?x?= 🔥"
    text = "</p><script>alert(1)</script>\n.\nMAIL FROM:<evil@example.com>\n--=_agent_1--\n" + "ä" * 3000
    send(agent, title, text)
    mail, = server.wait_mails(1)
    mail.check()
    message = mail.message
    assert "Bcc" not in message and mail.recipients == ["ann@example.com", "bob@example.com"]
    assert message["Subject"].startswith("INFO web-1: <b>Müll</b> ")
    assert message["Subject"].endswith("Bcc: evil@example.com =?utf-8?q?x?= 🔥")
    assert text in mail.text().replace("\r\n", "\n")
    html = mail.text("html")
    assert "<script" not in html and "<b>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_a_story_is_one_thread(smtp, mailing):
    server = smtp()
    agent = mailing(server)
    send(agent, "Backup failed", "", "--key", "backup shop", "--severity", "critical")
    server.wait_mails(1)
    send(agent, "Backup is fine again", "", "--key", "backup shop", "--end")
    server.wait_mails(2)
    send(agent, "Something else")
    first, end, other = [m.message for m in server.wait_mails(3)]
    assert first["References"] and first["References"] == end["References"] == end["In-Reply-To"]
    assert other["References"] is None
    assert len({m["Message-ID"] for m in (first, end, other)}) == 3
    assert first["Subject"] == "CRITICAL web-1: Backup failed" and first["X-Agent-Severity"] == "critical"
    assert end["Subject"] == "OK web-1: Backup is fine again" and end["X-Agent-Severity"] == "ok"


def test_later_means_later(smtp, mailing):
    """450 first: the same mail comes again after the backoff, once."""
    server = smtp()
    server.plan("RCPT ann@example.com", "450 4.7.1 greylisted, come back later")
    agent = mailing(server)
    send(agent, "Something")
    until(lambda: "greylisted" in (deliveries(agent)[0].get("error") or ""), 10, "the first try")
    assert deliveries(agent)[0]["state"] == "waiting"
    server.wait_mails(1)
    until(lambda: deliveries(agent)[0]["state"] == "sent", 5, "the end")
    assert deliveries(agent)[0]["attempts"] == 2


def test_one_refused_recipient_is_told_and_the_other_gets_it(smtp, mailing):
    server = smtp()
    server.plan("RCPT bob@example.com", always="550 5.1.1 no such user")
    agent = mailing(server)
    send(agent, "Something")
    mail, = server.wait_mails(1)
    assert mail.recipients == ["ann@example.com"]
    until(lambda: deliveries(agent)[0]["state"] == "sent", 5, "the end")
    assert "bob@example.com: 550 5.1.1 no such user" in deliveries(agent)[0]["error"]
    assert any("bob@example.com" in text for text in agent.problems().values())
    result = tried(agent)
    assert result["sent"] and result["partly"] and "bob@example.com: 550" in result["why"]


def starttls_missing(smtp, authority):
    return smtp("none", login_in_clear=True, **LOGIN), {"security": "starttls"}, "STARTTLS"


def wrong_password(smtp, authority):
    server = smtp("starttls", **LOGIN)
    server.password = "another"
    return server, {}, "535"


def wrong_certificate(smtp, authority):
    return smtp("starttls", certificate=authority.make("wrong", "DNS:mail.example.com"), **LOGIN), {}, "ca_file"


def unknown_authority(smtp, authority):
    return smtp("tls", **LOGIN), {"ca_file": None}, "certificate"


def sender_refused(smtp, authority):
    server = smtp()
    server.plan("MAIL", always="550 5.7.1 not your address")
    return server, {}, "sender agent@example.com: 550 5.7.1 not your address"


@pytest.mark.parametrize("fault", [starttls_missing, wrong_password, wrong_certificate, unknown_authority, sender_refused])
def test_what_is_set_up_wrongly_is_said_with_its_cure(smtp, mailing, authority, fault):
    server, options, words = fault(smtp, authority)
    right = server.password
    if right:
        server.password = PASSWORD  # what the agent is given
    agent = mailing(server, **options)
    server.password = right
    result = tried(agent)
    assert not result["sent"] and result["verdict"] == "broken", result
    assert words in result["why"], result
    send(agent, "Something")
    until(lambda: any(words in text for text in agent.problems().values()), 10, "the problem")
    assert deliveries(agent)[0]["state"] == "waiting"
    assert server.mails == []
    if fault is not wrong_password:
        assert b"AUTH" not in server.clear_text and PASSWORD.encode() not in server.clear_text
    assert PASSWORD not in agent.log()


def test_a_connection_cut_in_the_mail_is_tried_again(smtp, mailing):
    server = smtp()
    server.plan("DATA", "drop")
    agent = mailing(server)
    send(agent, "Something")
    mail, = server.wait_mails(1)
    assert mail.message["Subject"] == "INFO web-1: Something"
    until(lambda: deliveries(agent)[0]["state"] == "sent", 5, "the end")


def test_a_refused_message_goes_once_more_as_plain_text(smtp, mailing):
    server = smtp()
    server.plan("DATA", "554 5.6.0 looks like spam")
    agent = mailing(server)
    send(agent, "Something", "words")
    mail, = server.wait_mails(1)
    assert mail.message.get_content_type() == "text/plain" and "words" in mail.text()


@pytest.mark.parametrize("where", ["DATA", "greeting"])
def test_a_server_that_hangs_delays_no_sample(smtp, mailing, where):
    """Samples go on each second, while the server takes a mail and says nothing."""
    server = smtp()
    server.plan("DATA", always="hang")
    if where == "greeting":
        silent = socket.create_server(("127.0.0.1", 0))
        server.port = silent.getsockname()[1]
    agent = mailing(server)
    send(agent, "Something")
    until(lambda: agent.api("channels")["channels"][0]["doing"] == "sending", 10, "sending")
    times, began = set(), time.monotonic()
    while time.monotonic() - began < 8:
        times.add(agent.sample_time())
        time.sleep(0.1)
    assert agent.api("channels")["channels"][0]["doing"] == "sending"
    steps = [b - a for a, b in zip(sorted(times), sorted(times)[1:])]
    print("seconds between samples:", steps)
    assert len(times) >= 8 and max(steps) <= 1
