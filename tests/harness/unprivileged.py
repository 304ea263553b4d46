# SPDX-License-Identifier: Apache-2.0
"""Servers that refuse to run as root: started as the user `nobody` when the tests run as root."""

import os
import shutil
import subprocess

USER = "nobody"


def command(*words):
    """The command as that user; it ends when the test ends, however that does."""
    if os.geteuid() != 0:
        return list(words)
    return ["setpriv", "--reuid", USER, "--regid", "nogroup", "--clear-groups", "--pdeathsig", "KILL", "--", *words]


def run(*words, cwd, **more):
    r = subprocess.run(command(*words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       text=True, check=False, cwd=cwd, **more)
    assert r.returncode == 0, f"{' '.join(words)}: {r.stdout}"
    return r.stdout


def start(*words, cwd, log):
    with open(log, "wb") as out:
        return subprocess.Popen(command(*words), stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=cwd,
                                start_new_session=True)


def give(folder):
    """Makes the folder that user's, and the way to it open: pytest's folders are closed."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0:
        return
    shutil.chown(folder, USER)
    for path in folder.parents:
        if path.stat().st_uid == 0 and path.stat().st_mode & 0o011 != 0o011 and str(path).startswith("/tmp/"):
            path.chmod(path.stat().st_mode | 0o011)
