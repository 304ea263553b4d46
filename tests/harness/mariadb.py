# SPDX-License-Identifier: Apache-2.0
"""A MariaDB server (Debian: mariadb-server) on a free port of loopback and on a socket; a password is needed on both."""

import os
import shutil
import subprocess

from harness.server import Database

# The test's own databases are made from scratch each time: nothing of them needs to survive.
SETTINGS = {"innodb-buffer-pool-size": "64M", "innodb-log-file-size": "16M", "innodb-flush-log-at-trx-commit": "0",
            "innodb-flush-method": "nosync", "innodb-fast-shutdown": "3", "performance-schema": "OFF", "skip-name-resolve": "ON",
            "character-set-server": "utf8mb4", "collation-server": "utf8mb4_unicode_ci", "log-bin-trust-function-creators": "ON",
            "skip-log-bin": None}

# root needs its password, and nobody else is there.
ACCOUNTS = """ALTER USER root@localhost IDENTIFIED BY '{password}';
CREATE OR REPLACE USER root@'127.0.0.1' IDENTIFIED BY '{password}';
GRANT ALL ON *.* TO root@'127.0.0.1' WITH GRANT OPTION;
DELETE FROM mysql.global_priv WHERE User = '' OR (User = 'root' AND Host NOT IN ('localhost', '127.0.0.1'));
FLUSH PRIVILEGES;
"""


def quoted(name):
    return "`" + name.replace("`", "``") + "`"


class Mariadb(Database):
    """`settings` are options of mariadbd; None: one without a value."""

    name, title = "mariadb", "MariaDB"
    programs, packages = ("mariadbd", "mariadb-install-db", "mariadb", "mariadb-dump"), "mariadb-server"
    user, password = "root", "secret-of-mariadb"
    usual = ()  # the databases of a new one, but for the server's own

    def __init__(self, folder=None, settings=None):
        super().__init__(folder)
        self.settings = {**SETTINGS, **(settings or {})}

    @property
    def socket(self):
        return self.sockets / "s"

    def command(self):
        own_tmp = "env", f"TMPDIR={self.sockets}"  # at its start a server removes the temporary tables of all others there
        if not self.data.exists():
            self.run(*own_tmp, "mariadb-install-db", "--no-defaults", f"--datadir={self.data}", "--skip-test-db",
                     "--auth-root-authentication-method=normal")
        accounts = self.folder / "accounts.sql"
        accounts.write_text(ACCOUNTS.format(password=self.password))
        accounts.chmod(0o644)
        options = [f"--{k}" if v is None else f"--{k}={v}" for k, v in self.settings.items()]
        return (*own_tmp, shutil.which("mariadbd"), "--no-defaults", f"--datadir={self.data}", f"--socket={self.socket}",
                f"--pid-file={self.sockets}/pid", f"--init-file={accounts}", "--bind-address=127.0.0.1", f"--port={self.port}", *options)

    def answers(self):
        return self.socket.exists() and self.sql("SELECT 1")

    def tool(self, program, *words, status=0, **more):
        """Runs one of the tools as root and returns what it printed. `status`: None: any."""
        environment = {**os.environ, "MYSQL_PWD": self.password}
        r = subprocess.run([program, "--no-defaults", f"--socket={self.socket}", f"--user={self.user}",
                            "--default-character-set=utf8mb4", *words], env=environment, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, check=False, **more)
        assert status in (None, r.returncode), f"{program} {words}: {r.stderr.decode(errors='replace')}"
        return r.stdout.decode(errors="surrogateescape")

    def sql(self, text, db=None):
        """Runs statements and returns what they print, a row a line, columns with a tab between, as --batch escapes them."""
        words = ["--batch", "--skip-column-names", "--binary-mode", *([db] if db else [])]
        return self.tool("mariadb", *words, input=text.encode()).rstrip("\n")

    def create(self, db, text="", options="CHARACTER SET utf8mb4"):
        """A database, with these statements run in it."""
        self.sql(f"CREATE DATABASE {quoted(db)} {options}")
        if text:
            self.sql(text, db)

    def drop(self, *databases):
        for db in databases:
            self.sql(f"DROP DATABASE IF EXISTS {quoted(db)}")

    def clean(self):
        """Removes all databases, users and roles but those of a new server."""
        self.drop(*self.databases())
        for kind, account in self.accounts():
            self.sql(f"DROP {kind} {account}")

    def accounts(self):
        """Users and roles but those of a new server: ("USER", "'u'@'%'"), ("ROLE", "r")."""
        rows = self.sql("SELECT IF(is_role = 'Y', 'ROLE', 'USER'), IF(is_role = 'Y', QUOTE(user), CONCAT(QUOTE(user), '@', QUOTE(host)))"
                        " FROM mysql.user WHERE user NOT IN ('root', 'mariadb.sys') ORDER BY 1, 2")
        return [tuple(row.split("\t")) for row in rows.splitlines()]

    def databases(self):
        """Those that are not the server's own."""
        return self.sql("SELECT schema_name FROM information_schema.schemata WHERE schema_name NOT IN"
                        " ('information_schema', 'mysql', 'performance_schema', 'sys') ORDER BY 1").splitlines()

    def rows(self, db):
        """All rows of all tables: {"orders": [rows, with bytes in hexadecimal]}."""
        found = {}
        tables = self.sql("SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()"
                          " AND table_type IN ('BASE TABLE', 'SEQUENCE') ORDER BY 1", db).splitlines()
        for table in tables:
            columns = self.sql("SELECT CONCAT('HEX(CONCAT(`', REPLACE(column_name, '`', '``'), '`))') FROM"
                               " information_schema.columns WHERE table_schema = DATABASE() AND table_name ="
                               f" '{table}' ORDER BY ordinal_position", db).splitlines() or ["next_not_cached_value"]
            found[table] = self.sql(f"SELECT {', '.join(columns)} FROM {quoted(table)} ORDER BY {', '.join(columns)}", db).splitlines()
        return found

    def schema(self, db):
        """What mariadb-dump says of everything but the rows, and what new tables get."""
        lines = self.tool("mariadb-dump", "--no-data", "--routines", "--events", "--triggers", "--skip-comments", db).split("\n")
        defaults = self.sql("SELECT @@character_set_database, @@collation_database", db)
        return [defaults, *(line for line in lines if "sandbox mode" not in line)]

    def rights(self):
        """Of all users and roles."""
        ask = "".join(f"SHOW GRANTS FOR {account};" + (f"SHOW CREATE USER {account};" if kind == "USER" else "")
                      for kind, account in self.accounts())
        return sorted(self.sql(ask).splitlines()) if ask else []

    def end_connections(self, db):
        """All that are in that database."""
        kill = self.sql(f"SELECT concat('KILL ', id, ';') FROM information_schema.processlist WHERE db = '{db}'")
        if kill:  # --force: one may have gone by itself meanwhile
            self.tool("mariadb", "--batch", "--force", input=kill.encode(), status=None)
