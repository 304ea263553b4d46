# SPDX-License-Identifier: Apache-2.0
"""Databases in containers, each asked and changed only by programs in its own container. The images are those of db_image.py."""

import contextlib
import os
import subprocess

from harness import db_image, proc
from harness.docker import PREFIX
from harness.wait import until

# Incompressible, and more than fits into the pipes between a dump and a store.
NOISE_ROWS, NOISE_BYTES = 200, 10_000


class DbContainer:
    """One that runs; `start()` and `wait()` first. `job` is what a worker needs to know of it."""

    kind = environment = program = None
    secret = "S3cret-of-the-container"

    def __init__(self, docker, name):
        self.docker, self.name = docker, PREFIX + name
        self.job = {"engine": self.kind, "container": self.name, "command": None, "compression": "none"}

    def start(self):
        db_image.make(self.docker)
        variables = [word for text in self.environment for word in ("--env", text)]
        self.docker.cli("run", "--detach", "--name", self.name, *variables, f"agenttest-db:{self.kind}")
        return self

    def wait(self):
        """Until the server lets itself be asked, over TCP, as a client of the network would."""
        until(self.answers, 60, f"{self.kind} in {self.name}", step=0.1)
        return self

    def exec(self, *command, text=None, environment=(), check=True):
        """What a program printed that ran in the container."""
        variables = [word for text in environment for word in ("--env", text)]
        r = subprocess.run(["docker", "exec", "--interactive", *variables, self.name, *command], input=text, text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                           env={**os.environ, "DOCKER_HOST": f"unix://{self.docker.socket}"})
        assert not check or r.returncode == 0, f"{command}: {r.stderr}"
        return r.stdout

    def commands(self):
        """The command lines of all processes in it."""
        said = self.docker.cli("top", self.name, "-o", "pid", check=False).stdout.split()[1:]
        return [" ".join(proc.cmdline(int(pid))) for pid in said]

    def pids_of(self, program):
        """On this host."""
        said = self.docker.cli("top", self.name, "-o", "pid", check=False).stdout.split()[1:]
        return [int(pid) for pid in said if (words := proc.cmdline(int(pid))) and os.path.basename(words[0]) == program]

    def restore(self, worker, **restore):
        """What a person does to have it back."""
        worker.run("restore", restore={"yes": True, **restore}).good()

    def remove(self):
        self.docker.cli("rm", "--force", "--volumes", self.name, check=False)


class Postgresql(DbContainer):
    kind, program = "postgresql", "pg_dump"
    environment = ["POSTGRES_USER=keeper", "POSTGRES_DB=shop", f"POSTGRES_PASSWORD={DbContainer.secret}"]

    def __init__(self, docker, name):
        super().__init__(docker, name)
        self.job["database"] = ["shop"]

    def answers(self):
        self.exec("psql", "-U", "keeper", "-h", "127.0.0.1", "-c", "SELECT 1", "shop")
        return True

    def sql(self, text):
        return self.exec("psql", "-U", "keeper", "-XqAt", "-v", "ON_ERROR_STOP=1", "shop", text=text)

    def fill(self):
        self.sql(f"""
            CREATE TYPE mood AS ENUM ('sad', 'glad');
            CREATE TABLE customer (id serial PRIMARY KEY, name text NOT NULL, mood mood, paid numeric(12, 2), at timestamptz, extra jsonb);
            INSERT INTO customer (name, mood, paid, at, extra) SELECT 'Zoë "' || n || E'\\n\\t\\\\', (ARRAY['sad', 'glad'])[n % 2 + 1]::mood,
                n / 7.0, '2020-01-01'::timestamptz + n * interval '1 h', json_build_object('n', n) FROM generate_series(1, 2000) n;
            CREATE TABLE noise (id int REFERENCES customer, bytes bytea);
            INSERT INTO noise SELECT n, (SELECT decode(string_agg(md5(n::text || i), ''), 'hex')
                FROM generate_series(1, {NOISE_BYTES // 16}) i) FROM generate_series(1, {NOISE_ROWS}) n;
            CREATE VIEW glad AS SELECT name FROM customer WHERE mood = 'glad';
            CREATE FUNCTION shout(text) RETURNS text LANGUAGE sql AS $$ SELECT upper($1) $$;
            SELECT lo_from_bytea(4711, 'large');""")

    def rows(self):
        return self.sql("SELECT c::text FROM customer c ORDER BY id; SELECT id, md5(bytes) FROM noise ORDER BY 1; SELECT count(*), "
                        "max(name) FROM glad; SELECT shout('x'), nextval('customer_id_seq') > 2000; SELECT lo_get(4711);")

    @contextlib.contextmanager
    def locked(self):
        """Somebody changes a table and takes his time: a dump waits for him."""
        self.docker.cli("exec", "--detach", self.name, "psql", "-U", "keeper", "-c", "BEGIN; LOCK TABLE customer; SELECT pg_sleep(600)", "shop")
        until(lambda: self.sql("SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted").strip() == "1", 20, "the lock")
        yield
        self.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()")

    def wipe(self):
        self.sql("DROP TABLE noise, customer CASCADE; DROP FUNCTION shout; SELECT lo_unlink(4711);")


