# SPDX-License-Identifier: Apache-2.0
"""Jobs of a real agent that need no database: one that works, one that fails, one that goes on until it is ended."""


def settings(folder):
    (folder / "letter.txt").write_text("hello\n" * 10000)
    endless = "while :; do head -c 300000 /dev/urandom; sleep 0.1; done"
    return {"databases": {
        "letter": {"engine": "command", "command": ["/bin/cat", str(folder / "letter.txt")], "schedule": "0 3 * * *"},
        "broken": {"engine": "command", "command": ["/bin/sh", "-c", "echo half; echo cannot open it >&2; exit 3"]},
        "endless": {"engine": "command", "command": ["/bin/sh", "-c", endless]},
    }}
