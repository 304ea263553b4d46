# SPDX-License-Identifier: Apache-2.0
"""The database shop with its table orders (id, t), and what a restore did to it. For servers that speak SQL."""


def mark(server, db="shop"):
    """Something that is not in the backup."""
    server.sql("INSERT INTO orders VALUES (0, 'later')", db)


def is_marked(server, db="shop"):
    return server.sql("SELECT t FROM orders WHERE id = 0", db) == "later"


def as_before(server, *databases):
    """Nothing was replaced, and nothing is left over."""
    databases = databases or ("shop",)
    for db in databases:
        assert is_marked(server, db)
    assert server.databases() == sorted([*server.usual, *databases])
