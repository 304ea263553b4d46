# SPDX-License-Identifier: Apache-2.0
"""Stand-ins for programs, found before the real ones; and where the real ones run."""

import os
import shutil
from pathlib import Path

from harness import proc


class Tools:
    """A folder for the front of PATH."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir()

    def environment(self):
        return {"PATH": f"{self.folder}:{os.environ['PATH']}"}

    def add(self, name, script):
        """A script instead of the program; "$REAL" in it is that program."""
        path = self.folder / name
        path.write_text(f"#!/bin/sh\nREAL={shutil.which(name)}\n{script}\n")
        path.chmod(0o755)
        return path

    def only(self, *names):
        """The whole PATH: just these programs."""
        for name in names:
            (self.folder / name).symlink_to(shutil.which(name))
        return {"PATH": str(self.folder)}


def find_below(pid, name):
    """Of the processes that this one has started, and those that they have, the first whose program is called so; None."""
    for p in proc.below(pid):
        words = proc.cmdline(p)
        if words and os.path.basename(words[0]) == name:
            return p
    return None
