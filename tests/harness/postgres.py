# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL server (Debian: postgresql) on a free port of loopback and on a socket.

As in the official images: a password is needed over TCP (scram-sha-256), none through the socket."""

import json
import os
import re
import signal
import subprocess
from pathlib import Path

from harness.server import Database

# The test's own databases are made from scratch each time: nothing of them needs to survive.
SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off",
            "shared_buffers": "64MB", "max_connections": "50"}


def versions():
    """Of the servers that are installed, the newest first."""
    return sorted((p.parent.parent.name for p in Path("/usr/lib/postgresql").glob("*/bin/postgres")), key=float, reverse=True)


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


PROPERTIES = """SELECT pg_get_userbyid(d.datdba) AS owner, pg_encoding_to_char(d.encoding) AS encoding, d.datcollate, d.datctype,
  d.datconnlimit, shobj_description(d.oid, 'pg_database') AS comment,
  (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(d.datacl) a) AS acl,
  (SELECT array_agg(pg_get_userbyid(setrole) || setconfig::text ORDER BY setrole) FROM pg_db_role_setting s
  WHERE setdatabase = d.oid) AS settings FROM pg_database d WHERE datname = """


class Postgres(Database):
    """`settings` are lines of postgresql.conf. Databases are UTF-8."""

    name, title = "postgresql", "PostgreSQL"
    end = signal.SIGQUIT
    user, password = "postgres", "secret-of-postgres"
    usual = ("postgres",)  # the databases of a new one

    @classmethod
    def missing(cls):
        return None if versions() else "postgresql"

    def __init__(self, folder=None, settings=None, version=None):
        super().__init__(folder)
        self.bin = Path("/usr/lib/postgresql") / (version or versions()[0]) / "bin"
        self.settings = {**SETTINGS, **(settings or {})}

    @property
    def host(self):
        """For the tools: the folder of its socket."""
        return str(self.sockets)

    def command(self):
        if not (self.data / "PG_VERSION").exists():
            self._make()
        return self.bin / "postgres", "-D", self.data, "-p", self.port, "-k", self.sockets

    def _make(self):
        secret = self.folder / "password"
        secret.write_text(self.password)
        secret.chmod(0o644)
        self.run(self.bin / "initdb", "-D", self.data, "-U", self.user, "--auth-host=scram-sha-256", "--auth-local=trust",
                 f"--pwfile={secret}", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions")
        secret.unlink()
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as f:
            f.writelines(f"{name} = '{value}'\n" for name, value in {"listen_addresses": "127.0.0.1", **self.settings}.items())

    def reload(self):
        """It reads its rules anew."""
        self.processes[self.name].send_signal(signal.SIGHUP)

    def answers(self):
        r = subprocess.run([self.bin / "pg_isready", "-q"], env=self.environment(), check=False)
        return r.returncode == 0

    def environment(self, db="postgres", **more):
        """For the tools: PGHOST and the others."""
        return {**os.environ, "PGHOST": self.host, "PGPORT": str(self.port), "PGUSER": self.user,
                "PGPASSWORD": self.password, "PGDATABASE": db, **more}

    def tool(self, *words, db="postgres", **more):
        """Runs one of the tools and returns what it printed."""
        r = subprocess.run([self.bin / words[0], *words[1:]], env=self.environment(db), stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, check=False, **more)
        assert r.returncode == 0, f"{words}: {r.stderr.decode(errors='replace')}{self.last_words(self.name)}"
        return r.stdout.decode()

    def sql(self, text, db="postgres"):
        """Runs statements (those of psql too) and returns what they print, a row a line, columns with | between."""
        return self.tool("psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-f", "-", db=db, input=text.encode()).rstrip("\n")

    def ask(self, query, db="postgres"):
        """The rows of a query as dictionaries."""
        return json.loads(self.sql(f"SELECT coalesce(json_agg(q), '[]') FROM ({query}) q", db))

    def create(self, db, text="", options=""):
        """A database, with these statements run in it."""
        self.sql(f"CREATE DATABASE {quoted(db)} {options}")
        if text:
            self.sql(text, db)

    def drop(self, *databases):
        for db in databases:
            self.sql(f"DROP DATABASE IF EXISTS {quoted(db)} WITH (FORCE)")

    def clean(self):
        """Removes all databases and roles but those of a new server."""
        self.drop(*(db for db in self.databases() if db not in ("", "postgres")))
        roles = [quoted(r["rolname"]) for r in self.ask(
            "SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' AND rolname <> current_user")]
        self.sql("".join(f"DROP OWNED BY {r};" for r in roles) + "".join(f"DROP ROLE {r};" for r in roles))

    def databases(self):
        return self.sql("SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY 1").split("\n")

    def rows(self, db):
        """All rows of all tables, sequences and large objects: {"public.orders": [rows as text]}."""
        tables = self.ask("SELECT format('%I.%I', n.nspname, c.relname) AS name, CASE relkind WHEN 'S' THEN 't.last_value, t.is_called'"
                          " ELSE 't.*' END AS columns FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
                          " WHERE relkind IN ('r', 'm', 'S') AND n.nspname !~ '^(pg_|information_schema)' ORDER BY 1", db)
        queries = "".join(f"SELECT ROW({t['columns']})::text FROM {t['name']} t ORDER BY 1;\n\\echo -- end\n" for t in tables)
        answers = self.sql(queries, db).split("-- end")
        found = dict(zip((t["name"] for t in tables), answers))
        found["large objects"] = self.sql("SELECT oid, md5(lo_get(oid)) FROM pg_largeobject_metadata ORDER BY 1", db).split("\n")
        return found

    def properties(self, db):
        """What stands outside of a database and belongs to it."""
        return self.ask(PROPERTIES + "'" + db.replace("'", "''") + "'")

    def rights(self):
        """Of all roles."""
        lines = self.tool("pg_dumpall", "--globals-only").split("\n")
        return [line for line in lines if not re.match(r"-- (Started|Completed)|\\(un)?restrict", line)]

    def schema(self, db):
        """What pg_dump says of everything but the rows, without the lines that differ from run to run."""
        lines = self.tool("pg_dump", "--schema-only", db=db).split("\n")
        return [line for line in lines if not line.startswith(("\\restrict", "\\unrestrict"))]
