# SPDX-License-Identifier: Apache-2.0
"""Images of databases, made from this machine's own programs: there is no registry. They behave as the official images do where
it matters: users by environment, a first server that listens on its socket only, data in a volume."""

import io
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

from harness import postgres
from harness.docker import _run

# What their entry points and the tests need besides.
TOOLS = ["setpriv", "sqlite3"]
MARIADB = ["mariadbd", "mariadb", "mariadb-dump", "mariadb-admin", "mariadb-install-db", "my_print_defaults", "resolveip"]
REDIS = ["redis-server", "redis-cli"]
# Translations, and what only a compiler reads.
LEFT_OUT = re.compile(r"/(bitcode|man|tsearch_data/[^/]*hunspell[^/]*)(/|$)|llvmjit|/share/mysql/(?!english|charsets|[^/]*\.sql$|errmsg)[^/]+(/|$)")
USERS = "root:x:0:0::/root:/bin/sh\npostgres:x:999:999::/:/bin/sh\nmysql:x:998:998::/:/bin/sh\nredis:x:997:997::/:/bin/sh\n"
GROUPS = "root:x:0:\npostgres:x:999:\nmysql:x:998:\nredis:x:997:\n"

# An empty data folder is made once, with the image.
TEMPLATES = r"""#!/bin/sh
set -eu
mkdir -p /template/postgresql /template/mariadb
chown 999:999 /template/postgresql
chown 998:998 /template/mariadb
/usr/bin/setpriv --reuid 999 --regid 999 --clear-groups initdb -D /template/postgresql -U postgres --auth=trust --encoding=UTF8 \
	--locale=C.UTF-8 --no-sync >/dev/null &
mariadb-install-db --no-defaults --user=mysql --datadir=/template/mariadb --innodb-log-file-size=8M --rpm --skip-test-db \
	--auth-root-authentication-method=normal >/dev/null
wait $!
"""

ENTRY_POSTGRES = r"""#!/bin/sh
set -eu
data=/var/lib/postgresql/data user=${POSTGRES_USER:-postgres}
as="/usr/bin/setpriv --reuid 999 --regid 999 --clear-groups"
options="-c fsync=off -c shared_buffers=16MB -c max_connections=30"
mkdir -p $data /var/run/postgresql
chown 999:999 $data /var/run/postgresql
if [ ! -f $data/PG_VERSION ]; then
	cp -a /template/postgresql/. $data
	echo "host all all all ${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >>$data/pg_hba.conf
	$as pg_ctl -D $data -o "$options -c listen_addresses=''" -w start >/dev/null
	password=${POSTGRES_PASSWORD:+PASSWORD \'$POSTGRES_PASSWORD\'}
	[ "$user" = postgres ] || echo "CREATE ROLE \"$user\" SUPERUSER LOGIN" | psql -U postgres -q postgres
	echo "ALTER ROLE \"$user\" $password" | psql -U postgres -q postgres
	[ "${POSTGRES_DB:-$user}" = postgres ] || createdb -U "$user" "${POSTGRES_DB:-$user}"
	$as pg_ctl -D $data -m fast -w stop >/dev/null
fi
exec $as postgres -D $data $options -c "listen_addresses=*"
"""

ENTRY_MARIADB = r"""#!/bin/sh
set -eu
data=/var/lib/mysql
options="--no-defaults --user=mysql --datadir=$data --innodb-buffer-pool-size=32M --innodb-log-file-size=8M
	--innodb-flush-log-at-trx-commit=0 --innodb-flush-method=nosync --innodb-fast-shutdown=3 --performance-schema=OFF
	--skip-log-bin --skip-name-resolve --character-set-server=utf8mb4"
mkdir -p $data /run/mysqld
chown 998:998 $data /run/mysqld
if [ ! -d $data/mysql ]; then
	cp -a /template/mariadb/. $data
	mariadbd $options --skip-networking & first=$!
	until mariadb-admin --no-defaults --user=root ping >/dev/null 2>&1; do sleep 0.05; done
	password=${MARIADB_ROOT_PASSWORD:-${MYSQL_ROOT_PASSWORD:-}}
	mariadb --no-defaults --user=root <<-END
		CREATE OR REPLACE USER root@'${MARIADB_ROOT_HOST:-%}' IDENTIFIED BY '$password';
		GRANT ALL ON *.* TO root@'${MARIADB_ROOT_HOST:-%}' WITH GRANT OPTION;
		SET PASSWORD FOR root@localhost = PASSWORD('$password');
		DELETE FROM mysql.global_priv WHERE User = 'root' AND Host NOT IN ('localhost', '${MARIADB_ROOT_HOST:-%}');
		FLUSH PRIVILEGES;
	END
	MYSQL_PWD=$password mariadb-admin --no-defaults --user=root shutdown
	wait $first
fi
exec mariadbd $options --bind-address=0.0.0.0
"""

ENTRY_REDIS = r"""#!/bin/sh
set -eu
mkdir -p /data
chown 997:997 /data
cd /data
# The password stays out of the command line.
exec /usr/bin/setpriv --reuid 997 --regid 997 --clear-groups redis-server - <<END
dir /data
save 900 1
repl-diskless-sync-delay 0
requirepass "${REDIS_PASSWORD:-}"
END
"""

