# SPDX-License-Identifier: Apache-2.0
"""Jobs of a real agent that need no database: one that works, one that fails, one that goes on until it is ended, and one of whose
two stores one cannot take it."""


def settings(folder):
    (folder / "letter.txt").write_text("hello\n" * 10000)
    endless = "while :; do head -c 300000 /dev/urandom; sleep 0.1; done"
    (folder / "file").write_text("no folder")
    stores = {"local": folder / "local", "nas": folder / "file" / "backups"}
    return {"stores": {name: {"type": "directory", "path": str(path)} for name, path in stores.items()}, "databases": {
        "letter": {"engine": "command", "command": ["/bin/cat", str(folder / "letter.txt")], "schedule": "0 3 * * *", "stores": ["local"]},
        "broken": {"engine": "command", "command": ["/bin/sh", "-c", "echo half; echo cannot open it >&2; exit 3"], "stores": ["local"]},
        "endless": {"engine": "command", "command": ["/bin/sh", "-c", endless], "stores": ["local"]},
        "half": {"engine": "command", "command": ["/bin/date"], "stores": ["local", "nas"]},
    }}
