# SPDX-License-Identifier: Apache-2.0
"""A real mail server (aiosmtpd) that keeps what it gets and can be told to misbehave."""

import asyncio
import collections
import dataclasses
import email
import email.policy
import re
import threading

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from harness.certificates import server_context
from harness.wait import until

TIMEOUT = 300  # of a client that says nothing; longer than any test


@dataclasses.dataclass
class Mail:
    """One mail as it was taken."""

    sender: str
    recipients: list
    data: bytes  # as it came, without the dots that were doubled
    encrypted: bool
    login: str  # "" without

    @property
    def message(self):
        return email.message_from_bytes(self.data, policy=email.policy.default)

    def text(self, kind="plain"):
        """What a person reads."""
        return self.message.get_body((kind,)).get_content()

    @property
    def pictures(self):
        return [part for part in self.message.walk() if part.get_content_type() == "image/png"]

    def header_names(self):
        head = self.data.split(b"\r\n\r\n", 1)[0].decode("ascii")
        return [m.group(1) for m in re.finditer(r"(?m)^([^\s:]+):", head)]

    def check(self):
        """What a strict server or reader would refuse."""
        assert b"\n" not in self.data.replace(b"\r\n", b"") and b"\r" not in self.data.replace(b"\r\n", b"")
        assert max(map(len, self.data.split(b"\r\n"))) <= 998
        assert all(c < 0x80 and c != 0 for c in self.data)
        names = self.header_names()
        assert len(names) == len(set(names)), names
        message = self.message
        defects = [d for part in message.walk() for d in part.defects]
        defects += [d for value in message.values() for d in value.defects]
        assert not defects, defects


class _Session(SMTP):
    """One connection. Remembers what came in clear text."""

    def __init__(self, server, handler, **kwargs):
        super().__init__(handler, **kwargs)
        self.server = server

    def data_received(self, data):
        if self._tls_protocol is None and self.server.security != "tls":
            self.server.clear_text += data
        super().data_received(data)

    async def smtp_DATA(self, arg):
        if self.server.takes_plan("DATA", "drop"):
            await self.push("354 go on")
            await self._reader.readline()
            self._writer.transport.abort()
            return
        await super().smtp_DATA(arg)


class _Handler:
    def __init__(self, server):
        self.server = server

    async def handle_MAIL(self, server, session, envelope, address, options):
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return await self.server.answer("MAIL", "250 fine")

    async def handle_RCPT(self, server, session, envelope, address, options):
        answer = await self.server.answer(f"RCPT {address}", "250 fine")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server, session, envelope):
        answer = await self.server.answer("DATA", "250 2.0.0 queued as 1234")
        if answer.startswith("250"):
            login = session.auth_data.login.decode() if session.auth_data else ""
            encrypted = self.server.security == "tls" or session.ssl is not None
            self.server.mails.append(
                Mail(envelope.mail_from, list(envelope.rcpt_tos), envelope.original_content, encrypted, login))
        return answer


class SmtpServer:
    """security: "starttls" (and AUTH only after it), "tls" from the first byte, "none": nothing is offered.

    With a user, nothing is taken without a login. plan() says how it misbehaves.
    """

    def __init__(self, security="none", certificate=None, user=None, password=None, login_in_clear=False):
        self.security = security
        self.user, self.password = user, password
        self.login_in_clear = login_in_clear
        self.certificate = certificate
        self.mails = []
        self.clear_text = b""
        self.connections = 0
        self.planned = collections.defaultdict(collections.deque)
        self.always = {}
        self.loop = asyncio.new_event_loop()
        self.server = None
        self.port = None
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        assert self.ready.wait(10)

    def plan(self, what, *answers, always=None):
        """what: "MAIL", "RCPT address", "DATA". Answers as said, or "hang"; for DATA also "drop": cuts the
        connection in the middle of the mail. One for each time, then `always`, then as usual."""
        self.planned[what].extend(answers)
        if always:
            self.always[what] = always

    def takes_plan(self, what, answer):
        """Whether that is what comes next; then it is done with."""
        if not self.planned[what] or self.planned[what][0] != answer:
            return False
        self.planned[what].popleft()
        return True

    def wait_mails(self, n, seconds=20):
        until(lambda: len(self.mails) >= n, seconds, f"{n} mails")
        assert len(self.mails) == n
        return self.mails

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    # --- in its thread

    async def answer(self, what, usual):
        answer = self.planned[what].popleft() if self.planned[what] else self.always.get(what, usual)
        if answer == "hang":
            await asyncio.sleep(TIMEOUT)
        return answer

    def _login(self, server, session, envelope, mechanism, data):
        good = (isinstance(data, LoginPassword) and data.login == self.user.encode()
                and data.password == self.password.encode())
        return AuthResult(success=good, handled=False, auth_data=data if good else None)

    def _session(self):
        self.connections += 1
        options = {"hostname": "mail.test", "enable_SMTPUTF8": True, "timeout": TIMEOUT, "loop": self.loop}
        if self.user:
            options |= {"authenticator": self._login, "auth_required": True,
                        "auth_require_tls": self.security == "starttls" and not self.login_in_clear}
        if self.security == "starttls":
            options |= {"tls_context": server_context(self.certificate), "require_starttls": True}
        return _Session(self, _Handler(self), **options)

    def _run(self):
        asyncio.set_event_loop(self.loop)
        context = server_context(self.certificate) if self.security == "tls" else None
        self.server = self.loop.run_until_complete(
            self.loop.create_server(self._session, "127.0.0.1", 0, ssl=context))
        self.port = self.server.sockets[0].getsockname()[1]
        self.ready.set()
        self.loop.run_forever()
        self.server.close()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0.01))
        self.loop.close()
