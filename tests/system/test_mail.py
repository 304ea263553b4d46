# SPDX-License-Identifier: Apache-2.0
"""The process that sends one mail (`agent worker mail`), with real mail servers."""

import json
import subprocess
import time

import pytest

from harness.agent import BINARY
from harness.certificates import Authority
from harness.smtp import SmtpServer

MESSAGE = b"From: agent@example.com\r\nSubject: x\r\n\r\nhello\r\n.a line with a dot\r\n"
PASSWORD = "c0rrect-horse"


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


def send(server, authority=None, message=MESSAGE, **changed):
    scheme = "smtps" if server.security == "tls" else "smtp"
    order = {"url": f"{scheme}://{server.address}", "require_tls": server.security != "none", "timeout_ms": 15000,
             "from": "agent@example.com", "to": ["ann@example.com", "bob@example.com"]}
    if authority:
        order["ca_file"] = str(authority.ca)
    order.update(changed)
    done = subprocess.run([str(BINARY), "worker", "mail"], input=json.dumps(order).encode() + b"\n" + message,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=False)
    assert done.returncode == 0, done
    return json.loads(done.stdout.decode().splitlines()[-1])


LOGIN = {"user": "agent", "password": PASSWORD}


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_login_and_mail_are_encrypted(smtp, authority, security):
    server = smtp(security, **LOGIN)
    result = send(server, authority, **LOGIN)
    assert result == {"error": 0, "status": 250, "message": "", "reply": "250 2.0.0 queued as 1234"}
    mail, = server.mails
    assert mail.encrypted and mail.login == "agent"
    assert mail.data == MESSAGE
    assert mail.sender == "agent@example.com"
    assert mail.recipients == ["ann@example.com", "bob@example.com"]
    assert b"hello" not in server.clear_text and b"AUTH" not in server.clear_text


def test_without_encryption_when_it_is_not_asked_for(smtp):
    server = smtp("none")
    assert send(server)["error"] == 0
    assert not server.mails[0].encrypted


def test_a_server_without_starttls_gets_neither_password_nor_mail(smtp, authority):
    """Also what an attacker makes of it who takes STARTTLS out of the answer."""
    server = smtp("none", login_in_clear=True, **LOGIN)
    result = send(server, authority, require_tls=True, **LOGIN)
    assert result["error"] != 0 and "TLS" in result["message"], result
    assert server.mails == []
    assert server.clear_text.startswith(b"EHLO ")
    for secret in (b"AUTH", b"MAIL", b"hello", PASSWORD.encode()):
        assert secret not in server.clear_text


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize("fault", ["unknown authority", "wrong name", "expired"])
def test_a_wrong_certificate_ends_it(smtp, authority, security, fault):
    if fault == "wrong name":
        server = smtp(security, certificate=authority.make("wrong", "DNS:mail.example.com"), **LOGIN)
    elif fault == "expired":
        server = smtp(security, certificate=authority.make("expired", until="20210101000000Z"), **LOGIN)
    else:
        server = smtp(security, **LOGIN)
    result = send(server, None if fault == "unknown authority" else authority, **LOGIN)
    assert result["error"] != 0 and result["status"] < 400, result
    assert "certificate" in result["message"], result
    assert server.mails == []
    assert PASSWORD.encode() not in server.clear_text and b"AUTH" not in server.clear_text


def test_a_wrong_password_is_said_in_the_servers_words(smtp, authority):
    server = smtp("starttls", **LOGIN)
    result = send(server, authority, user="agent", password="wrong")
    assert result["status"] == 535 and "535" in result["reply"], result
    assert "wrong" not in json.dumps(result) and server.mails == []


def test_one_recipient_refused_does_not_keep_it_from_the_other(smtp):
    server = smtp()
    server.plan("RCPT bob@example.com", "550 5.1.1 no such user")
    result = send(server)
    assert result["error"] == 0 and result["status"] == 250
    assert result["message"] == "bob@example.com: 550 5.1.1 no such user"
    assert server.mails[0].recipients == ["ann@example.com"]


def test_one_recipient_to_come_later_puts_it_off_for_all(smtp):
    server = smtp()
    server.plan("RCPT bob@example.com", "450 4.2.0 greylisted")
    result = send(server)
    assert result["error"] != 0 and result["status"] == 450, result
    assert server.mails == []
    assert send(server)["error"] == 0
    assert [m.recipients for m in server.mails] == [["ann@example.com", "bob@example.com"]]


def test_a_connection_cut_in_the_middle_is_an_error(smtp):
    server = smtp()
    server.plan("DATA", "drop")
    result = send(server, message=MESSAGE + b"x" * 70 + b"\r\n" * 5000)
    assert result["error"] != 0, result
    assert server.mails == []
    assert send(server)["error"] == 0


def test_a_server_that_hangs_is_left_in_time(smtp):
    server = smtp()
    server.plan("DATA", "hang")
    began = time.monotonic()
    result = send(server, timeout_ms=1500)
    assert result["error"] != 0 and time.monotonic() - began < 6, result
    assert server.mails == []
