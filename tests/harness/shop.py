# SPDX-License-Identifier: Apache-2.0
"""The database shop with its table orders (id, t), and what a restore did to it. For servers that speak SQL."""

ORDERS = "CREATE TABLE orders (id int PRIMARY KEY, t text);"
ROWS = {
    "postgresql": "INSERT INTO orders SELECT i, md5(i::text) FROM generate_series(1, 2000) i;",
    "mariadb": "INSERT INTO orders SELECT seq, md5(seq) FROM seq_1_to_2000;",
}
# So much that its restore has a middle.
LARGE = {
    "postgresql": """CREATE TABLE noise AS SELECT i, string_agg(md5(i::text || j::text), '') AS b FROM generate_series(1, 6000) i,
        generate_series(1, 30) j GROUP BY i;""",
    "mariadb": "CREATE TABLE zoo (b varbinary(2000)); INSERT INTO zoo SELECT random_bytes(1000) FROM seq_1_to_6000;",
}
# What does not go in again, which a dump does not know: a rule over a table that is loaded later; a row from before the rule.
BROKEN = {
    "postgresql": """CREATE TABLE zz (x int); INSERT INTO zz VALUES (1);
        CREATE FUNCTION known(int) RETURNS boolean LANGUAGE sql AS 'SELECT EXISTS (SELECT FROM public.zz WHERE x = $1)';
        CREATE TABLE aa (x int CHECK (known(x))); INSERT INTO aa VALUES (1);""",
    "mariadb": """CREATE TABLE rules (x int); INSERT INTO rules VALUES (1); SET check_constraint_checks = 0;
        ALTER TABLE rules ADD CHECK (x > 1);""",
}
REFUSED = {"postgresql": "violates check constraint", "mariadb": "CONSTRAINT"}


def orders(server):
    """What makes the table."""
    return ORDERS + ROWS[server.name]


def make(server, db="shop", more=""):
    """The database, and more in it; all its rows."""
    server.create(db, orders(server) + more)
    return server.rows(db)


def mark(server, *databases):
    """Something that is not in the backup."""
    for db in databases or ("shop",):
        server.sql("INSERT INTO orders VALUES (0, 'later')", db)


def is_marked(server, db="shop"):
    return server.sql("SELECT t FROM orders WHERE id = 0", db) == "later"


def only(server, *databases):
    """Whether just these are there, and what a new server has."""
    return server.databases() == sorted([*server.usual, *databases])


def as_before(server, *databases):
    """Nothing was replaced, and nothing is left over."""
    databases = databases or ("shop",)
    for db in databases:
        assert is_marked(server, db)
    assert only(server, *databases)
