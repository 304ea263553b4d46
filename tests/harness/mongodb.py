# SPDX-License-Identifier: Apache-2.0
"""A stand-in for MongoDB's tools, which Debian has not: mongodump and mongorestore as they are documented and as their sources say
(options, --config, archive, words on stderr, exit statuses), on a server that is a folder of BSON files."""

import os
import signal
import sys
from pathlib import Path

from harness import mongo_archive
from harness.mongo_archive import document

TOOL = '''#!/usr/bin/python3
import sys
sys.path.insert(0, {harness!r})
from harness import mongodb
sys.exit(mongodb.main({folder!r}, sys.argv))
'''

VERSION = """{name} version: 100.9.4
git version: 7b05b1b0ab5e8b0ae0a2ecd7b4fdb2dc6a5f6b5e
Go version: go1.20.12
"""
TAKEN = {
    "mongodump": {"host", "port", "username", "authenticationDatabase", "config", "archive", "db", "collection", "oplog"},
    "mongorestore": {"host", "port", "username", "authenticationDatabase", "config", "archive", "drop", "stopOnError", "oplogReplay", "nsFrom",
                     "nsTo"},
}


class Mongodb:
    """The server, and the tools in `bin`. `fault` is what goes wrong next: "late", "cut", "half", "deaf", "refuse", "broken"."""

    port, user, password = 27099, "backup", 'it\'s "a\\b" $HOME #: {x} \u00fc'

    def __init__(self, folder):
        self.folder = Path(folder)
        self.bin = self.folder / "bin"
        self.bin.mkdir(parents=True)
        (self.folder / "data").mkdir()
        text = TOOL.format(harness=str(Path(__file__).resolve().parents[1]), folder=str(self.folder))
        for name in TAKEN:
            (self.bin / name).write_text(text)
            (self.bin / name).chmod(0o755)

    def environment(self):
        return {"PATH": f"{self.bin}:{os.environ['PATH']}"}

    def job(self, folder, password=None):
        secret = Path(folder) / "mongo.password"
        secret.write_text(password or self.password)
        secret.chmod(0o600)
        return {"engine": "mongodb", "host": "127.0.0.1", "port": self.port, "user": self.user, "password_file": str(secret)}

    def put(self, db, collection, documents):
        path = self.folder / "data" / db / collection
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"".join(documents))

    def drop(self, db):
        for path in (self.folder / "data" / db).glob("*"):
            path.unlink()
        (self.folder / "data" / db).rmdir()

    def all(self):
        """{"db.collection": its bytes}"""
        return {f"{p.parent.name}.{p.name}": p.read_bytes() for p in (self.folder / "data").glob("*/*")}

    def fault(self, name):
        (self.folder / "fault").write_text(name)

    def calls(self):
        """What the tools were called with, one a line."""
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []


# --- the tools themselves

def say(text):
    print(f"2024-01-01T00:00:00.000+0000\t{text}", file=sys.stderr, flush=True)


class Failure(Exception):
    pass


def options_of(name, words):
    found = {}
    for word in words:
        option, _, value = word.removeprefix("--").partition("=")
        if not word.startswith("--") or option not in TAKEN[name]:
            raise Failure(f"error parsing command line options: unknown flag `{option}'")
        found.setdefault(option, []).append(value)
    return found


def config_of(path):
    """YAML, as far as texts in double quotes go."""
    found = {}
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        if not line:
            continue
        key, _, value = line.partition(": ")
        if key not in ("password", "uri", "sslPEMKeyPassword") or value[:1] != '"' or value[-1:] != '"':
            raise Failure(f"error parsing command line options: error parsing config file {path}: yaml: {key}")
        found[key] = value[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    return found


def log_in(options):
    config = config_of(options["config"][0]) if "config" in options else {}
    if "host" in options and options.get("port", ["27017"])[0] != str(Mongodb.port):
        raise Failure("Failed: can't create session: failed to connect to mongodb://127.0.0.1/: server selection error: server selection "
                      "timeout, current topology: { Type: Single, Servers: [{ Last error: dial tcp: connect: connection refused }, ] }")
    if options.get("username") != [Mongodb.user] or config.get("password") != Mongodb.password:
        raise Failure("Failed: can't create session: failed to connect to mongodb://127.0.0.1/: connection() error occurred during "
                      "connection handshake: auth error: sasl conversation error: unable to authenticate using mechanism "
                      '"SCRAM-SHA-256": (AuthenticationFailed) Authentication failed.')


def main(folder, argv):
    name, folder = Path(argv[0]).name, Path(folder)
    if "--version" in argv:
        print(VERSION.format(name=name), end="")
        return 0
    with open(folder / "calls", "a", encoding="utf-8") as f:
        print(name, *argv[1:], "|", *(f"{k}={v}" for k, v in os.environ.items() if "MONGO" in k), file=f)
    fault = folder / "fault"
    wrong = fault.read_text() if fault.exists() and "--collection=agent_probe" not in argv else ""
    if wrong == "deaf":  # as mongodump was seen to be without a server
        signal.signal(signal.SIGTERM, lambda *_: say("signal 'terminated' received; attempting to shut down"))
    try:
        options = options_of(name, argv[1:])
        log_in(options)
        return (dump if name == "mongodump" else restore)(folder, options, wrong, sys.stdin.buffer, sys.stdout.buffer)
    except Failure as e:
        say(str(e))
        return 1


def dump(folder, options, wrong, _, out):
    wanted = {}
    for path in sorted((folder / "data").glob("*/*")):
        if options.get("db", [path.parent.name]) == [path.parent.name] and options.get("collection", [path.name]) == [path.name]:
            wanted[(path.parent.name, path.name)] = mongo_archive.documents(path.read_bytes())
    if "oplog" in options:
        wanted[("", "oplog")] = [document(op="n", ts=1)]
    for db, collection in wanted:
        say(f"writing {db}.{collection} to archive on stdout")
    data = mongo_archive.write(wanted)
    if wrong in ("half", "deaf"):
        out.write(data[:len(data) // 2])
        out.flush()
        (folder / "half").touch()
        stay()
    out.write(data[:len(data) // 2] if wrong == "cut" else data)
    out.flush()
    if wrong == "late":
        raise Failure("Failed: error writing data for collection `shop.orders` to disk: cursor killed")
    return 0


def stay():
    """Until it is killed."""
    while True:
        signal.pause()


def new_name(db, options):
    source, target = (options.get(o, [""])[0].removesuffix(".*") for o in ("nsFrom", "nsTo"))
    return target if source and db == source else db


def restore(folder, options, wrong, stdin, _):
    good = failed = 0
    try:
        found = mongo_archive.read(stdin.read())
    except ValueError as e:
        raise Failure(f"Failed: corruption found in archive; {e}") from e
    for (db, collection), documents in found.items():
        if not db:
            continue
        path = folder / "data" / new_name(db, options) / collection
        path.parent.mkdir(exist_ok=True)
        if path.exists() and "drop" not in options:
            raise Failure("Failed: E11000 duplicate key error")
        if wrong == "refuse":
            failed += 1
            documents = documents[1:]
        path.write_bytes(b"".join(documents))
        good += len(documents)
        say(f"finished restoring {path.parent.name}.{collection} ({len(documents)} documents, {failed} failures)")
        if wrong == "broken":
            raise Failure(f"Failed: {db}.{collection}: error restoring: connection(127.0.0.1) socket was unexpectedly closed: EOF")
    say(f"{good} document(s) restored successfully. {failed} document(s) failed to restore.")
    return 0