class Mariadb(DbContainer):
    kind, program = "mariadb", "mariadb-dump"
    environment = [f"MARIADB_ROOT_PASSWORD={DbContainer.secret}"]

    def __init__(self, docker, name):
        super().__init__(docker, name)
        self.job["database"] = ["shop"]

    def answers(self):
        self.sql("SELECT 1", db="mysql", words=("-h", "127.0.0.1"))
        return True

    def sql(self, text, db="shop", words=()):
        return self.exec("mariadb", "--no-defaults", "--user=root", "--batch", "--skip-column-names", "--default-character-set=utf8mb4",
                         *words, db, text=text, environment=[f"MYSQL_PWD={self.secret}"])

    def fill(self):
        self.sql("CREATE DATABASE IF NOT EXISTS shop CHARACTER SET utf8mb4", db="mysql")
        self.sql(f"""
            CREATE TABLE customer (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(100), paid DECIMAL(12, 2), at DATETIME(6), big BLOB);
            INSERT INTO customer (name, paid, at, big) SELECT CONCAT('Zoë 😀 "', seq, '\\n\\t\\\\'), seq / 7, '2020-01-01' + INTERVAL seq HOUR,
                CONCAT(CHAR(0, 26, 39, 92, 255), seq) FROM seq_1_to_2000;
            CREATE TABLE noise (id INT, bytes LONGBLOB, FOREIGN KEY (id) REFERENCES customer (id));
            SET group_concat_max_len = 1000000;
            INSERT INTO noise SELECT n.seq, (SELECT UNHEX(GROUP_CONCAT(MD5(CONCAT(n.seq, '-', i.seq)) SEPARATOR ''))
                FROM seq_1_to_{NOISE_BYTES // 16} i) FROM seq_1_to_{NOISE_ROWS} n;
            CREATE VIEW rich AS SELECT name FROM customer WHERE paid > 200;
            CREATE TRIGGER t BEFORE INSERT ON customer FOR EACH ROW SET NEW.paid = IFNULL(NEW.paid, 0);
            CREATE PROCEDURE p() SELECT 1;""")

    def rows(self):
        return self.sql("SELECT id, HEX(name), paid, at, HEX(big) FROM customer ORDER BY id; SELECT id, MD5(bytes) FROM noise ORDER BY id;"
                        "SELECT COUNT(*), MAX(name) FROM rich; CALL p();"
                        "SELECT trigger_name, action_statement FROM information_schema.triggers WHERE trigger_schema = 'shop';")

    def wipe(self):
        self.sql("DROP TABLE noise, customer; DROP VIEW rich; DROP PROCEDURE p;")


