# SPDX-License-Identifier: Apache-2.0
"""Restores into a real MariaDB server: what is special with it; test_backup_sql_restore.py has the rest."""

import pytest

from harness import shop
from harness.shop import BROKEN, is_marked, mark
from harness.worker import Worker


@pytest.fixture
def worker(my, tmp_path):
    return Worker(tmp_path, {"database": ["shop"], "compression": "none", **my.job(tmp_path)})


def test_tables_that_others_refer_to_are_not_replaced(my, worker):
    shop.make(my)
    my.create("blog", "CREATE TABLE posts (o int, FOREIGN KEY (o) REFERENCES shop.orders (id))")
    worker.backup()
    mark(my)
    worker.restore().bad("table blog.posts refers to tables of shop")
    assert is_marked(my)
    assert my.databases() == ["blog", "shop"]


def test_a_dump_with_the_sandbox_line_goes_in(my, worker, tools):
    """Tools since May 2024 write it, and older clients fail there."""
    rows = shop.make(my)
    assert "enable the sandbox mode" in my.tool("mariadb-dump", "shop")
    tools.add("mariadb", """case "$*" in *--version*) exec "$REAL" "$@";; esac
input=$(mktemp); cat >"$input"; grep -q 'sandbox mode' "$input" && { echo "ERROR at line 1: Unknown command" >&2; exit 1; }
"$REAL" "$@" <"$input" """)
    worker.backup()
    my.drop("shop")
    worker.restore().good()
    assert my.rows("shop") == rows


def test_row_30_half_of_a_backup_in_an_empty_database_is_called_partial(my, worker):
    shop.make(my, more=BROKEN[my.name])
    worker.backup()
    my.drop("shop")
    my.create("shop")
    assert worker.restore().bad("holds a part of the backup")["partial"] is True