IDLE = ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1; done"]
# Name of the image, its command, the folder of its volume.
IMAGES = {
    "postgresql": (["/entry-postgresql"], "/var/lib/postgresql/data"),
    "mariadb": (["/entry-mariadb"], "/var/lib/mysql"),
    "redis": (["/entry-redis"], "/data"),
    "sqlite": (IDLE, "/data"),
}


def missing():
    """What is not installed; None when all is."""
    return postgres.Postgres.missing() or next((p for p in TOOLS + MARIADB + REDIS if not shutil.which(p)), None)


def _sources():
    """Files with all they are reached by."""
    version = postgres.versions()[0]
    found = [Path(shutil.which(p)) for p in TOOLS + MARIADB + REDIS]
    for top in (f"/usr/lib/postgresql/{version}/bin", f"/usr/lib/postgresql/{version}/lib", f"/usr/share/postgresql/{version}",
                "/usr/share/mysql", "/usr/lib/locale/C.utf8"):
        found += [p for p in Path(top).rglob("*") if not p.is_dir() and not LEFT_OUT.search(str(p))]
    found += [Path("/usr/share/zoneinfo") / z for z in ("UTC", "GMT", "Etc/UTC")]
    return [p for p in found if p.exists()]


def _is_elf(path):
    with open(path, "rb") as f:
        return f.read(4) == b"\x7fELF"


def _libraries(files):
    said = subprocess.run(["ldd", *files], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False).stdout
    return {Path(p) for p in re.findall(r"(/\S+) \(0x", said)}


class _Tree:
    """A tar archive of files in their own places, each once, /lib and the like being links into /usr."""

    def __init__(self, tar):
        self.tar, self.have = tar, set()
        for name in ("bin", "sbin", "lib", "lib64"):
            self._add(name, tarfile.SYMTYPE, linkname=f"usr/{name}")
        for name, mode in (("tmp", 0o1777), ("proc", 0o755), ("root", 0o700), ("run", 0o755), ("var", 0o755)):
            self._add(name, tarfile.DIRTYPE, mode)
        self._add("var/run", tarfile.SYMTYPE, linkname="../run")

    def _add(self, name, kind, mode=0o777, linkname=""):
        info = tarfile.TarInfo(name)
        info.type, info.mode, info.linkname = kind, mode, linkname
        self.have.add(name)
        self.tar.addfile(info)

    def text(self, name, text, mode=0o644):
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(text), mode
        self.tar.addfile(info, io.BytesIO(text.encode()))

    def link(self, name, to):
        if name not in self.have:
            self._add(name, tarfile.SYMTYPE, linkname=to)

    def file(self, path):
        """It, and what it is a link to. Debian's /lib is a link to /usr/lib by now."""
        name = re.sub(r"^(bin|sbin|lib|lib64)/", r"usr/\1/", str(path)[1:])
        if name in self.have:
            return
        self.have.add(name)
        if path.is_symlink():
            self.file(Path(path.parent.resolve() / path.readlink()))
            self.have.discard(name)
            self.link(name, str(path.readlink()))
        else:
            self.tar.add(path, name, recursive=False)


def _write(archive):
    files = _sources()
    files += _libraries([p for p in files if _is_elf(p)])
    busybox = shutil.which("busybox")
    with tarfile.open(archive, "w") as tar:
        tree = _Tree(tar)
        for path in files:
            tree.file(path)
        tree.text("etc/passwd", USERS)
        tree.text("etc/group", GROUPS)
        for name, text in (("entry-postgresql", ENTRY_POSTGRES), ("entry-mariadb", ENTRY_MARIADB), ("entry-redis", ENTRY_REDIS),
                           ("make-templates", TEMPLATES)):
            tree.text(name, text, 0o755)
        tree.file(Path(busybox))
        for applet in _run(busybox, "--list").stdout.split():
            tree.link(f"usr/bin/{applet}", busybox)


def make(docker):
    """Makes the images, once for a daemon; their names are "agenttest-db:KIND"."""
    if docker.cli("image", "inspect", "agenttest-db:sqlite", check=False).returncode == 0:
        return
    archive = docker.folder / "db.tar"
    _write(archive)
    path = f"/usr/local/bin:/usr/lib/postgresql/{postgres.versions()[0]}/bin:/usr/bin:/usr/sbin"
    docker.cli("import", "--change", f"ENV PATH={path}", "--change", "ENV LC_ALL=C.UTF-8", str(archive), "agenttest-db:base")
    archive.unlink()
    # An image of each, of the same files.
    docker.cli("run", "--name", "agenttest-base", "--network", "none", "agenttest-db:base", "/make-templates")
    for kind, (command, volume) in IMAGES.items():
        words = ", ".join('"' + w + '"' for w in command)
        docker.cli("commit", "--change", f"CMD [{words}]", "--change", f'VOLUME ["{volume}"]', "agenttest-base", f"agenttest-db:{kind}")
    docker.remove("agenttest-base")