class Redis(DbContainer):
    kind, program = "redis", "redis-cli"
    environment = [f"REDIS_PASSWORD={DbContainer.secret}"]
    # Every key of every kind, with what is in it in an order of its own.
    ALL_KEYS = """local found = {}
        for _, k in ipairs(redis.call('KEYS', '*')) do
            local t = redis.call('TYPE', k).ok
            local v = t == 'string' and redis.sha1hex(redis.call('GET', k)) or t == 'hash' and redis.call('HGETALL', k)
                or t == 'set' and redis.call('SORT', k, 'ALPHA') or t == 'zset' and redis.call('ZRANGE', k, 0, -1, 'WITHSCORES')
                or t == 'list' and redis.call('LRANGE', k, 0, -1) or redis.call('XRANGE', k, '-', '+')
            table.insert(found, k .. ' ' .. t .. ' ' .. tostring(redis.call('EXPIRETIME', k)) .. ' ' .. cjson.encode(v))
        end
        table.sort(found)
        return found"""

    def cli(self, *words, text=None):
        return self.exec("redis-cli", "--no-auth-warning", *words, text=text, environment=[f"REDISCLI_AUTH={self.secret}"])

    def answers(self):
        return "PONG" in self.cli("PING")

    def fill(self):
        self.cli("EVAL", f"""for i = 1, {NOISE_ROWS} do
                local t = {{}}
                for k = 1, {NOISE_BYTES // 20} do t[k] = redis.sha1hex(i .. '-' .. k) end
                redis.call('SET', 'noise:' .. i, table.concat(t))
            end
            for i = 1, 300 do
                redis.call('HSET', 'hash', 'field ' .. i, i)
                redis.call('SADD', 'set', 'zoë ' .. i)
                redis.call('ZADD', 'zset', i / 7, i)
                redis.call('RPUSH', 'list', i)
                redis.call('XADD', 'stream', i .. '-1', 'f', i)
            end
            redis.call('SET', 'dies', 'x', 'EXAT', 4000000000)""", "0")
        self.cli("-n", "3", "SET", "other", "database")
        assert "noise:7 " in self.rows()[0] and "4000000000" in self.rows()[0]

    def rows(self):
        return [self.cli("-n", str(n), "EVAL", self.ALL_KEYS, "0") for n in (0, 3)]

    def wipe(self):
        self.cli("FLUSHALL")
        self.cli("SET", "newer", "than the backup")


class Sqlite(DbContainer):
    kind, program = "sqlite", "cat"
    environment = []
    path = "/data/app.db"

    def __init__(self, docker, name):
        super().__init__(docker, name)
        self.job["path"] = self.path

    def answers(self):
        return self.exec("true") == ""

    def sql(self, text):
        return self.exec("sqlite3", "-bail", self.path, text=text)

    def fill(self):
        self.sql(f"""PRAGMA journal_mode = wal;
            CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT, paid REAL, big BLOB);
            WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 2000)
                INSERT INTO customer SELECT n, 'Zoë ' || n, n / 7.0, x'00ff' FROM c;
            CREATE TABLE noise (id INT, bytes BLOB);
            WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {2 * NOISE_ROWS})
                INSERT INTO noise SELECT n, randomblob({NOISE_BYTES}) FROM c;
            CREATE INDEX i ON customer (name);""")

    def rows(self):
        return self.sql("SELECT id, name, paid, hex(big) FROM customer ORDER BY id; SELECT id, hex(bytes) FROM noise ORDER BY id;")

    def wipe(self):
        self.sql("DROP TABLE customer; DELETE FROM noise;")

    def restore(self, worker, **restore):
        """A file in a container cannot be replaced from outside while others have it open."""
        worker.run("restore", restore={"yes": True, **restore}).bad("a file in a container is not replaced")
        copy = worker.folder / "copy.db"
        worker.run("restore", restore={"yes": True, "into": str(copy), **restore}).good()
        self.exec("sh", "-c", f"rm -f {self.path}*")
        self.docker.cli("cp", str(copy), f"{self.name}:{self.path}")
        copy.unlink()


KINDS = [Mariadb, Postgresql, Redis, Sqlite]
