# SPDX-License-Identifier: Apache-2.0
"""A Redis server (Debian: redis-server) on a free port of loopback and on a socket, and a client for it.

`dump()` is all that is in it, so that two servers, or two moments of one, can be compared."""

import socket

from harness.server import Database


class Refused(Exception):
    """An error the server answered with."""


def encode(words):
    """One command (RESP)."""
    out = b"*%d\r\n" % len(words)
    for word in words:
        word = word if isinstance(word, bytes) else str(word).encode()
        out += b"$%d\r\n%s\r\n" % (len(word), word)
    return out


def decode(file):
    """One answer: bytes, int, None or a list of these."""
    line = file.readline()
    if not line.endswith(b"\r\n"):
        raise ConnectionError("the server hung up")
    kind, rest = line[:1], line[1:-2]
    if kind == b"+":
        return rest
    if kind == b":":
        return int(rest)
    if kind == b"-":
        return Refused(rest.decode())
    n = int(rest)
    if n < 0:
        return None
    if kind == b"$":
        return file.read(n + 2)[:-2]
    return [decode(file) for _ in range(n)]


READ = {
    "string": lambda k: ("GET", k),
    "list": lambda k: ("LRANGE", k, 0, -1),
    "set": lambda k: ("SMEMBERS", k),
    "hash": lambda k: ("HGETALL", k),
    "zset": lambda k: ("ZRANGE", k, 0, -1, "WITHSCORES"),
    "stream": lambda k: ("XRANGE", k, "-", "+"),
}

# Sets and hashes have an order of their own in each server.
IN_ORDER = {b"set": sorted, b"hash": lambda v: sorted(zip(v[::2], v[1::2]))}


class Redis(Database):
    """`settings` are lines of redis.conf; a list is several of them."""

    name, title = "redis", "Redis"
    programs, packages = ("redis-server", "redis-cli"), "redis-server"

    def __init__(self, folder=None, password="secret-of-redis", **settings):
        super().__init__(folder)
        self.password = password
        self.settings = {"save": ["3600 1"], "repl-diskless-sync-delay": "0", **settings}
        self.file, self.connection = None, None

    @property
    def socket(self):
        return f"{self.sockets}/s"

    def command(self):
        conf = self.folder / "redis.conf"
        lines = {"bind": "127.0.0.1", "port": self.port, "unixsocket": self.socket, "unixsocketperm": "777",
                 "dir": self.folder, **self.settings}
        if self.password:
            lines["requirepass"] = self.password
        conf.write_text("".join(f"{name} {value or quoted('')}\n" for name, values in lines.items()
                                for value in (values if isinstance(values, list) else [values])))
        conf.chmod(0o644)
        return "redis-server", conf

    def answers(self):
        try:
            return self.ask("PING") == b"PONG"
        except (OSError, Refused):
            self._hang_up()
            return False

    def _hang_up(self):
        for thing in (self.file, self.connection):
            if thing:
                thing.close()
        self.file = self.connection = None

    def cut(self):
        self._hang_up()
        super().cut()

    def restart(self):
        self.cut()
        return self.start()

    # --- questions

    def many(self, commands):
        """The answers to many commands, sent at once; an error of any is raised."""
        if not self.connection:
            self.connection = socket.create_connection(("127.0.0.1", self.port), 30)
            self.file = self.connection.makefile("rb")
            if self.password:
                self.ask("AUTH", self.password)
        self.connection.sendall(b"".join(encode(words) for words in commands))
        answers = [decode(self.file) for _ in commands]
        for answer in answers:
            if isinstance(answer, Refused):
                raise answer
        return answers

    def ask(self, *words):
        return self.many([words])[0]

    def info(self):
        lines = self.ask("INFO").decode().split("\r\n")
        return dict(line.split(":", 1) for line in lines if ":" in line)

    def assert_as_before(self):
        """A master with its own settings."""
        info = self.info()
        assert (info["role"], info["connected_slaves"]) == ("master", "0")
        assert self.ask("CONFIG", "GET", "masterauth") == [b"masterauth", b""]

    def databases(self):
        return sorted(int(name[2:]) for name in self.info() if name.startswith("db") and name[2:].isdigit())

    def dump(self):
        """{(database, key): (its value, whether it expires)}."""
        found = {}
        for number in self.databases():
            self.ask("SELECT", number)
            keys = self.ask("KEYS", "*")
            kinds = self.many([("TYPE", k) for k in keys])
            values = self.many([READ[kind.decode()](k) for k, kind in zip(keys, kinds)])
            ends = self.many([("PTTL", k) for k in keys])
            for key, kind, value, end in zip(keys, kinds, values, ends):
                found[number, key] = (IN_ORDER.get(kind, list)(value) if isinstance(value, list) else value, end > 0)
        self.ask("SELECT", 0)
        return found

    def more(self, n):
        """So many keys."""
        for at in range(0, n, 10000):
            self.many([("SET", f"k{i}", f"value {i}") for i in range(at, min(n, at + 10000))])

    def fill(self, n=0):
        """Something of everything, binary names and values, several databases, and n keys more; what is in it then."""
        binary = bytes(range(256))
        self.many([
            ("SET", "text", "hello"), ("SET", b"bin\x00\xff\r\n" + binary, binary * 40), ("SET", "empty", ""),
            ("SET", "number", 1234567890123), ("SET", "soon", "x", "EX", 100000), ("SET", "sooner", "y", "EX", 50000),
            ("RPUSH", "list", *range(1000), "a" * 5000), ("SADD", "ints", *range(100)), ("SADD", "set", *"abcdefgh", binary),
            ("HSET", "hash", "a", 1, "b", "x" * 200, b"\x00", b"\xff"), ("ZADD", "zset", 1.5, "a", "-inf", "b", 3, "c"),
            ("XADD", "stream", "1-1", "temp", "20", "hum", "50"), ("XADD", "stream", "1-2", "temp", "21", "hum", "51"),
            ("XGROUP", "CREATE", "stream", "readers", "0"), ("PFADD", "hyper", *range(500)), ("SETBIT", "bits", 4000, 1),
            ("GEOADD", "geo", 13.36, 38.11, "Palermo"), ("XREADGROUP", "GROUP", "readers", "me", "COUNT", 1, "STREAMS", "stream", ">"),
            ("FUNCTION", "LOAD", "REPLACE", "#!lua name=mine\nredis.register_function('f', function() return 7 end)"),
            ("SELECT", 3), ("SET", "other", "database"), ("EXPIRE", "other", 90000), ("SET", "lasting", "z"),
            ("SELECT", 15), ("HSET", "last", "a", "b"), ("SELECT", 0)])
        self.more(n)
        return self.dump()


def quoted(text):
    return '"' + str(text).replace('"', '\\"') + '"'
